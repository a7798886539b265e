//! Hyper-V virtual hard disks, version 2.
//!
//! The file begins with two [`header`]s and a table of [`region`]s: the [`metadata`], and the block
//! allocation table that says where the payload blocks are. Changes to all these go through a
//! [`log`]; where it was not emptied, the file is shown as it is after [`replay`].
//!
//! *MS-VHDX: Virtual Hard Disk v2 (VHDX) File Format*, Microsoft.

mod header;
mod log;
mod metadata;
mod region;
mod replay;

use std::sync::Arc;

use self::header::{Header, SIGNATURE};
use self::metadata::Metadata;
use self::region::{Region, Regions};
use crate::error::{Error, Result};
use crate::formats::Format;
use crate::formats::mapped::{Map, Mapped, Place, Run};
use crate::formats::table::{Spelling, Table};
use crate::open::{Chain, Disk, Source};
use crate::read::{ReadAt, read_array};

/// The bits of a table entry: a state, and the block's offset in mebibytes.
const STATE: u64 = 0b111;
const MEBIBYTES: u32 = 20;

/// The states of payload blocks, MS-VHDX 2.5.1.1.
const NOT_PRESENT: u64 = 0;
const UNDEFINED: u64 = 1;
const ZERO: u64 = 2;
const UNMAPPED: u64 = 3;
/// What the draft 0.95 of the specification had for `UNMAPPED`.
const UNMAPPED_DRAFT: u64 = 5;
const FULLY_PRESENT: u64 = 6;

pub(crate) fn probe(head: &[u8], _length: u64) -> bool {
    head.starts_with(SIGNATURE)
}

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Disk> {
    let Source { reader, location, .. } = source;
    let signature: [u8; 8] = read_array(&*reader, "VHDX file identifier", 0)?;
    if signature != SIGNATURE {
        return Err(Error::corrupt("VHDX file identifier", 0, "it is not vhdxfile"));
    }
    let (header, header_problem) = Header::read(&*reader)?;
    let (reader, replayed, log_problem) = log::replay(reader, &header)?;
    let (regions, region_problem) = Regions::read(&*reader)?;
    let metadata = Metadata::read(&*reader, regions.metadata)?;
    let blocks = Blocks::open(reader.clone(), regions.bat, metadata.clone())?;
    let detail = format!(
        "{}, {} MiB blocks{}",
        if metadata.fixed { "fixed" } else { "dynamic" },
        metadata.block_size >> 20,
        match replayed {
            0 => String::new(),
            1 => ", 1 log entry replayed".to_owned(),
            more => format!(", {more} log entries replayed"),
        }
    );
    let mut disk = Disk::new(Format::Vhdx, location, Arc::new(Mapped::new(blocks, reader)));
    disk.sector_size = Some(metadata.logical_sector_size);
    disk.problems = [header_problem, log_problem, region_problem].into_iter().flatten().collect();
    Ok(disk.detail(detail))
}

/// The map of a file: the block allocation table. Behind the entries of each chunk of payload
/// blocks stands one for the chunk's sector bitmap, which only differencing disks use.
struct Blocks {
    size: u64,
    block_size: u64,
    chunk_ratio: u64,
    table: Table,
}

impl Blocks {
    fn open(source: Arc<dyn ReadAt>, region: Region, metadata: Metadata) -> Result<Self> {
        let chunk_ratio = metadata.chunk_ratio();
        let blocks = metadata.size.div_ceil(metadata.block_size);
        let entries = blocks + blocks.saturating_sub(1) / chunk_ratio;
        if entries * 8 > region.length {
            let why =
                format!("{} bytes; a disk of this size needs {entries} entries", region.length);
            return Err(Error::corrupt("VHDX block allocation table", region.offset, why));
        }
        let what = "VHDX block allocation table";
        let table = Table::new(source, what, region.offset, entries, Spelling::Le64)?;
        Ok(Self { size: metadata.size, block_size: metadata.block_size, chunk_ratio, table })
    }
}

impl Map for Blocks {
    fn len(&self) -> u64 {
        self.size
    }

    fn run(&self, offset: u64) -> Result<Run> {
        let (block, inner) = (offset / self.block_size, offset % self.block_size);
        let index = block + block / self.chunk_ratio;
        let entry = self.table.get(index)?;
        let at = (entry >> MEBIBYTES) << MEBIBYTES;
        match entry & STATE {
            NOT_PRESENT | UNDEFINED | ZERO | UNMAPPED | UNMAPPED_DRAFT => {
                let in_chunk = self.chunk_ratio - block % self.chunk_ratio;
                let same = self.table.repeats(index)?.min(in_chunk);
                Ok(Run { place: Place::Zeros, length: same * self.block_size - inner })
            }
            FULLY_PRESENT if at != 0 => {
                let place = at
                    .checked_add(inner)
                    .ok_or_else(|| self.table.corrupt(index, "the block is past any file's end"))?;
                Ok(Run { place: Place::At(place), length: self.block_size - inner })
            }
            FULLY_PRESENT => {
                Err(self.table.corrupt(index, "the block is said to lie over the file's header"))
            }
            state => Err(self.table.corrupt(
                index,
                format!("state {state}, which no block of a disk without a parent has"),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
