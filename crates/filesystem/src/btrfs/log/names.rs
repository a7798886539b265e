//! Names in the merge: adding and removing one everywhere it is stored, which is twice in the
//! directory and once with the inode.

use fathom_block::{Error, Result};

use super::draft::{Draft, field};
use super::{Log, has_entry};
use crate::btrfs::block::Item;
use crate::btrfs::checksum::{extref_hash, name_hash};
use crate::btrfs::directory;
use crate::btrfs::inode::{self, Reference};
use crate::btrfs::key::{Key, kind};
use crate::node::FileType;

/// What a directory says of a name: the inode or subvolume, and the type of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) location: Key,
    pub(super) kind: u8,
}

/// An entry with its name, taken out of an item.
pub(super) fn entry_of(item: &Item) -> Result<(Named, Vec<u8>)> {
    let fields = item.fields("Btrfs directory index");
    match directory::entries(&fields)?.first() {
        Some(entry) => {
            Ok((Named { location: entry.location, kind: entry.kind }, entry.name.to_vec()))
        }
        None => Err(fields.corrupt(0, "it names nothing")),
    }
}

impl Draft {
    fn named(&self, key: &Key, name: &[u8]) -> Result<Option<Named>> {
        let Some(item) = self.get(key)? else {
            return Ok(None);
        };
        let fields = item.fields("Btrfs directory item");
        let entries = directory::entries(&fields)?;
        let entry = entries.iter().find(|entry| entry.name == name);
        Ok(entry.map(|entry| Named { location: entry.location, kind: entry.kind }))
    }

    /// What the directory holds under that name.
    pub(super) fn by_name(&self, dir: u64, name: &[u8]) -> Result<Option<Named>> {
        self.named(&Key::new(dir, kind::DIR_ITEM, name_hash(name)), name)
    }

    /// What the directory holds under that number, if it is called that.
    pub(super) fn by_index(&self, dir: u64, index: u64, name: &[u8]) -> Result<Option<Named>> {
        self.named(&Key::new(dir, kind::DIR_INDEX, index), name)
    }

    /// Gives the inode a name in a directory, and with `reference` notes so with the inode. Answers
    /// whether it did: not where the name is taken.
    pub(super) fn link(
        &mut self,
        dir: u64,
        inode: u64,
        name: &[u8],
        index: u64,
        reference: bool,
        place: u64,
    ) -> Result<bool> {
        let Some(metadata) = self.inode(inode)? else {
            return Ok(false);
        };
        let kind = type_number(metadata.file_type()?);
        let index_key = Key::new(dir, kind::DIR_INDEX, index);
        let name_key = Key::new(dir, kind::DIR_ITEM, name_hash(name));
        if self.by_name(dir, name)?.is_some() {
            return Ok(false);
        }
        if self.get(&index_key)?.is_some() {
            let why = format!("entry {index} of directory {dir} is to be added, but is there");
            return Err(Error::corrupt("Btrfs log", place, why));
        }
        if reference {
            let key = Key::new(inode, kind::INODE_REF, dir);
            let mut bytes = match self.get(&key)? {
                Some(item) => {
                    let known = inode::references(&item.fields("Btrfs inode reference"), &key)?;
                    if known.iter().any(|reference| reference.name == name) {
                        return Ok(false);
                    }
                    item.bytes().to_vec()
                }
                None => Vec::new(),
            };
            bytes.extend_from_slice(&index.to_le_bytes());
            bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
            bytes.extend_from_slice(name);
            self.put(key, bytes, place)?;
        }
        let location = Key::first(inode, kind::INODE_ITEM);
        let mut entry = location.to_bytes().to_vec();
        entry.extend_from_slice(&0_u64.to_le_bytes());
        entry.extend_from_slice(&0_u16.to_le_bytes());
        entry.extend_from_slice(&(name.len() as u16).to_le_bytes());
        entry.push(kind);
        entry.extend_from_slice(name);
        let mut bytes = match self.get(&name_key)? {
            Some(item) => item.bytes().to_vec(),
            None => Vec::new(),
        };
        bytes.extend_from_slice(&entry);
        self.put(name_key, bytes, place)?;
        self.put(index_key, entry, place)?;
        self.change(dir, field::SIZE, |size| size.saturating_add(2 * name.len() as u64))?;
        Ok(true)
    }

