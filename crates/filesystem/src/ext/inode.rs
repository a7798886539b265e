//! Inodes: what is known of a file besides its name.
//!
//! The first 128 bytes are as ext2 made them. Larger inodes say in `i_extra_isize` how many more
//! bytes have a meaning (nanoseconds, the time of creation, the upper half of the checksum); what
//! is left of them holds extended attributes.

use fathom_block::{Error, Fields, Result};

use super::checksum::crc32c;
use super::superblock::Superblock;
use crate::node::{FileType, Metadata};
use crate::timestamp::Timestamp;

const WHAT: &str = "ext inode";

/// Where `i_block` starts.
pub(super) const I_BLOCK: usize = 0x28;

/// How many bytes `i_block` has.
pub(super) const I_BLOCK_SIZE: usize = 60;

/// The size of the inode that ext2 had.
pub(super) const GOOD_OLD_SIZE: usize = 128;

/// `i_extra_isize` of an inode whose extra space has never been used, as the kernel takes it.
const FULL_EXTRA: u16 = 32;

const ENCRYPT_FL: u32 = 0x800;
const INDEX_FL: u32 = 0x1000;
const HUGE_FILE_FL: u32 = 0x4_0000;
const EXTENTS_FL: u32 = 0x8_0000;
const EA_INODE_FL: u32 = 0x20_0000;
const INLINE_DATA_FL: u32 = 0x1000_0000;
const CASEFOLD_FL: u32 = 0x4000_0000;

/// One inode.
#[derive(Clone, Debug)]
pub(super) struct Inode {
    pub(super) number: u32,
    /// Where it lies on the volume.
    pub(super) offset: u64,
    /// All its bytes.
    pub(super) raw: Vec<u8>,
    pub(super) file_type: FileType,
    pub(super) flags: u32,
    pub(super) size: u64,
    pub(super) generation: u32,
    /// The block with its extended attributes, or 0.
    pub(super) file_acl: u64,
    /// Allocated bytes, as the inode counts them.
    pub(super) allocated: u64,
    /// How many bytes after the first 128 have a meaning, as it is written.
    pub(super) extra_isize: u16,
}

impl Inode {
    /// Understands inode `number`, whose bytes lie at `offset`.
    pub(super) fn parse(
        superblock: &Superblock,
        number: u32,
        offset: u64,
        raw: Vec<u8>,
    ) -> Result<Self> {
        let fields = Fields::new(WHAT, offset, &raw);
        let i_mode = fields.le_u16(0x0)?;
        let file_type = FileType::from_mode(u32::from(i_mode)).ok_or_else(|| {
            fields.corrupt(0x0, format!("inode {number} has the mode {i_mode:#o}, of no file type"))
        })?;
        let extra_isize = extra_isize(&fields)?;
        let i_flags = fields.le_u32(0x20)?;
        let features = &superblock.features;

        let low = u64::from(fields.le_u32(0x4)?);
        let size = match file_type == FileType::File || features.large_dir() {
            true => u64::from(fields.le_u32(0x6C)?) << 32 | low,
            false => low,
        };
        if i64::try_from(size).is_err() {
            return Err(fields.corrupt(0x6C, format!("inode {number} has {size} bytes")));
        }
        let i_file_acl_high = if superblock.hurd { 0 } else { fields.le_u16(0x76)? };
        let i_blocks = u64::from(fields.le_u32(0x1C)?);
        let allocated = if !features.huge_file() {
            i_blocks * 512
        } else {
            let i_blocks = u64::from(fields.le_u16(0x74)?) << 32 | i_blocks;
            let unit = if i_flags & HUGE_FILE_FL != 0 { superblock.block_size } else { 512 };
            i_blocks.saturating_mul(u64::from(unit))
        };
        Ok(Self {
            number,
            offset,
            file_type,
            flags: i_flags,
            size,
            generation: fields.le_u32(0x64)?,
            file_acl: u64::from(i_file_acl_high) << 32 | u64::from(fields.le_u32(0x68)?),
            allocated,
            extra_isize,
            raw,
        })
    }

