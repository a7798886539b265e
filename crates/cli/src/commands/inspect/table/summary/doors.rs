//! Whom sshd lets in at all, and whom by a key: lists of accounts and groups that it keeps out, or lets
//! in alone, and whether root and keys are welcome.

use std::collections::HashMap;

use fathom_report::{Coverage, Sshd, System, User};

/// The longest list that is compared with every account.
const MAX_LETTERS: usize = 2 << 10;

/// The lists, where they hold for every login.
pub(super) struct Doors<'a> {
    deny_users: Option<Vec<&'a str>>,
    allow_users: Option<Vec<&'a str>>,
    deny_groups: Option<Vec<&'a str>>,
    allow_groups: Option<Vec<&'a str>>,
    /// Whether it certainly lets in nobody by a key, and root by nothing.
    no_keys: bool,
    no_root: bool,
    /// The names of groups by their numbers.
    groups: HashMap<&'a str, &'a str>,
}

impl<'a> Doors<'a> {
    pub(super) fn of(system: &'a System) -> Self {
        // Of several groups with one number the first gives the name.
        let groups = system.users.groups.items.iter().rev();
        let groups = groups.map(|group| (group.id.as_str(), group.name.as_str())).collect();
        let mut doors = Self::new(system.security.sshd.value(), groups);
        // An account may be in a group that could not be read, or that a server knows.
        let known = system.users.groups.coverage == Coverage::Complete
            && system.users.accounts.reason.is_none();
        doors.allow_groups = doors.allow_groups.filter(|_| known);
        doors
    }

    fn new(sshd: Option<&'a Sshd>, groups: HashMap<&'a str, &'a str>) -> Self {
        Self {
            deny_users: Self::list(sshd, "denyusers"),
            allow_users: Self::list(sshd, "allowusers"),
            deny_groups: Self::list(sshd, "denygroups"),
            allow_groups: Self::list(sshd, "allowgroups"),
            no_keys: Self::is_off(sshd, "pubkeyauthentication"),
            no_root: Self::is_off(sshd, "permitrootlogin"),
            groups,
        }
    }

    /// Whether the keyword is `no` for every login.
    fn is_off(sshd: Option<&Sshd>, keyword: &str) -> bool {
        let Some(sshd) = sshd else { return false };
        let of_matches = sshd.matches.iter().flat_map(|it| &it.settings);
        let of_name = |setting: &&fathom_report::Setting| setting.name == keyword;
        let mut values = sshd.settings.iter().chain(of_matches).filter(of_name);
        let is_set = sshd.settings.iter().any(|setting| of_name(&setting));
        is_set && values.all(|setting| setting.value == "no")
    }

    /// Whether sshd certainly lets nobody in by a key of the account, wherever it comes from.
    pub(super) fn keep_out(&self, user: &User) -> bool {
        if self.no_keys || self.no_root && user.id == "0" {
            return true;
        }
        let first = user.group.as_deref().and_then(|id| self.groups.get(id).copied());
        let groups: Vec<&str> =
            first.into_iter().chain(user.groups.iter().map(String::as_str)).collect();
        let of_user = |pattern: &str| named(pattern, &user.name);
        let of_groups = |pattern: &str| groups.iter().any(|group| matches(pattern, group));
        // A place behind the name may be that of this login or not.
        let some = |list: &Option<Vec<&str>>, is: &dyn Fn(&str) -> bool| {
            list.as_ref().is_some_and(|them| them.iter().any(|it| is(it)))
        };
        let none = |list: &Option<Vec<&str>>, is: &dyn Fn(&str) -> bool| {
            list.as_ref().is_some_and(|them| !them.iter().any(|it| is(it)))
        };
        some(&self.deny_users, &|pattern| !pattern.contains('@') && of_user(pattern))
            || none(&self.allow_users, &of_user)
            || some(&self.deny_groups, &of_groups)
            || none(&self.allow_groups, &of_groups)
    }

