//! What may be a password is taken out of a report before it leaves: of options of mounts, of commands
//! and of addresses. Names stay, values become [`MASK`].
//!
//! What a password looks like cannot be known in general (`-p word` may be anything), so this goes by
//! the names that values are given, by flags of a few programs that are common in tables of cron, and by
//! addresses that name who logs in.

mod flags;
mod words;

use fathom_report::{Fact, Problem, System};

use self::words::text;

/// What stands where a secret stood.
pub(crate) const MASK: &str = "***";

/// Takes out what may be a password, wherever the report repeats what somebody wrote.
pub(crate) fn mask(system: &mut System) {
    for mount in &mut system.mounts.items {
        options(&mut mount.options);
        mount.device = text(&mount.device);
    }
    for service in &mut system.services.items {
        // What a line of cron runs is its name too.
        service.name = text(&service.name);
        for command in service.commands.iter_mut().chain(&mut service.further_commands) {
            *command = text(command);
        }
    }
    for container in &mut system.containers.containers.items {
        words::parted(&mut container.command);
    }
    if let Fact::Known { value, .. } = &mut system.boot.default
        && let Some(arguments) = &mut value.arguments
    {
        *arguments = text(arguments);
    }
    if let Fact::Known { value, .. } = &mut system.security.sshd {
        let of_matches = value.matches.iter_mut().flat_map(|it| &mut it.settings);
        let run = ["authorizedkeyscommand", "forcecommand", "setenv", "subsystem"];
        let settings = value.settings.iter_mut().chain(of_matches);
        for setting in settings.filter(|it| run.contains(&it.name.as_str())) {
            setting.value = text(&setting.value);
        }
    }
    for rule in &mut system.users.sudo.items {
        *rule = of_sudo(rule);
    }
    for setting in &mut system.security.settings.items {
        if setting.name.starts_with("mount-") {
            let mut words: Vec<String> = setting.value.split(',').map(str::to_owned).collect();
            options(&mut words);
            setting.value = words.join(",");
        }
    }
}

/// The same of what could not be read, which may name an address.
pub(crate) fn mask_problems(problems: &mut [Problem]) {
    for problem in problems {
        problem.message = addresses(&problem.message);
    }
}

/// A rule of sudo, in which only what its commands are given is secret: names in capitals are those of
/// aliases and tags.
fn of_sudo(rule: &str) -> String {
    let is_rule = !rule.starts_with("Defaults") && !rule.contains("_Alias ");
    let Some(at) = rule.find(" -").filter(|_| is_rule) else { return rule.to_owned() };
    format!("{}{}", &rule[..at], text(&rule[at..]))
}

/// Options of a mount, as they stand between commas.
fn options(all: &mut [String]) {
    let mut secret = false;
    let mut doubled = false;
    for option in all {
        // Two commas are one within the value before.
        if secret && (option.is_empty() || doubled) {
            doubled = option.is_empty();
            if !doubled {
                *option = MASK.to_owned();
            }
            continue;
        }
        (secret, doubled) = (false, false);
        let Some((name, value)) = option.split_once('=') else { continue };
        let lower = name.to_ascii_lowercase();
        let inline = lower.starts_with("cred") && !value.starts_with('/');
        if is_secret(name) || lower == "pass2" || lower == "key" && value.contains(':') || inline {
            *option = format!("{name}={MASK}");
            secret = true;
        } else if lower.starts_with("user") && value.contains('%') {
            // Samba takes `user=NAME%PASSWORD`.
            let name_alone = value.split('%').next().unwrap_or_default();
            *option = format!("{name}={name_alone}%{MASK}");
            secret = true;
        } else {
            *option = addresses(option);
        }
    }
}

/// Whether what is called so is secret; the names of files that hold secrets are not.
fn is_secret(name: &str) -> bool {
    let name = name.trim_start_matches(['-', '"', '\'']).to_ascii_lowercase();
    let whole = ["pass", "pwd", "psk"].contains(&name.as_str());
    let part = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "api-key",
        "apikey",
        "access_key",
        "access-key",
        "accesskey",
    ];
    let end = ["_pass", "-pass", ".pass", "_pwd", "-pwd", "_psk", "-psk", "pw"];
    // `AGENT_TOKEN` is a secret all the same, and `DirectorPassword` too.
    let place = ["file", "path", "prompt", "agent", "dir"];
    (whole || part.iter().any(|it| name.contains(it)) || end.iter().any(|it| name.ends_with(it)))
        && !place.iter().any(|it| name.trim_end_matches('s').ends_with(it))
}

/// Whether what stands behind a name and a colon is secret: `"password":"x"`, a line of a request. What
/// sudo calls `NOPASSWD:` is none.
fn is_secret_field(name: &str) -> bool {
    let lower = name.trim_start_matches('-').to_ascii_lowercase();
    let is_tag = ["passwd", "nopasswd"].contains(&lower.as_str());
    let is_header = ["authorization", "proxy-authorization"].contains(&lower.as_str());
    is_header || !is_tag && is_secret(name)
}

/// The word, in which addresses do not say by which password somebody logs in.
fn addresses(word: &str) -> String {
    let mut masked = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        masked.push_str(before);
        let end = behind.find(['/', '?', '#', '"', '\'']).unwrap_or(behind.len());
        let authority = &behind[..end];
        match authority.rfind('@').map(|at| authority.split_at(at)) {
            Some((login, host)) => {
                let name = login.split(':').next().unwrap_or_default();
                masked.push_str(name);
                if login.contains(':') {
                    masked.push(':');
                    masked.push_str(MASK);
                }
                masked.push_str(host);
            }
            None => masked.push_str(authority),
        }
        rest = &behind[end..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_mounts_keep_their_names() {
        for (written, shown) in [
            ("rw,username=joe,password=hunter2,uid=0", "rw,username=joe,password=***,uid=0"),
            ("pass=a,b", "pass=***,b"),
            ("password=a,,b,ro", "password=***,,***,ro"),
            ("user=dom/joe%hunter2", "user=dom/joe%***"),
            ("credentials=/etc/smb", "credentials=/etc/smb"),
            ("cred=joe%hunter2", "cred=***"),
            ("passphrase_passwd=x", "passphrase_passwd=***"),
            ("key=passphrase:passphrase_passwd=x", "key=***"),
            ("name=admin,secret=AQ==", "name=admin,secret=***"),
            ("secretfile=/etc/ceph/s,PASSWD2=x", "secretfile=/etc/ceph/s,PASSWD2=***"),
            ("defaults,noatime,subvol=@", "defaults,noatime,subvol=@"),
        ] {
            let mut all: Vec<String> = written.split(',').map(str::to_owned).collect();
            options(&mut all);
            assert_eq!(all.join(","), shown);
        }
    }

    #[test]
    fn rules_of_sudo_keep_their_tags_and_aliases() {
        for (written, shown) in [
            ("a ALL=(root) NOPASSWD: /bin/x", "a ALL=(root) NOPASSWD: /bin/x"),
            (
                "a ALL=(root) NOPASSWD: /bin/x --password=b",
                "a ALL=(root) NOPASSWD: /bin/x --password=***",
            ),
            ("Cmnd_Alias PASSWD=/bin/passwd -l", "Cmnd_Alias PASSWD=/bin/passwd -l"),
            ("Defaults passprompt=\"Password: -\"", "Defaults passprompt=\"Password: -\""),
        ] {
            assert_eq!(of_sudo(written), shown);
        }
    }
}
