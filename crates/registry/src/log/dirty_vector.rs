//! The old format of a log: a bitmap `DIRT` of the sectors that changed, and then the sectors.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_array, read_vec};

use super::MAX_REPLAYED;
use crate::base_block::{ALIGNMENT, COPY, LENGTH};
use crate::patched::{Patched, SECTOR};

const WHAT: &str = "bitmap of a transaction log";

/// Replays a log of a hive whose bins are `bins_size` long. A log that lacks any of its sectors is
/// not replayed at all.
pub(super) fn replay(log: &Arc<dyn ReadAt>, bins_size: u32, hive: &mut Patched) -> Result<()> {
    if read_array::<4>(log, WHAT, COPY)? != *b"DIRT" {
        return Err(Error::corrupt(WHAT, COPY, "it does not start with \"DIRT\""));
    }
    // A bit a sector.
    let length = u64::from(bins_size / ALIGNMENT);
    let bitmap = read_vec(log, WHAT, COPY + 4, length)?;
    let count: u64 = bitmap.iter().map(|byte| u64::from(byte.count_ones())).sum();
    if count * SECTOR > MAX_REPLAYED {
        let why = format!("more than {MAX_REPLAYED} bytes are not replayed");
        return Err(Error::unsupported(WHAT, why).at(COPY));
    }
    let start = (COPY + 4 + length).next_multiple_of(SECTOR);
    let end = start + count * SECTOR;
    if end > log.len() {
        return Err(Error::truncated("transaction log", log.len(), end));
    }
    let number = hive.add_log(log.clone());
    let mut at = start;
    for (byte, sectors) in (0..).zip(&bitmap) {
        for bit in (0..8).filter(|bit| sectors >> bit & 1 == 1) {
            hive.replace(LENGTH + (byte * 8 + bit) * SECTOR, number, at, SECTOR);
            at += SECTOR;
        }
    }
    Ok(())
}
