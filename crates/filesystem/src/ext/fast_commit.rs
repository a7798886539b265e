//! Fast commits: between two transactions, what was done is written down in a few words instead of
//! whole blocks.
//!
//! The area behind the log holds tags with values: an inode as it is now, a part of a file's map
//! that was added or removed, a name that was made or taken away. A tail with a checksum ends each
//! commit. What they say is kept as [`Amendments`].

use fathom_block::{Error, Fields, Problem, Result};

use super::amendments::{Amendments, Target};
use super::checksum::crc32c;
use super::extent;
use super::inode::{GOOD_OLD_SIZE, I_BLOCK, I_BLOCK_SIZE, Inode};
use super::journal::FastCommits;
use super::store::Store;
use super::tree::MAX_BLOCKS;
use crate::node::FileType;

const WHAT: &str = "ext fast commit";

/// A tag without its value.
const BASE: usize = 4;

/// The most bytes of values that are taken: many times the area that mke2fs makes.
const MAX_BYTES: usize = 16 << 20;

/// Where `i_generation` is, the first field of an inode behind `i_block`.
const I_GENERATION: usize = 0x64;

/// What was done.
enum Step {
    AddRange {
        inode: u32,
        first: u32,
        blocks: u32,
        place: u64,
        written: bool,
    },
    RemoveRange {
        inode: u32,
        first: u32,
        blocks: u32,
    },
    /// A name was made for a new inode.
    Create {
        parent: u32,
        inode: u32,
        name: Vec<u8>,
    },
    /// A name was made for an inode that had one.
    Link {
        parent: u32,
        inode: u32,
        name: Vec<u8>,
    },
    Unlink {
        parent: u32,
        name: Vec<u8>,
    },
    Inode {
        inode: u32,
        raw: Vec<u8>,
    },
}

/// Takes over what all commits in the area say. What could not be taken over comes back.
pub(super) fn apply(store: &mut Store, commits: &FastCommits) -> Vec<Problem> {
    let (steps, mut problems) = scan(store, commits);
    let mut amendments = Amendments::default();
    for (at, step) in steps {
        // Every step is seen by those after it.
        std::mem::swap(&mut store.amendments, &mut amendments);
        let prepared = prepare(store, at, &step);
        std::mem::swap(&mut store.amendments, &mut amendments);
        match prepared {
            Ok(raw) => take(&mut amendments, step, raw),
            Err(error) => problems.push(error.at(at).within("a fast commit is not shown")),
        }
    }
    store.amendments = amendments;
    problems
}

/// The steps of all valid commits, in order, with their places; and what keeps the rest from being
/// read.
fn scan(store: &Store, commits: &FastCommits) -> (Vec<(u64, Step)>, Vec<Problem>) {
    let mut scan = Scan { sequence: commits.sequence, ..Scan::default() };
    for index in 0..commits.blocks() {
        let block = match commits.block(index) {
            Ok((offset, bytes)) => scan.block(store, offset, &bytes),
            Err(error) => Err(error),
        };
        match block {
            Ok(true) => {}
            Ok(false) => break,
            Err(problem) => return (scan.steps, vec![problem]),
        }
    }
    (scan.steps, Vec::new())
}

#[derive(Default)]
struct Scan {
    /// What the commits must say they belong to.
    sequence: u32,
    steps: Vec<(u64, Step)>,
    /// Those of a commit whose tail has not come yet.
    open: Vec<(u64, Step)>,
    sum: u32,
    bytes: usize,
    /// A commit of ours has begun.
    begun: bool,
    /// One has ended.
    ended: bool,
}

