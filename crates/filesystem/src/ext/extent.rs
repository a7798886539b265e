//! The extent tree of ext4.
//!
//! A node is a header and entries of twelve bytes: in a leaf they map runs of blocks, above it they
//! name children by the first block of the file that each is for. The root has room for four
//! entries in the inode; the other nodes fill a block each and end with a checksum.
//!
//! A child may only map blocks of the file that its parent's entry is for. So no node can appear
//! twice, and no tree is larger than its volume, whatever the nodes say.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use fathom_block::{Error, Fields, Result};

use super::checksum::crc32c;
use super::inode::Inode;
use super::store::Store;
use super::tree::{MAX_BLOCKS, Node, Run, Visit};

const WHAT: &str = "ext extent tree";

/// `eh_magic`.
pub(super) const MAGIC: u16 = 0xF30A;

/// The deepest tree: with four children a node it holds 2^32 blocks.
const MAX_DEPTH: u16 = 5;

const HEADER: usize = 12;
const ENTRY: usize = 12;

/// The longest written extent; larger numbers mean unwritten ones.
const MAX_WRITTEN: u16 = 32768;

/// Shows the runs of the file from `blocks.start` on, until it breaks off or `blocks` ends.
pub(super) fn visit(
    store: &Store,
    inode: &Inode,
    blocks: &Range<u64>,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>> {
    let root = inode.i_block()?;
    let depth = header(&root)?;
    if depth > MAX_DEPTH {
        let why = format!("eh_depth is {depth}; no tree is deeper than {MAX_DEPTH}");
        return Err(root.corrupt(6, why));
    }
    let node = decode(store, &root, depth)?;
    descend(store, inode, &node, 0..MAX_BLOCKS, depth, blocks, visit)
}

/// Shows what is beneath `node`, which is for the blocks `own` of the file and has `depth` levels
/// of nodes beneath it: at most [`MAX_DEPTH`].
fn descend(
    store: &Store,
    inode: &Inode,
    node: &Node,
    own: Range<u64>,
    depth: u16,
    blocks: &Range<u64>,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>> {
    match node {
        Node::Leaf(runs) => {
            let first = runs.partition_point(|run| run.end() <= blocks.start);
            for run in runs.get(first..).unwrap_or_default() {
                if run.logical >= blocks.end || visit(*run).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Node::Index(children) => {
            // The last child that starts at or before the block.
            let after = children.partition_point(|(first, _)| *first <= blocks.start);
            for index in after.saturating_sub(1)..children.len() {
                let (first, place) = children[index];
                if first >= blocks.end {
                    return Ok(ControlFlow::Break(()));
                }
                let next = children.get(index + 1).map_or(own.end, |(next, _)| *next);
                let child = read(store, inode, place, depth - 1, first..next)?;
                if descend(store, inode, &child, first..next, depth - 1, blocks, visit)?.is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Node::Pointers(_) => {}
    }
    Ok(ControlFlow::Continue(()))
}

/// The node in the block `place`, for the blocks `own` of the file.
fn read(
    store: &Store,
    inode: &Inode,
    place: u64,
    depth: u16,
    own: Range<u64>,
) -> Result<Arc<Node>> {
    let offset = store.superblock.offset(place);
    let node = store.nodes.get_or(&(inode.number, place, depth), Node::weight, || {
        let bytes = store.block(WHAT, place)?;
        let fields = Fields::new(WHAT, offset, &bytes);
        let stored_depth = header(&fields)?;
        if stored_depth != depth {
            return Err(fields.corrupt(6, format!("eh_depth is {stored_depth}, not {depth}")));
        }
        check_checksum(store, inode, &fields)?;
        decode(store, &fields, depth)
    })?;
    // Even a node that is known already may be named in a place where it does not belong.
    if let Some(span) = node.span()
        && (span.start < own.start || span.end > own.end)
    {
        let why = format!("it maps the blocks {span:?} of the file, but is named for {own:?}");
        return Err(Error::corrupt(WHAT, offset, why));
    }
    Ok(node)
}

/// Checks that it is a node, and says how many levels of nodes are beneath it.
fn header(fields: &Fields<'_>) -> Result<u16> {
    let eh_magic = fields.le_u16(0)?;
    if eh_magic != MAGIC {
        return Err(fields.corrupt(0, format!("eh_magic is {eh_magic:#06x}, not {MAGIC:#06x}")));
    }
    fields.le_u16(6)
}

/// Checks and decodes the entries of a node.
fn decode(store: &Store, fields: &Fields<'_>, depth: u16) -> Result<Node> {
    let (eh_entries, eh_max) = (fields.le_u16(2)?, fields.le_u16(4)?);
    let room = fields.len().saturating_sub(HEADER) / ENTRY;
    if eh_entries > eh_max || usize::from(eh_max) > room {
        let why = format!("{eh_entries} of {eh_max} entries are used; there is room for {room}");
        return Err(fields.corrupt(2, why));
    }
    // What comes next must not start before this.
    let mut free = 0;
    let mut runs = Vec::new();
    let mut children = Vec::new();
    for index in 0..usize::from(eh_entries) {
        let at = HEADER + index * ENTRY;
        let logical = u64::from(fields.le_u32(at)?);
        let blocks = if depth == 0 { length(fields, at)?.0 } else { 1 };
        if logical < free || logical + blocks > MAX_BLOCKS {
            let why = format!("an entry is for block {logical} of the file; {free} is expected");
            return Err(fields.corrupt(at, why));
        }
        free = logical + blocks;
        let (high, low) = if depth == 0 { (at + 6, at + 8) } else { (at + 8, at + 4) };
        let place = u64::from(fields.le_u16(high)?) << 32 | u64::from(fields.le_u32(low)?);
        store.check_blocks(fields, low, place, blocks)?;
        if depth == 0 {
            let written = length(fields, at)?.1;
            runs.push(Run { logical, blocks, physical: written.then_some(place) });
        } else {
            children.push((logical, place));
        }
    }
    Ok(if depth == 0 { Node::Leaf(runs) } else { Node::Index(children) })
}

/// How many blocks the extent at `at` has, and whether they are written.
fn length(fields: &Fields<'_>, at: usize) -> Result<(u64, bool)> {
    match fields.le_u16(at + 4)? {
        0 => Err(fields.corrupt(at + 4, "an extent has no blocks")),
        length if length > MAX_WRITTEN => Ok((u64::from(length - MAX_WRITTEN), false)),
        length => Ok((u64::from(length), true)),
    }
}

fn check_checksum(store: &Store, inode: &Inode, fields: &Fields<'_>) -> Result<()> {
    if !store.superblock.features.metadata_csum() {
        return Ok(());
    }
    let at = HEADER + usize::from(fields.le_u16(4)?) * ENTRY;
    let stored = fields.le_u32(at)?;
    let computed = crc32c(inode.csum_seed(&store.superblock), fields.bytes(0, at)?);
    if stored != computed {
        let why = format!("its checksum is {stored:#010x}, but its bytes give {computed:#010x}");
        return Err(fields.corrupt(at, why));
    }
    Ok(())
}
