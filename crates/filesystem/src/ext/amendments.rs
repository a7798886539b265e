//! What fast commits change, kept beside the volume: inodes, parts of file maps, names.
//!
//! A fast commit does not hold blocks, as the journal proper does, but says what was done: "this
//! inode is now so", "these blocks belong there", "this name is gone". Reading through these
//! statements shows the same as a kernel shows after it has carried them out.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::tree::Run;

/// All that fast commits change, by inode.
#[derive(Default)]
pub(super) struct Amendments {
    inodes: HashMap<u32, Amended>,
}

/// What changes of one inode.
#[derive(Default)]
pub(super) struct Amended {
    /// All its bytes.
    raw: Option<Vec<u8>>,
    /// Parts of its map that are otherwise now, by their first block; disjoint.
    ranges: BTreeMap<u64, Part>,
    /// Names that it has gained (and for which inode) or lost, if it is a directory.
    names: BTreeMap<Vec<u8>, Option<u32>>,
    /// It is a directory that was just made: what its blocks hold on the volume means nothing.
    fresh: bool,
}

#[derive(Clone, Copy)]
struct Part {
    end: u64,
    target: Target,
}

/// What a part of a file's map has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Nothing is there any more.
    Hole,
    /// It is allocated, but reads as zeros.
    Unwritten,
    /// It lies at this block and those after it.
    Written(u64),
}

impl Target {
    /// The same target, seen from `blocks` further on.
    fn advanced(self, blocks: u64) -> Self {
        match self {
            Self::Written(block) => Self::Written(block.saturating_add(blocks)),
            other => other,
        }
    }

    /// The run of blocks that it is, unless it is a hole.
    fn run(self, logical: u64, blocks: u64) -> Option<Run> {
        match self {
            Self::Hole => None,
            Self::Unwritten => Some(Run { logical, blocks, physical: None }),
            Self::Written(block) => Some(Run { logical, blocks, physical: Some(block) }),
        }
    }
}

impl Amendments {
    /// The bytes of the inode, where they have changed.
    pub(super) fn inode(&self, number: u32) -> Option<&[u8]> {
        self.inodes.get(&number)?.raw.as_deref()
    }

    /// What has changed of the inode.
    pub(super) fn of(&self, number: u32) -> Option<&Amended> {
        self.inodes.get(&number)
    }

    /// Replaces the inode's bytes.
    pub(super) fn set_inode(&mut self, number: u32, raw: Vec<u8>) {
        self.inodes.entry(number).or_default().raw = Some(raw);
    }

    /// Makes the directory `parent` have `name` for `inode`, or not have it.
    pub(super) fn set_name(&mut self, parent: u32, name: &[u8], inode: Option<u32>) {
        self.inodes.entry(parent).or_default().names.insert(name.to_vec(), inode);
    }

    /// Makes the inode a directory without names.
    pub(super) fn set_fresh(&mut self, number: u32) {
        let amended = self.inodes.entry(number).or_default();
        amended.fresh = true;
        amended.names.clear();
    }

    /// Makes the `blocks` of the inode's map be `target`.
    pub(super) fn set_range(&mut self, number: u32, blocks: Range<u64>, target: Target) {
        if blocks.is_empty() {
            return;
        }
        let ranges = &mut self.inodes.entry(number).or_default().ranges;
        // What overlaps loses its middle; what is left of it on either side stays.
        let mut overlapped: Vec<(u64, Part)> =
            ranges.range(blocks.start..blocks.end).map(|(start, part)| (*start, *part)).collect();
        if let Some((start, part)) = ranges.range(..blocks.start).next_back()
            && part.end > blocks.start
        {
            overlapped.push((*start, *part));
        }
        for (start, part) in overlapped {
            ranges.remove(&start);
            if start < blocks.start {
                ranges.insert(start, Part { end: blocks.start, target: part.target });
            }
            if part.end > blocks.end {
                let target = part.target.advanced(blocks.end - start);
                ranges.insert(blocks.end, Part { end: part.end, target });
            }
        }
        ranges.insert(blocks.start, Part { end: blocks.end, target });
    }
}

impl Amended {
    /// Whether the inode's own bytes have changed.
    pub(super) fn has_inode(&self) -> bool {
        self.raw.is_some()
    }

    /// Whether it is a directory that was just made.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// What has become of the name: `Some(None)` if it is gone.
    pub(super) fn name(&self, name: &[u8]) -> Option<Option<u32>> {
        self.names.get(name).copied()
    }

    /// The names that were gained.
    pub(super) fn gained(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.names.iter().filter_map(|(name, inode)| Some((name.as_slice(), (*inode)?)))
    }

    /// Whether any part of the map has changed.
    pub(super) fn has_ranges(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// The changed parts among `blocks`, as far as they are not holes, and `run` where nothing has
    /// changed: all that is now mapped in `blocks`, given that `run` was all that was.
    pub(super) fn overlay(&self, blocks: Range<u64>, run: Option<Run>) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut at = blocks.start;
        let first = self.ranges.range(..=blocks.start).next_back().map_or(0, |(start, _)| *start);
        let parts =
            self.ranges.range(first..blocks.end).filter(|(_, part)| part.end > blocks.start);
        let keep = |from: u64, to: u64, runs: &mut Vec<Run>| {
            runs.extend(run.and_then(|run| run.within(from..to)));
        };
        for (start, part) in parts {
            let from = (*start).max(blocks.start);
            let to = part.end.min(blocks.end);
            keep(at, from, &mut runs);
            runs.extend(part.target.advanced(from - start).run(from, to - from));
            at = to;
        }
        keep(at, blocks.end, &mut runs);
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ranges_win_and_leave_the_rest() {
        let mut amendments = Amendments::default();
        // A model: what every block of the file is.
        let mut model: Vec<Option<Target>> = vec![None; 64];
        let steps = [
            (10..20, Target::Written(1000)),
            (12..14, Target::Hole),
            (0..11, Target::Unwritten),
            (19..40, Target::Written(2000)),
            (15..35, Target::Written(3000)),
            (20..21, Target::Unwritten),
            (40..64, Target::Hole),
            (39..41, Target::Written(9)),
        ];
        let base = Run { logical: 5, blocks: 50, physical: Some(500) };
        for (range, target) in steps {
            amendments.set_range(7, range.clone(), target);
            for block in range.clone() {
                model[block as usize] = Some(target.advanced(block - range.start));
            }
            let runs = amendments.of(7).unwrap().overlay(0..64, Some(base));
            for block in 0..64_u64 {
                let shown = runs.iter().find_map(|run| run.within(block..block + 1));
                let wanted = match model[block as usize] {
                    Some(target) => target.run(block, 1),
                    None => base.within(block..block + 1),
                };
                assert_eq!(shown, wanted, "block {block}");
            }
            assert!(runs.windows(2).all(|pair| pair[0].end() <= pair[1].logical));
        }
    }

    #[test]
    fn names_come_and_go() {
        let mut amendments = Amendments::default();
        amendments.set_name(2, b"old", None);
        amendments.set_name(2, b"new", Some(12));
        let amended = amendments.of(2).unwrap();
        assert_eq!(amended.name(b"old"), Some(None));
        assert_eq!(amended.name(b"other"), None);
        assert_eq!(amended.gained().collect::<Vec<_>>(), [(b"new".as_slice(), 12)]);
        amendments.set_fresh(2);
        assert_eq!(amendments.of(2).unwrap().name(b"new"), None);
    }
}
