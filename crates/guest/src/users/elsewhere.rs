//! Accounts that are not in the system's own files.

use super::HIDES;
use crate::files::Files;

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
    let services = services(&text, "passwd").join(", ");
    let others = format!("{SWITCH}: there are accounts of {services} besides those of the files");
    (!services.is_empty()).then_some(others)
}

/// The services that are asked for the database and that are not local.
fn services<'a>(text: &'a str, database: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut lists =
        lines.filter_map(|line| line.strip_prefix(database)?.trim_start().strip_prefix(':'));
    let list = lists.next().unwrap_or_default();
    // What is to be done with an answer stands in brackets.
    let words = list.split_whitespace().filter(|word| !word.contains(['[', ']', '=']));
    words.filter(|word| !LOCAL.contains(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_know_others() {
        for (text, expected) in [
            ("passwd: files systemd", &[][..]),
            ("# passwd: ldap\npasswd:\tfiles [NOTFOUND=return] sss # ldap", &["sss"]),
            ("passwd : compat\ngroup: ldap", &[]),
            ("passwd: files ldap winbind", &["ldap", "winbind"]),
            ("", &[]),
        ] {
            assert_eq!(services(text, "passwd"), expected, "{text}");
        }
    }
}
