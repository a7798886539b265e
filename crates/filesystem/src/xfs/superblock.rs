//! The superblock: the geometry every address is computed with, and the features that say what the
//! rest looks like.
//!
//! Every allocation group starts with a copy. The first one counts; where it is damaged, the copies
//! are looked for where the first, or the defaults of `mkfs.xfs`, say that they lie.

use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_array, read_vec};

use super::blocks::checksum;
use super::features::Features;

/// The unit of disk addresses in metadata and log ("basic block").
pub(super) const BASIC_BLOCK: u64 = 512;

/// `NULLFSINO` and `NULLFSBLOCK`.
const NULL: u64 = u64::MAX;

/// The smallest allocation group, in blocks (`XFS_MIN_AG_BLOCKS`).
const MIN_AG_BLOCKS: u32 = 64;

/// Where the checksum lies.
pub(super) const CRC: usize = 224;

/// What the superblock says.
#[derive(Clone, Debug)]
pub(super) struct Superblock {
    pub(super) block_log: u8,
    /// How many blocks the data device has.
    pub(super) blocks: u64,
    pub(super) uuid: [u8; 16],
    /// The UUID that metadata blocks carry; another than `uuid` once that has been changed.
    pub(super) meta_uuid: [u8; 16],
    /// The block where the log starts; zero where it lies on another device.
    pub(super) log_start: u64,
    pub(super) log_blocks: u32,
    pub(super) root: u64,
    pub(super) ag_blocks: u32,
    pub(super) ag_count: u32,
    pub(super) ag_block_log: u8,
    pub(super) sector_size: u16,
    pub(super) inode_size: u16,
    /// How many inodes a block holds, as a power of two.
    pub(super) inodes_log: u8,
    /// How many blocks a directory block has, as a power of two.
    pub(super) dir_block_log: u8,
    pub(super) label: Vec<u8>,
    pub(super) free_blocks: u64,
    /// Inodes that hold quota and real-time bookkeeping and have no name.
    internal: Vec<u64>,
    pub(super) features: Features,
}

impl Superblock {
    /// Reads the copy at `at`.
    pub(super) fn read(volume: &dyn ReadAt, at: u64) -> Result<Self> {
        let head = read_array::<512>(volume, "XFS superblock", at)?;
        let fields = Fields::new("XFS superblock", at, &head);
        if fields.bytes(0, 4)? != b"XFSB" {
            return Err(fields.corrupt(0, "the magic is not XFSB"));
        }
        let sector_size = fields.be_u16(102)?;
        if !sector_size.is_power_of_two() || !(512..=32768).contains(&sector_size) {
            return Err(fields.corrupt(102, format!("the sector size is {sector_size}")));
        }
        let version = fields.be_u16(100)? & 0xF;
        if version == 5 {
            let sector = read_vec(volume, "XFS superblock", at, u64::from(sector_size))?;
            checksum("XFS superblock", at, &sector, CRC)?;
        }
        if fields.u8(126)? != 0 {
            return Err(fields.corrupt(126, "mkfs.xfs was interrupted: sb_inprogress is set"));
        }
        Self::parse(&fields, sector_size)
    }

    /// Reads the fields, and refuses those that contradict each other.
    pub(super) fn parse(fields: &Fields<'_>, sector_size: u16) -> Result<Self> {
        let features = Features::parse(fields)?;
        let log = |at: usize, least: u8, most: u8, what: &str| -> Result<u8> {
            let value = fields.u8(at)?;
            if (least..=most).contains(&value) {
                return Ok(value);
            }
            let why = format!("the {what} is 2^{value}; 2^{least} to 2^{most} are possible");
            Err(fields.corrupt(at, why))
        };
        let block_log = log(120, 9, 16, "block size")?;
        let inode_log = log(122, 8, 11, "inode size")?;
        let uuid = fields.array(32)?;
        let superblock = Self {
            block_log,
            blocks: fields.be_u64(8)?,
            uuid,
            meta_uuid: if features.meta_uuid { fields.array(248)? } else { uuid },
            log_start: fields.be_u64(48)?,
            log_blocks: fields.be_u32(96)?,
            root: fields.be_u64(56)?,
            ag_blocks: fields.be_u32(84)?,
            ag_count: fields.be_u32(88)?,
            ag_block_log: log(124, 6, 31, "allocation group")?,
            sector_size,
            inode_size: fields.be_u16(104)?,
            inodes_log: log(123, 0, 8, "count of inodes a block")?,
            dir_block_log: log(192, 0, 16 - block_log, "count of blocks a directory block")?,
            label: fields.bytes(108, 12)?.split(|byte| *byte == 0).next().unwrap_or(&[]).to_vec(),
            free_blocks: fields.be_u64(144)?,
            internal: [64, 72, 160, 168, 232]
                .iter()
                // Before version 5 there was no third quota inode, and zero there means nothing.
                .filter(|at| **at != 232 || features.crc)
                .map(|at| fields.be_u64(*at))
                .filter(|number| !matches!(number, Ok(0 | NULL)))
                .collect::<Result<_>>()?,
            features,
        };
        superblock.check(fields, inode_log)?;
        Ok(superblock)
    }