impl Scan {
    /// Takes the tags of one block. False where the commits end.
    fn block(&mut self, store: &Store, offset: u64, bytes: &[u8]) -> Result<bool> {
        let fields = &Fields::new(WHAT, offset, bytes);
        let mut at = 0;
        while at + BASE <= fields.len() {
            let (fc_tag, fc_len) = (fields.le_u16(at)?, usize::from(fields.le_u16(at + 2)?));
            if !self.begun && fc_tag != 9 {
                return Ok(false);
            }
            let Ok(value) = fields.part(WHAT, at + BASE, fc_len) else {
                return self.end(fields, at, format!("tag {fc_tag} has {fc_len} bytes"));
            };
            match fc_tag {
                1..=6 => {
                    let Some(step) = step(store.superblock.inode_size, fc_tag, &value)? else {
                        return self.end(fields, at, format!("tag {fc_tag} has {fc_len} bytes"));
                    };
                    self.bytes += fc_len + 64;
                    if self.bytes > MAX_BYTES {
                        let why = format!("they hold more than {MAX_BYTES} bytes");
                        return Err(Error::unsupported(WHAT, why));
                    }
                    self.open.push((offset + at as u64, step));
                }
                // Padding.
                7 => {}
                8 if fc_len >= 8 => {
                    self.sum = crc32c(self.sum, fields.bytes(at, BASE + 4)?);
                    let (fc_tid, fc_crc) = (value.le_u32(0)?, value.le_u32(4)?);
                    if fc_tid != self.sequence || fc_crc != self.sum {
                        return self.end(fields, at, "its checksum fails".into());
                    }
                    self.sum = 0;
                    self.ended = true;
                    self.steps.append(&mut self.open);
                    at += BASE + fc_len;
                    continue;
                }
                9 if fc_len >= 8 => {
                    let (fc_features, fc_tid) = (value.le_u32(0)?, value.le_u32(4)?);
                    if fc_tid != self.sequence {
                        return Ok(false);
                    }
                    if fc_features != 0 {
                        return Err(Error::unsupported(WHAT, format!("features {fc_features:#x}")));
                    }
                    self.begun = true;
                }
                _ => return self.end(fields, at, format!("tag {fc_tag} is unknown")),
            }
            self.sum = crc32c(self.sum, fields.bytes(at, BASE + fc_len)?);
            at += BASE + fc_len;
        }
        Ok(true)
    }

    /// What is no commit of ours ends the area, but the first one must be whole.
    fn end(&self, fields: &Fields<'_>, at: usize, why: String) -> Result<bool> {
        match self.ended {
            true => Ok(false),
            false => Err(fields.corrupt(at, format!("the commit is not whole: {why}"))),
        }
    }
}

/// Understands a tag; `None` if its value has the wrong length.
fn step(inode_size: u16, fc_tag: u16, value: &Fields<'_>) -> Result<Option<Step>> {
    let length = value.len();
    let right = match fc_tag {
        1 => length == 16,
        2 => length == 12,
        3..=5 => (9..=8 + 255).contains(&length),
        _ => (4 + GOOD_OLD_SIZE..=4 + usize::from(inode_size)).contains(&length),
    };
    if !right {
        return Ok(None);
    }
    let inode = value.le_u32(0)?;
    Ok(Some(match fc_tag {
        1 => {
            let first = value.le_u32(4)?;
            let ee_len = value.le_u16(8)?;
            let place = u64::from(value.le_u16(10)?) << 32 | u64::from(value.le_u32(12)?);
            let written = ee_len <= 32768;
            let blocks = u32::from(if written { ee_len } else { ee_len - 32768 });
            Step::AddRange { inode, first, blocks, place, written }
        }
        2 => Step::RemoveRange { inode, first: value.le_u32(4)?, blocks: value.le_u32(8)? },
        6 => Step::Inode { inode, raw: value.bytes(4, length - 4)?.to_vec() },
        _ => {
            let (parent, inode) = (inode, value.le_u32(4)?);
            let name = value.bytes(8, length - 8)?.to_vec();
            match fc_tag {
                3 => Step::Create { parent, inode, name },
                4 => Step::Link { parent, inode, name },
                _ => Step::Unlink { parent, name },
            }
        }
    }))
}

/// What a step needs to know of the filesystem as it is before: the whole of an inode that changes.
fn prepare(store: &Store, at: u64, step: &Step) -> Result<Option<Vec<u8>>> {
    match step {
        Step::Inode { inode, raw } => {
            let (offset, old) = store.raw_inode(*inode)?;
            let new = merged(old, raw)?;
            // Better told now than when it is read.
            Inode::parse(&store.superblock, *inode, offset, new.clone())?;
            Ok(Some(new))
        }
        Step::Create { inode, .. } => {
            let (offset, raw) = store.raw_inode(*inode)?;
            let inode = Inode::parse(&store.superblock, *inode, offset, raw)?;
            Ok((inode.file_type == FileType::Directory).then(Vec::new))
        }
        Step::Link { inode, .. } => store.raw_inode(*inode).map(|_| None),
        Step::AddRange { blocks, place, .. } => {
            match store.has_blocks(*place, u64::from(*blocks)) {
                true => Ok(None),
                false => Err(Error::corrupt(
                    WHAT,
                    at,
                    format!("a range of {blocks} blocks at {place} is not in the filesystem"),
                )),
            }
        }
        Step::RemoveRange { .. } | Step::Unlink { .. } => Ok(None),
    }
}

