//! What is asked of passwords: the files of the shadow tools, of the libraries that judge passwords,
//! and the lines of PAM that use them.
//!
//! Names are those of the files behind the file's: `login.defs.PASS_MAX_DAYS`, `pwquality.minlen`,
//! `faillock.deny`, `useradd.INACTIVE`. An argument of a PAM module is
//! `pam.SERVICE.TYPE.MODULE.ARGUMENT`, as `pam.system-auth.auth.pam_faillock.deny`, and
//! `pam.SERVICE.TYPE.MODULE` is the line's control: that the module is used at all. An argument
//! without a value is `yes`.

use std::collections::BTreeMap;

use fathom_report::{Listing, Setting};

use super::glob;
use crate::files::{Files, Read};

const HIDES: &str = "what is asked of passwords";

/// The files of names and values, in the order in which they count; the later, the more.
struct Source {
    prefix: &'static str,
    /// Where the vendor's file is, and the administrator's, which counts instead of it.
    paths: &'static [&'static str],
    /// Files that are read besides, later ones counting more.
    pattern: Option<&'static str>,
    separator: Separator,
}

/// How a line is parted. Comments behind a value are known to the second alone.
enum Separator {
    /// By blanks.
    Blank,
    /// By `=`, where a name by itself is on.
    Equals,
    /// By `=`, as a shell has it.
    Variable,
}

const SOURCES: [Source; 6] = [
    Source {
        prefix: "login.defs",
        paths: &["/etc/login.defs", "/usr/etc/login.defs"],
        pattern: None,
        separator: Separator::Blank,
    },
    Source {
        prefix: "login.defs",
        paths: &[],
        pattern: Some("/etc/login.defs.d/*.defs"),
        separator: Separator::Blank,
    },
    // The folder is read before the file, which so counts more.
    Source {
        prefix: "pwquality",
        paths: &[],
        pattern: Some("/etc/security/pwquality.conf.d/*.conf"),
        separator: Separator::Equals,
    },
    Source {
        prefix: "pwquality",
        paths: &["/etc/security/pwquality.conf", "/usr/etc/security/pwquality.conf"],
        pattern: None,
        separator: Separator::Equals,
    },
    Source {
        prefix: "faillock",
        paths: &["/etc/security/faillock.conf", "/usr/etc/security/faillock.conf"],
        pattern: None,
        separator: Separator::Equals,
    },
    Source {
        prefix: "useradd",
        paths: &["/etc/default/useradd", "/usr/etc/default/useradd"],
        pattern: None,
        separator: Separator::Variable,
    },
];

/// The stacks that the others include: of Debian, of Red Hat, and of SUSE and Arch.
const STACKS: [&str; 10] = [
    "common-auth",
    "common-account",
    "common-password",
    "system-auth",
    "password-auth",
    "system-login",
    "su",
    "login",
    "passwd",
    "sshd",
];

/// The modules that say something about passwords and about failing to give one.
const MODULES: [&str; 12] = [
    "pam_unix",
    "pam_pwquality",
    "pam_cracklib",
    "pam_passwdqc",
    "pam_pwhistory",
    "pam_faillock",
    "pam_tally2",
    "pam_tally",
    "pam_wheel",
    "pam_sss",
    "pam_faildelay",
    "pam_securetty",
];

/// How many settings there are with sense.
const MAX_SETTINGS: usize = 4096;

/// What is asked.
pub(super) fn of(files: &Files<'_>) -> Listing<Setting> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    // A later line of a name counts instead of the earlier.
    let mut settled: BTreeMap<String, Setting> = BTreeMap::new();
    for source in &SOURCES {
        let mut paths = Vec::new();
        if let Some(pattern) = source.pattern {
            match glob::expand(files, pattern, HIDES) {
                Ok(found) => paths.extend(found),
                Err(why) => listing.hide(why),
            }
        }
        paths.extend(source.paths.iter().map(|path| (*path).to_owned()));
        for path in paths {
            let text = match files.text(&path, HIDES) {
                Read::There(text) => text,
                Read::Absent => continue,
                Read::Unread(why) => {
                    listing.hide(why);
                    continue;
                }
            };
            listing.evidence.push(path.as_str().into());
            for (name, value) in text.lines().filter_map(|line| pair(line, &source.separator)) {
                let name = format!("{}.{name}", source.prefix);
                let evidence = Some(path.as_str().into());
                settled.insert(name.clone(), Setting { name, value, evidence });
            }
            if source.pattern.is_none() {
                break;
            }
        }
    }
    let mut settings: Vec<Setting> = settled.into_values().collect();
    for stack in STACKS {
        for folder in ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"] {
            let path = format!("{folder}/{stack}");
            match files.text(&path, HIDES) {
                Read::There(text) => {
                    listing.evidence.push(path.as_str().into());
                    settings.extend(modules(&text, stack, &path));
                    break;
                }
                Read::Absent => {}
                Read::Unread(why) => {
                    listing.hide(why);
                    break;
                }
            }
        }
    }
    if settings.len() > MAX_SETTINGS {
        listing.hide(format!("there are more than {MAX_SETTINGS}; the rest is left out"));
        settings.truncate(MAX_SETTINGS);
    }
    if listing.evidence.is_empty() && listing.reason.is_none() {
        listing.reason = Some("there are no files that say it".to_owned());
        listing.evidence.push("/etc/login.defs".into());
    }
    listing.items = settings;
    listing
}

