//! Who may become whom, where root may log in, who may plan tasks, and how temporary folders are
//! mounted.

use fathom_report::Coverage;

use super::Found;
use crate::security::{Known, password};
use crate::users::sudo::{self, Entry};

/// The folders that guides ask to be mounted by themselves, and with restrictions.
const MOUNTS: [(&str, &str); 7] = [
    ("mount-tmp", "/tmp"),
    ("mount-var", "/var"),
    ("mount-var-tmp", "/var/tmp"),
    ("mount-var-log", "/var/log"),
    ("mount-var-log-audit", "/var/log/audit"),
    ("mount-home", "/home"),
    ("mount-dev-shm", "/dev/shm"),
];

pub(super) fn of(found: &mut Found<'_>, known: &Known<'_>) {
    of_sudo(found, known);
    su(found);
    terminals(found);
    for (name, path) in [
        ("cron-allow", "/etc/cron.allow"),
        ("cron-deny", "/etc/cron.deny"),
        ("at-allow", "/etc/at.allow"),
        ("at-deny", "/etc/at.deny"),
    ] {
        let there = found.files.exists(path, super::HIDES);
        found.add(name, if there { "yes" } else { "no" }, Some(path));
    }
    mounts(found, known);
}

fn of_sudo(found: &mut Found<'_>, known: &Known<'_>) {
    let rules = &known.users.sudo;
    if rules.coverage != Coverage::Complete {
        let why = rules.reason.clone().unwrap_or_default();
        return found.listing.hide(format!("rules of sudo: {why}"));
    }
    let Some(place) = rules.evidence.first().map(|place| place.0.as_str()) else { return };
    if rules.items.is_empty() {
        return;
    }
    let entries = || {
        let parsed = rules.items.iter().map(|rule| sudo::parse(rule));
        parsed.filter_map(|entry| entry.ok().flatten()).map(|(entry, _)| entry)
    };
    let without = entries()
        .filter(|entry| matches!(entry, Entry::Rule { without_password } if *without_password));
    found.add("sudo-rules-without-password", without.count().to_string(), Some(place));
    let mut off = 0;
    // What is limited to an account, a machine or a command does not hold for the others.
    let mut everywhere = Vec::new();
    for entry in entries() {
        let Entry::Defaults { everywhere: all, settings } = entry else { continue };
        off += settings.iter().filter(|it| it.name == "authenticate" && it.is_off).count();
        if all {
            everywhere.extend(settings);
        }
    }
    found.add("sudo-defaults-without-password", off.to_string(), Some(place));
    let last = |name: &str| everywhere.iter().rfind(|setting| setting.name == name);
    let uses = match last("use_pty") {
        Some(setting) => Some(!setting.is_off),
        None => sudo::release(known.packages).map(|release| release >= PTY_SINCE),
    };
    match uses {
        Some(uses) => found.add("sudo-use-pty", if uses { "yes" } else { "no" }, Some(place)),
        None => found.listing.hide("sudo-use-pty: which release of sudo is installed is not known"),
    }
    for (name, key) in [("sudo-log-file", "logfile"), ("sudo-timeout", "timestamp_timeout")] {
        let Some(setting) = last(key) else { continue };
        if let Some(value) = &setting.value {
            found.add(name, value.clone(), Some(place));
        } else if setting.is_off && key == "timestamp_timeout" {
            found.add(name, "0".to_owned(), Some(place));
        }
    }
}

/// The release from which on programs run in a terminal of their own unless that is turned off.
const PTY_SINCE: [u32; 3] = [1, 9, 14];

/// Whether only members of a group may become another by `su`: `root-only` where others than root may be
/// become by everybody.
fn su(found: &mut Found<'_>) {
    let path = "/etc/pam.d/su";
    let Some(text) = found.text(path) else { return };
    let mut asks = "no";
    for line in password::joined(&text) {
        let Some((kind, control, module, arguments)) = password::parts(&line) else { continue };
        let is = kind == "auth"
            && ["required", "requisite"].contains(&control.as_str())
            && module.rsplit('/').next() == Some("pam_wheel.so")
            && !arguments.contains(&"deny");
        match (is, arguments.contains(&"root_only")) {
            (true, false) => asks = "yes",
            (true, true) if asks == "no" => asks = "root-only",
            _ => {}
        }
    }
    found.add("su-members-only", asks, Some(path));
}

/// The terminals at which root may log in; where there is no such file, at all of them.
fn terminals(found: &mut Found<'_>) {
    let path = "/etc/securetty";
    let Some(text) = found.text(path) else { return };
    let terminals = text.lines().map(str::trim);
    let count = terminals.filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    found.add("root-login-terminals", count.to_string(), Some(path));
}

/// The options that each is mounted with; `none` where it is no filesystem of its own.
fn mounts(found: &mut Found<'_>, known: &Known<'_>) {
    if known.mounts.coverage != Coverage::Complete {
        let why = known.mounts.reason.clone().unwrap_or_default();
        found.listing.hide(format!("mounts: {why}"));
    }
    for (name, path) in MOUNTS {
        // The last line of a path is what is seen.
        let mount = known.mounts.items.iter().rev().find(|mount| mount.path == path);
        if let Some(mount) = mount {
            found.add(name, mount.options.join(","), Some(&mount.evidence.0));
            continue;
        }
        // /dev/shm is mounted by systemd itself, unless something says otherwise.
        if path == "/dev/shm" {
            continue;
        }
        if known.mounts.coverage == Coverage::Complete {
            found.add(name, "none", Some("/etc/fstab"));
        }
    }
}
