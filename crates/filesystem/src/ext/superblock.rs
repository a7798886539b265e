//! The superblock: 1024 bytes at byte 1024, and copies at the start of some block groups.
//!
//! The primary copy is the truth. Where it has been damaged, a backup has the same geometry, but
//! what changes in daily use (counts, the state, whether the journal needs a replay) is old there.

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

use super::checksum::crc32c;
use super::features::Features;

/// Where the primary superblock is.
pub(super) const PRIMARY: u64 = 1024;

/// How many bytes a superblock has.
pub(super) const SIZE: usize = 1024;

/// `s_magic`.
pub(super) const MAGIC: u16 = 0xEF53;

const S_CHECKSUM: usize = 0x3FC;

/// What a reader needs of a superblock.
#[derive(Clone, Debug)]
pub(super) struct Superblock {
    pub(super) features: Features,
    pub(super) inodes_count: u32,
    pub(super) blocks_count: u64,
    pub(super) free_blocks_count: u64,
    pub(super) first_data_block: u32,
    pub(super) block_size: u32,
    pub(super) cluster_size: u32,
    pub(super) blocks_per_group: u32,
    pub(super) inodes_per_group: u32,
    pub(super) inode_size: u16,
    /// The first inode that is not reserved.
    pub(super) first_ino: u32,
    pub(super) desc_size: u16,
    pub(super) groups: u32,
    pub(super) first_meta_bg: u32,
    pub(super) backup_bgs: [u32; 2],
    pub(super) uuid: [u8; 16],
    pub(super) volume_name: Vec<u8>,
    pub(super) journal_inum: u32,
    pub(super) jnl_blocks: Option<[u8; 68]>,
    pub(super) hash_seed: [u32; 4],
    pub(super) hash_unsigned: bool,
    pub(super) mmp_block: u64,
    /// Where the chain of metadata checksums starts.
    pub(super) csum_seed: u32,
    /// Unmounted in order, as far as a filesystem without a journal knows.
    pub(super) valid: bool,
    /// The kernel or e2fsck has recorded errors.
    pub(super) errors: bool,
    /// Made by GNU/Hurd, which keeps other things in places where Linux keeps its own.
    pub(super) hurd: bool,
    /// Made by Linux: the only creator whose inodes have checksums.
    pub(super) linux: bool,
    /// Which group this copy says it lies in.
    pub(super) block_group_nr: u16,
}

impl Superblock {
    /// Reads the copy at `offset`.
    pub(super) fn read(volume: &dyn ReadAt, offset: u64) -> Result<Self> {
        let bytes = read_array::<SIZE>(volume, "ext superblock", offset)?;
        Self::parse(&Fields::new("ext superblock", offset, &bytes))
    }

