//! Fast commits: between two transactions, what was done is written down in a few words instead of
//! whole blocks.
//!
//! The area behind the log holds tags with values: an inode as it is now, a part of a file's map
//! that was added or removed, a name that was made or taken away. A tail with a checksum ends each
//! commit. What they say is kept as [`Amendments`].

use fathom_block::{Error, Fields, Problem, Result};

use super::amendments::{Amendments, Target};
use super::checksum::crc32c;
use super::extent;
use super::inode::{GOOD_OLD_SIZE, I_BLOCK, I_BLOCK_SIZE, Inode};
use super::journal::FastCommits;
use super::store::Store;
use super::tree::MAX_BLOCKS;
use crate::node::FileType;

const WHAT: &str = "ext fast commit";

/// A tag without its value.
const BASE: usize = 4;

/// The most bytes of values that are taken: many times the area that mke2fs makes.
const MAX_BYTES: usize = 16 << 20;

/// Where `i_generation` is, the first field of an inode behind `i_block`.
const I_GENERATION: usize = 0x64;

/// What was done.
enum Step {
    AddRange {
        inode: u32,
        first: u32,
        blocks: u32,
        target: Target,
    },
    RemoveRange {
        inode: u32,
        first: u32,
        blocks: u32,
    },
    /// A name was made for a new inode.
    Create {
        parent: u32,
        inode: u32,
        name: Vec<u8>,
    },
    /// A name was made for an inode that had one.
    Link {
        parent: u32,
        inode: u32,
        name: Vec<u8>,
    },
    Unlink {
        parent: u32,
        name: Vec<u8>,
    },
    Inode {
        inode: u32,
        raw: Vec<u8>,
    },
}

/// Takes over what all commits in the area say. What could not be taken over comes back.
pub(super) fn apply(store: &mut Store, commits: &FastCommits) -> Vec<Problem> {
    let (steps, mut problems) = scan(store, commits);
    let mut amendments = Amendments::default();
    for (at, step) in steps {
        // Every step is seen by those after it.
        std::mem::swap(&mut store.amendments, &mut amendments);
        let prepared = prepare(store, &step);
        std::mem::swap(&mut store.amendments, &mut amendments);
        match prepared {
            Ok(raw) => take(&mut amendments, step, raw),
            Err(error) => problems.push(error.at(at).within("a fast commit is not shown")),
        }
    }
    store.amendments = amendments;
    problems
}

/// The steps of all valid commits, in order, with their places; and what keeps the rest from being
/// read.
fn scan(store: &Store, commits: &FastCommits) -> (Vec<(u64, Step)>, Vec<Problem>) {
    let mut scan = Scan { sequence: commits.sequence, ..Scan::default() };
    for index in 0..commits.blocks() {
        let block = match commits.block(index) {
            Ok((offset, bytes)) => scan.block(store, offset, &bytes),
            Err(error) => Err(error),
        };
        match block {
            Ok(true) => {}
            Ok(false) => break,
            Err(problem) => return (scan.steps, vec![problem]),
        }
    }
    (scan.steps, Vec::new())
}

#[derive(Default)]
struct Scan {
    /// What the commits must say they belong to.
    sequence: u32,
    steps: Vec<(u64, Step)>,
    /// Those of a commit whose tail has not come yet.
    open: Vec<(u64, Step)>,
    sum: u32,
    bytes: usize,
    /// A commit of ours has begun.
    begun: bool,
    /// One has ended.
    ended: bool,
}

