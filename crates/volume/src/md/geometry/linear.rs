//! Linear: one member behind the other.

use fathom_block::Result;

use super::{Place, Shape, contradiction};

#[derive(Debug)]
pub(in super::super) struct Linear {
    /// Where each member ends in the array.
    ends: Vec<u64>,
}

impl Linear {
    pub(super) fn new(shape: &Shape, lengths: &[u64]) -> Result<Self> {
        let mut end = 0_u64;
        let mut ends = Vec::with_capacity(lengths.len());
        for length in lengths {
            // Only whole chunks are used of a member, where the array has chunks.
            let length = length - length.checked_rem(shape.chunk).unwrap_or(0);
            end = end
                .checked_add(length)
                .ok_or_else(|| contradiction(shape, "it is larger than any disk"))?;
            ends.push(end);
        }
        Ok(Self { ends })
    }

    pub(super) fn length(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    pub(super) fn run(&self, at: u64) -> u64 {
        let slot = self.slot(at);
        self.ends.get(slot).map_or(0, |end| end - at)
    }

    pub(super) fn place(&self, at: u64) -> Place {
        let slot = self.slot(at);
        let start = slot.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        Place { slot, at: at - start.unwrap_or(0) }
    }

    fn slot(&self, at: u64) -> usize {
        self.ends.partition_point(|end| *end <= at)
    }
}
