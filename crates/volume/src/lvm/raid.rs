//! The superblock that the kernel's `dm-raid` keeps on the metadata volume of every image of a RAID
//! volume (`struct dm_raid_superblock` in `drivers/md/dm-raid.c`): which image is up to date.

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

const MAGIC: u32 = 0x6452_6D44;

/// The fields from `flags` on are valid.
const FEATURE_FLAG_SUPPORTS_V190: u32 = 1;

/// How many images can be marked as failed in the one word that is read here.
const MAX_IMAGES: usize = 64;

/// What a superblock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Superblock {
    /// Which image it belongs to.
    pub(super) array_position: u32,
    /// Grows with every change of state.
    pub(super) events: u64,
    /// One bit for each image.
    pub(super) failed_devices: u64,
    /// How far this image has been rebuilt; the largest number where it is complete.
    pub(super) disk_recovery_offset: u64,
}

/// Reads the superblock at the start of a metadata volume; `None` where the array has never been
/// started.
pub(super) fn read(meta: &dyn ReadAt) -> Result<Option<Superblock>> {
    let bytes: [u8; 120] = read_array(meta, "RAID superblock", 0)?;
    let fields = Fields::new("RAID superblock", 0, &bytes);
    if fields.le_u32(0)? != MAGIC {
        return Ok(None);
    }
    let features = fields.le_u32(4)?;
    if features & !FEATURE_FLAG_SUPPORTS_V190 != 0 {
        let why = format!("the features {features:#x} are not known");
        return Err(Error::unsupported("RAID superblock", why));
    }
    let level = fields.le_u32(48)?;
    if level != 1 {
        return Err(fields.corrupt(48, format!("level {level} on an image of a mirror")));
    }
    let (flags, data_offset) = (fields.le_u32(60)?, fields.le_u64(96)?);
    if features & FEATURE_FLAG_SUPPORTS_V190 != 0 && (flags != 0 || data_offset != 0) {
        return Err(Error::unsupported("RAID superblock", "the volume is being reshaped"));
    }
    Ok(Some(Superblock {
        array_position: fields.le_u32(12)?,
        events: fields.le_u64(16)?,
        failed_devices: fields.le_u64(24)?,
        disk_recovery_offset: fields.le_u64(32)?,
    }))
}

/// The first image that holds everything that was ever written to the mirror. `None` stands for an
/// image that is not there or must not be used. An image that dropped out keeps an old superblock,
/// so only those with the most events are believed, and only they say who failed.
pub(super) fn choose(images: &[Option<Superblock>]) -> Option<usize> {
    let newest = images.iter().flatten().map(|image| image.events).max()?;
    let current = || images.iter().flatten().filter(|image| image.events == newest);
    let failed = current().fold(0, |failed, image| failed | image.failed_devices);
    images.iter().take(MAX_IMAGES).enumerate().position(|(index, image)| {
        image.is_some_and(|image| {
            image.events == newest
                && image.array_position as usize == index
                && image.disk_recovery_offset == u64::MAX
                && failed & (1 << index) == 0
        })
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A superblock of image `position`.
    pub(in super::super) fn superblock(position: u32, events: u64, failed: u64) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        bytes[..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[8..12].copy_from_slice(&2_u32.to_le_bytes());
        bytes[12..16].copy_from_slice(&position.to_le_bytes());
        bytes[16..24].copy_from_slice(&events.to_le_bytes());
        bytes[24..32].copy_from_slice(&failed.to_le_bytes());
        bytes[32..40].fill(0xFF);
        bytes[48..52].copy_from_slice(&1_u32.to_le_bytes());
        bytes
    }

    fn image(position: u32, events: u64, failed: u64) -> Option<Superblock> {
        read(&superblock(position, events, failed)).unwrap()
    }

    #[test]
    fn the_first_image_that_is_up_to_date_is_chosen() {
        assert_eq!(choose(&[image(0, 5, 0), image(1, 5, 0)]), Some(0));
        assert_eq!(choose(&[image(0, 4, 0), image(1, 5, 0)]), Some(1), "the first dropped out");
        assert_eq!(choose(&[image(0, 5, 1), image(1, 5, 1)]), Some(1), "the first failed");
        assert_eq!(choose(&[None, image(1, 5, 0)]), Some(1));
        assert_eq!(choose(&[image(1, 5, 0), image(0, 5, 0)]), None, "they were swapped");
        assert_eq!(choose(&[None, None]), None);
        let mut rebuilding = image(0, 5, 0);
        rebuilding.as_mut().unwrap().disk_recovery_offset = 77;
        assert_eq!(choose(&[rebuilding, image(1, 5, 0)]), Some(1));
    }

    #[test]
    fn what_is_not_a_finished_mirror_is_refused() {
        assert_eq!(read(&vec![0; 4096]).unwrap(), None);
        assert!(read(&vec![0; 100]).is_err());
        for (at, value) in [(48, 5), (4, 2)] {
            let mut bytes = superblock(0, 1, 0);
            bytes[at] = value;
            assert!(read(&bytes).is_err(), "{at}");
        }
        for at in [60, 96] {
            let mut bytes = superblock(0, 1, 0);
            bytes[at] = 1;
            assert!(read(&bytes).unwrap().is_some());
            bytes[4] = 1;
            assert!(read(&bytes).is_err(), "{at}");
        }
    }
}
