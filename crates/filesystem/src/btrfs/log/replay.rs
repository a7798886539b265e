//! The merge itself, in the three passes of the kernel: inodes first, then entries of directories,
//! then everything else; and at the end the links of every inode are counted that any of it
//! concerned.

use std::sync::Arc;

use fathom_block::Result;

use super::Log;
use super::draft::{Draft, field};
use super::names::entry_of;
use crate::btrfs::block::Item;
use crate::btrfs::btree::{Btree, Patch};
use crate::btrfs::checksum::extref_hash;
use crate::btrfs::directory;
use crate::btrfs::inode::{self, Inode, Reference};
use crate::btrfs::key::{Key, id, kind};
use crate::node::FileType;

/// An inode, in the type of an entry of a directory.
const TYPE_DIRECTORY: u8 = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Inodes,
    Entries,
    Rest,
}

/// What the log changes in the tree of its subvolume.
pub(super) fn replay(tree: &Btree, log: &Log) -> Result<Arc<Patch>> {
    let mut draft = Draft::new(tree);
    for pass in [Pass::Inodes, Pass::Entries, Pass::Rest] {
        // The inode whose items are passed over: it never had a name.
        let mut ignored = None;
        for item in log.items.values() {
            let key = item.key;
            if key.kind == kind::INODE_ITEM {
                let inode = parse(item)?;
                if inode.links() == 0 {
                    ignored = Some(key.objectid);
                } else if pass == Pass::Inodes {
                    draft.replay_inode(log, item, &inode)?;
                }
            }
            if ignored == Some(key.objectid) || key.objectid == id::EXTENT_CSUM {
                continue;
            }
            match (pass, key.kind) {
                (Pass::Entries, kind::DIR_INDEX) => draft.replay_entry(log, item)?,
                (Pass::Rest, kind::XATTR_ITEM) => {
                    draft.put(key, item.bytes().to_vec(), item.place())?;
                }
                (Pass::Rest, kind::INODE_REF | kind::INODE_EXTREF) => {
                    draft.replay_references(log, item)?;
                }
                (Pass::Rest, kind::EXTENT_DATA) => draft.replay_extent(item)?,
                _ => {}
            }
        }
    }
    draft.count_links()?;
    Ok(draft.into_patch())
}

fn parse(item: &Item) -> Result<Inode> {
    Inode::parse(&item.fields("Btrfs inode item"), item.place())
}

impl Draft {
    fn replay_inode(&mut self, log: &Log, item: &Item, inode: &Inode) -> Result<()> {
        let number = item.key.objectid;
        let file_type = inode.file_type()?;
        self.delete_xattrs(log, number)?;
        if file_type == FileType::Directory {
            self.delete_entries(Some(log), number)?;
        }
        self.overwrite_inode(item, inode)?;
        if file_type == FileType::File {
            // Before an fsync, space beyond the end may have been allocated; the log has it again.
            let sector = u64::from(self.tree.store.superblock.sector_size);
            let size = self.inode(number)?.map_or(0, |inode| inode.size);
            if let Some(end) = size.checked_next_multiple_of(sector) {
                let found = self.cut_extents(number, end, u64::MAX)?;
                self.change(number, field::NBYTES, |before| before.saturating_sub(found))?;
            }
        }
        self.fix_links(number, item.place())
    }

    /// Removes the attributes that the log does not have (`replay_xattr_deletes`).
    fn delete_xattrs(&mut self, log: &Log, number: u64) -> Result<()> {
        let mut changed: Vec<(Item, Vec<u8>)> = Vec::new();
        self.range(number, kind::XATTR_ITEM, 0, u64::MAX, &mut |item| {
            let fields = item.fields("Btrfs extended attribute");
            let logged = log.get(&item.key);
            let logged = logged.map(|item| item.fields("Btrfs extended attribute"));
            let logged = logged.map_or(Ok(Vec::new()), |fields| directory::entries(&fields))?;
            let mut left = Vec::new();
            for entry in directory::entries(&fields)? {
                if logged.iter().any(|other| other.name == entry.name) {
                    left.extend_from_slice(entry.raw);
                }
            }
            if left.len() != item.bytes().len() {
                changed.push((item.clone(), left));
            }
            Ok(())
        })?;
        for (item, left) in changed {
            match left.is_empty() {
                true => self.remove(item.key),
                false => self.put(item.key, left, item.place())?,
            }
        }
        Ok(())
    }

