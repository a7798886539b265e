use fathom_report::{Boot, Coverage, Fact, Listing, Mount, Package, Setting, Users};

use super::{kebab, of};
use crate::files::Files;
use crate::memory;
use crate::security::Known;

fn found(files: &[(&str, &[u8])], mounts: Vec<Mount>, sudo: &[&str]) -> Listing<Setting> {
    with_mounts(files, &Listing::complete(mounts, Vec::new()), sudo)
}

fn with_mounts(
    files: &[(&str, &[u8])],
    mounts: &Listing<Mount>,
    sudo: &[&str],
) -> Listing<Setting> {
    with_packages(files, mounts, sudo, &Listing::complete(Vec::new(), Vec::new()))
}

fn with_packages(
    files: &[(&str, &[u8])],
    mounts: &Listing<Mount>,
    sudo: &[&str],
    packages: &Listing<Package>,
) -> Listing<Setting> {
    let tree = memory::tree(files);
    let rules = sudo.iter().map(|rule| (*rule).to_owned()).collect();
    let known = Known {
        packages,
        boot: &Boot {
            kernels: Listing::unknown(""),
            default: Fact::unknown(""),
            firmware: Listing::unknown(""),
            drivers: Listing::unknown(""),
        },
        services: &Listing::complete(Vec::new(), Vec::new()),
        users: &Users {
            accounts: Listing::unknown(""),
            groups: Listing::unknown(""),
            sudo: Listing::complete(rules, vec!["/etc/sudoers".into()]),
        },
        mounts,
    };
    of(&Files::new(&tree), &known, &Listing::complete(Vec::new(), Vec::new()), Vec::new())
}

fn value<'a>(listing: &'a Listing<Setting>, name: &str) -> Option<&'a str> {
    let setting = listing.items.iter().find(|setting| setting.name == name);
    setting.map(|setting| setting.value.as_str())
}

#[test]
fn settings_are_told_by_their_names() {
    let tmp = Mount {
        path: "/tmp".into(),
        device: "tmpfs".into(),
        kind: "tmpfs".into(),
        options: vec!["nosuid".into(), "nodev".into()],
        volume: None,
        evidence: "/etc/fstab".into(),
    };
    let listing = found(
        &[
            ("/etc/security/limits.conf", b"* soft core 1\n* hard core 0 # none\n"),
            (
                "/usr/lib/systemd/coredump.conf",
                b"[Coredump]\nStorage=external\n#ProcessSizeMax=1\n",
            ),
            (
                "/etc/systemd/coredump.conf.d/a.conf",
                b"[Coredump]\nStorage=none\nProcessSizeMax=0\n",
            ),
            ("/etc/profile", b"umask 077; x\nreadonly TMOUT=900\n"),
            ("/etc/issue", b"Debian \\s \\m\n"),
            ("/etc/pam.d/su", b"# auth required pam_wheel.so\nauth sufficient pam_rootok.so\n"),
            ("/etc/systemd/system/ctrl-alt-del.target -> /dev/null", b""),
            ("/boot/grub/grub.cfg", b"set superusers=\"root\"\npassword_pbkdf2 root grub.secret\n"),
            ("/etc/modprobe.d/x.conf", b"install usb_storage /bin/false\nblacklist cramfs\n"),
            ("/etc/shadow", b""),
        ],
        vec![tmp],
        &["Defaults use_pty, logfile=\"/var/log/sudo\"", "joe ALL=(ALL) NOPASSWD: ALL"],
    );
    for (name, expected) in [
        ("core-dump-hard-limit", Some("0")),
        ("coredump-storage", Some("none")),
        ("coredump-process-size-max", Some("0")),
        ("shell-umask", Some("077")),
        ("shell-timeout", Some("900")),
        ("login-banner", Some("names the system")),
        ("su-members-only", Some("no")),
        ("ctrl-alt-del", Some("masked")),
        ("boot-loader-password", Some("yes")),
        ("module-usb-storage", Some("/bin/false")),
        ("module-cramfs", Some("blacklist")),
        ("mode-shadow", Some("0644 0:0")),
        ("mount-tmp", Some("nosuid,nodev")),
        ("mount-home", Some("none")),
        ("sudo-rules-without-password", Some("1")),
        ("sudo-use-pty", Some("yes")),
        ("sudo-log-file", Some("/var/log/sudo")),
        ("cron-allow", Some("no")),
        ("address-space-randomisation", None),
    ] {
        assert_eq!(value(&listing, name), expected, "{name}");
    }
    assert!(!format!("{listing:?}").contains("secret"));
    assert_eq!(listing.coverage, Coverage::Complete);
    assert!(listing.items.is_sorted_by_key(|setting| setting.name.clone()));
}

