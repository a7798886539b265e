//! The mapping: L1 table, L2 tables, and from them where any guest byte is.
//!
//! Both tables are read in slices of at most 4 KiB as they are needed, as qemu does: an L1 table
//! may have 32 MiB and an L2 table 2 MiB, of which one file's reads need a few entries.

use std::sync::Arc;

use super::header::{Header, L1Location};
use super::l2::{L2Entry, Layout, Place};
use crate::cache::Decoded;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_vec};

/// How much of a table is read at once.
const SLICE: u64 = 4096;

/// The bytes of slices that are kept: with clusters of 64 KiB, 256 KiB map 2 GiB of the disk.
const KEPT: usize = 256 << 10;

/// Bits 9 to 55 of an L1 entry: the L2 table's offset.
const L2_OFFSET: u64 = 0x00ff_ffff_ffff_fe00;

/// Bit 63: the table's reference count is exactly one.
const COPIED: u64 = 1 << 63;

/// How many slices of tables one call looks at before it returns what it has.
const MAX_SLICES: usize = 64;

/// Guest bytes that are all in the same kind of place, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) length: u64,
    pub(super) place: Place,
}

/// Finds guest bytes.
pub(super) struct Map {
    file: Arc<dyn ReadAt>,
    pub(super) layout: Layout,
    l1: L1Location,
    /// The guest bytes beneath one L1 entry, as a power of two.
    coverage_bits: u32,
    /// Slices of tables by their place and length in the file.
    slices: Decoded<(u64, u64), Vec<u8>>,
}

impl Map {
    /// The mapping by the table at `l1`.
    pub(super) fn new(file: Arc<dyn ReadAt>, header: &Header, l1: L1Location) -> Self {
        Self {
            file,
            layout: Layout::new(header),
            l1,
            coverage_bits: header.l2_coverage_bits(),
            slices: Decoded::new(KEPT),
        }
    }

    /// Where the bytes at `offset` are, and how many after it continue the run, up to `end`.
    /// `offset` is less than `end`, and `end` is covered by the L1 table.
    pub(super) fn extent(&self, offset: u64, end: u64) -> Result<Extent> {
        let (mut extent, mut more) = self.part(offset, end)?;
        for _ in 0..MAX_SLICES {
            let at = offset + extent.length;
            if !more || at >= end {
                break;
            }
            let next;
            (next, more) = match self.part(at, end) {
                Ok(part) => part,
                // What lies before the damage can still be read.
                Err(_) => break,
            };
            if !extent.place.continues(extent.length, &next.place) {
                break;
            }
            extent.length += next.length;
        }
        Ok(extent)
    }

    /// Like [`Map::extent`], but within one slice of one table. Also says whether the run got as
    /// far as the slice does, and so may go on in the next.
    fn part(&self, offset: u64, end: u64) -> Result<(Extent, bool)> {
        let l1_index = offset >> self.coverage_bits;
        let l1 =
            self.slice("L1 table", self.l1.offset, u64::from(self.l1.entries) * 8, l1_index * 8)?;
        let entry = l1.fields().be_u64(l1.at)?;
        let table = entry & L2_OFFSET;
        if entry & !(L2_OFFSET | COPIED) != 0 || !table.is_multiple_of(self.layout.cluster_size()) {
            let why =
                format!("the L1 entry {entry:#018x} has reserved bits or no cluster's offset");
            return Err(l1.fields().corrupt(l1.at, why));
        }
        if table == 0 {
            return Ok((self.unmapped(&l1, l1_index, offset, end), true));
        }
        let index = (offset >> self.layout.cluster_bits) & (self.entries() - 1);
        let l2 = self.slice(
            "L2 table",
            table,
            self.layout.cluster_size(),
            index * self.layout.entry_size(),
        )?;
        self.mapped(&l2, offset, end)
    }

    /// How many entries an L2 table has.
    fn entries(&self) -> u64 {
        self.layout.cluster_size() / self.layout.entry_size()
    }

    /// The hole where there is no L2 table, and those after it.
    fn unmapped(&self, l1: &Slice, l1_index: u64, offset: u64, end: u64) -> Extent {
        let more = l1.bytes[l1.at + 8..].chunks_exact(8).take_while(|entry| *entry == [0; 8]);
        let stop = (l1_index + 1 + more.count() as u64) << self.coverage_bits;
        Extent { length: stop.min(end) - offset, place: Place::Hole }
    }

    /// What the L2 entries in the slice say of the bytes at `offset`.
    fn mapped(&self, l2: &Slice, offset: u64, end: u64) -> Result<(Extent, bool)> {
        let fields = l2.fields();
        let cluster_size = self.layout.cluster_size();
        let unit = self.layout.unit();
        let mut at = l2.at;
        let mut run: Option<Extent> = None;
        let mut guest = offset;
        while guest < end && at < fields.len() {
            let bitmap = if self.layout.extended { fields.be_u64(at + 8)? } else { 0 };
            let entry = L2Entry { descriptor: fields.be_u64(at)?, bitmap };
            let cluster_end = (guest - guest % cluster_size).saturating_add(cluster_size).min(end);
            while guest < cluster_end {
                let place = match (self.layout.place(entry, guest), run) {
                    (Ok(place), _) => place,
                    (Err(_), Some(run)) => return Ok((run, false)),
                    (Err(why), None) => return Err(fields.corrupt(at, why)),
                };
                let stop = match place {
                    Place::Compressed { .. } => cluster_end,
                    _ => (guest - guest % unit).saturating_add(unit).min(cluster_end),
                };
                match &mut run {
                    None => run = Some(Extent { length: stop - guest, place }),
                    Some(run) if run.place.continues(run.length, &place) => {
                        run.length += stop - guest
                    }
                    Some(run) => return Ok((*run, false)),
                }
                guest = stop;
            }
            at += self.layout.entry_size() as usize;
        }
        run.map(|run| (run, true)).ok_or_else(|| Error::past_end(offset, 1, end))
    }

    /// The slice that holds the byte `at` of the table of `length` bytes at `table`.
    fn slice(&self, what: &'static str, table: u64, length: u64, at: u64) -> Result<Slice> {
        let start = at - at % SLICE;
        let key = (table + start, SLICE.min(length.saturating_sub(start)));
        let (base, wanted) = key;
        let bytes =
            self.slices.get_or(&key, Vec::len, || read_vec(&*self.file, what, base, wanted))?;
        Ok(Slice { what, base, bytes, at: (at - start) as usize })
    }
}

/// Part of a table, and the place in it of the entry that was looked for.
struct Slice {
    what: &'static str,
    base: u64,
    bytes: Arc<Vec<u8>>,
    at: usize,
}

impl Slice {
    fn fields(&self) -> Fields<'_> {
        Fields::new(self.what, self.base, &self.bytes)
    }
}
