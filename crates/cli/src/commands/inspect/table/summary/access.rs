//! Who may use the system.

use fathom_report::Day;
use fathom_report::{Coverage, Fact, PasswordState, System, User};

use super::doors::Doors;
use super::{Said, counted, counted_with, some};
use crate::clock;

/// Whether somebody can be behind an account: it has a shell and a password, or a key that sshd lets in,
/// and neither it nor its password is over. A password that merely has to be changed is no hindrance.
/// Nothing where that depends on what could not be read.
fn may_log_in(user: &User, today: Option<Day>, doors: &Doors<'_>) -> Option<bool> {
    let shell = user.shell.as_deref().unwrap_or("/bin/sh");
    let has_shell = !["nologin", "false", "sync", "shutdown", "halt"]
        .iter()
        .any(|name| shell.ends_with(&format!("/{name}")));
    let day = |day: &Option<String>| day.as_deref().and_then(Day::parse);
    let is_past = |over: &dyn Fn(Day) -> bool| today.is_some_and(over);
    let has_expired = day(&user.expires).is_some_and(|end| is_past(&|today| end <= today));
    let is_inactive =
        day(&user.password_inactive).is_some_and(|last| is_past(&|today| last < today));
    let is_disabled = user.states.iter().any(|state| state == "disabled");
    if !has_shell || has_expired || is_inactive || is_disabled {
        return Some(false);
    }
    let has_password = match &user.password {
        Fact::Known { value, .. } => Some(*value != PasswordState::Locked),
        Fact::Absent { .. } => Some(false),
        Fact::Unknown { .. } => None,
    };
    let has_key = match (user.keys.items.is_empty(), user.keys.coverage) {
        _ if doors.keep_out(user) => Some(false),
        (false, _) => Some(true),
        (true, Coverage::Complete) => Some(false),
        (true, Coverage::Partial | Coverage::Unknown) => None,
    };
    match (has_password, has_key) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// How many accounts there are, who may log in, and of whom that is not known.
pub(super) fn users(system: &System) -> Said {
    let accounts = &system.users.accounts;
    let today = clock::now().ok().map(|now| Day::of_seconds(clock::seconds(now)));
    let doors = Doors::of(system);
    let answers: Vec<(Option<bool>, &str)> =
        accounts.items.iter().map(|it| (may_log_in(it, today, &doors), it.name.as_str())).collect();
    let named = |wanted: Option<bool>, what: &str| {
        let names = answers.iter().filter(|(answer, _)| *answer == wanted).map(|(_, name)| *name);
        let names: Vec<&str> = names.collect();
        (!names.is_empty()).then(|| format!("{} {what}", some(names.into_iter())))
    };
    let more = [named(Some(true), "may log in"), named(None, "perhaps")];
    let more: Vec<String> = more.into_iter().flatten().collect();
    counted_with(accounts, ("account", "accounts"), &more.join(", "))
}

/// How many lines sudo is told; some of them are defaults and no rules.
pub(super) fn sudo(system: &System) -> Said {
    counted(&system.users.sudo, ("line", "lines"))
}

#[cfg(test)]
mod tests {
    use fathom_report::Family;

    use super::*;

    #[test]
    fn who_may_log_in() {
        let system = System::unknown("sda1", Family::Linux, "it is not looked at");
        let doors = Doors::of(&system);
        let today = Day::parse("2020-02-06");
        for (expires, inactive, expected) in [
            (None, None, true),
            (Some("2020-02-06"), None, false),
            (Some("2020-02-07"), None, true),
            (None, Some("2020-02-05"), false),
            // It is the last day on which the password can be changed.
            (None, Some("2020-02-06"), true),
        ] {
            let bob = serde_json::json!({
                "name": "bob", "id": "1000", "groups": [], "expires": expires,
                "password_inactive": inactive,
                "password": {"state": "unknown", "reason": "x"},
                "keys": {"coverage": "complete", "items": [], "evidence": []},
            });
            let mut bob: User = serde_json::from_value(bob).unwrap();
            bob.password = Fact::known(PasswordState::Set, "/etc/shadow");
            let found = may_log_in(&bob, today, &doors);
            assert_eq!(found, Some(expected), "{expires:?} {inactive:?}");
            bob.password = Fact::known(PasswordState::Locked, "/etc/shadow");
            assert_eq!(may_log_in(&bob, today, &doors), Some(false), "it has no key");
            bob.keys.coverage = Coverage::Partial;
            let found = may_log_in(&bob, today, &doors);
            assert_eq!(found, if expected { None } else { Some(false) }, "it may have a key");
            bob.keys.coverage = Coverage::Complete;
            bob.password = Fact::unknown("/etc/shadow cannot be read");
            let found = may_log_in(&bob, today, &doors);
            assert_eq!(found, if expected { None } else { Some(false) }, "it may have one");
            bob.password = Fact::known(PasswordState::Set, "SAM");
            bob.states = vec!["disabled".to_owned()];
            assert_eq!(may_log_in(&bob, today, &doors), Some(false), "it is disabled");
        }
    }
}
