//! What holds for the login of one account: a line under a condition that the account meets counts more
//! than one outside of conditions, and of several the first.

use std::sync::atomic::{AtomicU64, Ordering};

use fathom_report::{Listing, Service};

use super::super::glob;
use super::reader::{Reader, Set};
use super::{Files, started};

/// An account as conditions know it.
pub(crate) struct Login<'a> {
    pub(crate) name: &'a str,
    /// The names of its groups.
    pub(crate) groups: &'a [&'a str],
}

/// How many letters of conditions are compared with letters of names for all accounts together: far
/// more than a real configuration comes to.
const MAX_WORK: u64 = 50_000_000;

/// What the files set.
pub(crate) struct Logins {
    sets: Vec<Set>,
    /// How much more may be compared.
    work: AtomicU64,
}

/// What may hold of a keyword for one account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holds<'a> {
    /// The value for logins that meet no further condition; nothing if the keyword is not set.
    pub(crate) value: Option<&'a str>,
    /// Others, for logins of which more would have to be known.
    pub(crate) perhaps: Vec<&'a str>,
    /// There were too many conditions and accounts to tell.
    pub(crate) is_cut: bool,
}

impl Logins {
    /// What the files say; an error says why they could not all be read.
    pub(crate) fn of(files: &Files<'_>, services: &Listing<Service>) -> Result<Self, String> {
        let mut reader = Reader::new(files, None);
        let started = match started::how(files, services) {
            Ok(started) => started,
            // Nobody logs in by a program that has no files.
            Err(_) if !started::has_config(files) => return Ok(Self::new(Vec::new())),
            Err(why) => return Err(why),
        };
        reader.given(&started.options);
        for config in started.configs() {
            if reader.file(config)? {
                break;
            }
        }
        Ok(Self::new(reader.sets))
    }

    fn new(sets: Vec<Set>) -> Self {
        Self { sets, work: AtomicU64::new(MAX_WORK) }
    }

    /// Takes as much work as the condition may cost, if there is as much left.
    fn take(&self, condition: &str, login: &Login<'_>) -> bool {
        let names = login.groups.iter().fold(login.name.len(), |sum, group| sum + group.len());
        let cost = (condition.len() as u64 + 1).saturating_mul(names as u64 + 1);
        let left = self.work.load(Ordering::Relaxed).checked_sub(cost);
        self.work.store(left.unwrap_or(0), Ordering::Relaxed);
        left.is_some()
    }

    /// Whether sshd looks who may write to the files that it believes, as it does unless it is told
    /// otherwise.
    pub(crate) fn is_strict(&self) -> bool {
        let mut sets = self.sets.iter().filter(|set| set.name == "strictmodes");
        sets.next().and_then(|set| set.values.first()).is_none_or(|value| value != "no")
    }

    /// What the keyword is set to for the account.
    pub(crate) fn value(&self, keyword: &str, login: &Login<'_>) -> Holds<'_> {
        let mut holds = Holds { value: None, perhaps: Vec::new(), is_cut: false };
        let named = || self.sets.iter().filter(move |set| set.name == keyword);
        for set in named() {
            let (Some(condition), Some(value)) = (&set.condition, set.values.first()) else {
                continue;
            };
            if !self.take(condition, login) {
                holds.is_cut = true;
                return holds;
            }
            match meets(condition, login) {
                Some(true) => {
                    holds.value = Some(value);
                    return holds;
                }
                Some(false) => {}
                None => holds.perhaps.push(value),
            }
        }
        let mut outside = named().filter(|set| set.condition.is_none());
        holds.value = outside.find_map(|set| set.values.first()).map(String::as_str);
        holds
    }
}

/// Whether the account meets the condition; nothing if that depends on more than the account.
fn meets(condition: &str, login: &Login<'_>) -> Option<bool> {
    let mut words = condition.split_whitespace();
    let mut sure = true;
    while let Some(criterion) = words.next() {
        let is = |name: &str| criterion.eq_ignore_ascii_case(name);
        // It holds for names that are no account.
        if is("invalid-user") {
            return Some(false);
        }
        let pattern = words.next()?;
        let met = if is("user") {
            Some(listed(pattern, login.name) == Some(true))
        } else if is("group") {
            // A group that is taken away takes the account away, whatever its others are.
            let mut answers = login.groups.iter().map(|group| listed(pattern, group));
            let met = answers.clone().any(|answer| answer == Some(true));
            Some(met && answers.all(|answer| answer != Some(false)))
        } else {
            None
        };
        match met {
            Some(true) => {}
            Some(false) => return Some(false),
            None => sure = false,
        }
    }
    sure.then_some(true)
}

/// Whether a list of patterns means the name, or takes it away by one that is negated; nothing where it
/// does neither.
fn listed(patterns: &str, name: &str) -> Option<bool> {
    let mut met = None;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob::matches(pattern, name) => return Some(false),
            Some(_) => {}
            None if glob::matches(pattern, name) => met = Some(true),
            None => {}
        }
    }
    met
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn conditions_of_accounts() {
        let text: &[u8] = b"AuthorizedKeysFile one\nAuthorizedKeysFile two\n\
            Match Address 10.0.0.0/8\nAuthorizedKeysFile near\n\
            Match User root,b*,!bob\nAuthorizedKeysFile special\n\
            Match Group *,!admin,!staff\nAuthorizedKeysFile others\n\
            Match Group admin\nAuthorizedKeysFile admins\nMatch invalid-user\n\
            AuthorizedKeysFile never\n";
        let tree = memory::tree(&[
            ("/etc/ssh/sshd_config", b"Include sshd_config.d/*.conf\n"),
            ("/etc/ssh/sshd_config.d/a.conf", text),
        ]);
        let services = Listing::complete(Vec::new(), Vec::new());
        let logins = Logins::of(&Files::new(&tree), &services).unwrap();
        for (name, groups, expected) in [
            ("root", &["root"][..], "special"),
            ("ben", &["admin"], "special"),
            ("bob", &["admin"], "admins"),
            ("bob", &["users"], "others"),
            ("bob", &["users", "admin"], "admins"),
            ("bob", &["staff", "users"], "one"),
        ] {
            let holds = logins.value("authorizedkeysfile", &Login { name, groups });
            let expected = Holds { value: Some(expected), perhaps: vec!["near"], is_cut: false };
            assert_eq!(holds, expected, "{name}");
        }
        let login = Login { name: "root", groups: &[] };
        assert_eq!(logins.value("trustedusercakeys", &login).value, None);
    }

    #[test]
    fn work_is_bounded() {
        let line = format!("Match User {}\nAuthorizedKeysFile /k\n", "*a".repeat(500));
        let tree = memory::tree(&[("/etc/ssh/sshd_config", line.repeat(500).as_bytes())]);
        let services = Listing::complete(Vec::new(), Vec::new());
        let logins = Logins::of(&Files::new(&tree), &services).unwrap();
        let name = "a".repeat(400);
        let login = Login { name: &name, groups: &[] };
        assert!((0..10_000).any(|_| logins.value("authorizedkeysfile", &login).is_cut));
    }
}
