//! Directories, in all the forms that they grow through.
//!
//! The smallest keeps its entries in the inode (*short form*, [`short`]). The next is one block
//! that holds entries and, at its end, the index over them (*block form*). Larger ones have many
//! blocks of entries from byte 0 of the directory, and the index at byte 2^35: one leaf, or a
//! B+tree of them ([`index`]). What is free lies at byte 2^36 and is no affair of a reader.
//!
//! Listing goes through the blocks of entries ([`data`]) and needs no index; looking a name up goes
//! through the index, by the hash of the name ([`name`]).

mod data;
mod index;
mod name;
mod short;

use std::ops::ControlFlow;

use fathom_block::{Error, Result};

pub(super) use self::data::Checked as DirectoryBlock;
use self::data::{Block, Entry};
use super::blocks::Blocks;
use super::bmap::Mapping;
use super::inode::{Fork, Format, Inode};
use crate::node::{DirEntry, FileType, NodeId, Visit};

/// The byte of a directory where its index starts (`XFS_DIR2_LEAF_OFFSET`).
const LEAF_OFFSET: u64 = 1 << 35;

/// After so many unreadable blocks the rest of a directory is not tried.
const MAX_BAD_BLOCKS: usize = 16;

/// How much of a directory is asked for ahead.
const PREFETCH: u64 = 4 << 20;

/// One directory.
pub(super) struct Directory<'a> {
    blocks: &'a Blocks,
    inode: &'a Inode,
    map: &'a [Mapping],
    what: String,
}

impl<'a> Directory<'a> {
    /// The directory whose data fork lies as `map` says.
    pub(super) fn new(blocks: &'a Blocks, inode: &'a Inode, map: &'a [Mapping]) -> Result<Self> {
        let what = format!("directory {}", inode.number);
        if inode.file_type() != FileType::Directory {
            return Err(Error::invalid(what, "it is not a directory"));
        }
        Ok(Self { blocks, inode, map, what })
    }

    /// How many blocks of the filesystem a directory block has.
    fn span(&self) -> u64 {
        1 << self.blocks.superblock.dir_block_log
    }

    fn is_short(&self) -> bool {
        self.inode.fork(Fork::Data).is_some_and(|(format, _)| format == Format::Local)
    }

    /// Whether all of it is the one block that holds its own index.
    fn is_one_block(&self) -> bool {
        self.map.last().is_some_and(|last| last.end() == self.span())
    }

    /// Reads and checks the directory block that starts at block `logical` of the directory.
    fn block(&self, logical: u64) -> Result<Block> {
        Block::read(self.blocks, &self.what, self.inode.number, self.map, logical)
    }

