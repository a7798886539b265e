//! Accounts, groups, keys, and the rules of sudo.

use std::io;

use fathom_report::{Coverage, PasswordState, System, User};

use super::{Column, List, Sink, Value, detail, key, listing, main, number, spare};

const ACCOUNTS: &[Column] = &[
    key("name"),
    number(main("id")),
    main("shell"),
    main("password"),
    main("keys"),
    spare("states"),
    spare("expires"),
    spare("groups"),
    spare("last login"),
    detail("group"),
    detail("comment"),
    detail("home"),
    detail("password changed"),
    detail("password inactive"),
];
const GROUPS: &[Column] = &[key("name"), number(main("id")), main("members")];
const KEYS: &[Column] =
    &[key("name"), main("kind"), key("fingerprint"), spare("comment"), detail("evidence")];
const RULES: &[Column] = &[key("rule")];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[ACCOUNTS, GROUPS, KEYS, RULES];

/// The state of the password; the kind of its hash, but never the hash.
fn password(user: &User) -> Value<'_> {
    Value::fact(&user.password, |state| match (state, &user.algorithm) {
        (PasswordState::Set, Some(algorithm)) => Value::text(algorithm.as_str()),
        (PasswordState::Empty, _) => Value::text("EMPTY"),
        (state, _) => Value::word(state),
    })
}

/// How many keys it has.
fn keys(user: &User) -> Value<'_> {
    let count = user.keys.items.len();
    match (user.keys.coverage, &user.keys.reason) {
        (Coverage::Complete, _) if count == 0 => Value::Absent,
        (Coverage::Complete, _) => Value::Number(count as u64),
        (Coverage::Partial, _) => Value::text(format!("{count} or more")),
        (Coverage::Unknown, reason) => {
            Value::Unknown(reason.as_deref().unwrap_or("they could not be read").into())
        }
    }
}

/// How many different things are said of keys, and of how many accounts each by name.
const MAX_SAID: usize = 8;

/// What is said of the lists of keys, each thing once with the accounts that it is said of.
fn said_of_keys(accounts: &[User]) -> Option<String> {
    let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut more = 0_usize;
    for user in accounts {
        let Some(reason) = user.keys.reason.as_deref() else { continue };
        match said.iter().position(|(its, _)| *its == reason) {
            Some(at) => said[at].1.push(&user.name),
            None if said.len() < MAX_SAID => said.push((reason, vec![&user.name])),
            None => more += 1,
        }
    }
    let shown = said.into_iter().map(|(reason, names)| {
        let rest = names.len().saturating_sub(MAX_SAID);
        let named = names.into_iter().take(MAX_SAID).collect::<Vec<_>>().join(", ");
        match rest {
            0 => format!("{named}: {reason}"),
            rest => format!("{named} and {rest} more: {reason}"),
        }
    });
    let mut shown: Vec<String> = shown.collect();
    if more > 0 {
        shown.push(format!("and more is said of {more} more accounts"));
    }
    (!shown.is_empty()).then(|| shown.join("; "))
}

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    let users = &system.users;
    listing("Accounts", ACCOUNTS, &users.accounts, sink, |user, sink| {
        sink.row(&[
            Value::text(user.name.as_str()),
            Value::text(user.id.as_str()),
            Value::maybe(user.shell.as_deref()),
            password(user),
            keys(user),
            Value::texts(&user.states),
            Value::maybe(user.expires.as_deref()),
            Value::texts(&user.groups),
            Value::maybe(user.last_login.as_deref()),
            Value::maybe(user.group.as_deref()),
            Value::maybe(user.comment.as_deref()),
            Value::maybe(user.home.as_deref()),
            Value::maybe(user.password_changed.as_deref()),
            Value::maybe(user.password_inactive.as_deref()),
        ])
    })?;
    listing("Groups", GROUPS, &users.groups, sink, |group, sink| {
        sink.row(&[
            Value::text(group.name.as_str()),
            Value::text(group.id.as_str()),
            Value::texts(&group.members),
        ])
    })?;
    let accounts = &users.accounts.items;
    let all = accounts.iter().all(|user| user.keys.coverage == Coverage::Complete);
    let said = said_of_keys(accounts);
    let coverage = match users.accounts.coverage {
        Coverage::Complete if !all => Coverage::Partial,
        coverage => coverage,
    };
    let reason = said.as_deref().or(users.accounts.reason.as_deref());
    sink.begin(&List { title: "SSH keys", columns: KEYS, facts: false, coverage, reason })?;
    for user in accounts {
        for key in &user.keys.items {
            sink.row(&[
                Value::text(user.name.as_str()),
                Value::text(key.kind.as_str()),
                Value::text(key.fingerprint.as_str()),
                Value::maybe(key.comment.as_deref()),
                Value::text(key.evidence.0.as_str()),
            ])?;
        }
    }
    sink.end()?;
    listing("sudo", RULES, &users.sudo, sink, |rule, sink| sink.row(&[Value::text(rule.as_str())]))
}
