//! `/etc/passwd`, with what `/etc/shadow` adds.

use std::collections::HashMap;
use std::time::SystemTime;

use fathom_filesystem::Timestamp;
use fathom_report::{Fact, Group, Listing, Service, User};

use super::password::{self, Password};
use super::{HIDES, MAX_LINES, elsewhere, ssh};
use crate::files::{Files, Read};
use crate::lines::at_most;
use crate::text::Records;

const PASSWD: &str = "/etc/passwd";
const SHADOW: &str = "/etc/shadow";

/// Where systems whose `/usr` is replaced as a whole keep the accounts that come with it.
const VENDOR: &str = "/usr/lib/passwd";

pub(super) fn all(
    files: &Files<'_>,
    groups: &Listing<Group>,
    services: &Listing<Service>,
    now: SystemTime,
) -> Listing<User> {
    let Records { text, damage } = match files.records(PASSWD, HIDES) {
        Read::There(records) => records,
        Read::Absent => {
            return Listing::empty(format!("there is no {PASSWD}"), vec![PASSWD.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let damage = damage.or_else(|| super::damaged_line(files, PASSWD, &text));
    let mut listing = Listing::complete(Vec::new(), vec![PASSWD.into()]);
    let text = super::with_vendor(files, text, "passwd", VENDOR, &mut listing);
    let shadow = files.records(SHADOW, "passwords");
    let shadow = match &shadow {
        Read::There(records) => Ok(Shadows::of(records)),
        Read::Absent => Ok(Shadows::default()),
        Read::Unread(why) => Err(why.as_str()),
    };
    let members = text.lines().filter_map(Line::parse);
    let members = members.map(|line| (line.name, line.id, line.group));
    let owners = ssh::Owners::of(files, members, groups);
    let keys = ssh::Places::of(files, services, now, owners);
    let ids: HashMap<&str, &str> =
        groups.items.iter().rev().map(|group| (group.id.as_str(), group.name.as_str())).collect();
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
        let expires = shadow.as_ref().ok().and_then(|all| all.by_name.get(name)?.expires());
        let inactive = shadow.as_ref().ok().and_then(|all| all.by_name.get(name)?.inactive());
        let groups = members.remove(name).unwrap_or_default();
        let primary = ids.get(group.as_str()).copied();
        let names: Vec<&str> =
            primary.into_iter().chain(groups.iter().map(String::as_str)).collect();
        let keys = keys.of_account(files, &ssh::Account { name, id: &id, home, groups: &names });
        Some(User {
            name: name.to_owned(),
            id,
            group: Some(group),
            comment: text(comment.trim_end_matches(',')),
            home: text(home),
            shell: text(shell),
            password,
            algorithm,
            password_changed,
            expires,
            password_inactive: inactive,
            states: Vec::new(),
            last_login: None,
            groups,
            keys,
        })
    };
    let mut more = None;
    let accounts = at_most(text.lines().filter_map(account), MAX_LINES, |why| more = Some(why));
    listing.items = accounts;
    if let Some(why) = elsewhere::of(files, &text) {
        listing.note(why);
    }
    elsewhere::of_systemd(files).into_iter().for_each(|why| listing.hide(why));
    if listing.items.is_empty() && listing.reason.is_none() {
        listing.reason = Some(format!("{PASSWD} names no account"));
    }
    damage.iter().for_each(|why| listing.hide(why.to_string()));
    more.iter().for_each(|why| listing.hide(format!("{PASSWD}: {why}")));
    listing
}

type Said = (Password, Option<String>, &'static str);

/// What the two files say of the account's password.
fn said(
    name: &str,
    password: &str,
    shadow: &Result<Shadows<'_>, &str>,
) -> Result<Option<Said>, String> {
    // PAM takes the second spelling for the first.
    if password != "x" && password.strip_prefix("##") != Some(name) {
        return Ok(Some((password::read(password), None, PASSWD)));
    }
    let shadow = shadow.as_ref().map_err(|why| (*why).to_owned())?;
    let said = shadow.by_name.get(name);
    // The line may be among those that were lost.
    if let (None, Some(why)) = (said, &shadow.damage) {
        return Err(why.clone());
    }
    Ok(said.map(|said| (password::read(said.password), said.changed(), SHADOW)))
}

/// A line of `/etc/passwd`.
struct Line<'a> {
    name: &'a str,
    password: &'a str,
    id: String,
    group: String,
    comment: &'a str,
    home: &'a str,
    shell: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        // What is left of the line is the shell, colons and all.
        let mut fields = line.trim_start().splitn(7, ':');
        let name = fields.next()?;
        // Lines with a sign stand for accounts that a server knows.
        if name.is_empty() || name.starts_with(['#', '+', '-']) || super::is_strange(line) {
            return None;
        }
        let (password, id, group) = (fields.next()?, fields.next()?, fields.next()?);
        let (id, group) = (super::number(id)?, super::number(group)?);
        let mut next = || fields.next().unwrap_or_default();
        Some(Self { name, password, id, group, comment: next(), home: next(), shell: next() })
    }
}

/// The lines of `/etc/shadow`, of several with one name the first.
#[derive(Default)]
struct Shadows<'a> {
    by_name: HashMap<&'a str, Shadow<'a>>,
    /// Why there were more.
    damage: Option<String>,
}

impl<'a> Shadows<'a> {
    fn of(records: &'a Records) -> Self {
        let mut by_name = HashMap::new();
        for (name, line) in records.text.lines().filter_map(Shadow::parse) {
            by_name.entry(name).or_insert(line);
        }
        Self { by_name, damage: records.damage.as_ref().map(ToString::to_string) }
    }
}

/// A line of `/etc/shadow`.
struct Shadow<'a> {
    password: &'a str,
    changed: &'a str,
    /// How many days old the password may become, and for how many more it can be changed.
    oldest: &'a str,
    inactive: &'a str,
    expires: &'a str,
}

