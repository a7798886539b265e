//! The bytes of a file.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use fathom_block::{ReadAt, Result, check_range};

use super::inode::Inode;
use super::store::Store;
use super::tree::{self, Run};
use crate::extent::{Extent, ExtentFile};

/// How much of a range is looked up to be fetched ahead of its use.
const AHEAD: u64 = 64 << 20;

/// A file whose bytes lie in blocks. Every read looks up what it needs of the map, so that the
/// head of a large file costs no more than a small file.
pub(super) struct MappedFile {
    store: Arc<Store>,
    inode: Arc<Inode>,
}

impl MappedFile {
    pub(super) fn new(store: Arc<Store>, inode: Arc<Inode>) -> Self {
        Self { store, inode }
    }

    fn block_size(&self) -> u64 {
        u64::from(self.store.superblock.block_size)
    }

    /// The blocks that `ranges` of bytes touch: sorted and disjoint.
    fn blocks(&self, ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let size = self.block_size();
        let mut blocks: Vec<_> = ranges
            .filter(|range| !range.is_empty())
            .map(|range| range.start / size..range.end.div_ceil(size))
            .collect();
        blocks.sort_unstable_by_key(|range| range.start);
        blocks.dedup_by(|next, last| {
            let touches = next.start <= last.end;
            if touches {
                last.end = last.end.max(next.end);
            }
            touches
        });
        blocks
    }

    /// The written extents among those blocks.
    fn extents(&self, blocks: &[Range<u64>]) -> Result<Vec<Extent>> {
        let mut extents: Vec<Extent> = Vec::new();
        for range in blocks {
            tree::visit(&self.store, &self.inode, range.clone(), &mut |run| {
                if let Some(extent) = self.extent(run) {
                    match extents.last_mut() {
                        Some(last) if follows(last, &extent) => last.length += extent.length,
                        _ => extents.push(extent),
                    }
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(extents)
    }

    fn extent(&self, run: Run) -> Option<Extent> {
        let size = self.block_size();
        Some(Extent {
            logical: run.logical.saturating_mul(size),
            length: run.blocks.saturating_mul(size),
            physical: Some(run.physical?.saturating_mul(size)),
        })
    }
}

/// Whether `next` continues `last` both in the file and on the volume.
fn follows(last: &Extent, next: &Extent) -> bool {
    last.logical.checked_add(last.length) == Some(next.logical)
        && last.physical.and_then(|start| start.checked_add(last.length)) == next.physical
}

impl ReadAt for MappedFile {
    fn len(&self) -> u64 {
        self.inode.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let ranges = reads
            .iter()
            .map(|(offset, buf)| check_range(*offset, buf.len(), self.len()))
            .collect::<Result<Vec<_>>>()?;
        let extents = self.extents(&self.blocks(ranges.into_iter()))?;
        ExtentFile::new(self.store.volume.clone(), extents, self.len())?.read_many(reads)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let ranges = ranges.iter().map(|range| {
            range.start..range.end.min(self.len()).min(range.start.saturating_add(AHEAD))
        });
        // Only a hint: a map that cannot be read is reported by the read that follows.
        if let Ok(extents) = self.extents(&self.blocks(ranges)) {
            let places: Vec<_> = extents
                .iter()
                .filter_map(|extent| Some(extent.physical?..extent.physical? + extent.length))
                .collect();
            self.store.volume.prefetch(&places);
        }
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        if offset >= self.len() {
            return None;
        }
        let mut found = None;
        let blocks = offset / self.block_size()..self.len().div_ceil(self.block_size());
        let outcome =
            tree::visit(&self.store, &self.inode, blocks, &mut |run| match self.extent(run) {
                Some(extent) => {
                    let end = extent.logical.saturating_add(extent.length);
                    found = Some(extent.logical.max(offset)..end.min(self.len()));
                    ControlFlow::Break(())
                }
                None => ControlFlow::Continue(()),
            });
        match outcome {
            Ok(()) => found,
            Err(_) => found.or(Some(offset..self.len())),
        }
    }
}
