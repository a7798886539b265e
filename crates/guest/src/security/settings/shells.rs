//! What shells start with: permissions of new files, and how long they wait.

use super::Found;

const FILES: [&str; 6] = [
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/profile.d/*.sh",
    "/etc/profile.local",
    "/usr/etc/profile",
];

pub(super) fn of(found: &mut Found<'_>) {
    for pattern in FILES {
        for path in found.expand(pattern) {
            let Some(text) = found.text(&path) else { continue };
            let mut add = |name: &str, value: Option<&str>| {
                if let Some(value) = value {
                    found.add(name, value, Some(&path));
                }
            };
            // Of several in one file the last is told; which one is met depends on the user.
            let lines = || text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
            let mask = lines().filter_map(|line| line.strip_prefix("umask ")).next_back();
            let mask = mask.and_then(|mask| mask.split([' ', ';', '\t']).next());
            add("shell-umask", mask);
            let mut wait = lines().filter_map(|line| {
                let line = line.strip_prefix("readonly ").unwrap_or(line);
                let line = line.strip_prefix("export ").unwrap_or(line);
                let line = line.strip_prefix("declare -xr ").unwrap_or(line);
                line.strip_prefix("TMOUT=")
            });
            add(
                "shell-timeout",
                wait.next_back().and_then(|wait| wait.split([' ', ';', '\t']).next()),
            );
        }
    }
    for (name, path) in [
        ("login-banner", "/etc/issue"),
        ("login-banner-remote", "/etc/issue.net"),
        ("message-of-the-day", "/etc/motd"),
    ] {
        let Some(text) = found.text(path) else { continue };
        let reveals = ["\\m", "\\r", "\\s", "\\v", "\\S"].iter().any(|code| text.contains(code));
        let value = match (text.trim().is_empty(), reveals) {
            (true, _) => "empty",
            (_, true) => "names the system",
            _ => "text",
        };
        found.add(name, value, Some(path));
    }
}
