//! Fresh inodes (`XFS_LI_ICREATE`): a run of blocks that now holds inodes, all of them free.

use std::ops::Range;

use fathom_block::Result;

use super::canvas::Canvas;
use super::transaction::Item;
use crate::xfs::blocks::crc_without;
use crate::xfs::inode::CRC;
use crate::xfs::superblock::{BASIC_BLOCK, Superblock};

/// No next inode in the list of unlinked ones (`NULLAGINO`).
const NO_NEXT: [u8; 4] = [0xFF; 4];

/// `xfs_icreate_log`: unlike other items it is big-endian.
pub(super) struct Format {
    /// The first block of the filesystem, and how many there are.
    block: u64,
    blocks: u64,
    count: u64,
    /// The bytes of the volume.
    range: Range<u64>,
    generation: [u8; 4],
}

impl Format {
    /// Reads the first region.
    pub(super) fn parse(item: &Item, superblock: &Superblock) -> Result<Self> {
        let fields = item.fields();
        let block =
            u64::from(fields.be_u32(4)?) << superblock.ag_block_log | u64::from(fields.be_u32(8)?);
        let count = u64::from(fields.be_u32(12)?);
        let blocks = u64::from(fields.be_u32(20)?);
        let start = superblock.locate(block, blocks);
        match start {
            Some(start)
                if fields.be_u32(16)? == u32::from(superblock.inode_size)
                    && blocks > 0
                    && count == blocks << superblock.inodes_log =>
            {
                let range = start..start + (blocks << superblock.block_log);
                Ok(Self { block, blocks, count, range, generation: fields.array(24)? })
            }
            _ => Err(fields.corrupt(4, format!("{count} inodes in {blocks} blocks"))),
        }
    }

    /// The basic blocks that the inodes lie in.
    pub(super) fn sectors(&self) -> Range<u64> {
        self.range.start / BASIC_BLOCK..self.range.end / BASIC_BLOCK
    }
}

/// Replays the making of inodes.
pub(super) fn replay(canvas: &mut Canvas, format: &Format, superblock: &Superblock) -> Result<()> {
    let first = format.block << superblock.inodes_log;
    debug_assert!(format.blocks > 0);
    for index in 0..format.count {
        let mut inode = vec![0; superblock.inode_size.into()];
        inode[..2].copy_from_slice(b"IN");
        inode[4] = if superblock.features.crc { 3 } else { 2 };
        inode[92..96].copy_from_slice(&format.generation);
        inode[96..100].copy_from_slice(&NO_NEXT);
        if superblock.features.crc {
            inode[152..160].copy_from_slice(&(first + index).to_be_bytes());
            inode[160..176].copy_from_slice(&superblock.meta_uuid);
            let crc = crc_without(&inode, CRC);
            inode[CRC..CRC + 4].copy_from_slice(&crc.to_le_bytes());
        }
        canvas.write(format.range.start + index * u64::from(superblock.inode_size), &inode)?;
    }
    Ok(())
}
