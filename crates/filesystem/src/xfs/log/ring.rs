//! The area of the log: a ring of basic blocks that is written round and round.
//!
//! The first word of every block is the number of the round it was written in, its *cycle*, so that
//! the place where the last round ended can be seen. A block where a record starts has the magic
//! number there instead, and the cycle behind it.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_vec};

use crate::xfs::superblock::{BASIC_BLOCK, Superblock};

/// `XLOG_HEADER_MAGIC_NUM`.
pub(super) const MAGIC: u32 = 0xFEED_BABE;

/// The largest log there can be (`XFS_MAX_LOG_BYTES`, rounded up).
const MAX_LOG: u64 = 2 << 30;

/// The area of the log.
pub(super) struct Ring {
    volume: Arc<dyn ReadAt>,
    /// The byte where it starts.
    start: u64,
    /// How many basic blocks it has.
    pub(super) blocks: u64,
    pub(super) uuid: [u8; 16],
    /// Whether records must carry a checksum.
    pub(super) crc: bool,
    /// The longest that one record can be, in basic blocks.
    pub(super) longest: u64,
}

impl Ring {
    /// The log that the superblock names; it must not be on another device.
    pub(super) fn new(volume: &Arc<dyn ReadAt>, superblock: &Superblock) -> Result<Self> {
        let length = u64::from(superblock.log_blocks) << superblock.block_log;
        let start = superblock.locate(superblock.log_start, superblock.log_blocks.into());
        match start {
            Some(start) if (BASIC_BLOCK..=MAX_LOG).contains(&length) => Ok(Self {
                volume: Arc::clone(volume),
                start,
                blocks: length / BASIC_BLOCK,
                uuid: superblock.uuid,
                crc: superblock.features.crc,
                longest: if superblock.features.log_v2 { 512 } else { 64 },
            }),
            _ => {
                let why = format!(
                    "{} blocks at block {:#x} cannot be the log",
                    superblock.log_blocks, superblock.log_start
                );
                Err(Error::corrupt("XFS superblock", 48, why))
            }
        }
    }

    /// The byte of the volume where the block lies.
    pub(super) fn place(&self, block: u64) -> u64 {
        self.start + block % self.blocks * BASIC_BLOCK
    }

    /// The block that lies `count` blocks after `block`.
    pub(super) fn after(&self, block: u64, count: u64) -> u64 {
        (block + count) % self.blocks
    }

    /// How many blocks lie from `from` up to `to`, going round.
    pub(super) fn distance(&self, from: u64, to: u64) -> u64 {
        (to + self.blocks - from) % self.blocks
    }

    /// Reads `count` blocks at `block`, going round at the end.
    pub(super) fn read(&self, block: u64, count: u64) -> Result<Vec<u8>> {
        let first = count.min(self.blocks - block % self.blocks);
        let part = |block, count| {
            read_vec(&self.volume, "XFS log", self.place(block), count * BASIC_BLOCK)
        };
        let mut bytes = part(block, first)?;
        if first < count {
            bytes.extend(part(0, (count - first).min(self.blocks))?);
        }
        Ok(bytes)
    }

    /// The cycle of the block.
    pub(super) fn cycle(&self, block: u64) -> Result<u32> {
        self.read(block, 1).map(|bytes| cycle(&bytes))
    }
}

/// The cycle that a block was written in.
pub(super) fn cycle(block: &[u8]) -> u32 {
    if word(block, 0) == MAGIC { word(block, 4) } else { word(block, 0) }
}

/// Whether a record starts with the block.
pub(super) fn is_header(block: &[u8]) -> bool {
    word(block, 0) == MAGIC
}

fn word(block: &[u8], at: usize) -> u32 {
    block.get(at..at + 4).and_then(|word| word.first_chunk()).map_or(0, |w| u32::from_be_bytes(*w))
}
