//! A subvolume's tree while the log is merged into it: what it says of an item is what the items
//! that were put say, and else what the disk says.

use std::collections::BTreeSet;
use std::sync::Arc;

use fathom_block::{Error, Result};

use crate::btrfs::block::Item;
use crate::btrfs::btree::{Btree, Patch, Patched};
use crate::btrfs::inode::{self, Inode};
use crate::btrfs::key::{Key, kind};

/// The most bytes that a merge may put.
const MAX_BYTES: usize = 64 << 20;

/// The offsets of fields of an inode item.
pub(super) mod field {
    pub(crate) const GENERATION: usize = 0;
    pub(crate) const SIZE: usize = 16;
    pub(crate) const NBYTES: usize = 24;
}
const NLINK: usize = 40;

/// A tree that is being changed.
pub(super) struct Draft {
    pub(super) tree: Btree,
    /// Inodes whose links are to be counted at the end.
    pub(super) fixups: BTreeSet<u64>,
    bytes: usize,
}

impl Draft {
    pub(super) fn new(tree: &Btree) -> Self {
        Self { tree: tree.patched(Arc::default()), fixups: BTreeSet::new(), bytes: 0 }
    }

    /// What was changed.
    pub(super) fn into_patch(self) -> Arc<Patch> {
        self.tree.patch
    }

    pub(super) fn get(&self, key: &Key) -> Result<Option<Item>> {
        self.tree.get(key)
    }

    /// Puts an item, in the place of the one with that key if there is one. `place` is where on the
    /// volume its bytes come from.
    pub(super) fn put(&mut self, key: Key, bytes: Vec<u8>, place: u64) -> Result<()> {
        self.bytes += bytes.len() + size_of::<Key>() + size_of::<Patched>();
        if self.bytes > MAX_BYTES {
            let why = format!("it changes more than {MAX_BYTES} bytes");
            return Err(Error::unsupported("Btrfs log", why));
        }
        let patched = Patched { bytes: Arc::from(bytes), place };
        Arc::make_mut(&mut self.tree.patch).insert(key, Some(patched));
        Ok(())
    }

    pub(super) fn remove(&mut self, key: Key) {
        Arc::make_mut(&mut self.tree.patch).insert(key, None);
    }

    /// All items of that object and type with an offset from `from` to `to`.
    pub(super) fn range(
        &self,
        objectid: u64,
        kind: u8,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(Item) -> Result<()>,
    ) -> Result<()> {
        let mut cursor = self.tree.cursor(Key::new(objectid, kind, from));
        while let Some(item) = cursor.next()? {
            if !item.key.is(objectid, kind) || item.key.offset > to {
                break;
            }
            visit(item)?;
        }
        Ok(())
    }

    pub(super) fn inode(&self, number: u64) -> Result<Option<Inode>> {
        inode::read(&self.tree, number)
    }

    pub(super) fn has_inode(&self, number: u64) -> Result<bool> {
        Ok(self.inode(number)?.is_some())
    }

    /// The error that an inode is wanted that is not there.
    pub(super) fn needs_inode(&self, number: u64, place: u64) -> Result<()> {
        match self.has_inode(number)? {
            true => Ok(()),
            false => {
                let why = format!("it speaks of inode {number}, which is not there");
                Err(Error::corrupt("Btrfs log", place, why))
            }
        }
    }

    /// Changes a 64-bit field of an inode item.
    pub(super) fn change(
        &mut self,
        number: u64,
        field: usize,
        change: impl FnOnce(u64) -> u64,
    ) -> Result<()> {
        let key = Key::first(number, kind::INODE_ITEM);
        let Some(item) = self.get(&key)? else {
            return Ok(());
        };
        let before = item.fields("Btrfs inode item").le_u64(field)?;
        let mut bytes = item.bytes().to_vec();
        bytes[field..field + 8].copy_from_slice(&change(before).to_le_bytes());
        self.put(key, bytes, item.place())
    }

    /// Sets how many links an inode has.
    pub(super) fn set_links(&mut self, number: u64, links: u32) -> Result<()> {
        let key = Key::first(number, kind::INODE_ITEM);
        let Some(item) = self.get(&key)? else {
            return Ok(());
        };
        if item.fields("Btrfs inode item").le_u32(NLINK)? == links {
            return Ok(());
        }
        let mut bytes = item.bytes().to_vec();
        bytes[NLINK..NLINK + 4].copy_from_slice(&links.to_le_bytes());
        self.put(key, bytes, item.place())
    }

    /// Has the links of the inode counted at the end.
    pub(super) fn fix_links(&mut self, number: u64, place: u64) -> Result<()> {
        self.needs_inode(number, place)?;
        self.fixups.insert(number);
        Ok(())
    }
}