/// The name and the value of a line; a name by itself is on.
fn pair(line: &str, separator: &Separator) -> Option<(String, String)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (name, value) = match separator {
        Separator::Equals => {
            let line = line.split('#').next().unwrap_or_default().trim();
            line.split_once('=').unwrap_or((line, "yes"))
        }
        Separator::Blank => line.split_once([' ', '\t']).unwrap_or((line, "")),
        Separator::Variable => line.split_once('=')?,
    };
    let value = value.trim().trim_matches('"');
    Some((name.trim().to_owned(), value.to_owned()))
}

/// The lines of the modules and their arguments.
fn modules(text: &str, stack: &str, path: &str) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for line in joined(text) {
        let Some((kind, control, module, arguments)) = parts(&line) else { continue };
        let module = module.rsplit('/').next().unwrap_or(module);
        let Some(module) = module.strip_suffix(".so").filter(|name| MODULES.contains(name)) else {
            continue;
        };
        let name = format!("pam.{stack}.{kind}.{module}");
        let mut add = |name: String, value: &str| {
            let evidence = Some(path.into());
            settings.push(Setting { name, value: value.to_owned(), evidence });
        };
        add(name.clone(), &control);
        for argument in arguments {
            let (argument, value) = argument.split_once('=').unwrap_or((argument, "yes"));
            add(format!("{name}.{argument}"), value);
        }
    }
    // A module may stand in a stack twice, as faillock before and behind the password.
    let mut seen: Vec<(String, String)> = Vec::new();
    settings.retain(|setting| {
        let key = (setting.name.clone(), setting.value.clone());
        let new = !seen.contains(&key);
        if new {
            seen.push(key);
        }
        new
    });
    settings
}

/// Lines without comments, those that end in a backslash joined with the next.
pub(super) fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut whole = String::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line.strip_suffix('\\') {
            Some(start) => {
                whole.push_str(start);
                whole.push(' ');
            }
            None => {
                whole.push_str(line);
                lines.push(std::mem::take(&mut whole));
            }
        }
    }
    lines.push(whole);
    lines
}

/// Type, control, module, arguments: `auth [success=1 default=ignore] pam_unix.so nullok`.
pub(super) fn parts(line: &str) -> Option<(&str, String, &str, Vec<&str>)> {
    let line = line.trim();
    let (kind, rest) = line.split_once([' ', '\t'])?;
    let kind = kind.strip_prefix('-').unwrap_or(kind);
    let rest = rest.trim_start();
    let (control, rest) = match rest.strip_prefix('[') {
        Some(inside) => {
            let (control, rest) = inside.split_once(']')?;
            let words: Vec<_> = control.split_whitespace().collect();
            (format!("[{}]", words.join(" ")), rest)
        }
        None => {
            let (control, rest) = rest.split_once([' ', '\t'])?;
            (control.to_owned(), rest)
        }
    };
    let mut words = rest.split_whitespace();
    let module = words.next()?;
    matches!(kind, "auth" | "account" | "password" | "session")
        .then(|| (kind, control, module, words.collect()))
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory;

    #[test]
    fn files_and_stacks_are_told_with_their_names() {
        let tree = memory::tree(&[
            ("/etc/login.defs", b"# no\nPASS_MAX_DAYS\t90\nUMASK 022\nUMASK 027\n"),
            ("/usr/etc/login.defs", b"PASS_MAX_DAYS 1\nOTHER 1\n"),
            ("/etc/security/pwquality.conf", b"minlen = 14\n"),
            ("/etc/security/pwquality.conf.d/10.conf", b"minlen = 8\nenforce_for_root\n"),
            ("/etc/default/useradd", b"SHELL=/bin/sh\nINACTIVE=\"30\"\n"),
            (
                "/etc/pam.d/common-password",
                b"password requisite pam_pwquality.so retry=3\n\
                  password [success=1 \\\n  default=ignore] /lib/security/pam_unix.so obscure use_authtok\n\
                  password sufficient pam_other.so x\n@include y\n",
            ),
        ]);
        let listing = of(&Files::new(&tree));
        assert_eq!(listing.coverage, Coverage::Complete);
        let shown: Vec<_> =
            listing.items.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
        assert_eq!(
            shown,
            [
                "login.defs.PASS_MAX_DAYS=90",
                "login.defs.UMASK=027",
                "pwquality.enforce_for_root=yes",
                "pwquality.minlen=14",
                "useradd.INACTIVE=30",
                "useradd.SHELL=/bin/sh",
                "pam.common-password.password.pam_pwquality=requisite",
                "pam.common-password.password.pam_pwquality.retry=3",
                "pam.common-password.password.pam_unix=[success=1 default=ignore]",
                "pam.common-password.password.pam_unix.obscure=yes",
                "pam.common-password.password.pam_unix.use_authtok=yes",
            ]
        );
    }
}
