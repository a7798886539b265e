use fathom_report::{Coverage, Fact, Listing, Package, Sshd};

use super::of;
use crate::files::Files;
use crate::memory;

/// The package of the release.
fn package(version: &str) -> Listing<Package> {
    let package = serde_json::json!({
        "kind": "deb",
        "name": "openssh-server",
        "version": version,
        "epoch": 1,
        "evidence": "/var/lib/dpkg/status",
    });
    let package = serde_json::from_value(package).unwrap();
    Listing::complete(vec![package], Vec::new())
}

fn fact(version: Option<&str>, files: &[(&str, &[u8])]) -> Fact<Sshd> {
    let tree = memory::tree(files);
    let packages = version.map_or(Listing::complete(Vec::new(), Vec::new()), package);
    of(&Files::new(&tree), &packages, &Listing::complete(Vec::new(), Vec::new()))
}

fn sshd(version: Option<&str>, files: &[(&str, &[u8])]) -> Sshd {
    let Fact::Known { value, .. } = fact(version, files) else { panic!("it is not known") };
    value
}

fn values<'a>(sshd: &'a Sshd, name: &str) -> Vec<&'a str> {
    let of_name = sshd.settings.iter().filter(|setting| setting.name == name);
    of_name.map(|setting| setting.value.as_str()).collect()
}

const MAIN: &str = "/etc/ssh/sshd_config";

#[test]
fn the_first_line_counts_and_includes_stand_where_they_are_named() {
    let sshd = sshd(
        Some("9.2p1"),
        &[
            (
                MAIN,
                b"Include sshd_config.d/*.conf\nPermitRootLogin yes\nPasswordAuthentication no\n",
            ),
            ("/etc/ssh/sshd_config.d/a.conf", b"permitrootlogin no\nPort 2222\n"),
            ("/etc/ssh/sshd_config.d/b.conf", b"PermitRootLogin yes\nPort 23\n"),
            ("/etc/ssh/sshd_config.d/c.off", b"PermitRootLogin yes\n"),
        ],
    );
    assert_eq!(values(&sshd, "permitrootlogin"), ["no"]);
    assert_eq!(values(&sshd, "passwordauthentication"), ["no"]);
    assert_eq!(values(&sshd, "port"), ["2222", "23"]);
    assert_eq!(values(&sshd, "listenaddress").len(), 4);
    assert_eq!(values(&sshd, "maxauthtries"), ["6"]);
    assert_eq!(sshd.version.as_deref(), Some("1:9.2p1"));
    assert!(sshd.mistakes.is_empty() && sshd.unknown.is_empty());
}

