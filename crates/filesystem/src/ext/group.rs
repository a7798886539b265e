//! Block groups: all that a reader wants of their descriptors is where the inodes are.
//!
//! The descriptors lie in a table behind the superblock; with `meta_bg` the table is cut into
//! blocks, each at the start of the first of the groups it describes. Where a checksum or plain
//! sense says that a descriptor is damaged, a copy of it is used and the damage reported. Where
//! there is no good copy but the place makes sense, it is used in spite of the checksum, as by a
//! kernel that mounts the filesystem for reading: inodes have checksums of their own.

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use super::checksum::{crc16, crc32c};
use super::superblock::Superblock;

/// A group's descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The first block of its part of the inode table.
    pub(super) inode_table: u64,
    /// Free blocks (clusters, with `bigalloc`).
    pub(super) free: u64,
}

/// Reads the descriptor of `group`; with it comes the damage of the primary one, if there is any.
pub(super) fn read(
    volume: &dyn ReadAt,
    superblock: &Superblock,
    group: u32,
) -> Result<(Group, Option<Error>)> {
    let own = primary(superblock, group);
    let damage = match read_at(volume, superblock, group, own, true) {
        Ok(found) => return Ok((found, None)),
        Err(error) => error,
    };
    for block in copies(superblock, group) {
        if let Ok(found) = read_at(volume, superblock, group, block, true) {
            return Ok((found, Some(damage.within("a copy is used instead"))));
        }
    }
    match read_at(volume, superblock, group, own, false) {
        Ok(found) => Ok((found, Some(damage.within("used as it is, for want of a good copy")))),
        Err(_) => Err(damage),
    }
}

/// The bytes with the primary copies of the first `groups` descriptors, where they lie together.
pub(super) fn table(superblock: &Superblock, groups: u32) -> std::ops::Range<u64> {
    let together = match superblock.features.meta_bg() {
        true => superblock.first_meta_bg.saturating_mul(per_block(superblock)),
        false => superblock.groups,
    };
    let length = u64::from(together.min(groups)) * u64::from(superblock.desc_size);
    let start = superblock.offset(primary(superblock, 0));
    start..start.saturating_add(length)
}

fn per_block(superblock: &Superblock) -> u32 {
    (superblock.block_size / u32::from(superblock.desc_size)).max(1)
}

/// Whether the group's descriptor is at the start of its own meta group.
fn is_meta(superblock: &Superblock, group: u32) -> bool {
    superblock.features.meta_bg() && group / per_block(superblock) >= superblock.first_meta_bg
}

/// The block with the primary copy of the descriptor.
fn primary(superblock: &Superblock, group: u32) -> u64 {
    let index = group / per_block(superblock);
    // The superblock's own block: 1 where a block has 1024 bytes, since byte 1024 starts it.
    let own = u64::from(superblock.block_size == 1024);
    if !is_meta(superblock, group) {
        return own + 1 + u64::from(index);
    }
    let first = index * per_block(superblock);
    // `bigalloc` counts from block 0 even where the superblock is in block 1.
    let shift = u64::from(own == 1 && index == 0 && superblock.first_data_block == 0);
    superblock.group_start(first) + u64::from(superblock.group_has_super(first)) + shift
}

/// The blocks with copies of the descriptor.
fn copies(superblock: &Superblock, group: u32) -> Vec<u64> {
    let index = group / per_block(superblock);
    if is_meta(superblock, group) {
        // The second and the last group of a meta group keep copies.
        let first = index.saturating_mul(per_block(superblock));
        let last = first.saturating_add(per_block(superblock) - 1);
        return [first.saturating_add(1), last]
            .into_iter()
            .filter(|holder| *holder < superblock.groups)
            .map(|holder| {
                superblock.group_start(holder) + u64::from(superblock.group_has_super(holder))
            })
            .collect();
    }
    // A few copies are enough: who damaged them all has damaged the rest too.
    const TRIED: usize = 3;
    (1..superblock.groups.min(1 << 16))
        .filter(|holder| superblock.group_has_super(*holder))
        .take(TRIED)
        .map(|holder| superblock.group_start(holder) + 1 + u64::from(index))
        .collect()
}

fn read_at(
    volume: &dyn ReadAt,
    superblock: &Superblock,
    group: u32,
    block: u64,
    verify: bool,
) -> Result<Group> {
    const WHAT: &str = "ext group descriptor";
    let size = u64::from(superblock.desc_size);
    let offset =
        superblock.offset(block).saturating_add(u64::from(group % per_block(superblock)) * size);
    let bytes = read_vec(volume, WHAT, offset, size)?;
    let fields = Fields::new(WHAT, offset, &bytes);
    if verify {
        check_checksum(&fields, superblock, group)?;
    }
    let large = superblock.desc_size >= 64;
    let high = |at| if large { fields.le_u32(at).map(u64::from) } else { Ok(0) };
    let inode_table = high(0x28)? << 32 | u64::from(fields.le_u32(0x8)?);
    let length = (u64::from(superblock.inodes_per_group) * u64::from(superblock.inode_size))
        .div_ceil(u64::from(superblock.block_size));
    let end = inode_table.checked_add(length);
    if inode_table <= u64::from(superblock.first_data_block)
        || end.is_none_or(|end| end > superblock.blocks_count)
    {
        let why = format!(
            "the inode table of group {group} is said to be at block {inode_table} of {}",
            superblock.blocks_count
        );
        return Err(fields.corrupt(0x8, why));
    }
    let free_high = if large { u64::from(fields.le_u16(0x2C)?) } else { 0 };
    Ok(Group { inode_table, free: free_high << 16 | u64::from(fields.le_u16(0xC)?) })
}

fn check_checksum(fields: &Fields<'_>, superblock: &Superblock, group: u32) -> Result<()> {
    const BG_CHECKSUM: usize = 0x1E;
    let features = &superblock.features;
    let before = fields.bytes(0, BG_CHECKSUM)?;
    let after = fields.bytes(BG_CHECKSUM + 2, fields.len().saturating_sub(BG_CHECKSUM + 2))?;
    let number = group.to_le_bytes();
    let computed = if features.metadata_csum() {
        let sum = crc32c(crc32c(superblock.csum_seed, &number), before);
        crc32c(crc32c(sum, &[0; 2]), after) as u16
    } else if features.gdt_csum() {
        let sum = crc16(crc16(!0, &superblock.uuid), &number);
        let sum = crc16(sum, before);
        if features.bit64() { crc16(sum, after) } else { sum }
    } else {
        return Ok(());
    };
    let stored = fields.le_u16(BG_CHECKSUM)?;
    if stored != computed {
        let why = format!(
            "the checksum of group {group} is {stored:#06x}, but its bytes give {computed:#06x}"
        );
        return Err(fields.corrupt(BG_CHECKSUM, why));
    }
    Ok(())
}