#[test]
fn red_hat_s_password_of_the_menu_is_in_a_file_beside_it() {
    let menu: (&str, &[u8]) = (
        "/boot/grub2/grub.cfg",
        b"set superusers=\"root\"\n  password_pbkdf2 root ${GRUB2_PASSWORD}\n",
    );
    let without = found(&[menu], Vec::new(), &[]);
    assert_eq!(value(&without, "boot-loader-password"), Some("no"));
    let beside: (&str, &[u8]) = ("/boot/grub2/user.cfg", b"GRUB2_PASSWORD=grub.secret\n");
    let with = found(&[menu, beside], Vec::new(), &[]);
    assert_eq!(value(&with, "boot-loader-password"), Some("yes"));
}

#[test]
fn names_become_words() {
    assert_eq!(kebab("ForwardToSyslog"), "forward-to-syslog");
    assert_eq!(kebab("Storage"), "storage");
}

#[test]
fn the_folder_of_the_journal_is_told() {
    let folder = |files: &[(&str, &[u8])]| {
        value(&found(files, Vec::new(), &[]), "journald-folder").map(str::to_owned)
    };
    assert_eq!(folder(&[("/var/log/journal/1/system.journal", b"")]).as_deref(), Some("yes"));
    assert_eq!(folder(&[("/var/log/syslog", b"")]).as_deref(), Some("no"));
}

#[test]
fn mounts_that_are_not_known_are_no_settings() {
    let listing = with_mounts(&[], &Listing::unknown("fstab is damaged"), &[]);
    assert_eq!(listing.coverage, Coverage::Partial);
    assert_eq!(value(&listing, "mount-tmp"), None);
    assert!(listing.reason.is_some_and(|why| why.contains("mounts: fstab is damaged")));
}

#[test]
fn the_default_target_is_told() {
    let target = |files: &[(&str, &[u8])]| {
        value(&found(files, Vec::new(), &[]), "default-target").map(str::to_owned)
    };
    let vendor: (&str, &[u8]) = ("/usr/lib/systemd/system/default.target -> graphical.target", b"");
    assert_eq!(target(&[vendor]).as_deref(), Some("graphical.target"));
    let own: (&str, &[u8]) =
        ("/etc/systemd/system/default.target -> /lib/systemd/system/runlevel1.target", b"");
    let alias: (&str, &[u8]) = ("/usr/lib/systemd/system/runlevel1.target -> rescue.target", b"");
    let unit: (&str, &[u8]) = ("/usr/lib/systemd/system/rescue.target", b"[Unit]\n");
    assert_eq!(target(&[own, alias, unit, vendor]).as_deref(), Some("rescue.target"));
    let masked: (&str, &[u8]) = ("/etc/systemd/system/default.target -> /dev/null", b"");
    assert_eq!(target(&[masked, vendor]).as_deref(), Some("masked"));
    let circle: (&str, &[u8]) = ("/etc/systemd/system/default.target -> b.target", b"");
    let back: (&str, &[u8]) = ("/etc/systemd/system/b.target -> default.target", b"");
    assert!(target(&[circle, back]).is_some());
    assert_eq!(target(&[("/etc/inittab", b"")]), None);
}

