//! The metadata: how large the disk, its blocks and its sectors are.
//!
//! MS-VHDX 2.6.

use super::header::Guid;
use super::region::Region;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_vec};

/// The table at the beginning of the region.
const TABLE: u64 = 64 << 10;

/// The most entries that fit.
const MOST: u16 = 2047;

const FILE_PARAMETERS: Guid = Guid::new(0xCAA1_6737, 0xFA36, 0x4D43, 0xB3B6_33F0_AA44_E76B);
const VIRTUAL_DISK_SIZE: Guid = Guid::new(0x2FA5_4224, 0xCD1B, 0x4876, 0xB211_5DBE_D83B_F4B8);
const VIRTUAL_DISK_ID: Guid = Guid::new(0xBECA_12AB, 0xB2E6, 0x4523, 0x93EF_C309_E000_C746);
const LOGICAL_SECTOR_SIZE: Guid = Guid::new(0x8141_BF1D, 0xA96F, 0x4709, 0xBA47_F233_A8FA_AB5F);
const PHYSICAL_SECTOR_SIZE: Guid = Guid::new(0xCDA3_48C7, 0x445D, 0x4471, 0x9CC9_E988_5251_C556);
const PARENT_LOCATOR: Guid = Guid::new(0xA8D3_5F2D, 0xB30B, 0x454D, 0xABF7_D3D8_4834_AB0C);

/// What the file says of its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// How many bytes the guest sees.
    pub(super) size: u64,
    pub(super) block_size: u64,
    pub(super) logical_sector_size: u32,
    /// All blocks are allocated and stay so.
    pub(super) fixed: bool,
}

impl Metadata {
    pub(super) fn read(source: &dyn ReadAt, region: Region) -> Result<Self> {
        let bytes = read_vec(source, "VHDX metadata table", region.offset, TABLE)?;
        let table = Fields::new("VHDX metadata table", region.offset, &bytes);
        if table.bytes(0, 8)? != b"metadata" {
            return Err(table.corrupt(0, "it does not begin with metadata"));
        }
        let count = table.le_u16(10)?;
        if count > MOST {
            return Err(table.corrupt(10, format!("{count} entries; at most {MOST} fit")));
        }
        let (mut parameters, mut size, mut sector) = (None, None, None);
        for at in (0..usize::from(count)).map(|index| 32 + index * 32) {
            let guid = Guid(table.array(at)?);
            let flags = table.le_u32(at + 24)?;
            let is_user = flags & 1 != 0;
            match guid {
                _ if is_user => {}
                FILE_PARAMETERS => parameters = Some(item(source, region, &table, at, 8)?),
                VIRTUAL_DISK_SIZE => size = Some(item(source, region, &table, at, 8)?),
                LOGICAL_SECTOR_SIZE => sector = Some(item(source, region, &table, at, 4)? as u32),
                VIRTUAL_DISK_ID | PHYSICAL_SECTOR_SIZE | PARENT_LOCATOR => {}
                _ if flags & 4 == 0 => {}
                _ => {
                    return Err(Error::unsupported(
                        "VHDX metadata",
                        format!("the item {guid} is unknown, and required"),
                    ));
                }
            }
        }
        let (Some(parameters), Some(size), Some(logical_sector_size)) = (parameters, size, sector)
        else {
            let why = "the file parameters, the disk's size or the sector size is missing";
            return Err(table.corrupt(10, why));
        };
        // Two numbers of 32 bits each: the block size, and flags.
        let (block_size, flags) = (parameters & 0xFFFF_FFFF, parameters >> 32);
        if flags & 2 != 0 {
            return Err(Error::unsupported(
                "VHDX",
                "it is a differencing disk, which needs its parent; these are not read yet",
            ));
        }
        let whole = Self { size, block_size, logical_sector_size, fixed: flags & 1 != 0 };
        whole.check().map_err(|why| table.corrupt(0, why))?;
        Ok(whole)
    }

    fn check(&self) -> std::result::Result<(), String> {
        let Self { size, block_size, logical_sector_size, .. } = self;
        if !block_size.is_power_of_two() || !(1 << 20..=256 << 20).contains(block_size) {
            return Err(format!("blocks of {block_size} bytes, not 1 to 256 MiB"));
        }
        if !matches!(logical_sector_size, 512 | 4096) {
            return Err(format!("sectors of {logical_sector_size} bytes, not 512 or 4096"));
        }
        let whole = size.is_multiple_of((*logical_sector_size).into());
        if !whole || !(1..=64 << 40).contains(size) {
            return Err(format!("a disk of {size} bytes: none, not whole sectors, or over 64 TiB"));
        }
        Ok(())
    }

    /// How many payload blocks share a sector bitmap block, whose table entry stands behind
    /// theirs.
    pub(super) fn chunk_ratio(&self) -> u64 {
        ((1 << 23) * u64::from(self.logical_sector_size)) / self.block_size
    }
}

/// The little-endian number of `length` bytes that the entry at `at` of the table points to.
fn item(
    source: &dyn ReadAt,
    region: Region,
    table: &Fields<'_>,
    at: usize,
    length: u32,
) -> Result<u64> {
    let (offset, claimed) = (table.le_u32(at + 16)?, table.le_u32(at + 20)?);
    if claimed < length {
        return Err(table.corrupt(at + 20, format!("an item of {claimed} bytes, not {length}")));
    }
    let end = u64::from(offset) + u64::from(length);
    if u64::from(offset) < TABLE || end > region.length {
        return Err(table.corrupt(at + 16, format!("the item at {offset} is outside the region")));
    }
    let place = region.offset.saturating_add(offset.into());
    let mut bytes = [0; 8];
    let wanted = bytes.get_mut(..length as usize).unwrap_or_default();
    source.read_at(place, wanted).map_err(|error| error.within("VHDX metadata item"))?;
    Ok(u64::from_le_bytes(bytes))
}