    /// Fails unless the inode's checksum is right, where it has one.
    pub(super) fn check_checksum(&self, superblock: &Superblock) -> Result<()> {
        const I_CHECKSUM_LO: usize = 0x7C;
        const I_CHECKSUM_HI: usize = 0x82;
        // Other creators keep other things where Linux has its checksum.
        if !superblock.features.metadata_csum() || !superblock.linux {
            return Ok(());
        }
        let fields = self.fields();
        let mut bytes = self.raw.clone();
        let mut stored = u32::from(fields.le_u16(I_CHECKSUM_LO)?);
        bytes[I_CHECKSUM_LO..I_CHECKSUM_LO + 2].fill(0);
        let has_high = self.holds(I_CHECKSUM_HI, 2);
        if has_high {
            stored |= u32::from(fields.le_u16(I_CHECKSUM_HI)?) << 16;
            bytes[I_CHECKSUM_HI..I_CHECKSUM_HI + 2].fill(0);
        }
        let computed = crc32c(self.csum_seed(superblock), &bytes);
        let computed = if has_high { computed } else { computed & 0xFFFF };
        if stored != computed {
            let why = format!(
                "the checksum of inode {} is {stored:#010x}, but its bytes give {computed:#010x}",
                self.number
            );
            return Err(fields.corrupt(I_CHECKSUM_LO, why));
        }
        Ok(())
    }

    /// Where the checksums of everything that belongs to this inode start.
    pub(super) fn csum_seed(&self, superblock: &Superblock) -> u32 {
        let sum = crc32c(superblock.csum_seed, &self.number.to_le_bytes());
        crc32c(sum, &self.generation.to_le_bytes())
    }

    /// Its bytes, as fields.
    pub(super) fn fields(&self) -> Fields<'_> {
        Fields::new(WHAT, self.offset, &self.raw)
    }

    /// The error that this inode contradicts the format at `at`.
    pub(super) fn corrupt(&self, at: usize, why: impl std::fmt::Display) -> Error {
        self.fields().corrupt(at, format!("inode {}: {why}", self.number))
    }

    /// Block numbers, the root of an extent tree, a short link's target or inline data.
    pub(super) fn i_block(&self) -> Result<Fields<'_>> {
        self.fields().part(WHAT, I_BLOCK, I_BLOCK_SIZE)
    }

    pub(super) fn has_extents(&self) -> bool {
        self.flags & EXTENTS_FL != 0
    }

    pub(super) fn has_inline_data(&self) -> bool {
        self.flags & INLINE_DATA_FL != 0
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPT_FL != 0
    }

    pub(super) fn is_casefolded(&self) -> bool {
        self.flags & CASEFOLD_FL != 0
    }

    pub(super) fn is_indexed(&self) -> bool {
        self.flags & INDEX_FL != 0
    }

    pub(super) fn is_ea_inode(&self) -> bool {
        self.flags & EA_INODE_FL != 0
    }

    /// Whether it is in use: an inode without a name is a deleted one.
    pub(super) fn is_live(&self) -> Result<bool> {
        Ok(self.fields().le_u16(0x1A)? != 0)
    }

    /// Whether the `length` bytes at `at`, beyond the first 128, are among those with a meaning.
    fn holds(&self, at: usize, length: usize) -> bool {
        at + length <= GOOD_OLD_SIZE + usize::from(self.extra_isize)
            && at + length <= self.raw.len()
    }

    /// Like [`Self::holds`], but an inode whose extra space was never used counts as having all of
    /// it, as in the kernel.
    fn shows(&self, at: usize, length: usize) -> bool {
        let extra = match self.extra_isize {
            0 if self.raw.len() > GOOD_OLD_SIZE => FULL_EXTRA,
            extra => extra,
        };
        at + length <= GOOD_OLD_SIZE + usize::from(extra) && at + length <= self.raw.len()
    }

    /// The time whose seconds are at `at` and whose nanoseconds and upper seconds are at `extra`.
    pub(super) fn time(&self, at: usize, extra: usize) -> Result<Timestamp> {
        let fields = self.fields();
        let seconds = i64::from(fields.le_u32(at)? as i32);
        if !self.shows(extra, 4) {
            return Ok(Timestamp::new(seconds, 0));
        }
        let extra = fields.le_u32(extra)?;
        // More than a second of nanoseconds is damage; the kernel carries it over.
        let nanos = extra >> 2;
        let seconds = seconds + (i64::from(extra & 3) << 32) + i64::from(nanos / 1_000_000_000);
        Ok(Timestamp::new(seconds, nanos % 1_000_000_000))
    }

    /// What `stat` shows.
    pub(super) fn metadata(&self) -> Result<Metadata> {
        let fields = self.fields();
        let wide = |low: usize, high: usize| -> Result<u32> {
            Ok(u32::from(fields.le_u16(high)?) << 16 | u32::from(fields.le_u16(low)?))
        };
        let created = match self.shows(0x90, 4) {
            true => Some(self.time(0x90, 0x94)?),
            false => None,
        };
        Ok(Metadata {
            file_type: self.file_type,
            mode: u32::from(fields.le_u16(0x0)?) & 0o7777,
            uid: wide(0x2, 0x78)?,
            gid: wide(0x18, 0x7A)?,
            size: self.size,
            allocated: self.allocated,
            links: u64::from(fields.le_u16(0x1A)?),
            device: self.device()?,
            modified: self.time(0x10, 0x88)?,
            accessed: Some(self.time(0x8, 0x8C)?),
            changed: Some(self.time(0xC, 0x84)?),
            created,
        })
    }

    /// The numbers of a device node: sixteen bits in the first word of `i_block` as of old, or
    /// thirty-two in the second.
    fn device(&self) -> Result<Option<(u32, u32)>> {
        if !matches!(self.file_type, FileType::CharacterDevice | FileType::BlockDevice) {
            return Ok(None);
        }
        let old = self.fields().le_u32(I_BLOCK)?;
        if old != 0 {
            return Ok(Some((old >> 8 & 0xFF, old & 0xFF)));
        }
        let new = self.fields().le_u32(I_BLOCK + 4)?;
        Ok(Some((new >> 8 & 0xFFF, new & 0xFF | new >> 12 & 0xF_FF00)))
    }
}