    /// Takes a name of the inode out of a directory.
    pub(super) fn unlink(&mut self, dir: u64, inode: u64, name: &[u8], place: u64) -> Result<()> {
        let absent = |what: &str| {
            let why = format!(
                "{:?} is to be removed from directory {dir}, but its {what} is not there",
                name.escape_ascii().to_string()
            );
            Error::corrupt("Btrfs log", place, why)
        };
        let key = Key::new(dir, kind::DIR_ITEM, name_hash(name));
        let item = self.get(&key)?.ok_or_else(|| absent("entry"))?;
        let mut left = Vec::with_capacity(item.bytes().len());
        let mut found = false;
        for entry in directory::entries(&item.fields("Btrfs directory item"))? {
            match entry.name == name {
                true => found = true,
                false => left.extend_from_slice(entry.raw),
            }
        }
        if !found {
            return Err(absent("entry"));
        }
        self.put_or_remove(key, left, item.place())?;
        let index = self.unreference(dir, inode, name)?.ok_or_else(|| absent("reference"))?;
        self.remove(Key::new(dir, kind::DIR_INDEX, index));
        self.change(dir, field::SIZE, |size| size.saturating_sub(2 * name.len() as u64))
    }

    fn put_or_remove(&mut self, key: Key, bytes: Vec<u8>, place: u64) -> Result<()> {
        match bytes.is_empty() {
            true => {
                self.remove(key);
                Ok(())
            }
            false => self.put(key, bytes, place),
        }
    }

    /// Takes a name from what is stored with the inode, and says which number it had.
    fn unreference(&mut self, dir: u64, inode: u64, name: &[u8]) -> Result<Option<u64>> {
        let keys = [
            Key::new(inode, kind::INODE_REF, dir),
            Key::new(inode, kind::INODE_EXTREF, extref_hash(dir, name)),
        ];
        for key in keys {
            let Some(item) = self.get(&key)? else {
                continue;
            };
            let references = inode::references(&item.fields("Btrfs inode reference"), &key)?;
            let gone = references
                .iter()
                .find(|reference| reference.parent == dir && reference.name == name)
                .cloned();
            if let Some(gone) = gone {
                let left: Vec<u8> = references
                    .iter()
                    .filter(|reference| **reference != gone)
                    .flat_map(|reference| encoded(reference, key.kind))
                    .collect();
                self.put_or_remove(key, left, item.place())?;
                return Ok(Some(gone.index));
            }
        }
        Ok(None)
    }

    /// Unlinks what a directory holds, which is some other inode than the log is about
    /// (`drop_one_dir_item`).
    pub(super) fn drop_entry(
        &mut self,
        dir: u64,
        named: Named,
        name: &[u8],
        place: u64,
    ) -> Result<()> {
        let inode = named.location.objectid;
        self.fix_links(inode, place)?;
        self.unlink(dir, inode, name, place)
    }

    /// Removes the entries of a directory that lie in the ranges which the log covers, but are not
    /// in the log (`replay_dir_deletes`). Without a log, all are removed.
    pub(super) fn delete_entries(&mut self, log: Option<&Log>, dir: u64) -> Result<()> {
        if !self.has_inode(dir)? {
            return Ok(());
        }
        let mut ranges = Vec::new();
        match log {
            None => ranges.push((0, u64::MAX)),
            Some(log) => {
                for item in log.of(dir, kind::DIR_LOG_INDEX) {
                    let end = item.fields("Btrfs log range").le_u64(0)?;
                    ranges.push((item.key.offset, end));
                }
            }
        }
        let mut covered = 0;
        for (start, end) in ranges {
            let mut gone = Vec::new();
            let from = start.max(covered);
            if end < from {
                continue;
            }
            self.range(dir, kind::DIR_INDEX, from, end, &mut |item| {
                let (named, name) = entry_of(&item)?;
                let stays = match log {
                    Some(log) => has_entry(log, dir, item.key.offset, &name)?,
                    None => false,
                };
                if !stays {
                    gone.push((named, name, item.place()));
                }
                Ok(())
            })?;
            for (named, name, place) in gone {
                self.drop_entry(dir, named, &name, place)?;
            }
            let Some(next) = end.checked_add(1) else {
                break;
            };
            covered = next;
        }
        Ok(())
    }
}

/// A name as it is stored with the inode.
fn encoded(reference: &Reference, kind: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(18 + reference.name.len());
    if kind == kind::INODE_EXTREF {
        bytes.extend_from_slice(&reference.parent.to_le_bytes());
    }
    bytes.extend_from_slice(&reference.index.to_le_bytes());
    bytes.extend_from_slice(&(reference.name.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&reference.name);
    bytes
}

/// The number of a type of file in a directory entry (`BTRFS_FT_*`).
fn type_number(file_type: FileType) -> u8 {
    match file_type {
        FileType::File => 1,
        FileType::Directory => 2,
        FileType::CharacterDevice => 3,
        FileType::BlockDevice => 4,
        FileType::Fifo => 5,
        FileType::Socket => 6,
        FileType::Symlink => 7,
        FileType::Other => 0,
    }
}
