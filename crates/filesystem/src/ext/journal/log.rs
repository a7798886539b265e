//! The file that the journal is in.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_vec};

use super::super::extent;
use super::super::inode::{I_BLOCK, I_BLOCK_SIZE, Inode};
use super::super::store::Store;
use super::super::superblock::Superblock;
use super::super::tree::{self, Run};
use super::superblock::{self, JournalSuperblock};
use crate::node::FileType;

const WHAT: &str = "ext journal";

/// How many pieces the journal may be in. One made by mke2fs has a handful.
const MAX_PIECES: usize = 1 << 18;

/// The journal's blocks.
pub(super) struct Log {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) superblock: JournalSuperblock,
    pub(super) block_size: u32,
    runs: Vec<Run>,
}

impl Log {
    /// Finds the journal of the filesystem.
    pub(super) fn open(
        volume: &Arc<dyn ReadAt>,
        superblock: &Superblock,
        problems: &mut Vec<Problem>,
    ) -> Result<Self> {
        let store = Store::new(volume.clone(), superblock.clone());
        let damage = match store
            .any_inode(superblock.journal_inum)
            .and_then(|inode| Self::of(&store, &inode))
        {
            Ok(log) => {
                problems.extend(store.problems());
                return Ok(log);
            }
            Err(damage) => damage,
        };
        // The superblock keeps a copy of what matters of the inode.
        let copy = backup(superblock).ok_or_else(|| damage.clone())?;
        let log = Self::of(&store, &copy).map_err(|_| damage.clone())?;
        problems.push(damage.within("the copy of the journal's inode is used instead"));
        Ok(log)
    }

    fn of(store: &Store, inode: &Inode) -> Result<Self> {
        let superblock = &store.superblock;
        if inode.file_type != FileType::File || !inode.is_live()? {
            return Err(inode.corrupt(0, "it is to be the journal, but is no regular file"));
        }
        let block_size = superblock.block_size;
        let blocks = (inode.size / u64::from(block_size)).min(superblock.blocks_count);
        let mut runs: Vec<Run> = Vec::new();
        tree::visit(store, inode, 0..blocks, &mut |run| {
            runs.push(run);
            if runs.len() > MAX_PIECES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if runs.len() > MAX_PIECES {
            let why = format!("it is in more than {MAX_PIECES} pieces");
            return Err(Error::unsupported(WHAT, why));
        }
        let start = place(&runs, 0)
            .ok_or_else(|| inode.corrupt(I_BLOCK, "the journal has no first block"))?;
        let offset = superblock.offset(start);
        let bytes = read_vec(&*store.volume, WHAT, offset, superblock::SIZE as u64)?;
        let fields = JournalSuperblock::fields(offset, &bytes);
        let superblock = JournalSuperblock::parse(&fields, block_size, blocks)?;
        Ok(Self { volume: store.volume.clone(), superblock, block_size, runs })
    }

    /// Where a block of the journal is on the volume, in bytes.
    pub(super) fn offset(&self, block: u64) -> Result<u64> {
        let place = place(&self.runs, block).ok_or_else(|| {
            Error::corrupt(WHAT, 0, format!("the journal's block {block} is missing"))
        })?;
        Ok(place.saturating_mul(u64::from(self.block_size)))
    }

    /// A block of the journal: where it is on the volume, and its bytes.
    pub(super) fn block(&self, block: u64) -> Result<(u64, Vec<u8>)> {
        let offset = self.offset(block)?;
        Ok((offset, read_vec(&*self.volume, WHAT, offset, u64::from(self.block_size))?))
    }
}

fn place(runs: &[Run], block: u64) -> Option<u64> {
    let run = runs.get(runs.partition_point(|run| run.end() <= block))?;
    run.within(block..block.checked_add(1)?)?.physical
}

/// The journal's inode, as the superblock remembers it: `i_block` and the size.
fn backup(superblock: &Superblock) -> Option<Inode> {
    const EXTENTS_FL: u32 = 0x8_0000;
    let copy = superblock.jnl_blocks?;
    let mut raw = vec![0; usize::from(superblock.inode_size)];
    raw[I_BLOCK..I_BLOCK + I_BLOCK_SIZE].copy_from_slice(&copy[..I_BLOCK_SIZE]);
    raw[0x6C..0x70].copy_from_slice(&copy[I_BLOCK_SIZE..I_BLOCK_SIZE + 4]);
    raw[0x4..0x8].copy_from_slice(&copy[I_BLOCK_SIZE + 4..]);
    raw[0x0..0x2].copy_from_slice(&0o100600_u16.to_le_bytes());
    raw[0x1A] = 1;
    if Fields::new(WHAT, 0, &copy).le_u16(0).ok()? == extent::MAGIC {
        raw[0x20..0x24].copy_from_slice(&EXTENTS_FL.to_le_bytes());
    }
    Inode::parse(superblock, superblock.journal_inum, 0, raw).ok()
}
