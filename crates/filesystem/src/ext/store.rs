//! The volume as blocks and inodes by number: what all structures of the filesystem stand on.

use std::sync::{Arc, Mutex, PoisonError};

use fathom_block::cache::Decoded;
use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_vec};

use super::amendments::Amendments;
use super::group::{self, Group};
use super::inode::Inode;
use super::superblock::Superblock;
use super::tree::Node;

/// How many bytes of decoded inodes, and of decoded nodes of file maps, are kept.
const KEPT: usize = 2 << 20;

/// How many problems are remembered: the first ones tell the story.
const MAX_PROBLEMS: usize = 64;

/// The root directory's inode.
pub(super) const ROOT_INODE: u32 = 2;

/// The volume, its journal replayed, as blocks and inodes.
pub(super) struct Store {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) superblock: Superblock,
    /// What fast commits change.
    pub(super) amendments: Amendments,
    /// Decoded nodes of file maps, by inode, block and level.
    pub(super) nodes: Decoded<(u32, u64, u16), Node>,
    groups: Decoded<u32, Group>,
    inodes: Decoded<u32, Inode>,
    problems: Mutex<Vec<Problem>>,
}

impl Store {
    pub(super) fn new(volume: Arc<dyn ReadAt>, superblock: Superblock) -> Self {
        Self {
            volume,
            superblock,
            amendments: Amendments::default(),
            nodes: Decoded::new(KEPT),
            groups: Decoded::new(KEPT / 4),
            inodes: Decoded::new(KEPT),
            problems: Mutex::default(),
        }
    }

    /// Remembers something that was wrong without stopping the reading. What is read twice is
    /// remembered once.
    pub(super) fn note(&self, problem: Problem) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let text = problem.to_string();
        if problems.len() < MAX_PROBLEMS && !problems.iter().any(|one| one.to_string() == text) {
            problems.push(problem);
        }
    }

    /// What was wrong so far.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the blocks lie within the filesystem and behind its superblock.
    pub(super) fn has_blocks(&self, block: u64, count: u64) -> bool {
        let end = block.checked_add(count);
        block > u64::from(self.superblock.first_data_block)
            && end.is_some_and(|end| end <= self.superblock.blocks_count)
    }

    /// Fails unless [they do](Self::has_blocks). They were named in `fields` at `at`.
    pub(super) fn check_blocks(
        &self,
        fields: &Fields<'_>,
        at: usize,
        block: u64,
        count: u64,
    ) -> Result<()> {
        if self.has_blocks(block, count) {
            return Ok(());
        }
        let why = format!(
            "it names {count} blocks at {block}, but the filesystem has {} blocks",
            self.superblock.blocks_count
        );
        Err(fields.corrupt(at, why))
    }

    /// The bytes of a block.
    pub(super) fn block(&self, what: &str, block: u64) -> Result<Vec<u8>> {
        let superblock = &self.superblock;
        read_vec(&*self.volume, what, superblock.offset(block), superblock.block_size.into())
    }

    /// The descriptor of a block group.
    pub(super) fn group(&self, group: u32) -> Result<Arc<Group>> {
        self.groups.get_or(
            &group,
            |_| 64,
            || {
                let (found, damage) = group::read(&*self.volume, &self.superblock, group)?;
                if let Some(damage) = damage {
                    self.note(damage);
                }
                Ok(found)
            },
        )
    }

    /// Where the inode lies, and its bytes.
    pub(super) fn raw_inode(&self, number: u32) -> Result<(u64, Vec<u8>)> {
        let superblock = &self.superblock;
        if number == 0 || number > superblock.inodes_count {
            return Err(Error::corrupt(
                "ext inode number",
                0,
                format!("inode {number} is named, but there are {}", superblock.inodes_count),
            ));
        }
        let (group, index) = (
            (number - 1) / superblock.inodes_per_group,
            (number - 1) % superblock.inodes_per_group,
        );
        if group >= superblock.groups {
            let why = format!("inode {number} would be in group {group} of {}", superblock.groups);
            return Err(Error::corrupt("ext inode number", 0, why));
        }
        let size = u64::from(superblock.inode_size);
        let offset = superblock
            .offset(self.group(group)?.inode_table)
            .saturating_add(u64::from(index) * size);
        if let Some(raw) = self.amendments.inode(number) {
            return Ok((offset, raw.to_vec()));
        }
        Ok((offset, read_vec(&*self.volume, "ext inode", offset, size)?))
    }

    /// The inode, whatever it is used for.
    pub(super) fn any_inode(&self, number: u32) -> Result<Arc<Inode>> {
        let weight = |inode: &Inode| inode.raw.len() + 128;
        self.inodes.get_or(&number, weight, || {
            let (offset, raw) = self.raw_inode(number)?;
            let inode = Inode::parse(&self.superblock, number, offset, raw)?;
            // What a fast commit holds has a checksum of its own, and none of the inode.
            if self.amendments.inode(number).is_none() {
                inode.check_checksum(&self.superblock)?;
            }
            Ok(inode)
        })
    }

    /// The inode of something that has a name: not a deleted one, and none of those that the
    /// filesystem keeps for itself.
    pub(super) fn inode(&self, number: u32) -> Result<Arc<Inode>> {
        let inode = self.any_inode(number)?;
        if number < self.superblock.first_ino && number != ROOT_INODE {
            return Err(inode.corrupt(0, "it has a name, but is reserved"));
        }
        if !inode.is_live()? {
            return Err(inode.corrupt(0x1A, "it has a name, but is deleted"));
        }
        Ok(inode)
    }
}
