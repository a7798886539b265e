//! Whether sshd believes a file of keys: whoever else may write to it, or to a folder above it, could add
//! keys of their own.

use std::collections::HashMap;

use fathom_filesystem::{FileType, Metadata};
use fathom_report::{Coverage, Group, Listing};

use super::ssh::Account;
use crate::files::{Files, Read};

const HIDES: &str = "SSH keys";

/// How many folders a path has with sense.
const MAX_PARTS: usize = 256;

const GROUP_MAY_WRITE: u32 = 0o020;
const ALL_MAY_WRITE: u32 = 0o002;

/// Who is in which group.
#[derive(Default)]
pub(super) struct Owners<'a> {
    /// By the number of a group, the accounts whose first group it is, but no more than two.
    first: HashMap<String, Vec<(String, &'a str)>>,
    /// By the number of a group, its other members.
    others: HashMap<&'a str, &'a [String]>,
    /// Whether a group may write of which the account is the only member, as Debian and its kin have it.
    lenient: bool,
    /// Why there may be more members than are known.
    more: Option<String>,
}

impl<'a> Owners<'a> {
    /// The accounts are names with the numbers of each and of its first group.
    pub(super) fn of(
        files: &Files<'_>,
        accounts: impl Iterator<Item = (&'a str, String, String)>,
        groups: &'a Listing<Group>,
    ) -> Self {
        let lenient = files.exists("/var/lib/dpkg/status", HIDES);
        let more = (groups.coverage != Coverage::Complete)
            .then(|| groups.reason.clone().unwrap_or_default());
        let mut owners = Self { lenient, more, ..Self::default() };
        for (name, id, group) in accounts {
            let of_group = owners.first.entry(group).or_default();
            if of_group.len() < 2 {
                of_group.push((id, name));
            }
        }
        for group in &groups.items {
            owners.others.entry(&group.id).or_insert(&group.members);
        }
        owners
    }

    /// Whether the account is the one member of the group, as which its file is told to belong to
    /// `owner`. A number without a group has none.
    fn is_alone(&self, account: &Account<'_>, group: u32, owner: u32) -> bool {
        let group = group.to_string();
        let first = self.first.get(&group).map_or(&[][..], Vec::as_slice);
        let Some(others) = self.others.get(group.as_str()) else { return false };
        let owner = if owner.to_string() == account.id { account.name } else { "root" };
        first.iter().all(|(id, _)| id == account.id)
            && others.iter().all(|name| name == owner)
            && others.len() <= 1
            && !(first.is_empty() && others.is_empty())
    }
}

/// Why sshd does not believe the file of the account, if it does not; an error says why that cannot be
/// told.
pub(super) fn refused(
    files: &Files<'_>,
    path: &str,
    account: &Account<'_>,
    owners: &Owners<'_>,
) -> Result<Option<String>, String> {
    let real = match files.real_path(path, HIDES) {
        Read::There(real) => real,
        Read::Absent => return Err(format!("{path} is not there")),
        Read::Unread(why) => return Err(why),
    };
    let home = match files.real_path(account.home, HIDES) {
        Read::There(home) => Some(home),
        Read::Absent => None,
        Read::Unread(why) => return Err(why),
    };
    let mut place = real.as_str();
    for depth in 0..=MAX_PARTS {
        let metadata = metadata(files, place)?;
        if depth == 0 && metadata.file_type != FileType::File {
            return Ok(Some(format!("{place} is no file")));
        }
        if let Some(why) = insecure(&metadata, account, owners)? {
            return Ok(Some(format!("{why} {place}")));
        }
        if place == "/" || depth > 0 && home.as_deref() == Some(place) {
            return Ok(None);
        }
        place = match place.rsplit_once('/') {
            Some(("", _)) | None => "/",
            Some((folder, _)) => folder,
        };
    }
    Err("it lies too deep".to_owned())
}

fn metadata(files: &Files<'_>, path: &str) -> Result<Metadata, String> {
    match files.found(path, HIDES) {
        Read::There(found) => found.metadata().map_err(|error| error.to_string()),
        Read::Absent => Err(format!("{path} is not there")),
        Read::Unread(why) => Err(why),
    }
}

/// What is wrong with who may write to something; an error says why that cannot be told.
fn insecure(
    metadata: &Metadata,
    account: &Account<'_>,
    owners: &Owners<'_>,
) -> Result<Option<String>, String> {
    if metadata.uid != 0 && metadata.uid.to_string() != account.id {
        return Ok(Some(format!("the account {} owns", metadata.uid)));
    }
    if metadata.mode & ALL_MAY_WRITE != 0 {
        return Ok(Some("everybody may write to".to_owned()));
    }
    if metadata.mode & GROUP_MAY_WRITE == 0 {
        return Ok(None);
    }
    if let Some(why) = owners.more.as_ref().filter(|_| owners.lenient) {
        return Err(format!("who is in the group {} is not known: {why}", metadata.gid));
    }
    let harmless = owners.lenient && owners.is_alone(account, metadata.gid, metadata.uid);
    Ok((!harmless).then(|| format!("the group {} may write to", metadata.gid)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn who_else_may_write_is_not_believed() {
        for (path, id, expected) in [
            ("/home/bob/.ssh/authorized_keys", "1000", None),
            ("/home/bob/.ssh/authorized_keys*o", "1000", None),
            ("/home/bob/.ssh/authorized_keys*o", "1001", Some("the account 1000 owns")),
            ("/home/bob/.ssh/authorized_keys*w", "1000", Some("everybody may write to")),
            ("/home/bob/.ssh*w/authorized_keys", "1000", Some("everybody may write to")),
            ("/home/bob/.ssh*o/authorized_keys", "1001", Some("the account 1000 owns")),
            ("/home/bob*w/.ssh/authorized_keys", "1000", Some("everybody may write to")),
            // What lies above the home directory does not matter.
            ("/home*w/bob/.ssh/authorized_keys", "1000", None),
        ] {
            let tree = memory::tree(&[(path, b"")]);
            let account = Account { name: "bob", id, home: "/home/bob", groups: &[] };
            let plain = "/home/bob/.ssh/authorized_keys";
            let found = refused(&Files::new(&tree), plain, &account, &Owners::default()).unwrap();
            let fits = match (&found, expected) {
                (Some(found), Some(expected)) => found.starts_with(expected),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(fits, "{path} {id}: {found:?}");
        }
    }

    #[test]
    fn links_are_followed_to_where_the_file_lies() {
        let tree = memory::tree(&[
            ("/home/bob/.ssh/authorized_keys -> /srv/keys/bob", b""),
            ("/srv*w/keys/bob", b""),
            ("/loop/a -> b", b""),
            ("/loop/b -> a", b""),
        ]);
        let files = Files::new(&tree);
        let account = Account { name: "bob", id: "1000", home: "/home/bob", groups: &[] };
        let path = "/home/bob/.ssh/authorized_keys";
        let found = refused(&files, path, &account, &Owners::default()).unwrap();
        assert_eq!(found.as_deref(), Some("everybody may write to /srv"));
        assert!(refused(&files, "/loop/a", &account, &Owners::default()).is_err());
    }

    #[test]
    fn a_group_of_one_is_harmless_for_debian() {
        let group = |members: &[&str]| Group {
            name: "bob".into(),
            id: "1000".into(),
            members: members.iter().map(|name| (*name).to_owned()).collect(),
        };
        let account = Account { name: "bob", id: "1000", home: "/home/bob", groups: &[] };
        let bob = || ("bob", "1000".to_owned(), "1000".to_owned());
        let eve = || ("eve", "1001".to_owned(), "1000".to_owned());
        for (accounts, members, expected) in [
            (vec![bob()], &[][..], true),
            (vec![bob()], &["bob"], true),
            (vec![bob()], &["eve"], false),
            (vec![bob(), eve()], &[], false),
            (vec![], &[], false),
        ] {
            let groups = Listing::complete(vec![group(members)], Vec::new());
            let tree = memory::tree(&[("/var/lib/dpkg/status", b"")]);
            let owners = Owners::of(&Files::new(&tree), accounts.into_iter(), &groups);
            assert_eq!(owners.is_alone(&account, 1000, 1000), expected, "{members:?}");
            // What belongs to root is root's group's to write.
            let others = expected && members.is_empty();
            assert_eq!(owners.is_alone(&account, 1000, 0), others, "{members:?}");
            assert!(owners.lenient && !owners.is_alone(&account, 1001, 1000));
        }
    }
}
