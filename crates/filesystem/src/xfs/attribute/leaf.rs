//! Attributes in leaf blocks (`xfs_attr_leafblock`).

use std::collections::HashSet;

use fathom_block::{Fields, Result};

use super::{Found, MAX_VALUE, remote};
use crate::xfs::blocks::Blocks;
use crate::xfs::bmap::Mapping;
use crate::xfs::inode::Inode;
use crate::xfs::tree::HashTree;

/// `XFS_ATTR_LEAF_MAGIC` and `XFS_ATTR3_LEAF_MAGIC`.
const LEAVES: [u16; 2] = [0xFBEE; 2];
const LEAVES_V5: [u16; 2] = [0x3BEE; 2];

/// The value lies beside the name; else in blocks of its own.
const LOCAL: u8 = 0x01;

/// Adds all attributes of the fork.
pub(super) fn all(
    blocks: &Blocks,
    inode: &Inode,
    map: &[Mapping],
    found: &mut Found<'_>,
) -> Result<()> {
    let what = found.what;
    let tree = HashTree {
        blocks,
        what,
        owner: inode.number,
        map,
        root: 0,
        span: 1,
        leaves: LEAVES,
        leaves_v5: LEAVES_V5,
    };
    // No hash value is below zero: this is the leftmost leaf.
    let mut leaf = tree.find(0)?;
    let mut seen = HashSet::from([0]);
    loop {
        let fields = Fields::new(what, leaf.at, &leaf.bytes);
        entries(blocks, inode, map, leaf.at, &fields, found)?;
        if leaf.next == 0 {
            return Ok(());
        }
        if !seen.insert(leaf.next) {
            return Err(fields.corrupt(0, "the leaves follow each other in a circle"));
        }
        leaf = tree.next(leaf.next)?;
    }
}

/// Adds the attributes of one leaf.
fn entries(
    blocks: &Blocks,
    inode: &Inode,
    map: &[Mapping],
    at: u64,
    fields: &Fields<'_>,
    found: &mut Found<'_>,
) -> Result<()> {
    let (counts, start) = if blocks.crc() { (56, 80) } else { (12, 32) };
    let count = usize::from(fields.be_u16(counts)?);
    if start + count * 8 > fields.len() {
        return Err(fields.corrupt(counts, format!("{count} entries do not fit")));
    }
    for entry in (0..count).map(|index| start + index * 8) {
        let name_at = usize::from(fields.be_u16(entry + 4)?);
        let flags = fields.u8(entry + 6)?;
        if !Found::is_shown(flags) {
            continue;
        }
        if name_at < start + count * 8 {
            return Err(fields.corrupt(entry + 4, "the name lies among the entries"));
        }
        let place = at + name_at as u64;
        if flags & LOCAL != 0 {
            let length = usize::from(fields.be_u16(name_at)?);
            let name = fields.bytes(name_at + 3, fields.u8(name_at + 2)?.into())?;
            let value = fields.bytes(name_at + 3 + name.len(), length)?;
            found.add(place, flags, name, value)?;
            continue;
        }
        let (block, length) = (fields.be_u32(name_at)?, fields.be_u32(name_at + 4)? as usize);
        let name = fields.bytes(name_at + 9, fields.u8(name_at + 8)?.into())?;
        if length > MAX_VALUE {
            return Err(fields.corrupt(name_at + 4, format!("a value of {length} bytes")));
        }
        let value = remote::value(blocks, found.what, inode.number, map, block.into(), length)?;
        found.add(place, flags, name, &value)?;
    }
    Ok(())
}
