//! Finding a backup of a damaged superblock.

use fathom_block::{Fields, ReadAt, read_array};

use super::superblock::{PRIMARY, SIZE, Superblock};

/// A usable copy of the superblock: where the damaged one says that the second group starts, or
/// where mke2fs puts the first copy by default.
pub(super) fn find(volume: &dyn ReadAt) -> Option<Superblock> {
    let own = hinted(volume);
    // Groups are as large as one block of bitmap allows, and 65528 blocks at the most.
    let usual = (0..=6).map(|log: u32| {
        let block_size = 1024_u64 << log;
        let per_group = (8 * block_size).min(65528);
        (block_size, per_group + u64::from(block_size == 1024))
    });
    own.into_iter()
        .chain(usual)
        .map(|(block_size, block)| (block_size, block.saturating_mul(block_size)))
        .filter(|(_, offset)| offset.saturating_add(SIZE as u64) <= volume.len())
        .find_map(|(block_size, offset)| {
            let copy = Superblock::read(volume, offset).ok()?;
            // What happens to look like a superblock inside a file has other ideas of its place.
            let fits = u64::from(copy.block_size) == block_size
                && copy.offset(copy.group_start(1)) == offset
                && copy.block_group_nr == 1;
            fits.then_some(copy)
        })
}

/// The block size, and where the second group starts, as the damaged superblock has it.
fn hinted(volume: &dyn ReadAt) -> Option<(u64, u64)> {
    let bytes = read_array::<SIZE>(volume, "ext superblock", PRIMARY).ok()?;
    let fields = Fields::new("ext superblock", PRIMARY, &bytes);
    let log = fields.le_u32(0x18).ok().filter(|log| *log <= 6)?;
    let first = fields.le_u32(0x14).ok()?;
    let per_group = fields.le_u32(0x20).ok()?;
    Some((1024 << log, u64::from(first) + u64::from(per_group)))
}