/// The inode as a fast commit says it is, but for the map of its blocks: that is kept, and changed
/// by tags of its own. Links, devices and inline data have no map there.
fn merged(old: Vec<u8>, new: &[u8]) -> Result<Vec<u8>> {
    const EXTENTS_FL: u32 = 0x8_0000;
    const INLINE_DATA_FL: u32 = 0x1000_0000;
    let fields = Fields::new(WHAT, 0, new);
    let i_flags = fields.le_u32(0x20)?;
    let kind = FileType::from_mode(u32::from(fields.le_u16(0)?));
    let mut merged = old;
    let mut copy = |from: usize, to: usize| -> Result<()> {
        let part = fields.bytes(from, to - from)?;
        merged
            .get_mut(from..to)
            .ok_or_else(|| fields.corrupt(from, "it is too long"))?
            .copy_from_slice(part);
        Ok(())
    };
    copy(0, I_BLOCK)?;
    copy(I_GENERATION, new.len())?;
    let mapped = matches!(kind, Some(FileType::File | FileType::Directory));
    if i_flags & INLINE_DATA_FL != 0 || i_flags & EXTENTS_FL == 0 && !mapped {
        copy(I_BLOCK, I_BLOCK + I_BLOCK_SIZE)?;
    }
    let root = &mut merged[I_BLOCK..I_BLOCK + I_BLOCK_SIZE];
    if i_flags & EXTENTS_FL != 0 && !root.starts_with(&extent::MAGIC.to_le_bytes()) {
        // A new file: an extent tree without entries, with room for four.
        root.fill(0);
        root[..2].copy_from_slice(&extent::MAGIC.to_le_bytes());
        root[4] = 4;
    }
    Ok(merged)
}

