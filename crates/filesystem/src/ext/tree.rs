//! From a file's blocks to the volume's: whichever way the inode keeps its map.
//!
//! ext2 and ext3 keep lists of block numbers, ext4 a tree of extents; both are trees whose root is
//! in the inode and whose nodes are blocks. [`visit`] walks either from any block on, reading only
//! the nodes that it needs, and shows the mapped runs in order, through what fast commits amend.

use std::ops::{ControlFlow, Range};

use fathom_block::Result;

use super::amendments::Amended;
use super::inode::Inode;
use super::store::Store;
use super::{extent, indirect};

/// The most blocks that a file can have: their numbers have 32 bits.
pub(super) const MAX_BLOCKS: u64 = 1 << 32;

/// Blocks that follow each other in the file and on the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The first block's number in the file.
    pub(super) logical: u64,
    /// How many there are.
    pub(super) blocks: u64,
    /// The first block's number on the volume; `None` where they are allocated, but not written.
    pub(super) physical: Option<u64>,
}

impl Run {
    /// The block behind the last one.
    pub(super) fn end(&self) -> u64 {
        self.logical.saturating_add(self.blocks)
    }

    /// The part of the run that lies in `blocks`.
    pub(super) fn within(&self, blocks: Range<u64>) -> Option<Self> {
        let start = self.logical.max(blocks.start);
        let end = self.end().min(blocks.end);
        (start < end).then(|| Self {
            logical: start,
            blocks: end - start,
            physical: self.physical.map(|physical| physical.saturating_add(start - self.logical)),
        })
    }
}

/// A decoded node of a map.
pub(super) enum Node {
    /// A leaf of an extent tree.
    Leaf(Vec<Run>),
    /// An inner node of an extent tree: the first block of the file that each child is for, and
    /// where the child is.
    Index(Vec<(u64, u64)>),
    /// A block of block numbers.
    Pointers(Vec<u32>),
}

impl Node {
    /// The blocks of the file that a node of an extent tree has entries for.
    pub(super) fn span(&self) -> Option<Range<u64>> {
        match self {
            Self::Leaf(runs) => Some(runs.first()?.logical..runs.last()?.end()),
            Self::Index(children) => Some(children.first()?.0..children.last()?.0 + 1),
            Self::Pointers(_) => None,
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        64 + match self {
            Self::Leaf(runs) => size_of_val(runs.as_slice()),
            Self::Index(children) => size_of_val(children.as_slice()),
            Self::Pointers(pointers) => size_of_val(pointers.as_slice()),
        }
    }
}

/// What [`visit`] calls for every run; `Break` ends the walk.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Run) -> ControlFlow<()>;

/// Shows the mapped runs of the file that lie in `blocks`, in order, cut where they pass its ends.
pub(super) fn visit(
    store: &Store,
    inode: &Inode,
    blocks: Range<u64>,
    visit: Visit<'_>,
) -> Result<()> {
    let blocks = blocks.start..blocks.end.min(MAX_BLOCKS);
    if blocks.is_empty() {
        return Ok(());
    }
    match store.amendments.of(inode.number).filter(|amended| amended.has_ranges()) {
        Some(amended) => visit_amended(store, inode, amended, blocks, visit),
        None => visit_stored(store, inode, &blocks, visit).map(|_| ()),
    }
}

fn visit_stored(
    store: &Store,
    inode: &Inode,
    blocks: &Range<u64>,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>> {
    let mut cut = |run: Run| match run.within(blocks.clone()) {
        Some(run) => visit(run),
        None => ControlFlow::Continue(()),
    };
    match inode.has_extents() {
        true => extent::visit(store, inode, blocks, &mut cut),
        false => indirect::visit(store, inode, blocks, &mut cut),
    }
}

fn visit_amended(
    store: &Store,
    inode: &Inode,
    amended: &Amended,
    blocks: Range<u64>,
    visit: Visit<'_>,
) -> Result<()> {
    let mut at = blocks.start;
    let flow = visit_stored(store, inode, &blocks, &mut |run| {
        // Up to and with this run.
        let runs = amended.overlay(at..run.end(), Some(run));
        at = run.end();
        runs.into_iter().try_for_each(&mut *visit)
    })?;
    if flow.is_continue() {
        let _ = amended.overlay(at..blocks.end, None).into_iter().try_for_each(visit);
    }
    Ok(())
}

/// Where the block of the file is, if it is anywhere and written.
pub(super) fn find(store: &Store, inode: &Inode, block: u64) -> Result<Option<u64>> {
    let mut found = None;
    visit(store, inode, block..block.saturating_add(1), &mut |run| {
        found = run.physical;
        ControlFlow::Break(())
    })?;
    Ok(found)
}
