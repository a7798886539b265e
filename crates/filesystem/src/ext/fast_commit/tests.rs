//! Fast commits made by hand.

use fathom_block::ReadAt as _;

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

#[test]
fn damaged_commits_are_read_in_bounded_time() {
    let mut tags = Tags::new();
    tags.range(12, 1, 2, 210);
    tags.add(2, &numbers(&[12, 3, 1]));
    tags.inode(12, &raw_inode(FILE, 5 * BLOCK as u64, EXTENTS, &[]));
    tags.inode(13, &raw_inode(0o040755, BLOCK as u64, EXTENTS, &[]));
    tags.name(3, 2, 13, "directory");
    tags.name(4, 13, 12, "hard");
    let good = tags.end();
    let image = image(&[]);
    let mut state = 99_u32;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..300 {
        let mut block = good.clone();
        let tail = block.len() - 12;
        for _ in 0..=random(3) {
            block[random(tail)] = [0, 1, 0xFF, random(256) as u8][random(4)];
        }
        let sum = crc32c(0, &block[..tail + 8]);
        block[tail + 8..].copy_from_slice(&sum.to_le_bytes());
        let mut image = image.clone();
        image.block((JOURNAL + LENGTH - FAST) as usize + 1, &block);
        let tree = image.tree();
        for step in tree.walk(b"/").unwrap().take(100) {
            if let Ok(file) = step.found.open() {
                let _ = (
                    file.next_data(0),
                    file.read_at(0, &mut vec![0; file.len().min(9000) as usize]),
                );
            }
        }
    }
}
