//! Values in blocks of their own.
//!
//! In version 5 every block of a value starts with a header (`xfs_attr3_rmt_hdr`) and has its own
//! checksum; in version 4 the bytes stand alone.

use fathom_block::{Fields, Result};

use crate::xfs::blocks::{Blocks, REMOTE};
use crate::xfs::bmap::Mapping;

/// The size of the header.
const HEADER: usize = 56;

/// Reads the value of `length` bytes that starts at block `logical` of the attribute fork.
pub(super) fn value(
    blocks: &Blocks,
    what: &str,
    owner: u64,
    map: &[Mapping],
    logical: u64,
    length: usize,
) -> Result<Vec<u8>> {
    let size = blocks.superblock.block_size() as usize;
    if !blocks.crc() {
        let count = length.div_ceil(size) as u64;
        let (_, mut bytes) = blocks.read_mapped(what, map, logical, count)?;
        bytes.truncate(length);
        return Ok(bytes);
    }
    let mut value = Vec::with_capacity(length);
    let mut next = logical;
    while value.len() < length {
        let (at, bytes) = blocks.read_mapped(what, map, next, 1)?;
        let fields = Fields::new(what, at, &bytes);
        if fields.bytes(0, 4)? != b"XARM" {
            return Err(fields.corrupt(0, "the magic is not that of a value's block"));
        }
        blocks.verify(what, at, &bytes, REMOTE, owner)?;
        let wanted = (size - HEADER).min(length - value.len());
        let (offset, held) = (fields.be_u32(4)? as usize, fields.be_u32(8)? as usize);
        if offset != value.len() || held != wanted {
            let why = format!(
                "it holds {held} bytes from {offset} of the value, not {wanted} from {}",
                value.len()
            );
            return Err(fields.corrupt(4, why));
        }
        value.extend_from_slice(fields.bytes(HEADER, wanted)?);
        next += 1;
    }
    Ok(value)
}
