//! Accounts that are not in the system's own files.

use super::HIDES;
use crate::files::{Files, Read};

const SWITCH: &str = "/etc/nsswitch.conf";

/// Services that know no accounts but those of the files, and those that the system makes up.
const LOCAL: [&str; 5] = ["files", "compat", "db", "altfiles", "systemd"];

/// Who else names accounts: a service that the system asks besides its files, or a line that stands for
/// those of a server.
pub(super) fn of(files: &Files<'_>, passwd: &str) -> Option<String> {
    let lines = passwd.lines().map(str::trim_start);
    if let Some(line) = lines.into_iter().find(|line| line.starts_with(['+', '-'])) {
        let name = line.split(':').next().unwrap_or_default();
        return Some(format!("the line {name} of /etc/passwd stands for accounts of a server"));
    }
    let text = files.text(SWITCH, HIDES).there()?;
    let services = services(&text, "passwd").filter(|name| !LOCAL.contains(name));
    let services: Vec<&str> = services.collect();
    let names = services.join(", ");
    let others = format!("{SWITCH}: there are accounts of {names} besides those of the files");
    (!services.is_empty()).then_some(others)
}

/// Whether the system asks the service for the database.
pub(super) fn asks(files: &Files<'_>, database: &str, service: &str) -> bool {
    let text = files.text(SWITCH, HIDES).there();
    text.is_some_and(|text| services(&text, database).any(|name| name == service))
}

/// Where systemd keeps accounts of its own: files that describe one, and homes that carry theirs.
const RECORDS: [(&str, &str); 4] = [
    ("/etc/userdb", ".user"),
    ("/usr/local/lib/userdb", ".user"),
    ("/usr/lib/userdb", ".user"),
    ("/var/lib/systemd/home", ".identity"),
];

/// Why there are more accounts than those of the files: systemd keeps some, and is asked for them.
pub(super) fn of_systemd(files: &Files<'_>) -> Option<String> {
    if !asks(files, "passwd", "systemd") {
        return None;
    }
    RECORDS.iter().find_map(|(folder, end)| {
        let names = match files.children(folder, HIDES) {
            Read::There(children) => children.into_iter().map(|(name, _)| name),
            Read::Absent => return None,
            Read::Unread(why) => return Some(why),
        };
        // By a number and by a name each has two names.
        let found = names.into_iter().find(|name| name.ends_with(end))?;
        Some(format!("{folder}/{found}: accounts that systemd keeps are not read"))
    })
}

/// Where sudo looks for rules besides its files.
pub(super) struct Others {
    pub(super) why: String,
    /// Whether it looks into its files at all.
    pub(super) with_files: bool,
}

/// Who else has rules of sudo; nothing if all are in its files.
pub(super) fn sudoers(files: &Files<'_>) -> Option<Others> {
    let text = match files.text(SWITCH, "rules of sudo") {
        Read::There(text) => text,
        Read::Absent => return None,
        Read::Unread(why) => return Some(Others { why, with_files: true }),
    };
    let all: Vec<&str> = services(&text, "sudoers").collect();
    let with_files = all.is_empty() || all.contains(&"files");
    let others: Vec<&str> = all.into_iter().filter(|name| *name != "files").collect();
    let names = others.join(", ");
    let besides = if with_files { "besides" } else { "instead of" };
    let why = format!("{SWITCH}: there are rules of {names} {besides} those of the files");
    (!others.is_empty()).then_some(Others { why, with_files })
}

/// The services that are asked for the database.
fn services<'a>(text: &'a str, database: &str) -> impl Iterator<Item = &'a str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut lists =
        lines.filter_map(|line| line.strip_prefix(database)?.trim_start().strip_prefix(':'));
    let list = lists.next().unwrap_or_default();
    // What is to be done with an answer stands in brackets.
    list.split_whitespace().filter(|word| !word.contains(['[', ']', '=']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_know_others() {
        for (text, expected) in [
            ("passwd: files systemd", &["files", "systemd"][..]),
            ("# passwd: ldap\npasswd:\tfiles [NOTFOUND=return] sss # ldap", &["files", "sss"]),
            ("passwd : compat\ngroup: ldap", &["compat"]),
            ("passwd: files ldap winbind", &["files", "ldap", "winbind"]),
            ("", &[]),
        ] {
            assert_eq!(services(text, "passwd").collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
