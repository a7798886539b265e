//! Accounts and groups of the machine itself, as SAM keeps them. Of passwords nothing leaves this
//! module but whether there is one, when it was set, and how it is hashed.

pub(super) mod policy;
pub(super) mod profiles;
mod sam;

use std::collections::BTreeMap;

use fathom_block::Result;
use fathom_report::{Fact, Group, Listing, PasswordState, User, Users};

use super::moment;
use super::registry::{Name, Node, Registry};
use super::sid;
use crate::files::Read;

use self::profiles::Profile;
use self::sam::{Alias, Fixed, Variable};

/// What the report loses if the registry cannot be read.
pub(super) const HIDES: &str = "accounts";

/// The key of the accounts in SAM, whose root has a key of its own name.
const ACCOUNT: &str = r"SAM\Domains\Account";

/// What is wrong with a record, beside the key that it stands in.
fn of_record<T>(registry: &Registry<'_>, place: &str, read: Result<T>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            registry.note(&error.within(place), place);
            None
        }
    }
}

/// Everything that SAM and the list of profiles say.
pub(super) fn all(registry: &Registry<'_>) -> Users {
    let machine = machine(registry);
    let mut named = BTreeMap::new();
    let mut accounts = registry.listing(|| accounts(registry, machine.as_deref(), &mut named));
    let groups = registry.listing(|| groups(registry, machine.as_deref(), &named));
    let mut memberships: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for group in &groups.items {
        for member in &group.members {
            memberships.entry(member).or_default().push(group.name.clone());
        }
    }
    for account in &mut accounts.items {
        account.groups = memberships.remove(account.name.as_str()).unwrap_or_default();
    }
    if is_domain_controller(registry) {
        let why = "this is a domain controller: the accounts of its domain lie in NTDS.dit, \
                   which is not read";
        accounts.hide(why);
    }
    let sudo = Listing::empty("Windows has no such rules; see its groups", Vec::new());
    Users { accounts, groups, sudo }
}

/// The identifier that those of the machine's accounts begin with.
fn machine(registry: &Registry<'_>) -> Option<String> {
    let account = registry.key(Name::Sam, ACCOUNT).there()?;
    let values = account.values();
    let bytes = values.bytes("V").there()?;
    of_record(registry, &values.place("V"), sam::machine(&bytes))
}

fn is_domain_controller(registry: &Registry<'_>) -> bool {
    let kind = registry.said_of_control_set(r"Control\ProductOptions").text(&["ProductType"]);
    kind.value().is_some_and(|kind| kind.eq_ignore_ascii_case("LanmanNT"))
}

/// The identifier of an account of this machine.
fn full_id(machine: Option<&str>, relative: u32) -> String {
    machine.map_or_else(|| relative.to_string(), |machine| format!("{machine}-{relative}"))
}

