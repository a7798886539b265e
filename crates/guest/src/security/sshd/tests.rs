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
