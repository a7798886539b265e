//! Whether sshd believes a file of keys: whoever else may write to it, or to a folder above it, could add
//! keys of their own.

use std::collections::HashMap;

use fathom_filesystem::{FileType, Metadata};
use fathom_report::{Group, Listing};

use super::ssh::Account;
use crate::files::{Files, Read};

const HIDES: &str = "SSH keys";

/// How many links one path leads over.
const MAX_LINKS: usize = 40;

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
}

impl<'a> Owners<'a> {
    /// The accounts are names with the numbers of each and of its first group.
    pub(super) fn of(
        accounts: impl Iterator<Item = (&'a str, String, String)>,
        groups: &'a Listing<Group>,
    ) -> Self {
        let mut owners = Self::default();
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

    /// Whether the account is the one member of the group.
    fn is_alone(&self, account: &Account<'_>, group: u32) -> bool {
        let group = group.to_string();
        let first = self.first.get(&group).map_or(&[][..], Vec::as_slice);
        let others = self.others.get(group.as_str()).copied().unwrap_or_default();
        first.iter().all(|(id, _)| id == account.id)
            && others.iter().all(|name| name == account.name)
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
    let real = resolved(files, path)?.ok_or_else(|| format!("{path} is not there"))?;
    let home = resolved(files, account.home)?;
    // Debian and its kin let the group of the account alone write.
    let lenient = files.exists("/var/lib/dpkg/status", HIDES);
    let mut place = real.as_str();
    for depth in 0..=MAX_PARTS {
        let metadata = metadata(files, place)?;
        if depth == 0 && metadata.file_type != FileType::File {
            return Ok(Some(format!("{place} is no file")));
        }
        if let Some(why) = insecure(&metadata, account, owners, lenient) {
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

/// What is wrong with who may write to something.
fn insecure(
    metadata: &Metadata,
    account: &Account<'_>,
    owners: &Owners<'_>,
    lenient: bool,
) -> Option<String> {
    if metadata.uid != 0 && metadata.uid.to_string() != account.id {
        return Some(format!("the account {} owns", metadata.uid));
    }
    if metadata.mode & ALL_MAY_WRITE != 0 {
        return Some("everybody may write to".to_owned());
    }
    let by_group = metadata.mode & GROUP_MAY_WRITE != 0;
    let harmless = lenient && owners.is_alone(account, metadata.gid);
    (by_group && !harmless).then(|| format!("the group {} may write to", metadata.gid))
}

/// The path without links and dots in it; nothing if it leads nowhere.
fn resolved(files: &Files<'_>, path: &str) -> Result<Option<String>, String> {
    let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut real: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                real.pop();
                continue;
            }
            _ => {}
        }
        if real.len() >= MAX_PARTS {
            return Err(format!("{path} lies too deep"));
        }
        real.push(part);
        let place = format!("/{}", real.join("/"));
        match files.link(&place, HIDES) {
            Read::There(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(format!("{path} leads over too many links"));
                }
                real.pop();
                if target.starts_with('/') {
                    real.clear();
                }
                left.extend(target.split('/').rev().map(str::to_owned));
            }
            Read::Absent => {}
            Read::Unread(why) => return Err(why),
        }
    }
    let place = format!("/{}", real.join("/"));
    match files.found(&place, HIDES) {
        Read::There(_) => Ok(Some(place)),
        Read::Absent => Ok(None),
        Read::Unread(why) => Err(why),
    }
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
            let owners = Owners::of(accounts.into_iter(), &groups);
            assert_eq!(owners.is_alone(&account, 1000), expected, "{members:?}");
        }
    }
}
