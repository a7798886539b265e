//! Memory of programs that crash, the journal, and modules that may not be loaded.

use std::collections::BTreeMap;

use super::{Found, kebab};
use crate::files::Read;
use crate::network::layered_for;

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
    for (service, section, keys) in [
        ("coredump", "Coredump", &["Storage", "ProcessSizeMax"][..]),
        ("journald", "Journal", &["Storage", "Compress", "ForwardToSyslog"]),
    ] {
        for (key, value, path) in found.systemd(service, section, keys) {
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

/// Where kmod reads what it is told about modules: of files of one name the first folder's counts, and
/// all of them in the order of their names.
const MODPROBE: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];

/// Modules that are turned off: another program is run instead of loading them, or they are not
/// loaded by themselves. Of several programs the first counts, and more than that it is not loaded by
/// itself.
fn modules(found: &mut Found<'_>) {
    let mut off: BTreeMap<String, (String, String)> = BTreeMap::new();
    let paths = layered_for(found.files, &MODPROBE, super::HIDES, |name| name.ends_with(".conf"));
    for path in paths.into_values() {
        let Some(text) = found.text(&path) else { continue };
        for line in joined(&text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (name, how) = match words[..] {
                ["blacklist", name, ..] => (name, BLACKLIST.to_owned()),
                ["install", name, ref command @ ..] if !command.is_empty() => {
                    // A shell runs it, for which what follows is a comment.
                    let words = command.iter().take_while(|word| !word.starts_with('#'));
                    (name, words.copied().collect::<Vec<_>>().join(" "))
                }
                _ => continue,
            };
            let name = name.replace('_', "-");
            if !MODULES.contains(&name.as_str()) {
                continue;
            }
            match off.get(&name) {
                Some((its, _)) if its != BLACKLIST || how == BLACKLIST => {}
                _ => drop(off.insert(name, (how, path.clone()))),
            }
        }
    }
    for (name, (how, path)) in off {
        found.add(&format!("module-{name}"), how, Some(&path));
    }
}

const BLACKLIST: &str = "blacklist";

/// The lines, those that end in a backslash joined with the next without anything between, comments too.
fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut whole = String::new();
    for line in text.lines() {
        match line.strip_suffix('\\') {
            Some(start) => whole.push_str(start),
            None => {
                whole.push_str(line);
                lines.push(std::mem::take(&mut whole));
            }
        }
    }
    lines.push(whole);
    lines
}
