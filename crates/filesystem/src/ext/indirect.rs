//! The block map of ext2 and ext3: twelve block numbers in the inode, then one block of numbers,
//! one of blocks of numbers, and one of blocks of those. Zero is a hole.
//!
//! Nothing in a block of numbers says where it belongs, so a damaged map may use one block in many
//! places. A walk therefore remembers which blocks it has found to be all holes.

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use fathom_block::{Fields, Result};

use super::inode::Inode;
use super::store::Store;
use super::tree::{Node, Run, Visit};

const WHAT: &str = "ext block map";

/// How many block numbers of the inode name blocks of the file; three more name blocks of numbers.
const DIRECT: usize = 12;

/// The walk through one file's map.
struct Walk<'a> {
    store: &'a Store,
    inode: &'a Inode,
    blocks: Range<u64>,
    visit: Visit<'a>,
    /// What has been gathered of a run and not been shown yet.
    run: Option<Run>,
    /// Blocks of numbers, with their level, that were found to be all holes.
    empty: HashSet<(u32, u16)>,
}

/// Shows the runs of the file from `blocks.start` on, until it breaks off or `blocks` ends.
pub(super) fn visit(
    store: &Store,
    inode: &Inode,
    blocks: &Range<u64>,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>> {
    let mut walk =
        Walk { store, inode, blocks: blocks.clone(), visit, run: None, empty: HashSet::new() };
    // What was found before damage is shown before the damage is told.
    let outcome = walk.root();
    match (outcome, walk.show()) {
        (Ok(ControlFlow::Continue(())), shown) => Ok(shown),
        (outcome, _) => outcome,
    }
}

impl Walk<'_> {
    fn root(&mut self) -> Result<ControlFlow<()>> {
        let root = self.inode.i_block()?;
        let fan = u64::from(self.store.superblock.block_size / 4);
        let mut first = 0;
        for index in 0..DIRECT + 3 {
            let level = (index + 1).saturating_sub(DIRECT) as u16;
            let pointer = root.le_u32(index * 4)?;
            if self.child(&root, index * 4, pointer, level, first)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            first += fan.pow(u32::from(level));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Follows `pointer`, found in `fields` at `at`: a block of the file if `level` is 0, a block
    /// of numbers otherwise. `first` is the first block of the file beneath it. There are three
    /// levels of numbers at most, so this goes no deeper.
    fn child(
        &mut self,
        fields: &Fields<'_>,
        at: usize,
        pointer: u32,
        level: u16,
        first: u64,
    ) -> Result<ControlFlow<()>> {
        let fan = u64::from(self.store.superblock.block_size / 4);
        let span = fan.pow(u32::from(level));
        if first >= self.blocks.end {
            return Ok(ControlFlow::Break(()));
        }
        if pointer == 0 || first + span <= self.blocks.start {
            return Ok(ControlFlow::Continue(()));
        }
        self.store.check_blocks(fields, at, u64::from(pointer), 1)?;
        if level == 0 {
            return Ok(self.gather(first, u64::from(pointer)));
        }
        if self.empty.contains(&(pointer, level)) {
            return Ok(ControlFlow::Continue(()));
        }
        let node = self.read(pointer, level)?;
        let Node::Pointers(pointers) = &*node else {
            return Ok(ControlFlow::Continue(()));
        };
        let within = span / fan;
        let skipped = self.blocks.start.saturating_sub(first) / within;
        let before = self.run;
        let offset = self.store.superblock.offset(u64::from(pointer));
        let fields = Fields::new(WHAT, offset, &[]);
        for (index, pointer) in pointers.iter().enumerate().skip(skipped as usize) {
            let first = first + index as u64 * within;
            if self.child(&fields, index * 4, *pointer, level - 1, first)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if skipped == 0 && self.run == before {
            self.empty.insert((pointer, level));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn read(&self, block: u32, level: u16) -> Result<Arc<Node>> {
        let key = (self.inode.number, u64::from(block), level);
        self.store.nodes.get_or(&key, Node::weight, || {
            let bytes = self.store.block(WHAT, u64::from(block))?;
            let (numbers, _) = bytes.as_chunks();
            Ok(Node::Pointers(numbers.iter().map(|number| u32::from_le_bytes(*number)).collect()))
        })
    }

    /// Adds a block to the run, or shows the run and starts another.
    fn gather(&mut self, logical: u64, physical: u64) -> ControlFlow<()> {
        if let Some(run) = &mut self.run
            && run.end() == logical
            && run.physical.is_some_and(|start| start + run.blocks == physical)
        {
            run.blocks += 1;
            return ControlFlow::Continue(());
        }
        let flow = self.show();
        if flow.is_continue() {
            self.run = Some(Run { logical, blocks: 1, physical: Some(physical) });
        }
        flow
    }

    fn show(&mut self) -> ControlFlow<()> {
        self.run.take().map_or(ControlFlow::Continue(()), |run| (self.visit)(run))
    }
}