impl<'a> Shadow<'a> {
    fn parse(line: &'a str) -> Option<(&'a str, Self)> {
        let mut fields = line.split(':');
        let (name, password) = (fields.next()?, fields.next()?);
        let changed = fields.next().unwrap_or_default();
        // Before it stands how old the password has to become, behind it when one is warned.
        let oldest = fields.nth(1).unwrap_or_default();
        let inactive = fields.nth(1).unwrap_or_default();
        let expires = fields.next().unwrap_or_default();
        Some((name, Self { password, changed, oldest, inactive, expires }))
    }

    /// The day of the last change; 0 asks for a new password at the next login.
    fn changed(&self) -> Option<String> {
        day(self.changed.parse().ok().filter(|days| *days > 0)?)
    }

    /// The last day on which a password that is too old can be changed; nothing if it never becomes
    /// too old.
    fn inactive(&self) -> Option<String> {
        let changed: i32 = self.changed.parse().ok().filter(|days| *days > 0)?;
        let oldest: i32 = self.oldest.parse().ok().filter(|days| (0..NEVER).contains(days))?;
        let more: i32 = self.inactive.parse().ok().filter(|days| *days >= 0)?;
        day(changed.checked_add(oldest)?.checked_add(more)?)
    }

    /// The day from which the account cannot be used; PAM takes 0 for a day like any other.
    fn expires(&self) -> Option<String> {
        day(self.expires.parse().ok().filter(|days| *days >= 0)?)
    }
}

/// A password that may become so many days old never becomes too old.
const NEVER: i32 = 10_000;

/// So many days after the beginning of 1970.
fn day(days: i32) -> Option<String> {
    let time = Timestamp::new(i64::from(days) * 86_400, 0).to_string();
    time.split_once('T').map(|(day, _)| day.to_owned())
}

#[cfg(test)]
mod tests {
    use fathom_report::{Coverage, PasswordState};

    use super::*;
    use crate::memory;

    fn everything(files: &Files<'_>) -> fathom_report::Users {
        let packages = Listing::complete(Vec::new(), Vec::new());
        let services = Listing::complete(Vec::new(), Vec::new());
        crate::users::all(files, &packages, &services, SystemTime::now())
    }

    #[test]
    fn accounts_and_groups_of_the_vendor_count_where_they_are_asked_for() {
        let files: &[(&str, &[u8])] = &[
            (PASSWD, b"root:x:0:0::/root:/bin/sh"),
            (VENDOR, b"root:x:1:0::/:/bin/false\nbin:x:1:1::/:/sbin/nologin\n"),
            ("/etc/group", b"wheel:x:10:bob\n"),
            ("/usr/lib/group", b"bin:x:1:\nwheel:x:10:\n"),
            ("/etc/nsswitch.conf", b"passwd: files altfiles systemd\ngroup: files altfiles\n"),
            ("/etc/userdb/eve.user", b"{}"),
        ];
        let shown = |files: &[(&str, &[u8])]| {
            let tree = memory::tree(files);
            let users = everything(&Files::new(&tree));
            let accounts = users.accounts.items.iter().map(|it| format!("{}={}", it.name, it.id));
            let groups = users.groups.items.into_iter().map(|it| it.name);
            (accounts.chain(groups).collect::<Vec<_>>().join(" "), users.accounts.coverage)
        };
        assert_eq!(shown(&files[..4]), ("root=0 wheel".to_owned(), Coverage::Complete));
        let all = "root=0 bin=1 wheel bin".to_owned();
        assert_eq!(shown(&files[..5]), (all.clone(), Coverage::Complete));
        assert_eq!(shown(files), (all, Coverage::Partial));
    }

