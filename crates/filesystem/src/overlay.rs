//! A volume with some of its bytes replaced: how a journal is replayed without writing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, check_range};

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
    /// Like `Moved`, but the first four bytes are these: what a journal has to change in a copy
    /// that would look like one of its own blocks.
    Headed(u64, [u8; 4]),
    /// Nothing: the journal's copy is damaged, and what lies on the volume is out of date.
    Lost(Error),
}

/// A piece of a read: where it is, and what stands in for it from which byte on.
type Piece<'a> = (Range<u64>, Option<(&'a Patch, u64)>);

impl Overlay {
    /// `beneath`, with nothing replaced yet, in blocks of `block_size` bytes.
    pub fn new(beneath: Arc<dyn ReadAt>, block_size: u32) -> Self {
        Self { beneath, block_size: u64::from(block_size.max(1)), blocks: BTreeMap::new() }
    }

    /// Shows `patch` in the place of block number `block`. A later call wins. A block that starts
    /// behind the volume's end is never seen.
    pub fn replace(&mut self, block: u64, patch: Patch) {
        if block.checked_mul(self.block_size).is_some_and(|start| start < self.len()) {
            self.blocks.insert(block, patch);
        }
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
    fn pieces(&self, range: Range<u64>) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        let blocks = range.start / self.block_size..range.end.div_ceil(self.block_size);
        for (block, patch) in self.blocks.range(blocks) {
            let start = (block * self.block_size).max(at);
            let end = (block + 1).saturating_mul(self.block_size).min(range.end);
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
        let mut heads: Vec<(&mut [u8], &[u8])> = Vec::new();
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
                    Some((Patch::Headed(place, head), inner)) => {
                        let left = head.get(inner as usize..).unwrap_or_default();
                        let (first, others) = part.split_at_mut(left.len().min(part.len()));
                        let behind = place.saturating_add(inner).saturating_add(first.len() as u64);
                        heads.push((first, left));
                        below.push((behind, others));
                    }
                    Some((Patch::Lost(why), _)) => return Err(why.clone()),
                    Some((Patch::Bytes(bytes), inner)) => {
                        let inner = inner as usize;
                        part.copy_from_slice(&bytes[inner..inner + part.len()]);
                    }
                }
            }
        }
        for (part, head) in heads {
            part.copy_from_slice(&head[..part.len()]);
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
            .map(|start| start.max(offset)..start.saturating_add(self.block_size).min(self.len()));
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
        overlay.replace(5, Patch::Headed(56, [1, 2, 3, 4]));
        overlay.replace(8, Patch::Moved(0));
        overlay.replace(u64::MAX / 8, Patch::Moved(0));
        assert_eq!(overlay.replaced(), 3);
        let mut wanted = below.clone();
        wanted[8..16].fill(0xAA);
        wanted[24..32].copy_from_slice(&below[48..56]);
        wanted[40..48].copy_from_slice(&[1, 2, 3, 4, 60, 61, 62, 63]);
        for start in 0..64 {
            for end in start..=64 {
                let mut buf = vec![0; end - start];
                overlay.read_at(start as u64, &mut buf).unwrap();
                assert_eq!(buf, wanted[start..end], "{start}..{end}");
            }
        }
        assert!(overlay.read_at(60, &mut [0; 8]).is_err());
    }

    #[test]
    fn a_lost_block_is_an_error_and_others_are_not() {
        let mut overlay = Overlay::new(Arc::new(vec![7; 64]), 8);
        overlay.replace(2, Patch::Lost(Error::corrupt("journal", 5, "damaged")));
        assert_eq!(overlay.read_at(15, &mut [0; 2]).unwrap_err().offset(), Some(5));
        overlay.read_at(8, &mut [0; 8]).unwrap();
        overlay.read_at(24, &mut [0; 8]).unwrap();
    }

    #[test]
    fn what_a_patch_covers_is_data() {
        let mut overlay = Overlay::new(Arc::new(fathom_block::Zeros(60)), 8);
        assert_eq!(overlay.next_data(0), None);
        overlay.replace(7, Patch::Moved(0));
        overlay.replace(2, Patch::Moved(0));
        assert_eq!(overlay.next_data(0), Some(16..24));
        assert_eq!(overlay.next_data(20), Some(20..24));
        assert_eq!(overlay.next_data(24), Some(56..60));
    }
}
