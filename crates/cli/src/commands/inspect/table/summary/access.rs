//! Who may use the system.

use fathom_profile::day::Day;
use fathom_report::{PasswordState, System, User};

use super::doors::Doors;
use super::{Said, counted, counted_with, some};
use crate::clock;

/// Whether somebody can be behind an account: it has a shell and a password, or a key that sshd lets in,
/// and neither it nor its password is over. A password that merely has to be changed is no hindrance.
fn may_log_in(user: &User, today: Option<Day>, doors: &Doors<'_>) -> bool {
    let shell = user.shell.as_deref().unwrap_or("/bin/sh");
    let has_shell = !["nologin", "false", "sync", "shutdown", "halt"]
        .iter()
        .any(|name| shell.ends_with(&format!("/{name}")));
    let has_password =
        matches!(user.password.value(), Some(PasswordState::Set | PasswordState::Empty));
    let day = |day: &Option<String>| day.as_deref().and_then(Day::parse);
    let is_past = |over: &dyn Fn(Day) -> bool| today.is_some_and(over);
    let has_expired = day(&user.expires).is_some_and(|end| is_past(&|today| end <= today));
    let is_inactive =
        day(&user.password_inactive).is_some_and(|last| is_past(&|today| last < today));
    let has_key = !user.keys.items.is_empty() && !doors.keep_out(user);
    has_shell && !has_expired && !is_inactive && (has_password || has_key)
}

/// How many accounts there are, and who may log in.
pub(super) fn users(system: &System) -> Said {
    let accounts = &system.users.accounts;
    let today = clock::now().ok().map(|now| Day::of_seconds(clock::seconds(now)));
    let doors = Doors::of(system);
    let logins = accounts.items.iter().filter(|it| may_log_in(it, today, &doors));
    let logins: Vec<&str> = logins.map(|it| it.name.as_str()).collect();
    let more = match logins.len() {
        0 => String::new(),
        _ => format!("{} may log in", some(logins.into_iter())),
    };
    counted_with(accounts, ("account", "accounts"), &more)
}

/// How many lines sudo is told; some of them are defaults and no rules.
pub(super) fn sudo(system: &System) -> Said {
    counted(&system.users.sudo, ("line", "lines"))
}

#[cfg(test)]
mod tests {
    use fathom_report::{Fact, Family};

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
            assert_eq!(may_log_in(&bob, today, &doors), expected, "{expires:?} {inactive:?}");
            bob.password = Fact::known(PasswordState::Locked, "/etc/shadow");
            assert!(!may_log_in(&bob, today, &doors), "it has no key");
        }
    }
}
