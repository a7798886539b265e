//! `/etc/passwd`, with what `/etc/shadow` adds.

use std::collections::HashMap;

use fathom_filesystem::Timestamp;
use fathom_report::{Fact, Group, Listing, User};

use super::password::{self, Password};
use super::{HIDES, MAX_LINES, ssh};
use crate::files::{Files, Read};

const PASSWD: &str = "/etc/passwd";
const SHADOW: &str = "/etc/shadow";

pub(super) fn all(files: &Files<'_>, groups: &Listing<Group>) -> Listing<User> {
    let text = match files.text(PASSWD, HIDES) {
        Read::There(text) => text,
        Read::Absent => {
            return Listing::empty(format!("there is no {PASSWD}"), vec![PASSWD.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let shadow = files.text(SHADOW, "passwords");
    let shadow = match &shadow {
        Read::There(text) => Ok(text.lines().take(MAX_LINES).filter_map(Shadow::parse).collect()),
        Read::Absent => Ok(HashMap::new()),
        Read::Unread(why) => Err(why.as_str()),
    };
    let keys = ssh::Places::of(files);
    let mut members: HashMap<&str, Vec<String>> = HashMap::new();
    for group in &groups.items {
        for member in &group.members {
            members.entry(member).or_default().push(group.name.clone());
        }
    }
    let account = |line: &str| {
        let Line { name, password, id, group, comment, home, shell } = Line::parse(line)?;
        let said = said(name, password, &shadow);
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (password, algorithm, password_changed) = match said {
            Ok(None) => (Fact::absent([SHADOW]), None, None),
            Ok(Some((Password { state, algorithm }, changed, place))) => {
                (Fact::known(state, place), algorithm, changed)
            }
            Err(why) => (Fact::unknown(why), None, None),
        };
        let expires = shadow.as_ref().ok().and_then(|shadow| shadow.get(name)?.expires());
        Some(User {
            name: name.to_owned(),
            id: id.to_owned(),
            group: text(group),
            comment: text(comment.trim_end_matches(',')),
            home: text(home),
            shell: text(shell),
            password,
            algorithm,
            password_changed,
            expires,
            states: Vec::new(),
            last_login: None,
            groups: members.remove(name).unwrap_or_default(),
            keys: keys.of_account(files, name, id, home),
        })
    };
    let accounts = text.lines().take(MAX_LINES).filter_map(account).collect();
    Listing::complete(accounts, vec![PASSWD.into()])
}

type Said = (Password, Option<String>, &'static str);

/// What the two files say of the account's password.
fn said(
    name: &str,
    password: &str,
    shadow: &Result<HashMap<&str, Shadow<'_>>, &str>,
) -> Result<Option<Said>, String> {
    if password != "x" {
        return Ok(Some((password::read(password), None, PASSWD)));
    }
    let shadow = shadow.as_ref().map_err(|why| (*why).to_owned())?;
    let said = shadow.get(name);
    Ok(said.map(|said| (password::read(said.password), said.changed(), SHADOW)))
}

/// A line of `/etc/passwd`.
struct Line<'a> {
    name: &'a str,
    password: &'a str,
    id: &'a str,
    group: &'a str,
    comment: &'a str,
    home: &'a str,
    shell: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        // Lines with a sign stand for accounts that a server knows.
        if name.is_empty() || name.starts_with(['#', '+', '-']) {
            return None;
        }
        let (password, id) = (fields.next()?, fields.next()?);
        let mut next = || fields.next().unwrap_or_default();
        Some(Self {
            name,
            password,
            id,
            group: next(),
            comment: next(),
            home: next(),
            shell: next(),
        })
    }
}

/// A line of `/etc/shadow`.
struct Shadow<'a> {
    password: &'a str,
    changed: &'a str,
    expires: &'a str,
}

impl<'a> Shadow<'a> {
    fn parse(line: &'a str) -> Option<(&'a str, Self)> {
        let mut fields = line.split(':');
        let (name, password) = (fields.next()?, fields.next()?);
        let changed = fields.next().unwrap_or_default();
        // Between them stands how old the password may become.
        let expires = fields.nth(4).unwrap_or_default();
        Some((name, Self { password, changed, expires }))
    }

    /// The day of the last change; 0 asks for a new password at the next login.
    fn changed(&self) -> Option<String> {
        day(self.changed.parse().ok().filter(|days| *days > 0)?)
    }

    /// The day from which the account cannot be used; PAM takes 0 for a day like any other.
    fn expires(&self) -> Option<String> {
        day(self.expires.parse().ok().filter(|days| *days >= 0)?)
    }
}

/// So many days after the beginning of 1970.
fn day(days: i32) -> Option<String> {
    let time = Timestamp::new(i64::from(days) * 86_400, 0).to_string();
    time.split_once('T').map(|(day, _)| day.to_owned())
}

#[cfg(test)]
mod tests {
    use fathom_report::PasswordState;

    use super::*;

    #[test]
    fn when_an_account_expires() {
        for (line, expected) in [
            ("a:x:17897:0:99999:7::19723:", Some("2024-01-01")),
            ("a:x:17897:0:99999:7:30:0:", Some("1970-01-01")),
            ("a:x:17897:0:99999:7:::", None),
            ("a:x:17897:0:99999:7::-1:", None),
            ("a:x:17897", None),
        ] {
            let (_, shadow) = Shadow::parse(line).unwrap();
            assert_eq!(shadow.expires().as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn what_the_files_say_of_a_password() {
        let lines = "root:$y$j9T$salt$hash:19700:0\nempty::0:\nlocked:!$6$x$y:1\nnever:*:20000:";
        let shadow: Result<HashMap<_, _>, &str> =
            Ok(lines.lines().filter_map(Shadow::parse).collect());
        for (name, password, expected) in [
            ("root", "x", Some((PasswordState::Set, Some("yescrypt"), Some("2023-12-09"), SHADOW))),
            ("empty", "x", Some((PasswordState::Empty, None, None, SHADOW))),
            (
                "locked",
                "x",
                Some((PasswordState::Locked, Some("sha512crypt"), Some("1970-01-02"), SHADOW)),
            ),
            ("never", "x", Some((PasswordState::Locked, None, Some("2024-10-04"), SHADOW))),
            ("absent", "x", None),
            ("old", "$1$a$b", Some((PasswordState::Set, Some("md5crypt"), None, PASSWD))),
        ] {
            let said = said(name, password, &shadow).unwrap();
            let said = said.as_ref().map(|(password, changed, place)| {
                (password.state, password.algorithm.as_deref(), changed.as_deref(), *place)
            });
            assert_eq!(said, expected, "{name}");
        }
        assert!(said("root", "x", &Err("damaged")).is_err());
    }
}
