//! The short form: entries in the inode (`xfs_dir2_sf_hdr`).

use std::ops::ControlFlow;

use fathom_block::{Fields, Result};

use super::data::Entry;
use crate::xfs::blocks::Blocks;
use crate::xfs::inode::Inode;

/// Hands every entry to `visit`; what breaks the chain of entries is handed over last.
pub(super) fn each(
    blocks: &Blocks,
    inode: &Inode,
    what: &str,
    visit: &mut dyn FnMut(Result<Entry<'_>>) -> ControlFlow<()>,
) {
    let (at, bytes) = match inode.local(what) {
        Ok(local) => local,
        Err(error) => {
            let _ = visit(Err(error));
            return;
        }
    };
    let fields = Fields::new(what, at, bytes);
    let ftype = blocks.superblock.features.ftype;
    let (count, wide) = match fields.array::<2>(0) {
        Ok([count, wide]) => (count, wide > 0),
        Err(error) => {
            let _ = visit(Err(error));
            return;
        }
    };
    // The header ends with the number of the parent.
    let mut offset = if wide { 10 } else { 6 };
    for _ in 0..count {
        match entry(&fields, at, offset, wide, ftype) {
            Ok((entry, next)) => {
                if visit(Ok(entry)).is_break() {
                    return;
                }
                offset = next;
            }
            Err(error) => {
                let _ = visit(Err(error));
                return;
            }
        }
    }
}

/// The entry at `offset`, and where the next one starts. With `wide` inode numbers have eight
/// bytes, else four.
fn entry<'a>(
    fields: &Fields<'a>,
    base: u64,
    offset: usize,
    wide: bool,
    ftype: bool,
) -> Result<(Entry<'a>, usize)> {
    let length = usize::from(fields.u8(offset)?);
    // Between the length and the name lies where the entry would lie in a block.
    let name = fields.bytes(offset + 3, length)?;
    let mut at = offset + 3 + length;
    let kind = if ftype { fields.u8(at)? } else { 0 };
    at += usize::from(ftype);
    let (number, next) =
        if wide { (fields.be_u64(at)?, at + 8) } else { (fields.be_u32(at)?.into(), at + 4) };
    Ok((Entry { at: base + offset as u64, number, name, ftype: kind }, next))
}