    /// Understands one copy.
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self> {
        let s_magic = fields.le_u16(0x38)?;
        if s_magic != MAGIC {
            return Err(fields.corrupt(0x38, format!("s_magic is {s_magic:#x}, not {MAGIC:#x}")));
        }
        let features = Features {
            s_feature_compat: fields.le_u32(0x5C)?,
            s_feature_incompat: fields.le_u32(0x60)?,
            s_feature_ro_compat: fields.le_u32(0x64)?,
        };
        // Revision 0 knows no features; the bytes they are in mean nothing there.
        let s_rev_level = fields.le_u32(0x4C)?;
        let features = if s_rev_level == 0 { Features::default() } else { features };
        if features.metadata_csum() {
            check_checksum(fields)?;
        }
        features.check()?;

        let block_size = block_size(fields)?;
        let bits = |at, low: u32| -> Result<u64> {
            let high = if features.bit64() { fields.le_u32(at)? } else { 0 };
            Ok(u64::from(high) << 32 | u64::from(low))
        };
        let blocks_count = bits(0x150, fields.le_u32(0x4)?)?;
        let free_blocks_count = bits(0x158, fields.le_u32(0xC)?)?;
        let first_data_block = fields.le_u32(0x14)?;
        let blocks_per_group = fields.le_u32(0x20)?;
        let inodes_per_group = fields.le_u32(0x28)?;
        if blocks_per_group == 0 {
            return Err(fields.corrupt(0x20, "s_blocks_per_group is 0"));
        }
        if inodes_per_group == 0 || inodes_per_group > 8 * block_size {
            let why = format!("s_inodes_per_group is {inodes_per_group}; a bitmap has one block");
            return Err(fields.corrupt(0x28, why));
        }
        if u64::from(first_data_block) >= blocks_count {
            let why = format!("s_first_data_block is {first_data_block} of {blocks_count} blocks");
            return Err(fields.corrupt(0x14, why));
        }
        let groups = (blocks_count - u64::from(first_data_block))
            .div_ceil(u64::from(blocks_per_group))
            .try_into()
            .map_err(|_| fields.corrupt(0x4, format!("{blocks_count} blocks are too many")))?;

        let cluster_size = match features.bigalloc() {
            true => match fields.le_u32(0x1C)? {
                log @ 0..=20 if 1024 << log >= block_size => 1024 << log,
                log => return Err(fields.corrupt(0x1C, format!("s_log_cluster_size is {log}"))),
            },
            false => block_size,
        };
        let csum_seed = match features.csum_seed() {
            true => fields.le_u32(0x270)?,
            false => crc32c(!0, fields.bytes(0x68, 16)?),
        };
        let s_state = fields.le_u16(0x3A)?;
        let s_creator_os = fields.le_u32(0x48)?;
        let mut hash_seed = [0; 4];
        for (index, word) in hash_seed.iter_mut().enumerate() {
            *word = fields.le_u32(0xEC + 4 * index)?;
        }
        let name = fields.bytes(0x78, 16)?;
        let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        Ok(Self {
            inodes_count: fields.le_u32(0x0)?,
            blocks_count,
            free_blocks_count,
            first_data_block,
            block_size,
            cluster_size,
            blocks_per_group,
            inodes_per_group,
            inode_size: inode_size(fields, s_rev_level, block_size)?,
            first_ino: if s_rev_level == 0 { 11 } else { fields.le_u32(0x54)? },
            desc_size: desc_size(fields, &features)?,
            groups,
            first_meta_bg: fields.le_u32(0x104)?,
            backup_bgs: [fields.le_u32(0x24C)?, fields.le_u32(0x250)?],
            uuid: fields.array(0x68)?,
            volume_name: name[..length].to_vec(),
            journal_inum: fields.le_u32(0xE0)?,
            jnl_blocks: match fields.u8(0xFD)? {
                1 => Some(fields.array(0x10C)?),
                _ => None,
            },
            hash_seed,
            // Flag 1 says that `char` was signed where the hashes were made, flag 2 that it was
            // not; neither is set before a kernel has mounted it, and all that we meet are signed.
            hash_unsigned: fields.le_u32(0x160)? & 2 != 0,
            mmp_block: fields.le_u64(0x168)?,
            csum_seed,
            valid: s_state & 1 != 0,
            errors: s_state & 2 != 0 || fields.le_u32(0x194)? != 0,
            hurd: s_creator_os == 1,
            linux: s_creator_os == 0,
            block_group_nr: fields.le_u16(0x5A)?,
            features,
        })
    }

    /// The first block of a group.
    pub(super) fn group_start(&self, group: u32) -> u64 {
        u64::from(self.first_data_block) + u64::from(group) * u64::from(self.blocks_per_group)
    }

    /// Whether the group starts with a copy of the superblock.
    pub(super) fn group_has_super(&self, group: u32) -> bool {
        let power_of = |base: u32| {
            let powers = std::iter::successors(Some(base), |power| power.checked_mul(base));
            powers.take_while(|power| *power <= group).any(|power| power == group)
        };
        if group == 0 {
            true
        } else if self.features.sparse_super2() {
            self.backup_bgs.contains(&group)
        } else if group == 1 || !self.features.sparse_super() {
            true
        } else {
            group % 2 == 1 && (power_of(3) || power_of(5) || power_of(7))
        }
    }

    /// The byte offset of a block.
    pub(super) fn offset(&self, block: u64) -> u64 {
        block.saturating_mul(u64::from(self.block_size))
    }
}

fn check_checksum(fields: &Fields<'_>) -> Result<()> {
    let s_checksum_type = fields.u8(0x175)?;
    if s_checksum_type != 1 {
        let why = format!("type {s_checksum_type} is not crc32c");
        return Err(Error::unsupported("ext metadata checksum", why));
    }
    let (stored, computed) = (fields.le_u32(S_CHECKSUM)?, crc32c(!0, fields.bytes(0, S_CHECKSUM)?));
    if stored != computed {
        let why = format!("its checksum is {stored:#010x}, but its bytes give {computed:#010x}");
        return Err(fields.corrupt(S_CHECKSUM, why));
    }
    Ok(())
}

fn block_size(fields: &Fields<'_>) -> Result<u32> {
    match fields.le_u32(0x18)? {
        log @ 0..=6 => Ok(1024 << log),
        log => {
            let why = format!("s_log_block_size is {log}; blocks have at most 64 KiB");
            Err(fields.corrupt(0x18, why))
        }
    }
}

