//! The replay: two passes over the records, in the order and under the rules of Linux.
//!
//! The first pass notes which buffers were freed (*cancelled*) later on, so that nothing is
//! replayed over what may have become the data of a file. The second replays what is committed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use fathom_block::{Error, Fields, Problem, ReadAt, Result};

use super::canvas::Canvas;
use super::intent::Intents;
use super::ring::Ring;
use super::transaction::{Assembly, Item, Transaction};
use super::{buffer, create, inode, records};
use crate::overlay::Overlay;
use crate::xfs::remap::Remaps;
use crate::xfs::superblock::{BASIC_BLOCK, Superblock};

/// The most cancelled buffers that are held in memory.
const MAX_CANCELLED: usize = 2 << 20;

/// Kinds of items (`XFS_LI_*`).
const INODE: u16 = 0x123B;
const BUFFER: u16 = 0x123C;
const CREATE: u16 = 0x123F;
/// Quotas; extents to free, reverse mappings, reference counts, with what was done of them.
const IRRELEVANT: [u16; 14] = [
    0x1236, 0x1237, 0x123D, 0x123E, 0x1240, 0x1241, 0x1242, 0x1243, 0x124A, 0x124B, 0x124C, 0x124D,
    0x124E, 0x124F,
];

/// What the replay gives.
pub(super) struct Replayed {
    pub(super) overlay: Overlay,
    pub(super) problems: Vec<Problem>,
    /// Inodes whose extent trees came from another inode.
    pub(super) swapped: HashSet<u64>,
    /// What is yet to be done to the extents of files.
    pub(super) remaps: Remaps,
}

/// Replays the records from block `tail` up to block `head`.
pub(super) fn replay(
    volume: &Arc<dyn ReadAt>,
    superblock: &Superblock,
    ring: &Ring,
    tail: u64,
    head: u64,
) -> Result<Replayed> {
    let mut cancelled = Cancelled::default();
    transactions(ring, tail, head, &mut |transaction| {
        transaction.items.iter().try_for_each(|item| cancelled.note(item))
    })?;
    let mut replay = Replay {
        superblock: superblock.clone(),
        canvas: Canvas::new(volume),
        cancelled,
        intents: Intents::default(),
        swapped: HashSet::new(),
    };
    transactions(ring, tail, head, &mut |transaction| replay.transaction(&transaction))?;
    let (remaps, problems) = replay.intents.finish();
    Ok(Replayed {
        overlay: if superblock.features.crc {
            replay.canvas.seal()?
        } else {
            replay.canvas.finish()
        },
        problems,
        swapped: replay.swapped,
        remaps,
    })
}

/// Hands every committed transaction to `commit`.
fn transactions(
    ring: &Ring,
    tail: u64,
    head: u64,
    commit: &mut dyn FnMut(Transaction) -> Result<()>,
) -> Result<()> {
    let mut assembly = Assembly::default();
    records(ring, tail, head, |_, record| {
        let (header, body) = record?;
        let place = ring.place(header.first_operation(ring));
        assembly.take(place, header.lsn, header.operations, &body, commit)?;
        Ok(true)
    })
}

/// How often each buffer is still going to be cancelled, by its first basic block and its length.
#[derive(Default)]
struct Cancelled(BTreeMap<(u64, u64), u32>);

impl Cancelled {
    /// Notes the item if it cancels a buffer.
    fn note(&mut self, item: &Item) -> Result<()> {
        if item.kind() != BUFFER {
            return Ok(());
        }
        let format = buffer::Format::parse(item)?;
        if format.is_cancel() {
            *self.0.entry((format.block, format.count.into())).or_default() += 1;
        }
        if self.0.len() > MAX_CANCELLED {
            let why = format!("more than {MAX_CANCELLED} cancelled buffers");
            return Err(Error::unsupported("XFS log", why));
        }
        Ok(())
    }

    /// Whether the buffer is going to be cancelled.
    fn has(&self, block: u64, count: u64) -> bool {
        self.0.contains_key(&(block, count))
    }

    /// Whether any buffer that starts in the range is.
    fn any_in(&self, range: std::ops::Range<u64>) -> bool {
        self.0.range((range.start, 0)..(range.end, 0)).next().is_some()
    }

    /// The replay has come to where the buffer is cancelled.
    fn passed(&mut self, block: u64, count: u64) {
        if let Some(left) = self.0.get_mut(&(block, count)) {
            *left -= 1;
            if *left == 0 {
                self.0.remove(&(block, count));
            }
        }
    }
}

struct Replay {
    /// As it is at this point of the log: a filesystem may grow there, and use its new space.
    superblock: Superblock,
    canvas: Canvas,
    cancelled: Cancelled,
    intents: Intents,
    swapped: HashSet<u64>,
}

impl Replay {
    /// Replays one transaction: buffers and fresh inodes first, then inodes, which may lie in those
    /// buffers, and last the cancellations.
    fn transaction(&mut self, transaction: &Transaction) -> Result<()> {
        let mut later = Vec::new();
        let mut last = Vec::new();
        for item in &transaction.items {
            match item.kind() {
                BUFFER if buffer::Format::parse(item)?.is_cancel() => last.push(item),
                BUFFER | CREATE => self.item(item, transaction.lsn)?,
                _ => later.push(item),
            }
        }
        later.into_iter().chain(last).try_for_each(|item| self.item(item, transaction.lsn))
    }

    fn item(&mut self, item: &Item, lsn: u64) -> Result<()> {
        match item.kind() {
            BUFFER => {
                let format = buffer::Format::parse(item)?;
                let (block, count) = (format.block, format.count.into());
                if format.is_cancel() {
                    self.cancelled.passed(block, count);
                    return Ok(());
                }
                if self.cancelled.has(block, count) {
                    return Ok(());
                }
                let uuid = self.superblock.features.crc.then_some(self.superblock.meta_uuid);
                buffer::replay(&mut self.canvas, item, lsn, uuid)?;
                if block == 0 {
                    let changed = self.canvas.read("XFS superblock", 0, BASIC_BLOCK as usize)?;
                    let fields = Fields::new("XFS superblock", 0, &changed);
                    self.superblock = Superblock::parse(&fields, self.superblock.sector_size)?;
                }
                Ok(())
            }
            CREATE => {
                let format = create::Format::parse(item, &self.superblock)?;
                if self.cancelled.any_in(format.sectors()) {
                    return Ok(());
                }
                create::replay(&mut self.canvas, &format, &self.superblock)
            }
            INODE => {
                let format = inode::Format::parse(item)?;
                if self.cancelled.has(format.block, format.count.into()) {
                    return Ok(());
                }
                if format.changes_owner() {
                    self.swapped.insert(format.number);
                }
                inode::replay(&mut self.canvas, item, lsn, &self.superblock)
            }
            kind if IRRELEVANT.contains(&kind) || self.intents.take(item)? => Ok(()),
            kind => Err(Error::unsupported(
                "XFS log",
                format!("an item of the unknown kind {kind:#06x}"),
            )),
        }
    }
}