#[test]
fn settings_of_services_stand_in_their_sections() {
    let storage = |files: &[(&str, &[u8])]| {
        value(&found(files, Vec::new(), &[]), "journald-storage").map(str::to_owned)
    };
    let conf = "/etc/systemd/journald.conf";
    assert_eq!(storage(&[(conf, b"[Journal]\nStorage=volatile\n")]).as_deref(), Some("volatile"));
    let text = b"Storage=auto\n[Other]\nStorage=none\n[Journal]\nCompress=no\n";
    assert_eq!(storage(&[(conf, text)]), None);
    let joined = b"[Journal]\nStorage=\\\n# no\n none\n";
    assert_eq!(storage(&[(conf, joined)]).as_deref(), Some("none"));
    // A link to nothing takes the vendor's file away, and a part of it.
    let vendor: (&str, &[u8]) =
        ("/usr/lib/systemd/journald.conf.d/a.conf", b"[Journal]\nStorage=none\n");
    assert_eq!(storage(&[vendor]).as_deref(), Some("none"));
    let masked: (&str, &[u8]) = ("/etc/systemd/journald.conf.d/a.conf -> /dev/null", b"");
    assert_eq!(storage(&[vendor, masked]), None);
}

/// As `modprobe -c` of kmod 30 shows it.
#[test]
fn modules_are_turned_off_as_kmod_reads_it() {
    let text =
        b"blacklist cramfs # c\nblacklist hfs#c\n# blacklist udf\ninstall sctp \\\n  /bin/false\n\
        install dccp /bin/true # no\n#install x \\\ninstall rds /bin/false\nblacklist ti\\\npc\n\
        blacklist jffs2 udf\n  blacklist freevxfs\ninstall bluetooth\n\
        install usb_storage    /bin/false   a  b\ninstall hfsplus /bin/a\ninstall hfsplus /bin/b\n\
        blacklist hfsplus\nblacklist vfat   \\\n";
    let masked: (&str, &[u8]) = ("/etc/modprobe.d/v.conf -> /dev/null", b"");
    let vendor: (&str, &[u8]) = ("/usr/lib/modprobe.d/v.conf", b"blacklist squashfs\n");
    let shown = |files: &[(&str, &[u8])]| -> Vec<String> {
        let listing = found(files, Vec::new(), &[]);
        let modules = listing
            .items
            .iter()
            .filter_map(|it| Some(format!("{} {}", it.name.strip_prefix("module-")?, it.value)));
        modules.collect()
    };
    assert_eq!(
        shown(&[("/etc/modprobe.d/a.conf", text), vendor, masked]),
        [
            "cramfs blacklist",
            "dccp /bin/true",
            "freevxfs blacklist",
            "hfsplus /bin/a",
            "jffs2 blacklist",
            "sctp /bin/false",
            "tipc blacklist",
            "usb-storage /bin/false a b",
            "vfat blacklist",
        ]
    );
    assert_eq!(shown(&[vendor]), ["squashfs blacklist"]);
}

#[test]
fn su_asks_for_members_by_pam_wheel() {
    for (line, expected) in [
        ("auth required pam_wheel.so use_uid", "yes"),
        ("auth required /lib/security/pam_wheel.so group=a # root_only", "yes"),
        ("auth required \\\n pam_wheel.so", "yes"),
        ("auth required pam_wheel.so root_only", "root-only"),
        ("auth required pam_wheel.so deny group=nosu", "no"),
        ("auth sufficient pam_wheel.so trust", "no"),
        ("# auth required pam_wheel.so", "no"),
        ("account required pam_wheel.so", "no"),
    ] {
        let listing = found(&[("/etc/pam.d/su", line.as_bytes())], Vec::new(), &[]);
        assert_eq!(value(&listing, "su-members-only"), Some(expected), "{line}");
    }
}

