//! Finding a backup of a damaged superblock.

use fathom_block::{ReadAt, read_array};

use super::superblock::{MAGIC, SIZE, Superblock};

/// A usable copy of the superblock. `primary` is where a damaged one lies, whose geometry is tried
/// first; after it the places where mke2fs puts the first copy by default.
pub(super) fn find(volume: &dyn ReadAt, primary: Option<u64>) -> Option<Superblock> {
    let own = primary.and_then(|offset| hinted(volume, offset));
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
fn hinted(volume: &dyn ReadAt, offset: u64) -> Option<(u64, u64)> {
    let bytes = read_array::<SIZE>(volume, "ext superblock", offset).ok()?;
    let fields = fathom_block::Fields::new("ext superblock", offset, &bytes);
    let log = fields.le_u32(0x18).ok().filter(|log| *log <= 6)?;
    let first = fields.le_u32(0x14).ok()?;
    let per_group = fields.le_u32(0x20).ok()?;
    (fields.le_u16(0x38).ok()? == MAGIC)
        .then(|| (1024 << log, u64::from(first) + u64::from(per_group)))
}
