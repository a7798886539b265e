//! Who may become whom, where root may log in, who may plan tasks, and how temporary folders are
//! mounted.

use fathom_report::{Coverage, Enabled};

use super::Found;
use crate::security::{Known, password};

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
    sudo(found, known);
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

fn sudo(found: &mut Found<'_>, known: &Known<'_>) {
    let rules = &known.users.sudo;
    if rules.coverage != Coverage::Complete {
        let why = rules.reason.clone().unwrap_or_default();
        return found.listing.hide(format!("rules of sudo: {why}"));
    }
    let Some(place) = rules.evidence.first().map(|place| place.0.as_str()) else { return };
    if rules.items.is_empty() {
        return;
    }
    let count = |word: &str| {
        let rules = rules.items.iter().filter(|rule| !rule.starts_with("Defaults"));
        rules.filter(|rule| rule.contains(word)).count().to_string()
    };
    found.add("sudo-rules-without-password", count("NOPASSWD"), Some(place));
    let defaults = || rules.items.iter().filter(|rule| rule.starts_with("Defaults"));
    let words = || {
        defaults().flat_map(|rule| {
            rule.split([',', ' ']).map(|word| word.trim_matches('"')).collect::<Vec<_>>()
        })
    };
    let off = words().filter(|word| *word == "!authenticate").count();
    found.add("sudo-defaults-without-password", off.to_string(), Some(place));
    let last = words().rfind(|word| *word == "use_pty" || *word == "!use_pty");
    found.add("sudo-use-pty", if last == Some("use_pty") { "yes" } else { "no" }, Some(place));
    let of_value = |name: &str| {
        words().filter_map(|word| word.strip_prefix(name)?.strip_prefix('=')).next_back()
    };
    for (name, key) in [("sudo-log-file", "logfile"), ("sudo-timeout", "timestamp_timeout")] {
        if let Some(value) = of_value(key) {
            found.add(name, value.trim_matches('"').to_owned(), Some(place));
        }
    }
}

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
        let unit = format!("{}.mount", path.trim_start_matches('/').replace('/', "-"));
        let unit = known.services.items.iter().find(|service| service.name == unit);
        let starts = unit.and_then(|unit| unit.enabled.value());
        // systemd's own unit of /tmp is static and wanted by a link of the vendor in later releases.
        let wanted = unit.is_some()
            && found
                .files
                .exists("/usr/lib/systemd/system/local-fs.target.wants/tmp.mount", super::HIDES)
            && path == "/tmp";
        if starts == Some(&Enabled::Enabled) || wanted && starts == Some(&Enabled::Static) {
            let Some(place) = unit.and_then(|unit| unit.evidence.first()) else { continue };
            let place = place.0.clone();
            let Some(text) = found.text(&place) else { continue };
            let options =
                text.lines().filter_map(|line| line.trim().strip_prefix("Options=")).next_back();
            found.add(name, options.unwrap_or_default().to_owned(), Some(&place));
            continue;
        }
        // /dev/shm is mounted by systemd itself, unless something says otherwise.
        if path == "/dev/shm" {
            continue;
        }
        if known.mounts.coverage == Coverage::Complete
            && known.services.coverage == Coverage::Complete
        {
            found.add(name, "none", Some("/etc/fstab"));
        }
    }
}
