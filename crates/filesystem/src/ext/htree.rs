//! Looking a name up through a directory's index.
//!
//! The first block of the directory is the root of a tree of at most three levels, sorted by the
//! hash of names, whose leaves are ordinary blocks of entries. The index is only a shortcut: where
//! anything about it is odd, the lookup goes through all names instead.

use std::ops::ControlFlow;

use fathom_block::{Fields, Result};

use super::directory::{self, WHAT};
use super::hash::Hash;
use super::inode::Inode;
use super::store::Store;

/// Where the root says which hash it uses and how deep it is.
const INFO: usize = 24;

/// What an index makes of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is this inode.
    Inode(u32),
    /// There is no such name.
    Nothing,
    /// The index cannot be used.
    Unusable,
}

/// A node of the index: hashes and the blocks of the directory that start with them.
struct Node {
    entries: Vec<(u32, u64)>,
    at: usize,
}

/// Looks `name` up in the indexed directory.
pub(super) fn lookup(store: &Store, directory: &Inode, name: &[u8]) -> Result<Found> {
    let superblock = &store.superblock;
    let (offset, bytes) = directory::block(store, directory, 0)?;
    let root = Fields::new(WHAT, offset, &bytes);
    let levels = root.u8(INFO + 6)?;
    let deepest = if superblock.features.large_dir() { 2 } else { 1 };
    let Some(hash) = Hash::from_version(root.u8(INFO + 4)?) else {
        return Ok(Found::Unusable);
    };
    if root.le_u32(INFO)? != 0 || root.u8(INFO + 5)? != 8 || levels > deepest {
        return Ok(Found::Unusable);
    }
    let wanted = hash.of(name, superblock.hash_seed, superblock.hash_unsigned);
    let Some(top) = node(&root, INFO + 8, wanted)? else {
        return Ok(Found::Unusable);
    };
    let mut path = vec![top];
    // A name may be in any of the leaves that continue its hash, but no leaf is there twice.
    for _ in 0..=directory.size / u64::from(superblock.block_size) {
        let Some(leaf) = descend(store, directory, &mut path, usize::from(levels), wanted)? else {
            return Ok(Found::Unusable);
        };
        let (offset, bytes) = directory::block(store, directory, leaf)?;
        let mut found = None;
        let fields = Fields::new(WHAT, offset, &bytes);
        let _ =
            directory::entries(store, directory, &fields, &mut |entry| match entry.name == name {
                true => {
                    found = Some(entry.inode);
                    ControlFlow::Break(())
                }
                false => ControlFlow::Continue(()),
            })?;
        if let Some(inode) = found {
            return Ok(Found::Inode(inode));
        }
        if !advance(&mut path, wanted) {
            return Ok(Found::Nothing);
        }
    }
    Ok(Found::Unusable)
}

/// Follows the path's last node down to a leaf.
fn descend(
    store: &Store,
    directory: &Inode,
    path: &mut Vec<Node>,
    levels: usize,
    wanted: u32,
) -> Result<Option<u64>> {
    loop {
        let Some(&(_, block)) = path.last().and_then(|node| node.entries.get(node.at)) else {
            return Ok(None);
        };
        if path.len() > levels {
            return Ok(Some(block));
        }
        let (offset, bytes) = directory::block(store, directory, block)?;
        match node(&Fields::new(WHAT, offset, &bytes), 8, wanted)? {
            Some(node) => path.push(node),
            None => return Ok(None),
        }
    }
}

/// Moves on to the next leaf; false unless it continues the same hash.
fn advance(path: &mut Vec<Node>, wanted: u32) -> bool {
    while let Some(mut node) = path.pop() {
        node.at += 1;
        if let Some(&(hash, _)) = node.entries.get(node.at) {
            path.push(node);
            return hash & !1 == wanted;
        }
    }
    false
}

/// The node whose entries start at `at`, standing at the last entry that starts with the wanted
/// hash or a lower one. `None` if it is not as it should be.
fn node(fields: &Fields<'_>, at: usize, wanted: u32) -> Result<Option<Node>> {
    let limit = usize::from(fields.le_u16(at)?);
    let count = usize::from(fields.le_u16(at + 2)?);
    if count == 0 || count > limit || at + limit * 8 > fields.len() {
        return Ok(None);
    }
    let mut entries = Vec::with_capacity(count);
    for index in 0..count {
        // The first entry's hash is not written: the counts lie in its place.
        let hash = if index == 0 { 0 } else { fields.le_u32(at + index * 8)? };
        let block = fields.le_u32(at + index * 8 + 4)? & 0x0FFF_FFFF;
        entries.push((hash, u64::from(block)));
    }
    if !entries.is_sorted_by_key(|(hash, _)| *hash) {
        return Ok(None);
    }
    let after = entries.partition_point(|(hash, _)| *hash <= wanted);
    Ok(Some(Node { entries, at: after.saturating_sub(1) }))
}
