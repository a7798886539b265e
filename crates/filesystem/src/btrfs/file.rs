//! The bytes of one file.
//!
//! Which extents a read touches is looked up as it comes, not when the file is opened: a disk image
//! inside a Btrfs may have millions of them, and blocks of the tree are cached anyway.

use std::ops::Range;
use std::sync::Arc;

use fathom_block::{ReadAt, Result, check_range};

use super::btree::Btree;
use super::data::{Data, Read};
use super::extent::{self, Body, Extent, INLINE, Packed};

/// How many extents are read together.
const BATCH: usize = 1024;

/// How many places are given as a hint at once.
const MAX_HINTS: usize = 256;

/// A file.
pub(super) struct File {
    pub(super) data: Arc<Data>,
    pub(super) tree: Btree,
    pub(super) number: u64,
    pub(super) size: u64,
    /// Whether its data has checksums.
    pub(super) checked: bool,
}

/// Reads that are found, but not done yet.
#[derive(Default)]
struct Plan<'a> {
    plain: Vec<Read<'a>>,
    packed: Vec<(Packed, u64, &'a mut [u8])>,
}

impl File {
    /// Finds where the bytes of `range` are, and fills `buf` with those that are at hand.
    fn plan<'a>(&self, range: Range<u64>, buf: &'a mut [u8], plan: &mut Plan<'a>) -> Result<()> {
        let mut at = range.start;
        let mut rest = buf;
        if rest.is_empty() {
            return Ok(());
        }
        extent::walk(&self.tree, self.number, range.start, &mut |extent| {
            if extent.start >= range.end {
                return Ok(false);
            }
            let (start, end) = (extent.start.max(at), extent.end().min(range.end));
            let (hole, after) = std::mem::take(&mut rest).split_at_mut((start - at) as usize);
            hole.fill(0);
            let (part, after) = after.split_at_mut((end - start) as usize);
            rest = after;
            at = end;
            self.place(&extent, start - extent.start, part, plan)?;
            if plan.plain.len() + plan.packed.len() >= BATCH {
                self.perform(std::mem::take(plan))?;
            }
            Ok(end < range.end)
        })?;
        rest.fill(0);
        Ok(())
    }

    /// Queues the bytes of the extent from `skip` on.
    fn place<'a>(
        &self,
        extent: &Extent,
        skip: u64,
        part: &'a mut [u8],
        plan: &mut Plan<'a>,
    ) -> Result<()> {
        match &extent.body {
            Body::Zeros => part.fill(0),
            Body::Plain { logical } => plan.plain.push((logical.saturating_add(skip), part)),
            Body::Packed { packed, from } => {
                plan.packed.push((*packed, from.saturating_add(skip), part));
            }
            Body::Inline { item, codec } => {
                let stored = item.bytes().get(INLINE..).unwrap_or_default();
                let skip = skip as usize;
                let mut copy = |bytes: &[u8]| {
                    let bytes = bytes.get(skip..).unwrap_or_default();
                    let (known, beyond) = part.split_at_mut(bytes.len().min(part.len()));
                    known.copy_from_slice(&bytes[..known.len()]);
                    beyond.fill(0);
                };
                match codec {
                    None => copy(stored),
                    Some(codec) => {
                        copy(&codec.unpack(stored, extent.length as usize, item.place())?);
                    }
                }
            }
        }
        Ok(())
    }

    fn perform(&self, plan: Plan<'_>) -> Result<()> {
        if !plan.plain.is_empty() {
            self.data.read(plan.plain, self.checked)?;
        }
        if !plan.packed.is_empty() {
            self.data.read_packed(plan.packed, self.checked)?;
        }
        Ok(())
    }
}

impl ReadAt for File {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut plan = Plan::default();
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.size)?;
            self.plan(range, buf, &mut plan)?;
        }
        self.perform(plan)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let mut hints = Vec::new();
        for range in ranges {
            // Only a hint: what fails here fails again, and is reported, when it is read.
            let _ = extent::walk(&self.tree, self.number, range.start, &mut |extent| {
                if extent.start >= range.end || hints.len() >= MAX_HINTS {
                    return Ok(false);
                }
                match extent.body {
                    Body::Plain { logical } => {
                        let skip = range.start.saturating_sub(extent.start);
                        let end = extent.end().min(range.end);
                        let length = end.saturating_sub(extent.start.saturating_add(skip));
                        hints.push((logical.saturating_add(skip), length));
                    }
                    Body::Packed { packed, .. } => {
                        hints.push((packed.logical, packed.packed_length));
                    }
                    Body::Zeros | Body::Inline { .. } => {}
                }
                Ok(true)
            });
        }
        self.data.prefetch(&hints);
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        if offset >= self.size {
            return None;
        }
        let mut found: Option<Range<u64>> = None;
        let outcome = extent::walk(&self.tree, self.number, offset, &mut |extent| {
            let is_data = !matches!(extent.body, Body::Zeros);
            match &mut found {
                None if is_data => found = Some(extent.start.max(offset)..extent.end()),
                Some(data) if is_data && extent.start == data.end => data.end = extent.end(),
                Some(_) => return Ok(false),
                None => {}
            }
            Ok(extent.end() < self.size)
        });
        if outcome.is_err() {
            return Some(offset..self.size);
        }
        let data = found?;
        let end = data.end.min(self.size);
        (data.start < end).then_some(data.start..end)
    }
}