    /// Takes the inode of the log, but for what the merge of its items brings about by itself
    /// (`overwrite_item`).
    fn overwrite_inode(&mut self, item: &Item, inode: &Inode) -> Result<()> {
        let mut bytes = item.bytes().to_vec();
        let fields = item.fields("Btrfs inode item");
        let generation = fields.le_u64(field::GENERATION)?;
        let known = self.get(&item.key)?;
        let mut set = |at: usize, number: u64| {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        };
        let is_directory = inode.file_type()? == FileType::Directory;
        let Some(known) = known else {
            set(field::NBYTES, 0);
            if is_directory {
                set(field::SIZE, 0);
            }
            return self.put(item.key, bytes, item.place());
        };
        let before = parse(&known)?;
        if generation == 0 {
            // It was logged only so that it exists. A size says that it was fsynced before, too.
            let file = |inode: &Inode| inode.file_type().is_ok_and(|kind| kind == FileType::File);
            if file(inode) && file(&before) && inode.size != 0 {
                self.change(item.key.objectid, field::SIZE, |_| inode.size)?;
            }
            return Ok(());
        }
        let before_fields = known.fields("Btrfs inode item");
        set(field::NBYTES, before_fields.le_u64(field::NBYTES)?);
        if is_directory {
            let was_directory = before.file_type()? == FileType::Directory;
            set(field::SIZE, if was_directory { before.size } else { 0 });
        }
        self.put(item.key, bytes, item.place())
    }

    /// Merges an entry of a directory (`replay_one_name`).
    fn replay_entry(&mut self, log: &Log, item: &Item) -> Result<()> {
        let (dir, index, place) = (item.key.objectid, item.key.offset, item.place());
        let (named, name) = entry_of(item)?;
        self.needs_inode(dir, place)?;
        let inode = named.location.objectid;
        let exists = self.has_inode(inode)?;
        let mut matches = 0;
        if let Some(other) = self.by_name(dir, &name)? {
            if other == named {
                matches += 1;
            } else if exists {
                self.drop_entry(dir, other, &name, place)?;
            }
        }
        if let Some(other) = self.by_index(dir, index, &name)? {
            if other == named {
                matches += 1;
            } else if exists {
                self.drop_entry(dir, other, &name, place)?;
            }
        }
        if matches == 2 {
            return Ok(());
        }
        // Where the log has the reference too, the name is added with that.
        let keys = [
            Key::new(inode, kind::INODE_REF, dir),
            Key::new(inode, kind::INODE_EXTREF, extref_hash(dir, &name)),
        ];
        for key in keys {
            if is_referenced(log, &key, dir, &name)? {
                return Ok(());
            }
        }
        if self.link(dir, inode, &name, index, true, place)? && named.kind != TYPE_DIRECTORY {
            self.fix_links(inode, place)?;
        }
        Ok(())
    }