#[test]
fn conditions_are_kept_and_what_always_holds_is_folded_in() {
    let text = b"X11Forwarding yes\nMatch user bob # him\nX11Forwarding no\nBanner /b\n\
                 Match all\nX11Forwarding no\nBanner /all\nMatch user eve\nBanner /e\nPermitTTY no\n";
    let sshd = sshd(Some("9.2p1"), &[(MAIN, text)]);
    assert_eq!(values(&sshd, "x11forwarding"), ["no"]);
    assert_eq!(values(&sshd, "banner"), ["/all"]);
    let shown: Vec<_> = sshd
        .matches
        .iter()
        .map(|found| {
            let settings = found.settings.iter();
            let settings = settings.map(|setting| format!("{} {}", setting.name, setting.value));
            (found.condition.as_str(), settings.collect::<Vec<_>>().join("; "))
        })
        .collect();
    let expected = [
        ("user bob", "x11forwarding no; banner /b".to_owned()),
        ("user eve", "permittty no".to_owned()),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_condition_in_an_included_file_ends_with_it_and_is_added_to_the_outer() {
    let sshd = sshd(
        Some("9.2p1"),
        &[
            (MAIN, b"Include a\nPermitTTY no\nMatch group g\nInclude a\nBanner /g\n"),
            ("/etc/ssh/a", b"Match user bob\nBanner /bob\n"),
        ],
    );
    assert_eq!(values(&sshd, "permittty"), ["no"]);
    let conditions: Vec<_> = sshd.matches.iter().map(|it| it.condition.as_str()).collect();
    assert_eq!(conditions, ["user bob", "group g user bob", "group g"]);
}

#[test]
fn what_includes_itself_or_cannot_be_read_makes_nothing_certain() {
    let cyclic = fact(Some("9.2p1"), &[(MAIN, b"Include /etc/ssh/sshd_config\n")]);
    assert!(
        matches!(&cyclic, Fact::Unknown { reason } if reason.contains("16 deep")),
        "{cyclic:?}"
    );
    let twice = b"Include /etc/ssh/sshd_config\nInclude /etc/ssh/sshd_config\n";
    assert!(matches!(fact(None, &[(MAIN, twice)]), Fact::Unknown { .. }));
    let long = vec![b'#'; (1 << 20) + 1];
    let files: &[(&str, &[u8])] =
        &[(MAIN, b"Include x\nPermitRootLogin no\n"), ("/etc/ssh/x", &long)];
    assert!(matches!(fact(None, files), Fact::Unknown { .. }));
}

#[test]
fn without_a_release_only_what_is_set_is_told() {
    let sshd = sshd(None, &[(MAIN, b"PermitRootLogin no\nCiphers -aes*\nNoSuchThing 1\nPort x\n")]);
    let names: Vec<_> = sshd.settings.iter().map(|setting| setting.name.as_str()).collect();
    assert_eq!(names, ["nosuchthing", "permitrootlogin"]);
    assert_eq!(sshd.unknown, ["ciphers"]);
    assert_eq!(sshd.mistakes.len(), 2);
    assert!(matches!(fact(None, &[]), Fact::Absent { .. }));
}

#[test]
fn the_vendor_s_file_holds_where_there_is_no_other() {
    let vendor: (&str, &[u8]) = ("/usr/etc/ssh/sshd_config", b"PermitRootLogin yes\n");
    assert_eq!(values(&sshd(None, &[vendor]), "permitrootlogin"), ["yes"]);
    let both = sshd(None, &[vendor, (MAIN, b"PermitRootLogin no\n")]);
    assert_eq!(values(&both, "permitrootlogin"), ["no"]);
}

#[test]
fn older_releases_ask_by_two_keywords() {
    for (text, expected) in [
        (&b""[..], "yes"),
        (b"KbdInteractiveAuthentication no\n", "yes"),
        (b"ChallengeResponseAuthentication no\n", "no"),
    ] {
        let old = sshd(Some("8.4p1"), &[(MAIN, text)]);
        assert_eq!(values(&old, "kbdinteractiveauthentication"), [expected]);
    }
    let new = sshd(Some("9.6p1"), &[(MAIN, b"ChallengeResponseAuthentication no\n")]);
    assert_eq!(values(&new, "kbdinteractiveauthentication"), ["no"]);
    assert!(values(&new, "ciphers").is_empty(), "what was not compared is not told");
}

#[test]
fn coverage_is_not_mixed_up_with_packages_that_could_not_be_read() {
    let packages = Listing::<Package>::unknown("the database is damaged");
    assert_eq!(packages.coverage, Coverage::Unknown);
    let tree = memory::tree(&[(MAIN, b"PermitRootLogin no\n")]);
    let services = Listing::complete(Vec::new(), Vec::new());
    let fact = of(&Files::new(&tree), &packages, &services);
    assert_eq!(fact.value().unwrap().version, None);
    let tree = memory::tree(&[("/etc/passwd", b"")]);
    let fact = of(&Files::new(&tree), &packages, &services);
    assert!(matches!(fact, Fact::Absent { .. }));
}

#[test]
fn keywords_and_subsystems_are_those_of_the_release() {
    let text = b"LogVerbose x.c:*\nSubsystem sftp internal-sftp\nSubsystem sftp /bin/false\n\
                 Match user bob\nSubsystem sftp /bin/true\n";
    let old = sshd(Some("8.4p1"), &[(MAIN, text)]);
    assert_eq!(values(&old, "subsystem"), ["sftp internal-sftp"]);
    assert_eq!(old.mistakes.len(), 3, "{:?}", old.mistakes);
    let new = sshd(Some("10.0p1"), &[(MAIN, text)]);
    assert_eq!(values(&new, "subsystem"), ["sftp internal-sftp"]);
    assert!(new.mistakes.is_empty(), "{:?}", new.mistakes);
    assert_eq!(new.matches.len(), 1);
}

const UNIT: &str = "/usr/lib/systemd/system/ssh.service";
const DROP_IN: &str = "/etc/systemd/system/ssh.service.d/a.conf";
const DEFAULTS: &str = "/etc/default/ssh";

/// Debian's own unit.
const OF_DEBIAN: &[u8] = b"[Service]\nEnvironmentFile=-/etc/default/ssh\n\
    ExecStartPre=/usr/sbin/sshd -t\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n";

/// What holds where the service is started by Debian's unit and what these files say besides.
fn started(files: &[(&str, &[u8])]) -> Fact<Sshd> {
    let mut all = vec![(UNIT, OF_DEBIAN)];
    all.extend(files);
    let tree = memory::tree(&all);
    let files = Files::new(&tree);
    let services = files.listing(|| crate::services::all(&files));
    of(&files, &package("9.2p1"), &services)
}

fn shown(fact: &Fact<Sshd>, names: &[&str]) -> Vec<String> {
    let Some(sshd) = fact.value() else { panic!("{fact:?}") };
    names.iter().map(|name| values(sshd, name).join(" ")).collect()
}

#[test]
fn variables_of_the_unit_and_of_its_files_are_put_in() {
    let both = "[Service]\nEnvironment=\"SSHD_OPTS=-o PermitRootLogin=yes -o PasswordAuthentication=no\"\n";
    let cleared: &[u8] = b"[Service]\nEnvironmentFile=\nEnvironmentFile=/etc/sshd.env\n";
    for (files, expected) in [
        (vec![(DROP_IN, both.as_bytes()), (DEFAULTS, &b""[..])], ["yes", "no"]),
        // What the file sets counts more.
        (
            vec![(DROP_IN, both.as_bytes()), (DEFAULTS, b"SSHD_OPTS=-o PermitRootLogin=no\n")],
            ["no", "yes"],
        ),
        (
            vec![
                (DROP_IN, cleared),
                (DEFAULTS, b"SSHD_OPTS='-o PermitRootLogin=yes'\n"),
                ("/etc/sshd.env", b"SSHD_OPTS=-oPasswordAuthentication=no\n"),
            ],
            ["without-password", "no"],
        ),
        (
            vec![(
                DEFAULTS,
                b"SSHD_OPTS='-o \"PermitRootLogin yes\" -oPasswordAuthentication=no'\n",
            )],
            ["yes", "no"],
        ),
        (vec![], ["without-password", "yes"]),
    ] {
        let fact = started(&files);
        assert_eq!(shown(&fact, &["permitrootlogin", "passwordauthentication"]), expected);
    }
}

#[test]
fn commands_are_parted_as_systemd_does() {
    let drop_in = |command: &str| format!("[Service]\nExecStart=\nExecStart={command}\n");
    for (command, expected) in [
        ("/usr/sbin/sshd -D -o \"PermitRootLogin yes\" -o \"MaxAuthTries 2\"", ["yes", "2", "22"]),
        ("/usr/sbin/sshd -Do 'PermitRootLogin no' -4f /etc/ssh/alt", ["no", "9", "22"]),
        ("-/usr/sbin/sshd -D -o ${X} -p 77 -p 78", ["yes", "6", "77 78"]),
        (":/usr/sbin/sshd -D $SSHD_OPTS", ["without-password", "6", "22"]),
        ("@/usr/sbin/sshd sshd -D -o PermitRootLogin=no", ["no", "6", "22"]),
    ] {
        let fact = started(&[
            (DROP_IN, drop_in(command).as_bytes()),
            (DEFAULTS, b"X=PermitRootLogin yes\nSSHD_OPTS=-p 5\n"),
            ("/etc/ssh/alt", b"MaxAuthTries 9\n"),
        ]);
        let found = shown(&fact, &["permitrootlogin", "maxauthtries", "port"]);
        assert_eq!(found, expected, "{command}");
    }
}

#[test]
fn ports_that_it_is_given_take_the_place_of_those_of_the_file() {
    let fact = started(&[
        (MAIN, b"Port 2222\nListenAddress 10.0.0.1\nListenAddress 10.0.0.2:5\n"),
        (DEFAULTS, b"SSHD_OPTS=-p 77\n"),
    ]);
    let found = shown(&fact, &["port", "listenaddress"]);
    assert_eq!(found, ["77", "10.0.0.1:77 10.0.0.2:5"]);
    let fact = started(&[(MAIN, b"Port 2222\n"), (DEFAULTS, b"SSHD_OPTS=-oPort=77\n")]);
    assert_eq!(shown(&fact, &["port"]), ["77 2222"]);
}

#[test]
fn what_cannot_be_told_of_its_start_is_no_default() {
    let too_long = vec![b'#'; (1 << 20) + 1];
    for files in [
        vec![(DEFAULTS, &too_long[..])],
        vec![(DROP_IN, b"[Service]\nEnvironmentFile=-/run/sshd.env\n")],
        vec![(DROP_IN, b"[Service]\nEnvironmentFile=/etc/not-there\n")],
        vec![(DROP_IN, b"[Service]\nEnvironment=SSHD_OPTS=-o%i\n")],
        vec![(DROP_IN, b"[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -o Banner=%h\n")],
    ] {
        let fact = started(&files);
        assert!(matches!(fact, Fact::Unknown { .. }), "{fact:?}");
    }
    let tree = memory::tree(&[(DEFAULTS, b"SSHD_OPTS=-oPermitRootLogin=yes\n")]);
    let mut services = Listing::complete(Vec::new(), Vec::new());
    services.hide("/usr could not be read");
    let fact = of(&Files::new(&tree), &package("9.2p1"), &services);
    let Fact::Unknown { reason } = fact else { panic!("{fact:?}") };
    assert!(reason.contains("/usr could not be read"), "{reason}");
}

#[test]
fn debian_13_has_other_classes_of_traffic() {
    for (version, expected) in
        [("9.2p1", &["lowdelay throughput"][..]), ("10.0p1", &["ef cs1"]), ("10.1p1", &[])]
    {
        assert_eq!(values(&sshd(Some(version), &[(MAIN, b"")]), "ipqos"), expected, "{version}");
    }
}

#[test]
fn what_starts_sshd_in_its_turn_may_give_it_anything() {
    let drop_in = b"[Service]\nExecStart=\nExecStart=/bin/sh -c 'exec /usr/sbin/sshd -o Port=5'\n";
    let fact = started(&[(DROP_IN, drop_in)]);
    let Fact::Unknown { reason } = fact else { panic!("{fact:?}") };
    assert!(reason.contains("/bin/sh may start it"), "{reason}");
}

#[test]
fn a_socket_of_systemd_decides_where_sshd_listens() {
    const SOCKET: &str = "/lib/systemd/system/ssh.socket";
    const WANTED: &str = "/etc/systemd/system/sockets.target.wants/ssh.socket";
    const SERVICE: &str = "/etc/systemd/system/multi-user.target.wants/ssh.service";
    let socket: &[u8] = b"[Socket]\nListenStream=22\n[Install]\nWantedBy=sockets.target\n";
    let other: (&str, &[u8]) = (
        "/etc/systemd/system/ssh.socket.d/x.conf",
        b"[Socket]\nListenStream=\nListenStream=10.0.0.1:2200\nListenStream=2200\n",
    );
    let config: (&str, &[u8]) = (MAIN, b"Port 2222\n");
    let wanted: (&str, &[u8]) = (WANTED, b"");
    let generator: (&str, &[u8]) =
        ("/usr/lib/systemd/system-generators/sshd-socket-generator", b"");
    let of_files = ["2222", "[::]:2222 0.0.0.0:2222"];
    let of_socket = ["2200", "10.0.0.1:2200 [::]:2200"];
    for (files, expected) in [
        (vec![config, (SOCKET, socket), other], of_files),
        (vec![config, (SOCKET, socket), other, wanted], of_socket),
        (vec![config, (SOCKET, socket), wanted], ["22", "[::]:22"]),
        (vec![config, (SOCKET, socket), other, wanted, generator], of_files),
        (vec![config, (SOCKET, socket), other, wanted, (SERVICE, b"")], ["", ""]),
    ] {
        let fact = started(&files);
        assert_eq!(shown(&fact, &["port", "listenaddress"]), expected, "{files:?}");
        let unknown = &fact.value().unwrap().unknown;
        assert_eq!(unknown.is_empty(), !expected[0].is_empty(), "{unknown:?}");
    }
}

#[test]
fn scripts_of_init_hand_it_what_their_files_say() {
    let openrc: (&str, &[u8]) = ("/etc/init.d/sshd*", b"#!/sbin/openrc-run\n");
    let inittab: (&str, &[u8]) = ("/sbin/init", b"INIT: /etc/inittab");
    for (path, text, expected) in [
        ("/etc/sysconfig/sshd", "OPTIONS=\"-p 77\"\n", Some("77")),
        ("/etc/sysconfig/ssh", "SSHD_OPTS=\"-p 78\"\n", Some("78")),
        ("/etc/conf.d/sshd", "cfgfile=/etc/ssh/other\n", Some("79")),
        ("/etc/conf.d/sshd", "SSHD_CONFDIR=/etc/else\n", Some("80")),
        ("/etc/conf.d/sshd", "SSHD_OPTS=\"-p $PORT\"\n", None),
    ] {
        let tree = memory::tree(&[
            (MAIN, b"Port 22\n"),
            openrc,
            inittab,
            (path, text.as_bytes()),
            ("/etc/ssh/other", b"Port 79\n"),
            ("/etc/else/sshd_config", b"Port 80\n"),
        ]);
        let files = Files::new(&tree);
        let services = files.listing(|| crate::services::all(&files));
        let fact = of(&files, &package("9.2p1"), &services);
        let port = fact.value().map(|sshd| values(sshd, "port").join(" "));
        assert_eq!(port.as_deref(), expected, "{path} {text}");
    }
}
