//! The index over a directory: pairs of hash value and address, sorted by hash value.

use std::collections::HashSet;
use std::ops::ControlFlow;

use fathom_block::{Fields, Result};

use super::name::Search;
use super::{Directory, LEAF_OFFSET};
use crate::xfs::tree::{HashTree, first_not_below};

/// `XFS_DIR2_LEAF1_MAGIC` and `XFS_DIR2_LEAFN_MAGIC`, without and with checksums.
const LEAVES: [u16; 2] = [0xD2F1, 0xD2FF];
const LEAVES_V5: [u16; 2] = [0x3DF1, 0x3DFF];

/// Addresses count in this many bytes.
const UNIT: u64 = 8;

/// Looks a name up in a directory that is one block with its own index.
pub(super) fn in_block(directory: &Directory<'_>, name: &[u8]) -> Result<Option<u64>> {
    let mut search = Search::new(directory.blocks, name);
    let block = directory.block(0)?;
    let (fields, at, count) = block.index(&directory.what)?;
    let _ = candidates(directory, &fields, at, count, &mut search)?;
    Ok(search.found())
}

/// Looks a name up in the leaves of a larger directory.
pub(super) fn in_leaves(directory: &Directory<'_>, name: &[u8]) -> Result<Option<u64>> {
    let mut search = Search::new(directory.blocks, name);
    let blocks = directory.blocks;
    let tree = HashTree {
        blocks,
        what: &directory.what,
        owner: directory.inode.number,
        map: directory.map,
        root: LEAF_OFFSET >> blocks.superblock.block_log,
        span: directory.span(),
        leaves: LEAVES,
        leaves_v5: LEAVES_V5,
    };
    let mut leaf = tree.find(search.hash)?;
    let mut seen = HashSet::new();
    loop {
        let fields = Fields::new(&directory.what, leaf.at, &leaf.bytes);
        let (counts, entries) = if blocks.crc() { (56, 64) } else { (12, 16) };
        let count = usize::from(fields.be_u16(counts)?);
        if entries + count * 8 > fields.len() {
            return Err(fields.corrupt(counts, format!("{count} entries do not fit")));
        }
        let more = candidates(directory, &fields, entries, count, &mut search)?;
        if more.is_break() || leaf.next == 0 {
            return Ok(search.found());
        }
        if !seen.insert(leaf.next) {
            return Err(fields.corrupt(0, "the leaves of the index follow each other in a circle"));
        }
        leaf = tree.next(leaf.next)?;
    }
}

/// Tries every entry with the hash value; breaks unless those of the next leaf must be tried too.
fn candidates(
    directory: &Directory<'_>,
    fields: &Fields<'_>,
    at: usize,
    count: usize,
    search: &mut Search<'_>,
) -> Result<ControlFlow<()>> {
    let span = directory.blocks.superblock.dir_block_size() as u64;
    for index in first_not_below(fields, at, count, search.hash)?..count {
        if fields.be_u32(at + index * 8)? != search.hash {
            return Ok(ControlFlow::Break(()));
        }
        let address = u64::from(fields.be_u32(at + index * 8 + 4)?) * UNIT;
        if address == 0 {
            // Removed since.
            continue;
        }
        let logical = (address / span) << directory.blocks.superblock.dir_block_log;
        let block = directory.block(logical)?;
        let (entry, _) = block.entry(&directory.what, (address % span) as usize)?;
        if search.take(&entry).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