    /// Hands every entry but `.` and `..` to `visit`.
    pub(super) fn list(&self, visit: Visit<'_>) -> Result<()> {
        let mut trouble = None;
        let mut bad = 0;
        let mut each = |entry: Result<Entry<'_>>| match entry.and_then(|entry| self.shown(&entry)) {
            Ok(Some(entry)) => visit(entry),
            Ok(None) => ControlFlow::Continue(()),
            Err(error) => {
                trouble.get_or_insert(error);
                ControlFlow::Continue(())
            }
        };
        if self.is_short() {
            short::each(self.blocks, self.inode, &self.what, &mut each);
            return trouble.map_or(Ok(()), Err);
        }
        self.prefetch();
        for logical in self.data_blocks() {
            match self.block(logical) {
                Ok(block) => {
                    if block.each(&self.what, &mut each).is_break() {
                        return Ok(());
                    }
                }
                Err(error) => {
                    // Goes the way of a bad entry; nothing is shown for it.
                    let _ = each(Err(error));
                    bad += 1;
                }
            }
            if bad > MAX_BAD_BLOCKS {
                break;
            }
        }
        if self.map.is_empty() {
            let _ = each(Err(Error::corrupt(&*self.what, self.inode.at, "it has no blocks")));
        }
        trouble.map_or(Ok(()), Err)
    }

    /// The blocks of the directory where blocks of entries start.
    fn data_blocks(&self) -> impl Iterator<Item = u64> {
        let span = self.span();
        let end = LEAF_OFFSET >> self.blocks.superblock.block_log;
        let mut next = 0;
        self.map.iter().take_while(move |mapping| mapping.start < end).flat_map(move |mapping| {
            // A directory block may lie in several extents; it is read where it starts.
            let first = (mapping.start / span).max(next);
            next = mapping.end().min(end).div_ceil(span).max(first);
            (first..next).map(move |block| block * span)
        })
    }

    fn prefetch(&self) {
        let block_log = self.blocks.superblock.block_log;
        let mut left = PREFETCH >> block_log;
        let mut ranges = Vec::new();
        for mapping in self.map.iter().take(64) {
            let count = mapping.count.min(left);
            if let Some(at) = self.blocks.superblock.locate(mapping.block, count) {
                ranges.push(at..at + (count << block_log));
            }
            left -= count;
        }
        if ranges.len() > 1 || self.map.iter().any(|mapping| mapping.count > 16) {
            self.blocks.volume.prefetch(&ranges);
        }
    }

    /// What `name` is here.
    pub(super) fn lookup(&self, name: &[u8]) -> Result<Option<u64>> {
        if self.is_short() {
            let mut search = name::Search::new(self.blocks, name);
            let mut trouble = None;
            short::each(self.blocks, self.inode, &self.what, &mut |entry| match entry {
                Ok(entry) => search.take(&entry),
                Err(error) => {
                    trouble.get_or_insert(error);
                    ControlFlow::Continue(())
                }
            });
            return match (search.found(), trouble) {
                // A name that was not seen may be among what could not be read.
                (None, Some(error)) => Err(error),
                (found, _) => found.map(|number| self.named(number)).transpose(),
            };
        }
        let found = if self.is_one_block() {
            index::in_block(self, name)?
        } else {
            index::in_leaves(self, name)?
        };
        found.map(|number| self.named(number)).transpose()
    }

    /// The entry as callers see it; `None` for `.` and `..`.
    fn shown(&self, entry: &Entry<'_>) -> Result<Option<DirEntry>> {
        if matches!(entry.name, b"." | b"..") {
            return Ok(None);
        }
        if entry.name.is_empty() || entry.name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            let why = format!("the name {} cannot be", entry.name.escape_ascii());
            return Err(Error::corrupt(&*self.what, entry.at, why));
        }
        let node = NodeId::new(self.named(entry.number).map_err(|error| error.at(entry.at))?);
        let file_type = match entry.ftype {
            1 => Some(FileType::File),
            2 => Some(FileType::Directory),
            3 => Some(FileType::CharacterDevice),
            4 => Some(FileType::BlockDevice),
            5 => Some(FileType::Fifo),
            6 => Some(FileType::Socket),
            7 => Some(FileType::Symlink),
            _ => None,
        };
        Ok(Some(DirEntry { name: entry.name.to_vec(), node, file_type }))
    }

    /// Checks that a directory may name the inode.
    fn named(&self, number: u64) -> Result<u64> {
        let superblock = &self.blocks.superblock;
        if superblock.locate_inode(number).is_none() || superblock.is_internal(number) {
            let why = format!("an entry names the inode {number}, which cannot be");
            return Err(Error::corrupt(&*self.what, self.inode.at, why));
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Filesystem;
    use crate::xfs::blocks::{DA3, DIR3};
    use crate::xfs::testing::{BLOCK, Image, Node, ROOT, extent, short};

    /// A block of entries: `header` is its magic; returns the entries' hash values and addresses.
    fn entries(
        v5: bool,
        ftype: bool,
        logical: usize,
        names: &[&[u8]],
    ) -> (Vec<u8>, Vec<(u32, u32)>) {
        let mut block = vec![0; if v5 { 64 } else { 16 }];
        let mut index = Vec::new();
        for name in names {
            let at = block.len();
            index.push((name::hash(name), ((logical * BLOCK + at) / 8) as u32));
            block.extend(ROOT.to_be_bytes());
            block.push(name.len() as u8);
            block.extend_from_slice(name);
            if ftype {
                block.push(2);
            }
            let end = (block.len() + 2).next_multiple_of(8);
            block.resize(end - 2, 0);
            block.extend((at as u16).to_be_bytes());
        }
        index.sort_unstable();
        (block, index)
    }

    /// Fills the rest up to `end` with a free stretch.
    fn free_up_to(block: &mut Vec<u8>, end: usize) {
        let at = block.len();
        block.extend([0xFF, 0xFF]);
        block.extend(((end - at) as u16).to_be_bytes());
        block.resize(end - 2, 0);
        block.extend((at as u16).to_be_bytes());
    }

    fn pairs(index: &[(u32, u32)]) -> Vec<u8> {
        index
            .iter()
            .flat_map(|(hash, at)| [hash.to_be_bytes(), at.to_be_bytes()])
            .flatten()
            .collect()
    }

    fn directory(image: &mut Image, extents: &[[u8; 16]]) {
        let node = Node {
            mode: 0o040755,
            size: BLOCK as u64,
            extents: extents.len() as u32,
            data: extents.concat(),
            ..Node::default()
        };
        image.inode(ROOT, &node);
    }

    fn one_block(v5: bool, names: &[&[u8]]) -> Image {
        let mut image = Image::new(v5);
        let (mut block, index) = entries(v5, v5, 0, names);
        free_up_to(&mut block, BLOCK - 8 - index.len() * 8);
        block.extend(pairs(&index));
        block.extend((index.len() as u32).to_be_bytes());
        block.extend([0; 4]);
        block[..4].copy_from_slice(if v5 { b"XDB3" } else { b"XD2B" });
        image.block(30, &block, DIR3, ROOT);
        directory(&mut image, &[extent(0, 30, 1, false)]);
        image
    }

    fn listed(image: &Image) -> (Vec<Vec<u8>>, Option<Error>) {
        let filesystem = image.open().unwrap();
        let mut names = Vec::new();
        let outcome = filesystem.read_dir(filesystem.root(), &mut |entry| {
            names.push(entry.name);
            ControlFlow::Continue(())
        });
        (names, outcome.err())
    }

    fn found(filesystem: &dyn Filesystem, name: &[u8]) -> Result<bool> {
        filesystem.lookup(filesystem.root(), name).map(|found| found.is_some())
    }

    #[test]
    fn the_short_form_is_read() {
        let mut image = Image::new(true);
        let data = short(&[(b"one", 65), (b"two", 66), (b"bad/name", 67), (b"odd", 1 << 30)]);
        let node =
            Node { mode: 0o040755, format: 1, size: data.len() as u64, data, ..Node::default() };
        image.inode(ROOT, &node);
        let (names, error) = listed(&image);
        assert_eq!(names, [b"one", b"two"]);
        assert!(error.unwrap().to_string().contains("bad/name"));
        let filesystem = image.open().unwrap();
        assert!(found(&*filesystem, b"two").unwrap());
        assert!(!found(&*filesystem, b"three").unwrap());
        assert!(found(&*filesystem, b"odd").is_err(), "there cannot be such an inode");
        // An entry passes the end: what came before is found, what is not seen is not denied.
        image.inode(ROOT, &Node { size: node.size - 1, ..node.clone() });
        let filesystem = image.open().unwrap();
        assert!(found(&*filesystem, b"two").unwrap());
        assert!(found(&*filesystem, b"three").is_err());
        image.inode(ROOT, &Node { size: 1000, ..node.clone() });
        assert!(listed(&image).1.is_some());
        image.inode(ROOT, &Node { size: 1, ..node });
        assert!(listed(&image).1.is_some());
    }

    #[test]
    fn wide_inode_numbers_and_no_types_are_read() {
        let mut image = Image::new(false);
        let mut data = vec![1, 1];
        data.extend(ROOT.to_be_bytes());
        data.extend([1, 0, 0, b'a']);
        data.extend(65u64.to_be_bytes());
        let node =
            Node { mode: 0o040755, format: 1, size: data.len() as u64, data, ..Node::default() };
        image.inode(ROOT, &node);
        let filesystem = image.open().unwrap();
        let found = filesystem.lookup(filesystem.root(), b"a").unwrap().unwrap();
        assert_eq!(found.inode, 65);
    }

    #[test]
    fn one_block_is_read() {
        for v5 in [false, true] {
            let image = one_block(v5, &[b".", b"..", b"first", b"second"]);
            let (names, error) = listed(&image);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(names, [&b"first"[..], b"second"]);
            let filesystem = image.open().unwrap();
            assert!(found(&*filesystem, b"second").unwrap());
            assert!(!found(&*filesystem, b"third").unwrap());
            assert_eq!(filesystem.metadata(filesystem.root()).unwrap().size, BLOCK as u64);
            assert!(filesystem.read_link(filesystem.root()).is_err());
        }
    }

    #[test]
    fn damaged_blocks_give_what_can_be_read() {
        let whole = one_block(true, &[b".", b"..", b"first", b"second"]);
        let at = 30 * BLOCK;
        let after = |place: usize, bytes: &[u8]| {
            let mut image = whole.clone();
            image.put(at + place, bytes);
            image.seal(at, BLOCK, 4);
            listed(&image)
        };
        // `.` and `..` have 16 bytes each, `first` has 24.
        assert_eq!(after(96 + 8, &[0]).0.len(), 0, "no name is empty");
        assert_eq!(after(96 + 22, &[0, 9]).0.len(), 0, "its tag is wrong");
        let (names, error) = after(120 + 8, &[255]);
        assert_eq!((names.len(), error.is_some()), (1, true));
        assert!(after(144, &[0xFF, 0xFF, 0, 3]).1.is_some(), "a free stretch of three bytes");
        assert!(after(BLOCK - 8, &[0xFF; 4]).1.is_some(), "an index that does not fit");
        let mut image = whole.clone();
        image.put(at + 100, &[1]);
        assert!(listed(&image).1.unwrap().to_string().contains("checksum"));
        directory(&mut image, &[]);
        assert!(listed(&image).1.is_some());
        directory(&mut image, &[extent(0, 200, 40, false)]);
        assert!(listed(&image).1.is_some());
    }

    /// A directory with two blocks of entries and two leaves beneath a node.
    fn large(v5: bool) -> Image {
        let mut image = Image::new(v5);
        let (mut first, mut index) = entries(v5, v5, 0, &[b".", b"..", b"a", b"b"]);
        let (mut second, more) = entries(v5, v5, 1, &[b"c", b"dddddd", b"eeeeeeee"]);
        index.extend(more);
        index.sort_unstable();
        for (block, at) in [(&mut first, 30), (&mut second, 31)] {
            free_up_to(block, BLOCK);
            block[..4].copy_from_slice(if v5 { b"XDD3" } else { b"XD2D" });
            image.block(at, block, DIR3, ROOT);
        }
        let leaf = |next: u32, index: &[(u32, u32)]| {
            let mut block = next.to_be_bytes().to_vec();
            block.extend([0; 4]);
            block.extend(if v5 { [0x3D, 0xFF] } else { [0xD2, 0xFF] });
            block.resize(if v5 { 56 } else { 12 }, 0);
            block.extend((index.len() as u16).to_be_bytes());
            block.resize(if v5 { 64 } else { 16 }, 0);
            block.extend(pairs(index));
            block
        };
        let (left, right) = index.split_at(3);
        let base = (LEAF_OFFSET >> 12) as u32;
        image.block(33, &leaf(base + 2, left), DA3, ROOT);
        image.block(34, &leaf(0, right), DA3, ROOT);
        let mut node = vec![0; 8];
        node.extend(if v5 { [0x3E, 0xBE] } else { [0xFE, 0xBE] });
        node.resize(if v5 { 56 } else { 12 }, 0);
        node.extend([0, 2, 0, 1]);
        node.resize(if v5 { 64 } else { 16 }, 0);
        node.extend(pairs(&[(left[2].0, base + 1), (right[3].0, base + 2)]));
        image.block(32, &node, DA3, ROOT);
        let extents = [extent(0, 30, 2, false), extent(base.into(), 32, 3, false)];
        directory(&mut image, &extents);
        image
    }

    #[test]
    fn large_directories_are_looked_up_through_their_index() {
        for v5 in [false, true] {
            let image = large(v5);
            let (names, error) = listed(&image);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(names.len(), 5);
            let filesystem = image.open().unwrap();
            for name in names {
                assert!(found(&*filesystem, &name).unwrap(), "{}", name.escape_ascii());
            }
            assert!(!found(&*filesystem, b"zzzzzzzz").unwrap());
            assert!(!found(&*filesystem, b"\xFF\xFF\xFF\xFF").unwrap());
        }
    }

    #[test]
    fn damaged_indexes_are_no_answer() {
        let damaged = |block: usize, place: usize, bytes: &[u8], identity| {
            let mut image = large(true);
            image.put(block * BLOCK + place, bytes);
            image.identify(block * BLOCK, BLOCK, identity, ROOT);
            let filesystem = image.open().unwrap();
            [&b"a"[..], b"b", b"c", b"dddddd", b"eeeeeeee", b"no"]
                .iter()
                .filter_map(|name| found(&*filesystem, name).err())
                .count()
        };
        assert_eq!(damaged(32, 58, &[0, 2], DA3), 6, "a leaf where a node should be");
        assert_eq!(damaged(32, 58, &[0, 9], DA3), 6, "too deep");
        assert_eq!(damaged(32, 56, &[0, 0], DA3), 6, "no entries");
        assert_eq!(damaged(32, 8, &[0, 0], DA3), 6, "no magic");
        assert!(damaged(32, 68, &[0, 0x80, 0, 0], DA3) > 0, "a node that names itself");
        assert!(damaged(33, 56, &[0xFF, 0xFF], DA3) > 0, "more entries than fit");
        assert!(damaged(33, 76, &[0, 0, 0, 9], DA3) > 0, "an address between entries");
        assert!(damaged(33, 76, &[9, 9, 9, 9], DA3) > 0, "an address in a hole");
        assert_eq!(damaged(33, 76, &[0, 0, 0, 0], DA3), 0, "an entry that was removed");
        // Leaves in a circle, all of them full of the same hash value.
        let mut image = large(true);
        let hash = name::hash(b"no").to_be_bytes();
        for at in 0..3 {
            image.put(33 * BLOCK + 64 + at * 8, &hash);
            image.put(33 * BLOCK + 68 + at * 8, &[0; 4]);
        }
        image.be32(33 * BLOCK, (LEAF_OFFSET >> 12) as u32 + 1);
        image.be32(32 * BLOCK + 64, u32::MAX);
        image.identify(33 * BLOCK, BLOCK, DA3, ROOT);
        image.identify(32 * BLOCK, BLOCK, DA3, ROOT);
        assert!(found(&*image.open().unwrap(), b"no").is_err());
    }

    #[test]
    fn case_does_not_count_where_it_should_not() {
        let mut image = Image::new(true);
        let data = short(&[(b"Readme", 65), (b"README", 66)]);
        let node =
            Node { mode: 0o040755, format: 1, size: data.len() as u64, data, ..Node::default() };
        image.inode(ROOT, &node);
        image.superblock(100, &[0xF4, 0xA5]);
        let filesystem = image.open().unwrap();
        let found = |name: &[u8]| {
            filesystem.lookup(filesystem.root(), name).unwrap().map(|node| node.inode)
        };
        assert_eq!(found(b"readme"), Some(65));
        assert_eq!(found(b"README"), Some(66));
        assert_eq!(found(b"readme2"), None);
    }
}