    /// Merges the names that an inode has (`add_inode_ref`).
    fn replay_references(&mut self, log: &Log, item: &Item) -> Result<()> {
        let (number, place) = (item.key.objectid, item.place());
        let wanted = inode::references(&item.fields("Btrfs inode reference"), &item.key)?;
        // Not every directory above is logged. Where one is not there, the entry cannot be.
        match wanted.first() {
            Some(first) if self.has_inode(first.parent)? => {}
            _ => return Ok(()),
        }
        self.needs_inode(number, place)?;
        for reference in &wanted {
            let Reference { parent, index, name } = reference;
            if !self.has_inode(*parent)? {
                continue;
            }
            let leads_there = |named: Option<super::names::Named>| {
                named.is_some_and(|named| named.location.objectid == number)
            };
            if leads_there(self.by_index(*parent, *index, name)?)
                && leads_there(self.by_name(*parent, name)?)
            {
                continue;
            }
            if self.clear_the_way(log, number, reference, place)? {
                return Ok(());
            }
            if !self.link(*parent, number, name, *index, false, place)? {
                let why = format!("the name {:?} is taken", name.escape_ascii().to_string());
                return Err(fathom_block::Error::corrupt("Btrfs log", place, why));
            }
        }
        // Names that the subvolume knows and the log does not are gone.
        if let Some(known) = self.get(&item.key)? {
            let known = inode::references(&known.fields("Btrfs inode reference"), &item.key)?;
            for old in known {
                let stays =
                    wanted.iter().any(|new| new.parent == old.parent && new.name == old.name);
                if !stays {
                    self.needs_inode(old.parent, place)?;
                    self.unlink(old.parent, number, &old.name, place)?;
                }
            }
        }
        self.put(item.key, item.bytes().to_vec(), place)
    }

    /// Removes what stands in the way of a name (`__add_inode_ref`): other names of the inode in
    /// that directory that the log does not have, and other inodes under the name or the number.
    /// Answers `true` for the root directory, which has a reference to itself.
    fn clear_the_way(
        &mut self,
        log: &Log,
        number: u64,
        wanted: &Reference,
        place: u64,
    ) -> Result<bool> {
        let dir = wanted.parent;
        let keys = [
            Key::new(number, kind::INODE_REF, dir),
            Key::new(number, kind::INODE_EXTREF, extref_hash(dir, &wanted.name)),
        ];
        for key in keys {
            let Some(item) = self.get(&key)? else {
                continue;
            };
            if key.kind == kind::INODE_REF && number == dir {
                return Ok(true);
            }
            let victims = inode::references(&item.fields("Btrfs inode reference"), &key)?;
            for victim in victims.into_iter().filter(|victim| victim.parent == dir) {
                let logged = match key.kind {
                    kind::INODE_REF => key,
                    _ => Key { offset: extref_hash(dir, &victim.name), ..key },
                };
                if !is_referenced(log, &logged, dir, &victim.name)? {
                    self.unlink(dir, number, &victim.name, place)?;
                }
            }
        }
        if let Some(other) = self.by_index(dir, wanted.index, &wanted.name)? {
            self.drop_entry(dir, other, &wanted.name, place)?;
        }
        if let Some(other) = self.by_name(dir, &wanted.name)? {
            self.drop_entry(dir, other, &wanted.name, place)?;
        }
        Ok(false)
    }

    /// Counts the links of all inodes that any of it concerned. A directory that has none any more
    /// is emptied, and with that more inodes may be concerned.
    fn count_links(&mut self) -> Result<()> {
        while let Some(number) = self.fixups.pop_last() {
            let mut links: u32 = 0;
            for kind in [kind::INODE_REF, kind::INODE_EXTREF] {
                self.range(number, kind, 0, u64::MAX, &mut |item| {
                    let fields = item.fields("Btrfs inode reference");
                    links += inode::references(&fields, &item.key)?.len() as u32;
                    Ok(())
                })?;
            }
            self.set_links(number, links)?;
            let is_directory = match self.inode(number)? {
                Some(inode) => inode.file_type()? == FileType::Directory,
                None => false,
            };
            if links == 0 && is_directory {
                self.delete_entries(None, number)?;
            }
        }
        Ok(())
    }
}

/// Whether the log has that name with the inode (`backref_in_log`).
fn is_referenced(log: &Log, key: &Key, dir: u64, name: &[u8]) -> Result<bool> {
    let Some(item) = log.get(key) else {
        return Ok(false);
    };
    let references = inode::references(&item.fields("Btrfs inode reference"), key)?;
    Ok(references.iter().any(|reference| reference.parent == dir && reference.name == name))
}
