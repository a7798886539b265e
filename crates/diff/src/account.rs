//! Accounts, groups, keys, and the rules of sudo.

use std::collections::BTreeMap;

use fathom_report::{Part, System, User};

use crate::context::{Context, word};
use crate::keyed::{Item, Known, Names, hides, lists, maps, order};

const PART: Part = Part::Users;

/// The keys of all accounts, and why some may not be among them.
fn keys(system: &System) -> (BTreeMap<String, Vec<Item>>, Option<String>) {
    let mut map: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    let accounts = &system.users.accounts;
    let mut hidden = hides(accounts);
    for user in &accounts.items {
        if let Some(why) = hides(&user.keys) {
            hidden.get_or_insert(format!("those of {}: {why}", user.name));
        }
        for key in &user.keys.items {
            let name = format!("{} {}", user.name, key.fingerprint);
            let fields = vec![
                ("kind", Known::Is(key.kind.clone())),
                ("comment", Known::maybe(key.comment.as_deref())),
            ];
            let evidence = vec![key.evidence.clone()];
            map.entry(name).or_default().push(Item { fields, evidence });
        }
    }
    (map, hidden)
}

/// Everything that the report says of an account, but for its keys, which are a list of their own. It
/// is taken apart field by field, so that a new one cannot be forgotten here.
fn account(user: &User) -> (String, Item) {
    let User {
        name,
        id,
        group,
        comment,
        home,
        shell,
        password,
        algorithm,
        password_changed,
        password_inactive,
        expires,
        states,
        last_login,
        groups,
        keys: _,
    } = user;
    let fields = vec![
        ("id", Known::Is(id.clone())),
        ("group", Known::maybe(group.as_deref())),
        ("groups", Known::set(groups)),
        ("comment", Known::maybe(comment.as_deref())),
        ("home", Known::maybe(home.as_deref())),
        ("shell", Known::maybe(shell.as_deref())),
        ("password", Known::fact(password, word)),
        ("algorithm", Known::maybe(algorithm.as_deref())),
        ("password changed", Known::maybe(password_changed.as_deref())),
        ("password inactive", Known::maybe(password_inactive.as_deref())),
        ("expires", Known::maybe(expires.as_deref())),
        ("states", Known::set(states)),
        ("last login", Known::maybe(last_login.as_deref())),
    ];
    (name.clone(), Item { fields, evidence: Vec::new() })
}

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let (one, other) = (&before.users, &after.users);
    let names = Names { part: PART, list: "accounts", item: "account" };
    lists(names, (&one.accounts, &other.accounts), account, context);
    let names = Names { part: PART, list: "groups", item: "group" };
    lists(
        names,
        (&one.groups, &other.groups),
        |group| {
            let fields =
                vec![("id", Known::Is(group.id.clone())), ("members", Known::set(&group.members))];
            (group.name.clone(), Item { fields, evidence: Vec::new() })
        },
        context,
    );
    let names = Names { part: PART, list: "SSH keys", item: "SSH key" };
    let ((keys_before, hidden_before), (keys_after, hidden_after)) = (keys(before), keys(after));
    maps(names, (keys_before, keys_after), (hidden_before, hidden_after), context);
    let names = Names { part: PART, list: "rules of sudo", item: "rule of sudo" };
    let rule = |rule: &String| (rule.clone(), Item { fields: Vec::new(), evidence: Vec::new() });
    lists(names, (&one.sudo, &other.sudo), rule, context);
    // Of several rules that fit, the last counts.
    order(names, (&one.sudo.items, &other.sudo.items), context);
}
