//! Memory of programs that crash, the journal, and modules that may not be loaded.

use super::{Found, kebab};
use crate::files::Read;

/// Modules that guides ask to be turned off.
const MODULES: [&str; 16] = [
    "cramfs",
    "freevxfs",
    "jffs2",
    "hfs",
    "hfsplus",
    "squashfs",
    "udf",
    "vfat",
    "usb-storage",
    "dccp",
    "sctp",
    "rds",
    "tipc",
    "firewire-core",
    "thunderbolt",
    "bluetooth",
];

pub(super) fn of(found: &mut Found<'_>) {
    limits(found);
    for (service, keys) in [
        ("coredump", &["Storage", "ProcessSizeMax"][..]),
        ("journald", &["Storage", "Compress", "ForwardToSyslog"]),
    ] {
        for (key, value, path) in found.systemd(service, keys) {
            found.add(&format!("{service}-{}", kebab(&key)), value, Some(&path));
        }
    }
    // Where the storage is chosen by itself, messages are kept if there is this folder.
    let folder = "/var/log/journal";
    match found.files.found(folder, super::HIDES) {
        Read::There(_) => found.add("journald-folder", "yes", Some(folder)),
        Read::Absent => found.add("journald-folder", "no", Some(folder)),
        // It may lie on a disk that was not given. Nothing is said then; no other setting hangs on it.
        Read::Unread(_) => {}
    }
    modules(found);
}

/// What everybody's limit of the memory is that is kept of a program: of several lines the last.
fn limits(found: &mut Found<'_>) {
    let mut limit = None;
    let mut paths = vec!["/etc/security/limits.conf".to_owned()];
    paths.extend(found.expand("/etc/security/limits.d/*.conf"));
    for path in paths {
        let Some(text) = found.text(&path) else { continue };
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["*", "hard" | "-", "core", value] = words[..] {
                limit = Some((value.to_owned(), path.clone()));
            }
        }
    }
    if let Some((value, path)) = limit {
        found.add("core-dump-hard-limit", value, Some(&path));
    }
}

/// Modules that are turned off: another program is run instead of loading them, or they are not
/// loaded by themselves.
fn modules(found: &mut Found<'_>) {
    let mut off = Vec::new();
    for folder in ["/etc/modprobe.d", "/usr/lib/modprobe.d"] {
        for path in found.expand(&format!("{folder}/*.conf")) {
            let Some(text) = found.text(&path) else { continue };
            for line in text.lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                let (name, how) = match words[..] {
                    ["blacklist", name] => (name, "blacklist".to_owned()),
                    ["install", name, ref command @ ..] => (name, command.join(" ")),
                    _ => continue,
                };
                let name = name.replace('_', "-");
                if MODULES.contains(&name.as_str()) {
                    off.push((format!("module-{name}"), how, path.clone()));
                }
            }
        }
    }
    for (name, how, path) in off {
        found.add(&name, how, Some(&path));
    }
}