    /// What contradicts itself here would make every address wrong.
    fn check(&self, fields: &Fields<'_>, inode_log: u8) -> Result<()> {
        let must = |holds: bool, at: usize, why: &str| {
            if holds { Ok(()) } else { Err(fields.corrupt(at, why)) }
        };
        let size = fields.be_u32(4)?;
        must(size == self.block_size(), 4, "sb_blocksize and sb_blocklog differ")?;
        must(
            u32::from(self.sector_size) <= size && fields.u8(121)? < 16,
            102,
            "a sector is larger than a block",
        )?;
        must(u32::from(self.inode_size) == 1 << inode_log, 104, "sb_inodesize and its log differ")?;
        must(
            self.inodes_log + inode_log == self.block_log,
            123,
            "sb_inopblog does not fit the block and inode sizes",
        )?;
        must(self.ag_blocks >= MIN_AG_BLOCKS, 84, "the allocation groups are too small")?;
        must(
            u64::from(self.ag_blocks).next_power_of_two() == 1 << self.ag_block_log,
            124,
            "sb_agblklog does not fit sb_agblocks",
        )?;
        let groups = u64::from(self.ag_count);
        let most = groups.checked_mul(u64::from(self.ag_blocks)).unwrap_or(0);
        must(
            groups > 0 && self.blocks <= most && self.blocks > most - u64::from(self.ag_blocks),
            8,
            "sb_dblocks does not fit the count and size of the allocation groups",
        )?;
        must(
            self.blocks.checked_mul(u64::from(size)).is_some_and(|size| size < 1 << 63),
            8,
            "sb_dblocks is beyond any device",
        )
    }

    /// The size of a block in bytes.
    pub(super) fn block_size(&self) -> u32 {
        1 << self.block_log
    }

    /// The size of a directory block in bytes: 64 KiB at most.
    pub(super) fn dir_block_size(&self) -> usize {
        1 << (self.block_log + self.dir_block_log)
    }

    /// The bytes of the whole filesystem.
    pub(super) fn size(&self) -> u64 {
        self.blocks << self.block_log
    }

    /// The byte where `count` blocks at the filesystem block `block` start, unless they leave
    /// their allocation group: a block number is a group and a block in it.
    pub(super) fn locate(&self, block: u64, count: u64) -> Option<u64> {
        let group = block >> self.ag_block_log;
        let inner = block & ((1 << self.ag_block_log) - 1);
        if group >= u64::from(self.ag_count) {
            return None;
        }
        let first = group * u64::from(self.ag_blocks);
        let blocks = (self.blocks - first).min(u64::from(self.ag_blocks));
        let end = inner.checked_add(count)?;
        (end <= blocks).then(|| (first + inner) << self.block_log)
    }

    /// The byte where the inode lies, if there can be such an inode.
    pub(super) fn locate_inode(&self, number: u64) -> Option<u64> {
        let index = number & ((1 << self.inodes_log) - 1);
        let block = self.locate(number >> self.inodes_log, 1)?;
        Some(block + index * u64::from(self.inode_size))
    }

    /// Whether the inode is one that no directory may name.
    pub(super) fn is_internal(&self, number: u64) -> bool {
        self.internal.contains(&number)
    }

    /// The superblock of the volume, and the problem that it is not the first copy.
    pub(super) fn find(volume: &dyn ReadAt) -> Result<(Self, Option<Problem>)> {
        let error = match Self::read(volume, 0) {
            Ok(superblock) if superblock.root != NULL => return Ok((superblock, None)),
            Ok(_) => Error::corrupt("XFS superblock", 56, "it has no root directory"),
            Err(error) => error,
        };
        if error.kind() == fathom_block::ErrorKind::Unsupported {
            return Err(error);
        }
        match Self::copies(volume) {
            Some((superblock, at)) => {
                let problem = error.within(format!("the copy at byte {at} is used instead"));
                Ok((superblock, Some(problem)))
            }
            None => Err(error),
        }
    }