fn inode_size(fields: &Fields<'_>, s_rev_level: u32, block_size: u32) -> Result<u16> {
    if s_rev_level == 0 {
        return Ok(128);
    }
    let s_inode_size = fields.le_u16(0x58)?;
    if s_inode_size < 128 || !s_inode_size.is_power_of_two() || u32::from(s_inode_size) > block_size
    {
        return Err(fields.corrupt(0x58, format!("s_inode_size is {s_inode_size}")));
    }
    Ok(s_inode_size)
}

fn desc_size(fields: &Fields<'_>, features: &Features) -> Result<u16> {
    if !features.bit64() {
        return Ok(32);
    }
    match fields.le_u16(0xFE)? {
        size @ 64..=1024 if size.is_power_of_two() => Ok(size),
        size => Err(fields.corrupt(0xFE, format!("s_desc_size is {size}, with 64bit"))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A superblock of a filesystem with 1 KiB blocks in two groups, without any feature.
    pub(in super::super) fn plain() -> Vec<u8> {
        let mut bytes = vec![0; SIZE];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0x0, &64_u32.to_le_bytes());
        put(0x4, &16000_u32.to_le_bytes());
        put(0x14, &1_u32.to_le_bytes());
        put(0x20, &8192_u32.to_le_bytes());
        put(0x28, &32_u32.to_le_bytes());
        put(0x38, &MAGIC.to_le_bytes());
        put(0x3A, &1_u16.to_le_bytes());
        put(0x4C, &1_u32.to_le_bytes());
        put(0x58, &128_u16.to_le_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Superblock> {
        Superblock::parse(&Fields::new("ext superblock", PRIMARY, bytes))
    }

    fn with(changes: &[(usize, u32)]) -> Vec<u8> {
        let mut bytes = plain();
        for (at, value) in changes {
            bytes[*at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn geometry() {
        let superblock = parse(&plain()).unwrap();
        assert_eq!(
            (superblock.groups, superblock.block_size, superblock.inode_size),
            (2, 1024, 128)
        );
        assert_eq!(superblock.group_start(1), 8193);
        assert!(superblock.valid && !superblock.errors && superblock.linux);
    }

    #[test]
    fn nonsense_is_refused_with_its_place() {
        let places: [(usize, u32); 7] = [
            (0x18, 7),
            (0x18, u32::MAX),
            (0x20, 0),
            (0x28, 0),
            (0x28, 8193),
            (0x14, 16000),
            (0x58, 192),
        ];
        for (at, value) in places {
            let error = parse(&with(&[(at, value)])).unwrap_err();
            assert_eq!(error.offset(), Some(PRIMARY + at as u64), "{error}");
        }
        assert!(parse(&with(&[(0x60, 0x80)])).unwrap_err().to_string().contains("s_desc_size"));
        assert!(parse(&plain()[..500]).is_err());
    }

    #[test]
    fn a_checksum_that_fails_is_damage() {
        let mut bytes = with(&[(0x64, 0x400)]);
        assert!(parse(&bytes).unwrap_err().to_string().contains("type 0"));
        bytes[0x175] = 1;
        assert!(parse(&bytes).unwrap_err().to_string().contains("checksum"));
        let sum = crc32c(!0, &bytes[..S_CHECKSUM]);
        bytes[S_CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
        parse(&bytes).unwrap();
    }

    #[test]
    fn revision_0_has_no_features_and_small_inodes() {
        let superblock = parse(&with(&[(0x4C, 0), (0x58, 0), (0x60, 0x8000_0000)])).unwrap();
        assert_eq!(superblock.inode_size, 128);
        assert_eq!(superblock.features, Features::default());
    }

    #[test]
    fn which_groups_have_copies() {
        let groups = |superblock: &Superblock| -> Vec<u32> {
            (0..60).filter(|group| superblock.group_has_super(*group)).collect()
        };
        let all = parse(&plain()).unwrap();
        assert_eq!(groups(&all).len(), 60);
        let sparse = parse(&with(&[(0x64, 1)])).unwrap();
        assert_eq!(groups(&sparse), [0, 1, 3, 5, 7, 9, 25, 27, 49]);
        assert!(!sparse.group_has_super(u32::MAX));
        let two = parse(&with(&[(0x5C, 0x200), (0x24C, 1), (0x250, 41), (0x64, 1)])).unwrap();
        assert_eq!(groups(&two), [0, 1, 41]);
    }
}