/// Takes a step over. `prepared` is what [`prepare`] found out.
fn take(amendments: &mut Amendments, step: Step, prepared: Option<Vec<u8>>) {
    let range = |first: u32, blocks: u32| {
        let first = u64::from(first);
        first..(first + u64::from(blocks)).min(MAX_BLOCKS)
    };
    match step {
        Step::AddRange { inode, first, blocks, place, written } => {
            let target = if written { Target::Written(place) } else { Target::Unwritten };
            amendments.set_range(inode, range(first, blocks), target);
        }
        Step::RemoveRange { inode, first, blocks } => {
            amendments.set_range(inode, range(first, blocks), Target::Hole);
        }
        Step::Create { parent, inode, name } => {
            if prepared.is_some() {
                amendments.set_fresh(inode);
            }
            amendments.set_name(parent, &name, Some(inode));
        }
        Step::Link { parent, inode, name } => amendments.set_name(parent, &name, Some(inode)),
        Step::Unlink { parent, name } => amendments.set_name(parent, &name, None),
        Step::Inode { inode, .. } => amendments.set_inode(inode, prepared.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::checksum::crc32c;
    use super::super::testing::*;
    use crate::node::Health;

    const FILE: u16 = 0o100644;
    const JOURNAL: u32 = 1500;
    const LENGTH: u32 = 1100;
    /// Blocks of fast commits, at the end of the journal.
    const FAST: u32 = 16;
    const SEQUENCE: u32 = 7;

    /// A block of tags that is being written.
    struct Tags {
        bytes: Vec<u8>,
        sum: u32,
    }

    impl Tags {
        fn new() -> Self {
            let mut tags = Self { bytes: Vec::new(), sum: 0 };
            tags.add(9, &numbers(&[0, SEQUENCE]));
            tags
        }

        fn next() -> Self {
            Self { bytes: Vec::new(), sum: 0 }
        }

        fn add(&mut self, tag: u16, value: &[u8]) {
            let mut bytes = tag.to_le_bytes().to_vec();
            bytes.extend((value.len() as u16).to_le_bytes());
            bytes.extend(value);
            self.sum = crc32c(self.sum, &bytes);
            self.bytes.extend(bytes);
        }

        fn name(&mut self, tag: u16, parent: u32, inode: u32, name: &str) {
            self.add(tag, &[numbers(&[parent, inode]), name.into()].concat());
        }

        fn inode(&mut self, inode: u32, raw: &[u8]) {
            self.add(6, &[numbers(&[inode]), raw[..160].to_vec()].concat());
        }

        fn range(&mut self, inode: u32, first: u32, length: u16, place: u32) {
            let mut value = numbers(&[inode, first]);
            value.extend(length.to_le_bytes());
            value.extend([0; 2]);
            value.extend(place.to_le_bytes());
            self.add(1, &value);
        }

        /// The tail, which fills the block.
        fn end(mut self) -> Vec<u8> {
            let mut tail = 8_u16.to_le_bytes().to_vec();
            tail.extend(((BLOCK - self.bytes.len() - 4) as u16).to_le_bytes());
            tail.extend(SEQUENCE.to_le_bytes());
            let sum = crc32c(self.sum, &tail);
            self.bytes.extend(tail);
            self.bytes.extend(sum.to_le_bytes());
            self.bytes
        }
    }

    /// A filesystem with one file of four blocks, whose log is empty but begun.
    fn image(blocks: &[Vec<u8>]) -> Image {
        let mut image = Image::new();
        image.bytes.resize(4096 * BLOCK, 0);
        image.superblock(0x4, 4096);
        image.superblock(0x5C, 0x404);
        image.superblock(0x60, 0x46);
        image.superblock(0xE0, 8);
        let map = extent_node(0, &[(0, LENGTH as u16, JOURNAL)]);
        image.inode(8, FILE, u64::from(LENGTH) * BLOCK as u64, EXTENTS, &map);
        let big = [0xC03B_3998, 4, 0, BLOCK as u32, LENGTH, 1, SEQUENCE, 1, 0, 0, 32_u32];
        let mut superblock: Vec<u8> = big.iter().flat_map(|word| word.to_be_bytes()).collect();
        superblock.resize(84, 0);
        superblock.extend(FAST.to_be_bytes());
        image.block(JOURNAL as usize, &superblock);
        for (index, block) in blocks.iter().enumerate() {
            image.block((JOURNAL + LENGTH - FAST) as usize + 1 + index, block);
        }
        let map = extent_node(0, &[(0, 4, 200)]);
        image.inode(12, FILE, 4 * BLOCK as u64, EXTENTS, &map);
        image.name("file", 12);
        for block in 200..220 {
            image.block(block, &[(block - 200) as u8 + b'a'; BLOCK]);
        }
        image
    }

    fn shown(image: &Image, path: &str) -> String {
        let bytes = image.read(path).unwrap();
        bytes.chunks(BLOCK).map(|block| char::from(block[0].max(b'.'))).collect()
    }

    fn names(image: &Image, path: &str) -> Vec<String> {
        let entries = image.tree().read_dir(path.as_bytes()).unwrap();
        entries.into_iter().map(|entry| String::from_utf8(entry.name).unwrap()).collect()
    }

    #[test]
    fn files_are_made_changed_linked_and_removed() {
        let mut first = Tags::new();
        first.range(12, 1, 2, 210);
        first.add(2, &numbers(&[12, 3, 1]));
        first.inode(12, &raw_inode(FILE, 5 * BLOCK as u64 - 1, EXTENTS, &[]));
        first.inode(13, &raw_inode(FILE, 2 * BLOCK as u64, EXTENTS, &[]));
        first.range(13, 0, 1, 205);
        first.range(13, 1, 32769, 206);
        first.name(3, 2, 13, "new");
        first.name(4, 2, 12, "hard");
        first.add(7, &[0; 20]);
        let mut second = Tags::next();
        second.name(5, 2, 12, "file");
        second.inode(14, &raw_inode(0o120777, 6, 0, b"target"));
        second.name(3, 2, 14, "link");
        let mut image = image(&[first.end(), second.end()]);
        assert_eq!(names(&image, "/"), ["hard", "link", "new"]);
        assert_eq!(shown(&image, "/hard"), "akl..");
        assert_eq!(shown(&image, "/new"), "f.");
        let tree = image.tree();
        assert_eq!(tree.read_link(b"/link").unwrap(), b"target");
        assert!(!tree.exists(b"/file").unwrap());
        assert_eq!(tree.metadata(b"/hard").unwrap().allocated, 3 * BLOCK as u64);
        assert_eq!(tree.metadata(b"/new").unwrap().allocated, 2 * BLOCK as u64);
        let filesystem = image.open().unwrap();
        assert_eq!(filesystem.info().health, Health::Replayed);
        assert!(filesystem.problems().is_empty());
        // The log's own superblock says that there is no such area.
        image.put(JOURNAL as usize * BLOCK + 43, &[0]);
        assert_eq!(names(&image, "/"), ["file"]);
    }

    #[test]
    fn a_new_directory_is_empty_whatever_its_block_holds() {
        let mut tags = Tags::new();
        tags.inode(13, &raw_inode(0o040755, BLOCK as u64, EXTENTS, &[]));
        tags.range(13, 0, 1, 205);
        tags.name(3, 2, 13, "directory");
        tags.inode(14, &raw_inode(FILE, 0, EXTENTS, &[]));
        tags.name(3, 13, 14, "inner");
        let mut image = image(&[tags.end()]);
        image.block(205, &directory_block(&entry(b"left-over", 12)));
        assert_eq!(names(&image, "/directory"), ["inner"]);
        let tree = image.tree();
        assert!(tree.exists(b"/directory/inner").unwrap());
        assert!(!tree.exists(b"/directory/left-over").unwrap());
    }

    #[test]
    fn the_commits_end_with_the_last_valid_one() {
        let commit = |name: &str, first: bool| {
            let mut tags = if first { Tags::new() } else { Tags::next() };
            tags.name(4, 2, 12, name);
            tags.end()
        };
        let good = [commit("one", true), commit("two", false)];
        let with = |third: Vec<u8>| names(&image(&[good.as_slice(), &[third]].concat()), "/");
        let wanted = ["file", "one", "two"];
        let mut damaged = commit("three", false);
        damaged[9] ^= 1;
        assert_eq!(with(damaged), wanted);
        assert_eq!(with(vec![0xFF; BLOCK]), wanted);
        assert_eq!(with([vec![1, 0, 3, 0], vec![0; 20]].concat()), wanted);
        let mut old = commit("three", true);
        old[8] = 6;
        assert_eq!(with(old), wanted);
        assert_eq!(with(commit("three", false)), ["file", "one", "three", "two"]);
    }

    #[test]
    fn what_cannot_be_carried_out_is_told() {
        let check = |blocks: &[Vec<u8>], why: &str| {
            let image = image(blocks);
            let filesystem = image.open().unwrap();
            assert_eq!(filesystem.info().health, Health::Dirty, "{why}");
            let problem = filesystem.problems()[0].to_string();
            assert!(problem.contains(why), "{problem}");
            assert_eq!(shown(&image, "/file"), "abcd");
        };
        let tags = |fill: &dyn Fn(&mut Tags)| {
            let mut tags = Tags::new();
            fill(&mut tags);
            tags.end()
        };
        check(&[tags(&|tags| tags.range(12, 1, 2, 4095))], "a range of 2 blocks at 4095");
        check(&[tags(&|tags| tags.inode(13, &[0; 160]))], "of no file type");
        check(&[tags(&|tags| tags.inode(65, &raw_inode(FILE, 0, 0, &[])))], "inode 65");
        check(&[tags(&|tags| tags.name(3, 2, 13, "nothing"))], "of no file type");
        check(&[tags(&|tags| tags.name(4, 2, 66, "nothing"))], "inode 66");
        check(&[tags(&|tags| tags.add(9, &numbers(&[1, SEQUENCE])))], "features 0x1");
        check(&[tags(&|tags| tags.add(5, &[0; 8]))], "tag 5 has 8 bytes");
        check(&[tags(&|tags| tags.add(20, &[]))], "tag 20 is unknown");
        let mut damaged = tags(&|tags| tags.range(12, 1, 2, 205));
        damaged[30] ^= 1;
        check(&[damaged], "its checksum fails");
    }
}
