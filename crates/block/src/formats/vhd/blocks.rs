//! The blocks of a dynamic disk: its header, its block allocation table, and the bitmap that each
//! block begins with.
//!
//! *Virtual Hard Disk Image Format Specification 1.0*, "Dynamic Disk Header Format", "Block
//! Allocation Table and Data Blocks".

use std::sync::Arc;

use super::footer::{Footer, SECTOR, check_sum};
use crate::cache::Decoded;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::formats::mapped::{Map, Place, Run};
use crate::formats::table::{Spelling, Table};
use crate::read::{ReadAt, read_array, read_vec};

/// The entry of a block that was never written.
const UNALLOCATED: u64 = 0xFFFF_FFFF;

/// The largest blocks: their bitmaps are 64 KiB. Disks have blocks of 2 MiB or 512 KiB.
const LARGEST_BLOCK: u64 = 256 << 20;

/// How many bytes of bitmaps are remembered.
const BITMAPS_CEILING: usize = 256 << 10;

/// The map of a dynamic disk.
pub(super) struct Blocks {
    source: Arc<dyn ReadAt>,
    length: u64,
    pub(super) block_size: u64,
    table: Table,
    bitmaps: Decoded<u64, Vec<u8>>,
}

impl Blocks {
    /// Reads the dynamic disk header that `footer` points to.
    pub(super) fn open(source: Arc<dyn ReadAt>, footer: &Footer) -> Result<Self> {
        let at = footer.data_offset;
        let bytes: [u8; 1024] = read_array(&*source, "VHD dynamic disk header", at)?;
        let fields = Fields::new("VHD dynamic disk header", at, &bytes);
        if fields.bytes(0, 8)? != b"cxsparse" {
            return Err(fields.corrupt(0, "it does not begin with cxsparse"));
        }
        check_sum(&fields, 36)?;
        let version = fields.be_u32(24)?;
        if version >> 16 != 1 {
            return Err(Error::unsupported(
                "VHD dynamic disk header",
                format!("its version is {}.{}; 1 is known", version >> 16, version & 0xFFFF),
            ));
        }
        let block_size = u64::from(fields.be_u32(32)?);
        if !block_size.is_power_of_two() || block_size < SECTOR {
            return Err(fields.corrupt(
                32,
                format!("blocks of {block_size} bytes, not a power of two of at least {SECTOR}"),
            ));
        }
        if block_size > LARGEST_BLOCK {
            return Err(Error::unsupported(
                "VHD dynamic disk header",
                format!("blocks of {block_size} bytes; at most {LARGEST_BLOCK} are read"),
            ));
        }
        let entries = u64::from(fields.be_u32(28)?);
        let needed = footer.size.div_ceil(block_size);
        if entries < needed {
            return Err(fields.corrupt(
                28,
                format!("{entries} block table entries; a disk of this size needs {needed}"),
            ));
        }
        // The rest of the table describes blocks beyond the disk's end.
        let table = Table::new(
            source.clone(),
            "VHD block allocation table",
            fields.be_u64(16)?,
            needed,
            Spelling::Be32,
        )?;
        let bitmaps = Decoded::new(BITMAPS_CEILING);
        Ok(Self { source, length: footer.size, block_size, table, bitmaps })
    }

    /// How many bytes the bitmap of a block takes: a bit a sector, padded to whole sectors.
    fn bitmap_size(&self) -> u64 {
        (self.block_size / SECTOR).div_ceil(8).next_multiple_of(SECTOR)
    }

    fn bitmap(&self, at: u64) -> Result<Arc<Vec<u8>>> {
        self.bitmaps.get_or(&at, Vec::len, || {
            read_vec(&*self.source, "VHD sector bitmap", at, self.bitmap_size())
        })
    }
}

impl Map for Blocks {
    fn len(&self) -> u64 {
        self.length
    }

    fn run(&self, offset: u64) -> Result<Run> {
        let (block, inner) = (offset / self.block_size, offset % self.block_size);
        let entry = self.table.get(block)?;
        if entry == UNALLOCATED {
            let length = self.table.repeats(block)? * self.block_size - inner;
            return Ok(Run { place: Place::Zeros, length });
        }
        let at = entry * SECTOR;
        if at == 0 {
            return Err(self
                .table
                .corrupt(block, "the block is said to lie over the footer's copy"));
        }
        let bitmap = self.bitmap(at)?;
        let sector = (inner / SECTOR) as usize;
        let present = bit(&bitmap, sector);
        let end = sector + same_bits(&bitmap, sector, (self.block_size / SECTOR) as usize);
        let place = if present { Place::At(at + self.bitmap_size() + inner) } else { Place::Zeros };
        Ok(Run { place, length: end as u64 * SECTOR - inner })
    }
}

/// Whether the bit of `sector` is set: the most significant bit is the first sector's.
fn bit(bitmap: &[u8], sector: usize) -> bool {
    bitmap.get(sector / 8).is_some_and(|byte| byte & (0x80 >> (sector % 8)) != 0)
}

/// How many bits from `sector` on are as that one is, below `end`.
fn same_bits(bitmap: &[u8], sector: usize, end: usize) -> usize {
    let wanted = bit(bitmap, sector);
    let uniform = if wanted { 0xFF } else { 0 };
    let mut at = sector;
    while at < end {
        if at.is_multiple_of(8) && bitmap.get(at / 8) == Some(&uniform) {
            at += 8;
        } else if bit(bitmap, at) == wanted {
            at += 1;
        } else {
            break;
        }
    }
    at.min(end) - sector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_most_significant() {
        let bitmap = [0b1110_0000, 0xFF, 0xFF, 0b1000_0001];
        let runs: Vec<_> = [0, 1, 3, 8, 24, 25, 31]
            .iter()
            .map(|at| (bit(&bitmap, *at), same_bits(&bitmap, *at, 32)))
            .collect();
        assert_eq!(
            runs,
            [(true, 3), (true, 2), (false, 5), (true, 17), (true, 1), (false, 6), (true, 1)]
        );
        assert_eq!(same_bits(&bitmap, 8, 12), 4);
    }
}
