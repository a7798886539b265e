//! The short form: attributes in the inode (`xfs_attr_sf_hdr`).

use fathom_block::{Fields, Result};

use super::Found;
use crate::xfs::inode::{Fork, Inode};

/// Adds all of them.
pub(super) fn all(inode: &Inode, found: &mut Found<'_>) -> Result<()> {
    let (base, bytes) = inode.fork_bytes(Fork::Attributes);
    let fork = Fields::new(found.what, base, bytes);
    let size = usize::from(fork.be_u16(0)?);
    if size < 4 || size > fork.len() {
        let why = format!("{size} bytes of attributes in a fork of {}", fork.len());
        return Err(fork.corrupt(0, why));
    }
    let fields = fork.part(found.what, 0, size)?;
    let mut offset = 4;
    for _ in 0..fields.u8(2)? {
        let (name_length, value_length) = (fields.u8(offset)?, fields.u8(offset + 1)?);
        let flags = fields.u8(offset + 2)?;
        let name = fields.bytes(offset + 3, name_length.into())?;
        let value = fields.bytes(offset + 3 + name.len(), value_length.into())?;
        if Found::is_shown(flags) {
            found.add(base + offset as u64, flags, name, value)?;
        }
        offset += 3 + name.len() + value.len();
    }
    Ok(())
}