    /// A copy in another allocation group that is whole and lies where it says.
    fn copies(volume: &dyn ReadAt) -> Option<(Self, u64)> {
        let first = read_array::<512>(volume, "XFS superblock", 0).ok()?;
        let fields = Fields::new("XFS superblock", 0, &first);
        let claimed =
            u64::from(fields.be_u32(4).ok()?).checked_mul(u64::from(fields.be_u32(84).ok()?));
        // What mkfs.xfs does unless told otherwise: four groups, or groups of a terabyte.
        let quarter = |block: u64| (volume.len() / block).div_ceil(4) * block;
        let floor = |block: u64| (volume.len() / block / 4) * block;
        let sizes = [4096, 1024, 512, 2048, 8192, 16384, 32768, 65536];
        let guesses = sizes.iter().flat_map(|block| [quarter(*block), floor(*block)]);
        for group in claimed.into_iter().chain(guesses).chain([1 << 40]) {
            let Ok(copy) = Self::read(volume, group) else {
                continue;
            };
            let length = u64::from(copy.ag_blocks) << copy.block_log;
            if group == 0 || group != length {
                continue;
            }
            // mkfs.xfs writes the root's number only into some of the copies.
            let groups = u64::from(copy.ag_count);
            for number in [1, groups / 2, groups - 1] {
                match number.checked_mul(length).map(|at| (Self::read(volume, at), at)) {
                    Some((Ok(copy), at)) if copy.root != NULL && at > 0 => return Some((copy, at)),
                    _ => {}
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use fathom_block::ErrorKind;

    use crate::node::Health;
    use crate::xfs::testing::{AG_BLOCKS, BLOCK, Image, ROOT};

    #[test]
    fn geometry_that_contradicts_itself_is_refused() {
        let lies: [(usize, &[u8]); 16] = [
            (0, b"XFSC"),
            (4, &[0, 0, 0x20, 0]),
            (8, &[0xFF; 8]),
            (8, &[0; 8]),
            (84, &[0, 0, 0, 1]),
            (84, &[0, 0, 1, 0]),
            (88, &[0; 4]),
            (102, &[0, 0]),
            (102, &[0x40, 0]),
            (104, &[1, 0]),
            (120, &[30]),
            (122, &[20]),
            (123, &[2]),
            (124, &[40]),
            (126, &[1]),
            (192, &[9]),
        ];
        for v5 in [false, true] {
            for (at, bytes) in lies {
                let mut image = Image::new(v5);
                image.superblock(at, bytes);
                let error = image.open().err().unwrap_or_else(|| panic!("{at}: {bytes:?}"));
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{at}: {error}");
            }
        }
    }

    #[test]
    fn a_copy_stands_in_for_a_damaged_superblock() {
        let mut image = Image::new(true);
        image.put(110, b"?");
        let filesystem = image.open().unwrap();
        assert_eq!(filesystem.root().inode, ROOT);
        let problems = filesystem.problems();
        assert!(problems[0].to_string().contains("the copy at byte 2097152"), "{problems:?}");
        assert_eq!(filesystem.info().label.as_deref(), Some("label"));
        image.put(AG_BLOCKS * BLOCK + 110, b"?");
        assert!(image.open().is_err());
        // A copy that mkfs.xfs did not give the root's number is not enough.
        let mut image = Image::new(true);
        image.superblock(56, &[0xFF; 8]);
        assert!(image.open().is_err());
    }

    #[test]
    fn what_the_volume_lacks_is_a_problem() {
        let mut image = Image::new(true);
        image.bytes.truncate(AG_BLOCKS * BLOCK);
        let filesystem = image.open().unwrap();
        assert!(filesystem.problems()[0].to_string().contains("truncated"));
        assert!(filesystem.metadata(filesystem.root()).is_ok());
    }

    #[test]
    fn features_are_known_or_refused() {
        let refused = |v5, at, bytes: &[u8]| {
            let mut image = Image::new(v5);
            image.superblock(at, bytes);
            let error = image.open().err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            error.to_string()
        };
        assert!(refused(true, 216, &[0, 0, 1, 1]).contains("metadir"));
        assert!(refused(true, 216, &[0, 0, 2, 1]).contains("zoned"));
        assert!(refused(true, 216, &[0x80, 0, 0, 1]).contains("0x80000000"));
        assert!(refused(true, 100, &[0xB4, 0xA6]).contains("version 6"));
        assert!(refused(false, 100, &[0x94, 0xA4]).contains("version 1 directories"));
        assert!(refused(false, 100, &[0xA4, 0xA4]).contains("unwritten"));
        assert!(refused(false, 100, &[0xB6, 0xA4]).contains("0x200"));
        assert!(refused(false, 200, &[0x10, 0, 0, 0]).contains("0x10000000"));
        let mut image = Image::new(true);
        image.superblock(216, &[0, 0, 0, 0x11]);
        let filesystem = image.open().unwrap();
        assert_eq!(filesystem.info().health, Health::Errors);
        assert!(filesystem.problems()[0].to_string().contains("xfs_repair"));
        let mut image = Image::new(true);
        // Other metadata than the first superblock carries another UUID.
        image.superblock(248, &crate::xfs::testing::UUID);
        image.superblock(216, &[0, 0, 0, 5]);
        image.superblock(32, &[9; 16]);
        let filesystem = image.open().unwrap();
        assert!(filesystem.metadata(filesystem.root()).is_ok());
        assert!(filesystem.info().features.iter().any(|name| name == "meta_uuid"));
        assert_eq!(filesystem.info().uuid.as_deref(), Some("09090909-0909-0909-0909-090909090909"));
    }
}
