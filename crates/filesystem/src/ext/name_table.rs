//! The names of one directory, in order: for directories without an index that is of use, where
//! every name would else be looked for among all entries.

use std::ops::ControlFlow;

use fathom_block::{Error, Result};

use super::directory;
use super::inode::Inode;
use super::store::Store;

/// The largest directory whose names are kept.
pub(super) const MAX_DIRECTORY: u64 = 4 << 20;

/// All names that can be read of a directory.
pub(super) struct NameTable {
    /// The names, one behind the other.
    bytes: Vec<u8>,
    /// Sorted by name; of those alike, the one that was read first comes first.
    entries: Vec<Entry>,
    /// Why there may be more.
    damage: Option<Error>,
}

struct Entry {
    start: u32,
    length: u8,
    inode: u32,
}

impl NameTable {
    /// Reads the directory, which is no larger than [`MAX_DIRECTORY`]: no byte of it is in two
    /// names.
    pub(super) fn read(store: &Store, directory: &Inode) -> Self {
        let (mut bytes, mut entries) = (Vec::new(), Vec::new());
        let outcome = directory::scan(store, directory, &mut |entry| {
            let length = u8::try_from(entry.name.len());
            if let (Ok(start), Ok(length)) = (u32::try_from(bytes.len()), length) {
                bytes.extend_from_slice(entry.name);
                entries.push(Entry { start, length, inode: entry.inode });
            }
            ControlFlow::Continue(())
        });
        entries.sort_by(|one: &Entry, other| one.name(&bytes).cmp(other.name(&bytes)));
        Self { bytes, entries, damage: outcome.err() }
    }

    /// The inode that is called `name`.
    pub(super) fn find(&self, name: &[u8]) -> Result<Option<u32>> {
        let at = self.entries.partition_point(|entry| entry.name(&self.bytes) < name);
        match self.entries.get(at).filter(|entry| entry.name(&self.bytes) == name) {
            Some(entry) => Ok(Some(entry.inode)),
            None => self.damage.clone().map_or(Ok(None), Err),
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }
}

impl Entry {
    fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        bytes.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}
