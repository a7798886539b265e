//! Fast commits: between two transactions, what was done is written down in a few words instead of
//! whole blocks.
//!
//! The area behind the log holds tags with values: an inode as it is now, a part of a file's map
//! that was added or removed, a name that was made or taken away. A tail with a checksum ends each
//! commit. What they say is kept as [`Amendments`].

mod tags;
#[cfg(test)]
mod tests;

use fathom_block::{Error, Fields, Problem, Result};

use super::amendments::{Amendments, Target};
use super::extent;
use super::inode::{I_BLOCK, I_BLOCK_SIZE, Inode};
use super::journal::FastCommits;
use super::store::Store;
use super::tree::MAX_BLOCKS;
use crate::node::FileType;
use tags::Step;

const WHAT: &str = "ext fast commit";

/// Where `i_generation` is, the first field of an inode behind `i_block`.
const I_GENERATION: usize = 0x64;

/// Takes over what all commits in the area say. What could not be taken over comes back.
pub(super) fn apply(store: &mut Store, commits: &FastCommits) -> Vec<Problem> {
    let (steps, mut problems) = tags::scan(store.superblock.inode_size, commits);
    let mut amendments = Amendments::default();
    for (at, step) in steps {
        // Every step is seen by those after it.
        std::mem::swap(&mut store.amendments, &mut amendments);
        let prepared = prepare(store, at, &step);
        std::mem::swap(&mut store.amendments, &mut amendments);
        match prepared {
            Ok(raw) => take(&mut amendments, step, raw),
            Err(error) => problems.push(error.at(at).within("a fast commit is not shown")),
        }
    }
    store.amendments = amendments;
    problems
}

/// What a step needs to know of the filesystem as it is before: the whole of an inode that changes.
fn prepare(store: &Store, at: u64, step: &Step) -> Result<Option<Vec<u8>>> {
    match step {
        Step::Inode { inode, raw } => {
            let (offset, old) = store.raw_inode(*inode)?;
            let new = merged(old, raw)?;
            // Better told now than when it is read.
            Inode::parse(&store.superblock, *inode, offset, new.clone())?;
            Ok(Some(new))
        }
        Step::Create { inode, .. } => {
            let (offset, raw) = store.raw_inode(*inode)?;
            let inode = Inode::parse(&store.superblock, *inode, offset, raw)?;
            Ok((inode.file_type == FileType::Directory).then(Vec::new))
        }
        Step::Link { inode, .. } => store.raw_inode(*inode).map(|_| None),
        Step::AddRange { blocks, place, .. } => {
            match store.has_blocks(*place, u64::from(*blocks)) {
                true => Ok(None),
                false => Err(Error::corrupt(
                    WHAT,
                    at,
                    format!("a range of {blocks} blocks at {place} is not in the filesystem"),
                )),
            }
        }
        Step::RemoveRange { .. } | Step::Unlink { .. } => Ok(None),
    }
}

/// The inode as a fast commit says it is, but for the map of its blocks: that is kept, and changed
/// by tags of its own. Links, devices and inline data have no map there.
fn merged(old: Vec<u8>, new: &[u8]) -> Result<Vec<u8>> {
    const EXTENTS_FL: u32 = 0x8_0000;
    const INLINE_DATA_FL: u32 = 0x1000_0000;
    let fields = Fields::new(WHAT, 0, new);
    let i_flags = fields.le_u32(0x20)?;
    let kind = FileType::from_mode(u32::from(fields.le_u16(0)?));
    let mut merged = old;
    let mut copy = |from: usize, to: usize| -> Result<()> {
        let part = fields.bytes(from, to - from)?;
        merged
            .get_mut(from..to)
            .ok_or_else(|| fields.corrupt(from, "it is too long"))?
            .copy_from_slice(part);
        Ok(())
    };
    copy(0, I_BLOCK)?;
    copy(I_GENERATION, new.len())?;
    let mapped = matches!(kind, Some(FileType::File | FileType::Directory));
    if i_flags & INLINE_DATA_FL != 0 || i_flags & EXTENTS_FL == 0 && !mapped {
        copy(I_BLOCK, I_BLOCK + I_BLOCK_SIZE)?;
    }
    let root = &mut merged[I_BLOCK..I_BLOCK + I_BLOCK_SIZE];
    if i_flags & EXTENTS_FL != 0 && !root.starts_with(&extent::MAGIC.to_le_bytes()) {
        // A new file: an extent tree without entries, with room for four.
        root.fill(0);
        root[..2].copy_from_slice(&extent::MAGIC.to_le_bytes());
        root[4] = 4;
    }
    Ok(merged)
}

/// Takes a step over. `prepared` is what [`prepare`] found out.
fn take(amendments: &mut Amendments, step: Step, prepared: Option<Vec<u8>>) {
    let range = |first: u32, blocks: u32| {
        let first = u64::from(first);
        first..(first + u64::from(blocks)).min(MAX_BLOCKS)
    };
    match step {
        Step::AddRange { inode, first, blocks, place, written } => {
            let target = if written { Target::Written(place) } else { Target::Unwritten };
            amendments.set_range(inode, range(first, blocks), target);
        }
        Step::RemoveRange { inode, first, blocks } => {
            amendments.set_range(inode, range(first, blocks), Target::Hole);
        }
        Step::Create { parent, inode, name } => {
            if prepared.is_some() {
                amendments.set_fresh(inode);
            }
            amendments.set_name(parent, &name, Some(inode));
        }
        Step::Link { parent, inode, name } => amendments.set_name(parent, &name, Some(inode)),
        Step::Unlink { parent, name } => amendments.set_name(parent, &name, None),
        Step::Inode { inode, .. } => amendments.set_inode(inode, prepared.unwrap_or_default()),
    }
}
