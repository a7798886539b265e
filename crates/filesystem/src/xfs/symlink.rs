//! Where a symbolic link leads: in the inode, or in blocks of its own.

use fathom_block::{Error, Fields, Result};

use super::blocks::{Blocks, REMOTE};
use super::bmap::Mapping;
use super::inode::{Fork, Format, Inode};
use crate::node::FileType;

/// The longest target (`XFS_SYMLINK_MAXLEN`).
const MAX_LENGTH: u64 = 1024;

/// The size of the header that each extent of a version 5 target starts with (`xfs_dsymlink_hdr`).
const HEADER: usize = 56;

/// Reads the target of the link whose data fork lies as `map` says.
pub(super) fn target(blocks: &Blocks, inode: &Inode, map: &[Mapping]) -> Result<Vec<u8>> {
    let what = format!("symbolic link {}", inode.number);
    if inode.file_type != FileType::Symlink {
        return Err(Error::invalid(what, "it is not a symbolic link"));
    }
    if inode.size == 0 || inode.size > MAX_LENGTH {
        let why = format!("its target has {} bytes; 1 to {MAX_LENGTH} are possible", inode.size);
        return Err(Error::corrupt(what, inode.at, why));
    }
    let length = inode.size as usize;
    let target = match inode.fork(Fork::Data) {
        Some((Format::Local, _)) => inode.local(&what)?.1.to_vec(),
        _ => remote(blocks, inode, map, &what, length)?,
    };
    if target.contains(&0) {
        return Err(Error::corrupt(what, inode.at, "its target holds a zero"));
    }
    Ok(target)
}

fn remote(
    blocks: &Blocks,
    inode: &Inode,
    map: &[Mapping],
    what: &str,
    length: usize,
) -> Result<Vec<u8>> {
    let block_log = blocks.superblock.block_log;
    let mut target: Vec<u8> = Vec::with_capacity(length);
    let mut next = 0;
    while target.len() < length {
        let mapping = Mapping::find(map, next)
            .filter(|mapping| mapping.start == next && !mapping.unwritten)
            .ok_or_else(|| Error::corrupt(what, inode.at, "its target has a hole"))?;
        // One extent is one buffer with one header, however many blocks it has; a target never
        // needs more than three of the smallest.
        let count = mapping.count.min(((MAX_LENGTH as usize + HEADER) >> block_log) as u64 + 1);
        let (at, bytes) = blocks.read(what, mapping.block, count)?;
        let fields = Fields::new(what, at, &bytes);
        let header = if blocks.crc() { HEADER } else { 0 };
        let wanted = (bytes.len() - header).min(length - target.len());
        if blocks.crc() {
            if fields.bytes(0, 4)? != b"XSLM" {
                return Err(fields.corrupt(0, "the magic is not that of a link's block"));
            }
            blocks.verify(what, at, &bytes, REMOTE, inode.number)?;
            let (offset, held) = (fields.be_u32(4)? as usize, fields.be_u32(8)? as usize);
            if offset != target.len() || held != wanted {
                let why = format!("it holds {held} bytes from {offset} of the target");
                return Err(fields.corrupt(4, why));
            }
        }
        target.extend_from_slice(fields.bytes(header, wanted)?);
        next += mapping.count;
    }
    Ok(target)
}