    #[test]
    fn lines_that_are_accounts_as_getent_shows_them() {
        let text: &[u8] = b"root:x:0:0::/root:/bin/sh\nshort:x:1004\nfour:x:5:6\n\
            eight:x:7:7:g:/h:/s:extra\n ld:x:00:+0::/:/bin/sh\nz2:x: 0:0::/:/s\nneg:x:-1:0::/:/s\n\
            big:x:99999999999:0::/:/s\nhex:x:0x0:0::/:/s\ntr:x:0 :0::/:/s\nno:x::0::/:/s\n\
            #c:x:1:1::/:/s\n+nis:x:1:1::/:/s\n";
        let tree = memory::tree(&[(PASSWD, text)]);
        let users = everything(&Files::new(&tree));
        let shown = users.accounts.items.iter().map(|it| format!("{}={}", it.name, it.id));
        let shown: Vec<_> = shown.collect();
        assert_eq!(shown, ["root=0", "four=5", "eight=7", "ld=0", "z2=0"]);
        assert_eq!(users.accounts.items[2].shell.as_deref(), Some("/s:extra"));
        assert_eq!(users.accounts.items[3].group.as_deref(), Some("0"));
        assert_eq!(users.accounts.coverage, Coverage::Complete);
        assert!(users.accounts.reason.is_some_and(|why| why.contains("+nis")));
    }

    #[test]
    fn lines_that_were_lost_leave_the_list_partial() {
        let lost =
            [b"root:x:0:0::/root:/bin/sh\n", &[0; 4096][..], b"\nbob:x:1:1::/:/s\n"].concat();
        let control = b"root:x:0:0::/root:/bin/sh\nb\x01\x02b:x:1:1::/:/s\n";
        for (text, coverage, count) in [
            (&lost[..], Coverage::Partial, 2),
            (&control[..], Coverage::Partial, 1),
            (&[0; 4096][..], Coverage::Unknown, 0),
        ] {
            for path in [PASSWD, "/etc/group"] {
                let tree = memory::tree(&[(path, text)]);
                let files = Files::new(&tree);
                let users = everything(&files);
                let found = match path {
                    PASSWD => (users.accounts.coverage, users.accounts.items.len()),
                    _ => (users.groups.coverage, users.groups.items.len()),
                };
                assert_eq!(found, (coverage, count), "{path}");
                let problems = files.into_problems();
                assert!(problems.iter().any(|it| it.message.contains(path)), "{problems:?}");
            }
        }
        let shadow = [b"root:*:1:::::::\n", &[0; 100][..], b"\n"].concat();
        let passwd = b"root:x:0:0::/:/s\nbob:x:1:1::/:/s\n";
        let tree = memory::tree(&[(PASSWD, passwd), (SHADOW, &shadow)]);
        let users = everything(&Files::new(&tree)).accounts.items;
        assert_eq!(users[0].password.value(), Some(&PasswordState::Locked));
        assert!(matches!(users[1].password, Fact::Unknown { .. }));
    }

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
    fn when_a_password_becomes_inactive() {
        // As chage says it.
        for (line, expected) in [
            ("frank:x:18262:0:30:7:5::", Some("2020-02-05")),
            ("frank:x:18262:0:30:7:0::", Some("2020-01-31")),
            ("frank:x:18262:0:30:7:::", None),
            ("frank:x:18262:0:99999:7:5::", None),
            ("frank:x:18262:0::7:5::", None),
            ("frank:x:0:0:30:7:5::", None),
            ("frank:x:18262:0:30:7:2147483647::", None),
            ("frank:x", None),
        ] {
            let (_, shadow) = Shadow::parse(line).unwrap();
            assert_eq!(shadow.inactive().as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn what_the_files_say_of_a_password() {
        let lines =
            "root:$y$j9T$salt$hash:19700:0\nempty::0:\nlocked:!$6$x$y:1\nnever:*:20000:\nroot:*:1";
        let records = Records { text: lines.to_owned(), damage: None };
        let shadow: Result<_, &str> = Ok(Shadows::of(&records));
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
            ("empty", "##empty", Some((PasswordState::Empty, None, None, SHADOW))),
            ("empty", "##root", Some((PasswordState::Locked, None, None, PASSWD))),
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