    /// The patterns of a list; nothing where there is none, where it is too long to be compared with
    /// every account, or where it depends on a condition or on a pattern that is turned round.
    fn list(sshd: Option<&'a Sshd>, keyword: &str) -> Option<Vec<&'a str>> {
        let sshd = sshd?;
        let is_of = |setting: &&fathom_report::Setting| setting.name == keyword;
        if sshd.matches.iter().flat_map(|it| &it.settings).any(|it| is_of(&it)) {
            return None;
        }
        let values = sshd.settings.iter().filter(is_of).map(|setting| setting.value.as_str());
        let values: Vec<&str> = values.collect();
        let is_plain = values.iter().all(|value| !value.starts_with('!'));
        let letters: usize = values.iter().map(|value| value.len() + 1).sum();
        (is_plain && !values.is_empty() && letters <= MAX_LETTERS).then_some(values)
    }
}

/// Whether the pattern, without a place behind it, means the account.
fn named(pattern: &str, name: &str) -> bool {
    let pattern = pattern.split_once('@').map_or(pattern, |(pattern, _)| pattern);
    matches(pattern, name)
}

/// Whether the pattern with `*` and `?` means the name. The time it takes is at most the product of
/// both lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // Where to go on when the last `*` has to take one character more.
    let mut again: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                again = Some((at, in_name));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match again {
                Some((star, taken)) => {
                    again = Some((star, taken + 1));
                    at = star + 1;
                    in_name = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use fathom_report::{Setting, SshdMatch};

    use super::*;

    #[test]
    fn patterns_mean_names() {
        for (pattern, name, expected) in [
            ("bob", "bob", true),
            ("b*", "bob", true),
            ("*b?b*", "abob", true),
            ("b?", "bob", false),
            ("", "bob", false),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(named("bob@10.0.0.1", "bob"));
    }

    #[test]
    fn root_may_be_kept_out_by_itself() {
        let user = |id: &str| -> User {
            serde_json::from_value(serde_json::json!({
                "name": "toor", "id": id, "groups": [],
                "password": {"state": "unknown", "reason": "x"},
                "keys": {"coverage": "complete", "items": [], "evidence": []},
            }))
            .unwrap()
        };
        for (value, expected) in [("no", true), ("without-password", false)] {
            let setting =
                Setting { name: "permitrootlogin".into(), value: value.into(), evidence: None };
            let sshd = Sshd {
                settings: vec![setting],
                matches: Vec::new(),
                version: None,
                unknown: Vec::new(),
                mistakes: Vec::new(),
            };
            let doors = Doors::new(Some(&sshd), HashMap::new());
            assert_eq!(doors.keep_out(&user("0")), expected, "{value}");
            assert!(!doors.keep_out(&user("1000")));
        }
    }

    #[test]
    fn groups_that_are_not_all_known_keep_nobody_out() {
        let sshd = serde_json::json!({
            "settings": [{"name": "allowgroups", "value": "admins"}], "matches": [],
        });
        let mut system = System::unknown("sda1", fathom_report::Family::Linux, "x");
        system.security.sshd =
            fathom_report::Fact::known(serde_json::from_value(sshd).unwrap(), "/etc/ssh");
        assert!(Doors::of(&system).allow_groups.is_none());
        system.users.groups.coverage = Coverage::Complete;
        system.users.accounts.reason = None;
        assert!(Doors::of(&system).allow_groups.is_some());
        system.users.accounts.reason = Some("there are accounts of sss".into());
        assert!(Doors::of(&system).allow_groups.is_none());
    }

    #[test]
    fn whom_sshd_keeps_out() {
        let setting = |(name, value): &(&str, &str)| Setting {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            evidence: None,
        };
        for (settings, under_a_condition, expected) in [
            (&[("denyusers", "eve"), ("denyusers", "b*")][..], &[][..], true),
            (&[("denyusers", "bob@10.0.0.1")], &[], false),
            (&[("allowusers", "eve")], &[], true),
            (&[("allowusers", "eve"), ("allowusers", "bob@10.0.0.1")], &[], false),
            (&[("denygroups", "staff")], &[], true),
            (&[("denygroups", "wheel")], &[], true),
            (&[("allowgroups", "admins")], &[], true),
            (&[("allowgroups", "w*")], &[], false),
            (&[("allowgroups", "!wheel")], &[], false),
            (&[("allowusers", "eve")], &[("allowusers", "bob")], false),
            (&[("permitrootlogin", "no")], &[], false),
            (&[("pubkeyauthentication", "no")], &[], true),
            (&[("pubkeyauthentication", "no")], &[("pubkeyauthentication", "yes")], false),
            (&[("pubkeyauthentication", "yes")], &[("pubkeyauthentication", "no")], false),
        ] {
            let condition = SshdMatch {
                condition: "address 10.0.0.0/8".into(),
                settings: under_a_condition.iter().map(setting).collect(),
                evidence: "/etc/ssh/sshd_config".into(),
            };
            let sshd = Sshd {
                settings: settings.iter().map(setting).collect(),
                matches: vec![condition],
                version: None,
                unknown: Vec::new(),
                mistakes: Vec::new(),
            };
            let doors = Doors::new(Some(&sshd), HashMap::from([("50", "staff")]));
            let bob = serde_json::json!({
                "name": "bob", "id": "1000", "group": "50", "groups": ["wheel"],
                "password": {"state": "unknown", "reason": "x"},
                "keys": {"coverage": "complete", "items": [], "evidence": []},
            });
            let bob: User = serde_json::from_value(bob).unwrap();
            assert_eq!(doors.keep_out(&bob), expected, "{settings:?} {under_a_condition:?}");
        }
    }
}
