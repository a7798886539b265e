//! A file as a list of places on the volume.
//!
//! A filesystem maps a file to extents first; the bytes are then one `read_many` away.

use std::ops::Range;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, check_range};

/// A run of a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where in the file it starts.
    pub logical: u64,
    /// How many bytes it has.
    pub length: u64,
    /// Where on the volume it lies; `None` for allocated bytes that were never written, which read
    /// as zeros. What no extent covers is a hole and reads as zeros too.
    pub physical: Option<u64>,
}

impl Extent {
    fn end(&self) -> u64 {
        self.logical.saturating_add(self.length)
    }
}

/// A file made of extents of one volume.
pub struct ExtentFile {
    volume: Arc<dyn ReadAt>,
    /// Sorted, disjoint, none of them empty, the written ones only.
    extents: Vec<Extent>,
    size: u64,
}

impl ExtentFile {
    /// A file of `size` bytes made of `extents`, in any order. Extents that overlap are damage.
    pub fn new(volume: Arc<dyn ReadAt>, mut extents: Vec<Extent>, size: u64) -> Result<Self> {
        extents.retain(|extent| extent.length > 0 && extent.physical.is_some());
        extents.sort_unstable_by_key(|extent| extent.logical);
        if let Some(pair) = extents.windows(2).find(|pair| pair[0].end() > pair[1].logical) {
            return Err(Error::corrupt(
                "file extents",
                pair[1].physical.unwrap_or(0),
                format!("two extents both hold byte {} of the file", pair[1].logical),
            ));
        }
        Ok(Self { volume, extents, size })
    }

    /// The written extents, sorted.
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The first extent that ends after `offset`.
    fn from(&self, offset: u64) -> impl Iterator<Item = &Extent> {
        self.extents[self.extents.partition_point(|extent| extent.end() <= offset)..].iter()
    }
}

impl ReadAt for ExtentFile {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut below: Vec<(u64, &mut [u8])> = Vec::new();
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.size)?;
            let mut at = range.start;
            let mut rest: &mut [u8] = buf;
            for extent in self.from(at) {
                if extent.logical >= range.end {
                    break;
                }
                let start = extent.logical.max(at);
                let (hole, after) = rest.split_at_mut((start - at) as usize);
                hole.fill(0);
                let end = extent.end().min(range.end);
                let (part, after) = after.split_at_mut((end - start) as usize);
                let physical = extent.physical.unwrap_or(0);
                below.push((physical.saturating_add(start - extent.logical), part));
                rest = after;
                at = end;
            }
            rest.fill(0);
        }
        match below.len() {
            0 => Ok(()),
            _ => self.volume.read_many(&mut below),
        }
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let mut below = Vec::new();
        for range in ranges {
            for extent in self.from(range.start) {
                if extent.logical >= range.end {
                    break;
                }
                let start = extent.logical.max(range.start) - extent.logical;
                let end = extent.end().min(range.end) - extent.logical;
                let physical = extent.physical.unwrap_or(0);
                below.push(physical.saturating_add(start)..physical.saturating_add(end));
            }
        }
        self.volume.prefetch(&below);
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let extent = self.from(offset).next()?;
        let start = extent.logical.max(offset);
        let mut end = extent.end();
        for next in self.from(end) {
            if next.logical != end {
                break;
            }
            end = next.end();
        }
        let end = end.min(self.size);
        (start < end).then_some(start..end)
    }
}