fn extra_isize(fields: &Fields<'_>) -> Result<u16> {
    if fields.len() <= GOOD_OLD_SIZE {
        return Ok(0);
    }
    let i_extra_isize = fields.le_u16(0x80)?;
    if GOOD_OLD_SIZE + usize::from(i_extra_isize) > fields.len() || i_extra_isize % 4 != 0 {
        let why = format!("i_extra_isize is {i_extra_isize} in an inode of {}", fields.len());
        return Err(fields.corrupt(0x80, why));
    }
    Ok(i_extra_isize)
}

#[cfg(test)]
mod tests {
    use super::super::superblock::tests::plain;
    use super::*;

    fn superblock() -> Superblock {
        Superblock::parse(&Fields::new("ext superblock", 1024, &plain())).unwrap()
    }

    fn raw(size: usize, changes: &[(usize, u32)]) -> Vec<u8> {
        let mut raw = vec![0; size];
        raw[..2].copy_from_slice(&0o100644_u16.to_le_bytes());
        for (at, value) in changes {
            raw[*at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        raw
    }

    fn parse(size: usize, changes: &[(usize, u32)]) -> Result<Inode> {
        Inode::parse(&superblock(), 12, 4096, raw(size, changes))
    }

    #[test]
    fn times_reach_from_1901_to_2446() {
        // The seconds are signed; the two lowest bits of the extra word count whole epochs.
        let time = |seconds: u32, extra: u32| {
            let inode = parse(256, &[(0x10, seconds), (0x88, extra), (0x80, 32)]).unwrap();
            inode.metadata().unwrap().modified
        };
        assert_eq!(time(0x8000_0000, 0), Timestamp::new(-0x8000_0000, 0));
        assert_eq!(time(0xFFFF_FFFF, 1), Timestamp::new(0xFFFF_FFFF, 0));
        assert_eq!(time(0x7FFF_FFFF, 3), Timestamp::new(0x3_7FFF_FFFF, 0));
        assert_eq!(time(5, 999_999_999 << 2), Timestamp::new(5, 999_999_999));
        let small = parse(128, &[(0x10, 0xFFFF_FFFF)]).unwrap().metadata().unwrap();
        assert_eq!((small.modified, small.created), (Timestamp::new(-1, 0), None));
        let short = parse(256, &[(0x10, 1), (0x88, 7), (0x80, 4)]).unwrap().metadata().unwrap();
        assert_eq!((short.modified, short.created), (Timestamp::new(1, 0), None));
    }

    #[test]
    fn device_numbers_old_and_new() {
        let device = |first: u32, second: u32| {
            let mut raw = raw(128, &[(I_BLOCK, first), (I_BLOCK + 4, second)]);
            raw[..2].copy_from_slice(&0o020600_u16.to_le_bytes());
            Inode::parse(&superblock(), 12, 0, raw).unwrap().metadata().unwrap().device
        };
        assert_eq!(device(0x0103, 0), Some((1, 3)));
        assert_eq!(device(0, 0x1111_2C70), Some((300, 70000)));
    }

    #[test]
    fn damage_is_told_with_its_place() {
        assert_eq!(parse(128, &[(0, 0)]).unwrap_err().offset(), Some(4096));
        assert_eq!(parse(256, &[(0x80, 132)]).unwrap_err().offset(), Some(4096 + 0x80));
        assert_eq!(parse(256, &[(0x80, 6)]).unwrap_err().offset(), Some(4096 + 0x80));
        assert_eq!(parse(128, &[(0x6C, 0x8000_0000)]).unwrap_err().offset(), Some(4096 + 0x6C));
    }
}
