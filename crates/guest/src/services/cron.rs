//! What cron starts: the lines of its tables, and scripts in the folders that run by the hour or day.

use fathom_filesystem::FileType;
use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::HIDES;
use crate::files::{Files, Read};

const CRONTAB: &str = "/etc/crontab";
/// Tables whose lines name an account.
const SYSTEM_TABLES: &str = "/etc/cron.d";
/// Tables of accounts, each called after its own.
const ACCOUNT_TABLES: [&str; 3] =
    ["/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron"];
/// Folders of scripts.
const FOLDERS: [(&str, &str); 4] = [
    ("/etc/cron.hourly", "hourly"),
    ("/etc/cron.daily", "daily"),
    ("/etc/cron.weekly", "weekly"),
    ("/etc/cron.monthly", "monthly"),
];

/// No table has as many lines.
const MAX_LINES: usize = 10_000;

/// Everything that cron starts.
pub(super) fn lines(files: &Files<'_>) -> Listing<Service> {
    let mut found = Listing::complete(Vec::new(), Vec::new());
    table(files, CRONTAB, None, &mut found);
    for_each(files, SYSTEM_TABLES, &mut found, |name, path, found| {
        // cron passes over what editors and packages leave behind.
        if !name.contains('.') && !name.ends_with('~') {
            table(files, path, None, found);
        }
    });
    for folder in ACCOUNT_TABLES {
        for_each(files, folder, &mut found, |name, path, found| {
            table(files, path, Some(name), found);
        });
    }
    for (folder, when) in FOLDERS {
        for_each(files, folder, &mut found, |name, path, found| {
            if !name.contains('.') {
                found.items.push(entry(name, path, "root", when, path));
            }
        });
    }
    found
}

/// Calls `each` for every file in the folder.
fn for_each(
    files: &Files<'_>,
    folder: &str,
    found: &mut Listing<Service>,
    mut each: impl FnMut(&str, &str, &mut Listing<Service>),
) {
    let children = match files.children(folder, HIDES) {
        Read::There(children) => children,
        Read::Absent => return,
        Read::Unread(why) => return found.hide(why),
    };
    found.evidence.push(folder.into());
    for (name, child) in children {
        let path = format!("{folder}/{name}");
        match child.metadata().map(|metadata| metadata.file_type) {
            Ok(FileType::File | FileType::Symlink) if !name.starts_with('.') => {
                each(&name, &path, found);
            }
            Ok(_) => {}
            Err(error) => {
                files.note(&error, &path, HIDES);
                found.hide(error.to_string());
            }
        }
    }
}

/// The lines of one table; `account` where it is the table of one.
fn table(files: &Files<'_>, path: &str, account: Option<&str>, found: &mut Listing<Service>) {
    let text = match files.text(path, HIDES) {
        Read::There(text) => text,
        Read::Absent => return,
        Read::Unread(why) => return found.hide(why),
    };
    if account.is_none() {
        found.evidence.push(path.into());
    }
    for line in text.lines().take(MAX_LINES) {
        if let Some((when, user, command)) = parse(line, account) {
            found.items.push(entry(command, command, user, &when, path));
        }
    }
}

fn entry(name: &str, command: &str, user: &str, when: &str, path: &str) -> Service {
    Service {
        kind: ServiceKind::Cron,
        name: name.to_owned(),
        enabled: Fact::known(Enabled::Enabled, path),
        description: None,
        commands: vec![command.to_owned()],
        user: Some(user.to_owned()),
        triggers: vec![when.to_owned()],
        start: None,
        evidence: vec![path.into()],
    }
}

/// When, who and what: `5 4 * * * root command`, `@daily root command`.
fn parse<'a>(line: &'a str, account: Option<&'a str>) -> Option<(String, &'a str, &'a str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let (mut when, mut rest) = (Vec::new(), line);
    for _ in 0..fields {
        let (field, after) = rest.split_once(char::is_whitespace)?;
        // What begins otherwise sets a variable.
        let of_time = |c: char| c.is_ascii_alphanumeric() || "*/,-@~?".contains(c);
        if !field.chars().all(of_time) {
            return None;
        }
        when.push(field);
        rest = after.trim_start();
    }
    let starts = when.first()?;
    if fields == 5 && !starts.starts_with(|c: char| c.is_ascii_digit() || "*-~?".contains(c)) {
        return None;
    }
    let (user, command) = match account {
        Some(account) => (account, rest),
        None => rest.split_once(char::is_whitespace)?,
    };
    let command = command.trim();
    (!command.is_empty()).then(|| (when.join(" "), user, command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tables() {
        for (line, account, expected) in [
            ("17 *\t* * *\troot    cd / && x", None, Some(("17 * * * *", "root", "cd / && x"))),
            ("*/5 4 1-7 * mon joe run", None, Some(("*/5 4 1-7 * mon", "joe", "run"))),
            ("@daily root run", None, Some(("@daily", "root", "run"))),
            ("0 0 * * * run all", Some("joe"), Some(("0 0 * * *", "joe", "run all"))),
            ("-*/5 * * * * root quiet", None, Some(("-*/5 * * * *", "root", "quiet"))),
            ("PATH=/bin:/usr/bin", None, None),
            ("MAILTO = a b c d e f", None, None),
            ("# 1 2 3 4 5 root x", None, None),
            ("1 2 3 4 5", None, None),
            ("", None, None),
        ] {
            let found = parse(line, account);
            let found = found.as_ref().map(|(when, user, what)| (when.as_str(), *user, *what));
            assert_eq!(found, expected, "{line}");
        }
    }
}
