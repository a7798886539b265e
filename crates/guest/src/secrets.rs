//! What may be a password is taken out of a report before it leaves: of options of mounts, of commands
//! and of addresses. Names stay, values become [`MASK`].
//!
//! What a password looks like cannot be known in general (`-p word` may be anything), so this goes by
//! the names that values are given, and by addresses that name who logs in.

use fathom_report::System;

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
        for word in &mut container.command {
            *word = text(word);
        }
    }
    if let fathom_report::Fact::Known { value, .. } = &mut system.boot.default
        && let Some(arguments) = &mut value.arguments
    {
        *arguments = text(arguments);
    }
    for setting in &mut system.security.settings.items {
        if setting.name.starts_with("mount-") {
            let mut words: Vec<String> = setting.value.split(',').map(str::to_owned).collect();
            options(&mut words);
            setting.value = words.join(",");
        }
    }
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
    let whole = ["pass", "pw", "pwd", "passwd", "psk", "apikey"].contains(&name.as_str());
    let part = ["password", "passwd", "passphrase", "secret", "token", "api_key", "api-key"];
    let end = ["_pass", "-pass", ".pass", "_pwd", "-pwd", "_psk", "-psk"];
    let place = ["file", "path", "prompt", "agent", "dir"];
    (whole || part.iter().any(|it| name.contains(it)) || end.iter().any(|it| name.ends_with(it)))
        && !place.iter().any(|it| name.contains(it))
}

/// A line of words: `NAME=VALUE` of secret names, and who logs in at an address.
pub(crate) fn text(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let blank = rest.find(|it: char| !it.is_whitespace()).unwrap_or(rest.len());
        masked.push_str(&rest[..blank]);
        rest = &rest[blank..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = &rest[..end];
        match word.split_once('=') {
            Some((name, value)) if is_secret(name) && !value.is_empty() => {
                masked.push_str(name);
                masked.push('=');
                masked.push_str(MASK);
                // A value in quotes may hold blanks; without the other quote it ends with the word.
                let quote = value.chars().next().filter(|it| matches!(it, '"' | '\''));
                let opened = name.chars().next().filter(|it| matches!(it, '"' | '\''));
                let start = name.len() + 1 + quote.map_or(0, char::len_utf8);
                let close = quote.or(opened).and_then(|quote| rest.get(start..)?.find(quote));
                rest = match close {
                    Some(at) => &rest[start + at + 1..],
                    None => &rest[end..],
                };
            }
            _ => {
                masked.push_str(&addresses(word));
                rest = &rest[end..];
            }
        }
    }
    masked
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
    fn commands_keep_everything_else() {
        for (written, shown) in [
            ("PGPASSWORD=hunter2 pg_dump  x", "PGPASSWORD=*** pg_dump  x"),
            ("export A_TOKEN='a b' x=1", "export A_TOKEN=*** x=1"),
            ("env \"MYSQL_PWD=a b\" c", "env \"MYSQL_PWD=*** c"),
            ("tool --password=a --password-file=/a", "tool --password=*** --password-file=/a"),
            ("curl https://joe:hunter2@host/x?y", "curl https://joe:***@host/x?y"),
            ("curl -x 'http://joe:a@b@host'", "curl -x 'http://joe:***@host'"),
            ("git clone ssh://git@host/x@y", "git clone ssh://git@host/x@y"),
            (
                "/usr/bin/systemd-tty-ask-password-agent --watch",
                "/usr/bin/systemd-tty-ask-password-agent --watch",
            ),
            ("password=\"open", "password=***"),
            ("", ""),
        ] {
            assert_eq!(text(written), shown);
        }
    }
}
