//! Multiple mount protection: a block in which whoever mounts the filesystem leaves its name.
//!
//! A reader does not mind who else has mounted it; but a block with a wrong checksum is damage
//! worth telling.

use fathom_block::{Fields, Result};

use super::checksum::crc32c;
use super::store::Store;

const WHAT: &str = "ext multiple mount protection";

/// `mmp_magic`: "MMP".
const MAGIC: u32 = 0x004D_4D50;

/// Where the checksum is, at the end of the structure.
const MMP_CHECKSUM: usize = 1020;

/// Fails unless the block is as it should be, where there is one.
pub(super) fn check(store: &Store) -> Result<()> {
    let superblock = &store.superblock;
    if !superblock.features.mmp() {
        return Ok(());
    }
    let bytes = store.block(WHAT, superblock.mmp_block)?;
    let fields = Fields::new(WHAT, superblock.offset(superblock.mmp_block), &bytes);
    let mmp_magic = fields.le_u32(0)?;
    if mmp_magic != MAGIC {
        return Err(fields.corrupt(0, format!("mmp_magic is {mmp_magic:#x}, not {MAGIC:#x}")));
    }
    if superblock.features.metadata_csum() {
        let stored = fields.le_u32(MMP_CHECKSUM)?;
        let computed = crc32c(superblock.csum_seed, fields.bytes(0, MMP_CHECKSUM)?);
        if stored != computed {
            let why =
                format!("its checksum is {stored:#010x}, but its bytes give {computed:#010x}");
            return Err(fields.corrupt(MMP_CHECKSUM, why));
        }
    }
    Ok(())
}