impl Scan {
    /// Takes the tags of one block. False where the commits end.
    fn block(&mut self, store: &Store, offset: u64, bytes: &[u8]) -> Result<bool> {
        let fields = &Fields::new(WHAT, offset, bytes);
        let mut at = 0;
        while at + BASE <= fields.len() {
            let (fc_tag, fc_len) = (fields.le_u16(at)?, usize::from(fields.le_u16(at + 2)?));
            if !self.begun && fc_tag != 9 {
                return Ok(false);
            }
            let Ok(value) = fields.part(WHAT, at + BASE, fc_len) else {
                return self.end(fields, at, format!("tag {fc_tag} has {fc_len} bytes"));
            };
            match fc_tag {
                1..=6 => {
                    let Some(step) = step(store, fc_tag, &value)? else {
                        return self.end(fields, at, format!("tag {fc_tag} has {fc_len} bytes"));
                    };
                    self.bytes += fc_len + 64;
                    if self.bytes > MAX_BYTES {
                        let why = format!("they hold more than {MAX_BYTES} bytes");
                        return Err(Error::unsupported(WHAT, why));
                    }
                    self.open.push((offset + at as u64, step));
                }
                // Padding.
                7 => {}
                8 if fc_len >= 8 => {
                    self.sum = crc32c(self.sum, fields.bytes(at, BASE + 4)?);
                    let (fc_tid, fc_crc) = (value.le_u32(0)?, value.le_u32(4)?);
                    if fc_tid != self.sequence || fc_crc != self.sum {
                        return self.end(fields, at, "its checksum fails".into());
                    }
                    self.sum = 0;
                    self.ended = true;
                    self.steps.append(&mut self.open);
                    at += BASE + fc_len;
                    continue;
                }
                9 if fc_len >= 8 => {
                    let (fc_features, fc_tid) = (value.le_u32(0)?, value.le_u32(4)?);
                    if fc_tid != self.sequence {
                        return Ok(false);
                    }
                    if fc_features != 0 {
                        return Err(Error::unsupported(WHAT, format!("features {fc_features:#x}")));
                    }
                    self.begun = true;
                }
                _ => return self.end(fields, at, format!("tag {fc_tag} is unknown")),
            }
            self.sum = crc32c(self.sum, fields.bytes(at, BASE + fc_len)?);
            at += BASE + fc_len;
        }
        Ok(true)
    }

    /// What is no commit of ours ends the area, but the first one must be whole.
    fn end(&self, fields: &Fields<'_>, at: usize, why: String) -> Result<bool> {
        match self.ended {
            true => Ok(false),
            false => Err(fields.corrupt(at, format!("the commit is not whole: {why}"))),
        }
    }
}

/// Understands a tag; `None` if its value has the wrong length.
fn step(store: &Store, fc_tag: u16, value: &Fields<'_>) -> Result<Option<Step>> {
    let length = value.len();
    let right = match fc_tag {
        1 => length == 16,
        2 => length == 12,
        3..=5 => (9..=8 + 255).contains(&length),
        _ => (4 + GOOD_OLD_SIZE..=4 + usize::from(store.superblock.inode_size)).contains(&length),
    };
    if !right {
        return Ok(None);
    }
    let inode = value.le_u32(0)?;
    Ok(Some(match fc_tag {
        1 => {
            let first = value.le_u32(4)?;
            let ee_len = value.le_u16(8)?;
            let place = u64::from(value.le_u16(10)?) << 32 | u64::from(value.le_u32(12)?);
            let (blocks, target) = match ee_len {
                length if length > 32768 => (length - 32768, Target::Unwritten),
                length => (length, Target::Written(place)),
            };
            store.check_blocks(value, 12, place, u64::from(blocks))?;
            Step::AddRange { inode, first, blocks: blocks.into(), target }
        }
        2 => Step::RemoveRange { inode, first: value.le_u32(4)?, blocks: value.le_u32(8)? },
        6 => Step::Inode { inode, raw: value.bytes(4, length - 4)?.to_vec() },
        _ => {
            let (parent, inode) = (inode, value.le_u32(4)?);
            let name = value.bytes(8, length - 8)?.to_vec();
            match fc_tag {
                3 => Step::Create { parent, inode, name },
                4 => Step::Link { parent, inode, name },
                _ => Step::Unlink { parent, name },
            }
        }
    }))
}

/// What a step needs to know of the filesystem as it is before: the whole of an inode that changes.
fn prepare(store: &Store, step: &Step) -> Result<Option<Vec<u8>>> {
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
        Step::AddRange { .. } | Step::RemoveRange { .. } | Step::Unlink { .. } => Ok(None),
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
        Step::AddRange { inode, first, blocks, target } => {
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
