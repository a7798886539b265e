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
        if inode.file_type != FileType::Directory {
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
