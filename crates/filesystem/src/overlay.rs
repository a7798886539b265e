//! A volume with some of its bytes replaced: how a journal is replayed without writing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use fathom_block::{ReadAt, Result, check_range};

/// A read-only volume, some of whose blocks are shown as the journal says they should be.
pub struct Overlay {
    beneath: Arc<dyn ReadAt>,
    block_size: u64,
    blocks: BTreeMap<u64, Patch>,
}

/// What stands in for a block.
#[derive(Clone)]
pub enum Patch {
    /// These bytes: as many as a block has.
    Bytes(Arc<[u8]>),
    /// The bytes at this place of the same volume, where the journal keeps its copy.
    Moved(u64),
}

impl Overlay {
    /// `beneath`, with nothing replaced yet, in blocks of `block_size` bytes.
    pub fn new(beneath: Arc<dyn ReadAt>, block_size: u32) -> Self {
        Self { beneath, block_size: u64::from(block_size.max(1)), blocks: BTreeMap::new() }
    }

    /// Shows `patch` in the place of block number `block`. A later call wins.
    pub fn replace(&mut self, block: u64, patch: Patch) {
        self.blocks.insert(block, patch);
    }

    /// Shows block number `block` as it is on the volume again.
    pub fn restore(&mut self, block: u64) {
        self.blocks.remove(&block);
    }

    /// How many blocks are replaced.
    pub fn replaced(&self) -> usize {
        self.blocks.len()
    }

    /// Splits a read at the borders of replaced blocks: each piece is where it starts, how long it
    /// is, and what stands in for it.
    fn pieces(&self, range: Range<u64>) -> Vec<(Range<u64>, Option<(&Patch, u64)>)> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        let blocks = range.start / self.block_size..range.end.div_ceil(self.block_size);
        for (block, patch) in self.blocks.range(blocks) {
            let start = (block * self.block_size).max(at);
            let end = ((block + 1) * self.block_size).min(range.end);
            if at < start {
                pieces.push((at..start, None));
            }
            pieces.push((start..end, Some((patch, start - block * self.block_size))));
            at = end;
        }
        if at < range.end {
            pieces.push((at..range.end, None));
        }
        pieces
    }
}

impl ReadAt for Overlay {
    fn len(&self) -> u64 {
        self.beneath.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut below: Vec<(u64, &mut [u8])> = Vec::with_capacity(reads.len());
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.len())?;
            let mut rest: &mut [u8] = buf;
            for (piece, patch) in self.pieces(range) {
                let (part, after) = rest.split_at_mut((piece.end - piece.start) as usize);
                rest = after;
                match patch {
                    None => below.push((piece.start, part)),
                    Some((Patch::Moved(place), inner)) => {
                        below.push((place.saturating_add(inner), part));
                    }
                    Some((Patch::Bytes(bytes), inner)) => {
                        let inner = inner as usize;
                        part.copy_from_slice(&bytes[inner..inner + part.len()]);
                    }
                }
            }
        }
        self.beneath.read_many(&mut below)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        self.beneath.prefetch(ranges);
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let patched = self
            .blocks
            .range(offset / self.block_size..)
            .next()
            .map(|(block, _)| block * self.block_size)
            .map(|start| start.max(offset)..(start + self.block_size).min(self.len()));
        match (self.beneath.next_data(offset), patched) {
            (Some(data), Some(patch)) if patch.start < data.start => Some(patch),
            (Some(data), _) => Some(data),
            (None, patched) => patched,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_blocks_are_seen_and_others_are_not_touched() {
        let below: Vec<u8> = (0..64).collect();
        let mut overlay = Overlay::new(Arc::new(below.clone()), 8);
        overlay.replace(1, Patch::Bytes(Arc::from([0xAA; 8].as_slice())));
        overlay.replace(3, Patch::Moved(48));
        overlay.replace(4, Patch::Bytes(Arc::from([0xBB; 8].as_slice())));
        overlay.restore(4);
        let mut wanted = below.clone();
        wanted[8..16].fill(0xAA);
        wanted[24..32].copy_from_slice(&below[48..56]);
        for start in 0..64 {
            for end in start..=64 {
                let mut buf = vec![0; end - start];
                overlay.read_at(start as u64, &mut buf).unwrap();
                assert_eq!(buf, wanted[start..end], "{start}..{end}");
            }
        }
        assert!(overlay.read_at(60, &mut [0; 8]).is_err());
    }
}