/// Accounts; `named` gets the identifier and the name of each.
fn accounts(
    registry: &Registry<'_>,
    machine: Option<&str>,
    named: &mut BTreeMap<String, String>,
) -> Listing<User> {
    let users = match registry.key(Name::Sam, &format!(r"{ACCOUNT}\Users")) {
        Read::There(users) => users,
        Read::Absent => {
            let place = format!(r"HKLM\SAM\{ACCOUNT}\Users");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let profiles = match profiles::all(registry) {
        Read::There(profiles) => profiles,
        Read::Absent | Read::Unread(_) => Vec::new(),
    };
    let of_sid: BTreeMap<&str, &Profile> =
        profiles.iter().map(|profile| (profile.sid.as_str(), profile)).collect();
    let names = names(&users);
    let mut items = Vec::new();
    for key in users.children() {
        let Ok(relative) = u32::from_str_radix(key.name(), 16) else {
            // The key `Names`.
            continue;
        };
        let id = full_id(machine, relative);
        let profile = of_sid.get(id.as_str()).copied();
        let user = account(registry, &key, id, names.get(&relative), profile);
        named.insert(user.id.clone(), user.name.clone());
        items.push(user);
    }
    let mut evidence = vec![users.place().into()];
    for profile in profiles.iter().filter(|profile| profile.is_of_a_person()) {
        if named.contains_key(&profile.sid) {
            continue;
        }
        evidence.push(profile.place.as_str().into());
        named.insert(profile.sid.clone(), profile.name().to_owned());
        items.push(elsewhere(profile));
    }
    Listing::complete(items, evidence)
}

/// Names by relative identifier: that is the type of the value of each key beneath `Names`, which is
/// how a name is found whose record is damaged.
fn names(users: &Node<'_>) -> BTreeMap<u32, String> {
    let Read::There(names) = users.child("Names") else {
        return BTreeMap::new();
    };
    let one = |key: Node<'_>| Some((key.values().kind("")?, key.name().to_owned()));
    names.children().filter_map(one).collect()
}

/// An account of this machine. What of its record cannot be read is unknown.
fn account(
    registry: &Registry<'_>,
    key: &Node<'_>,
    id: String,
    name: Option<&String>,
    profile: Option<&Profile>,
) -> User {
    let values = key.values();
    let record = |name: &str| match values.bytes(name) {
        Read::There(bytes) => Some(bytes),
        Read::Absent => {
            let why = format!("the account has no value {name}");
            registry.note(&fathom_block::Error::corrupt(key.place(), 0, why), key.place());
            None
        }
        Read::Unread(_) => None,
    };
    let fixed =
        record("F").and_then(|bytes| of_record(registry, &values.place("F"), Fixed::read(&bytes)));
    let variable = record("V")
        .and_then(|bytes| of_record(registry, &values.place("V"), Variable::read(&bytes)));
    let password = match (&fixed, &variable) {
        (Some(fixed), _) if fixed.control.is_disabled() || fixed.control.is_locked_out() => {
            Fact::known(PasswordState::Locked, values.place("F"))
        }
        (Some(_), Some(variable)) => {
            let state = if variable.has_nt_hash || variable.has_lm_hash {
                PasswordState::Set
            } else {
                PasswordState::Empty
            };
            Fact::known(state, values.place("V"))
        }
        _ => Fact::unknown(format!("the record at {} could not be understood", key.place())),
    };
    let hashes = variable.as_ref().map(|it| (it.has_lm_hash, it.has_nt_hash));
    let algorithm = match hashes {
        Some((true, true)) => Some("lm, nt"),
        Some((true, false)) => Some("lm"),
        Some((false, true)) => Some("nt"),
        _ => None,
    };
    let own_name = variable.as_ref().map(|it| it.name.clone()).filter(|name| !name.is_empty());
    let comment = |it: &Variable| it.full_name.clone().or_else(|| it.comment.clone());
    User {
        name: own_name.or_else(|| name.cloned()).unwrap_or_else(|| id.clone()),
        id,
        group: fixed.map(|fixed| fixed.primary_group.to_string()),
        comment: variable.as_ref().and_then(comment),
        home: profile
            .map(|profile| profile.home.clone())
            .or_else(|| variable.as_ref().and_then(|it| it.home.clone())),
        shell: None,
        password,
        algorithm: algorithm.map(str::to_owned),
        password_changed: fixed.and_then(|fixed| moment::day_of(fixed.password_last_set)),
        expires: None,
        password_inactive: None,
        states: fixed.map(|fixed| fixed.control.states()).unwrap_or_default(),
        last_login: fixed.and_then(|fixed| moment::filetime(fixed.last_login)),
        groups: Vec::new(),
        keys: Listing::unknown("this version does not look for keys on Windows"),
    }
}

/// Somebody who has a profile here, and the account elsewhere: in a domain, or in the cloud.
fn elsewhere(profile: &Profile) -> User {
    User {
        name: profile.name().to_owned(),
        id: profile.sid.clone(),
        group: None,
        comment: None,
        home: Some(profile.home.clone()),
        shell: None,
        password: Fact::unknown("the account is not kept on this machine"),
        algorithm: None,
        password_changed: None,
        expires: None,
        password_inactive: None,
        states: vec!["not-of-this-machine".to_owned()],
        last_login: None,
        groups: Vec::new(),
        keys: Listing::unknown("this version does not look for keys on Windows"),
    }
}

/// Groups that Windows brings along, and those of the machine. Members go by their names, where
/// these are known.
fn groups(
    registry: &Registry<'_>,
    machine: Option<&str>,
    named: &BTreeMap<String, String>,
) -> Listing<Group> {
    let mut all: Option<Listing<Group>> = None;
    for (domain, prefix) in [(r"SAM\Domains\Builtin", Some("S-1-5-32")), (ACCOUNT, machine)] {
        let one = aliases(registry, domain, prefix, named);
        match &mut all {
            Some(all) => all.join(one),
            None => all = Some(one),
        }
    }
    all.unwrap_or_else(|| Listing::unknown("nothing was looked at"))
}

fn aliases(
    registry: &Registry<'_>,
    domain: &str,
    prefix: Option<&str>,
    named: &BTreeMap<String, String>,
) -> Listing<Group> {
    let place = format!(r"HKLM\SAM\{domain}\Aliases");
    let aliases = match registry.key(Name::Sam, &format!(r"{domain}\Aliases")) {
        Read::There(aliases) => aliases,
        Read::Absent => {
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let mut groups = Vec::new();
    for key in aliases.children() {
        if u32::from_str_radix(key.name(), 16).is_err() {
            continue;
        }
        let values = key.values();
        let Read::There(bytes) = values.bytes("C") else {
            let why = "the group has no value C";
            registry.note(&fathom_block::Error::corrupt(key.place(), 0, why), key.place());
            continue;
        };
        let read = of_record(registry, &values.place("C"), Alias::read(&bytes));
        groups.extend(read.map(|alias| Group {
            name: alias.name,
            id: full_id(prefix, alias.relative_id),
            members: alias.members.into_iter().map(|member| known(member, named)).collect(),
        }));
    }
    Listing::complete(groups, vec![place.into()])
}

/// The name that goes with the identifier, or the identifier.
fn known(id: String, named: &BTreeMap<String, String>) -> String {
    const WELL_KNOWN: [(&str, &str); 9] = [
        ("S-1-1-0", "Everyone"),
        ("S-1-5-4", "INTERACTIVE"),
        ("S-1-5-7", "ANONYMOUS LOGON"),
        ("S-1-5-9", "ENTERPRISE DOMAIN CONTROLLERS"),
        ("S-1-5-11", "Authenticated Users"),
        ("S-1-5-17", "IUSR"),
        ("S-1-5-18", "SYSTEM"),
        ("S-1-5-19", "LOCAL SERVICE"),
        ("S-1-5-20", "NETWORK SERVICE"),
    ];
    if let Some(name) = named.get(&id) {
        return name.clone();
    }
    match WELL_KNOWN.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => (*name).to_owned(),
        None => match id.strip_prefix("S-1-5-21-").and_then(sid::relative) {
            Some(512) => format!("Domain Admins ({id})"),
            Some(513) => format!("Domain Users ({id})"),
            _ => id,
        },
    }
}