#[test]
fn what_turns_defences_of_the_processor_off_is_told() {
    let off = |arguments: &str| {
        let entry = serde_json::json!({"loader": "grub", "initramfs": [], "arguments": arguments});
        let entry = serde_json::from_value(entry).unwrap();
        let boot = Boot {
            kernels: Listing::unknown(""),
            default: Fact::known(entry, "/boot/grub/grub.cfg"),
            firmware: Listing::unknown(""),
            drivers: Listing::unknown(""),
        };
        let system = fathom_report::System::unknown("", fathom_report::Family::Linux, "");
        let known = Known {
            packages: &system.packages,
            boot: &boot,
            services: &system.services,
            users: &system.users,
            mounts: &system.mounts,
        };
        let tree = memory::tree(&[]);
        let kernel = Listing::complete(Vec::new(), Vec::new());
        let listing = of(&Files::new(&tree), &known, &kernel, Vec::new());
        value(&listing, "kernel-mitigations-off").map(str::to_owned)
    };
    for (arguments, expected) in [
        ("ro quiet", "none"),
        ("mitigations=off", "mitigations=off"),
        ("mitigations=off mitigations=auto", "none"),
        ("mitigations=auto,nosmt", "none"),
        ("foo=nopti x=mitigations=off", "none"),
        ("nopti", "nopti"),
        ("nopti pti=on", "none"),
        ("pti=off nospectre_v1 spectre_v2=off", "spectre_v2=off pti=off nospectre_v1"),
        ("l1tf=full mds=off", "mds=off"),
        ("kvm.nx_huge_pages=off", "kvm.nx_huge_pages=off"),
        ("kvm_intel.vmentry_l1d_flush=never", "kvm-intel.vmentry_l1d_flush=never"),
    ] {
        assert_eq!(off(arguments).as_deref(), Some(expected), "{arguments}");
    }
}

fn of_sudo(rules: &[&str], version: Option<&str>) -> Listing<Setting> {
    let packages = version.map(|version| {
        let package = serde_json::json!({
            "kind": "deb", "name": "sudo", "version": version, "evidence": "/var/lib/dpkg/status",
        });
        serde_json::from_value(package).unwrap()
    });
    let packages = Listing::complete(packages.into_iter().collect(), Vec::new());
    with_packages(&[], &Listing::complete(Vec::new(), Vec::new()), rules, &packages)
}

#[test]
fn comments_and_limited_defaults_of_sudo_do_not_hold() {
    let rules = [
        "Defaults:alice use_pty",
        "Defaults@host logfile=/x",
        "Defaults>root timestamp_timeout=1",
        "Defaults!/bin/ls !authenticate",
        "Cmnd_Alias NOPASSWD_COMMANDS = /bin/ls",
        "Defaults timestamp_timeout = 30, logfile = \"/var/log/sudo log\"",
    ];
    let found = of_sudo(&rules, Some("1.9.13p3-1+deb12u1"));
    for (name, expected) in [
        ("sudo-use-pty", "no"),
        ("sudo-log-file", "/var/log/sudo log"),
        ("sudo-timeout", "30"),
        ("sudo-rules-without-password", "0"),
        ("sudo-defaults-without-password", "1"),
    ] {
        assert_eq!(value(&found, name), Some(expected), "{name}");
    }
}

#[test]
fn programs_of_sudo_have_terminals_of_their_own_since_a_release() {
    for (rules, version, expected) in [
        (&["root ALL=ALL"][..], Some("1.9.13p3-1"), Some("no")),
        (&["root ALL=ALL"], Some("1.9.14-1"), Some("yes")),
        (&["root ALL=ALL"], Some("1.9.16p2-3"), Some("yes")),
        (&["root ALL=ALL"], None, None),
        (&["Defaults use_pty"], None, Some("yes")),
        (&["Defaults !use_pty"], Some("1.9.16p2-3"), Some("no")),
        (&["Defaults use_pty, !use_pty"], None, Some("no")),
    ] {
        let found = of_sudo(rules, version);
        assert_eq!(value(&found, "sudo-use-pty"), expected, "{rules:?} {version:?}");
        assert_eq!(found.coverage == Coverage::Complete, expected.is_some());
    }
}
