//! A small filesystem made by hand: one group of 1 KiB blocks, no feature but those that a test
//! switches on. Block 1 is the superblock, 2 the descriptors, 5 to 20 the inode table; the root
//! directory has block 24; a test may use those from 30 on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fathom_block::{Error, ReadAt, Result};

use super::superblock::MAGIC;
use crate::node::Filesystem;
use crate::tree::Tree;

pub(super) const BLOCK: usize = 1024;
const INODE_TABLE: usize = 5;
const INODE_SIZE: usize = 256;
const ROOT_BLOCK: u32 = 24;

/// Flags of inodes.
pub(super) const EXTENTS: u32 = 0x8_0000;
pub(super) const INLINE: u32 = 0x1000_0000;

#[derive(Clone)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    root: Vec<u8>,
}

impl Image {
    pub(super) fn new() -> Self {
        let mut image = Self { bytes: vec![0; 1024 * BLOCK], root: Vec::new() };
        let superblock = [
            (0x0_usize, 64),
            (0x4, 1024),
            (0x14, 1),
            (0x20, 8192),
            (0x28, 64),
            (0x38, u32::from(MAGIC) | 1 << 16),
            (0x4C, 1),
            (0x54, 11),
            (0x58, INODE_SIZE as u32),
            (0x60, 2),
        ];
        for (at, value) in superblock {
            image.put(1024 + at, &u32::to_le_bytes(value));
        }
        image.put(2 * BLOCK + 8, &(INODE_TABLE as u32).to_le_bytes());
        image.inode(2, 0o040755, BLOCK as u64, 0, &numbers(&[ROOT_BLOCK]));
        image
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Fills blocks, the last one up with zeros.
    pub(super) fn block(&mut self, block: usize, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        self.put(block * BLOCK, &bytes);
    }

    /// A field of 32 bits of the superblock.
    pub(super) fn superblock(&mut self, at: usize, value: u32) {
        self.put(1024 + at, &value.to_le_bytes());
    }

    /// Where the inode is.
    pub(super) fn place(number: u32) -> usize {
        INODE_TABLE * BLOCK + (number as usize - 1) * INODE_SIZE
    }

    pub(super) fn inode(&mut self, number: u32, mode: u16, size: u64, flags: u32, i_block: &[u8]) {
        let raw = raw_inode(mode, size, flags, i_block);
        self.put(Self::place(number), &raw);
    }

    /// Gives the root directory another name.
    pub(super) fn name(&mut self, name: &str, inode: u32) {
        self.root.extend(entry(name.as_bytes(), inode));
    }

    pub(super) fn open(&self) -> Result<Arc<dyn Filesystem>> {
        super::open(Arc::new(self.whole()))
    }

    /// The image as a volume that counts the reads of it.
    pub(super) fn counted(&self) -> Arc<Counted> {
        Arc::new(Counted { bytes: self.whole(), reads: AtomicUsize::new(0) })
    }

    fn whole(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let at = ROOT_BLOCK as usize * BLOCK;
        if !self.root.is_empty() {
            bytes[at..at + BLOCK].copy_from_slice(&directory_block(&self.root));
        } else if bytes[at..at + BLOCK] == [0; BLOCK] {
            bytes[at..at + BLOCK].copy_from_slice(&directory_block(&[]));
        }
        bytes
    }

    pub(super) fn tree(&self) -> Tree {
        Tree::new(self.open().unwrap())
    }

    /// What reading the whole file gives.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>> {
        self.tree().read(path.as_bytes(), 1 << 20)
    }

    /// The error that reading the file gives.
    pub(super) fn error(&self, path: &str) -> Error {
        self.read(path).unwrap_err()
    }
}

/// A volume that counts the reads of it.
pub(super) struct Counted {
    bytes: Vec<u8>,
    reads: AtomicUsize,
}

impl Counted {
    pub(super) fn count(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

impl ReadAt for Counted {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.read_at(offset, buf)
    }
}

pub(super) fn raw_inode(mode: u16, size: u64, flags: u32, i_block: &[u8]) -> Vec<u8> {
    let mut raw = vec![0; INODE_SIZE];
    raw[..2].copy_from_slice(&mode.to_le_bytes());
    raw[4..8].copy_from_slice(&(size as u32).to_le_bytes());
    raw[0x6C..0x70].copy_from_slice(&((size >> 32) as u32).to_le_bytes());
    raw[0x1A] = 1;
    raw[0x20..0x24].copy_from_slice(&flags.to_le_bytes());
    raw[0x28..0x28 + i_block.len()].copy_from_slice(i_block);
    raw[0x80] = 32;
    raw
}

pub(super) fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

pub(super) fn entry(name: &[u8], inode: u32) -> Vec<u8> {
    let length = (8 + name.len()).next_multiple_of(4);
    let mut bytes = inode.to_le_bytes().to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend([name.len() as u8, 1]);
    bytes.extend(name);
    bytes.resize(length, 0);
    bytes
}

/// A block of entries, filled up with a free one.
pub(super) fn directory_block(entries: &[u8]) -> Vec<u8> {
    let mut block = entries.to_vec();
    let rest = BLOCK - block.len();
    block.extend(0_u32.to_le_bytes());
    block.extend((rest as u16).to_le_bytes());
    block.resize(BLOCK, 0);
    block
}

/// A node of an extent tree: entries of block in the file, length or 0, and place.
pub(super) fn extent_node(depth: u16, entries: &[(u32, u16, u32)]) -> Vec<u8> {
    let mut node = 0xF30A_u16.to_le_bytes().to_vec();
    node.extend((entries.len() as u16).to_le_bytes());
    node.extend(4_u16.to_le_bytes());
    node.extend(depth.to_le_bytes());
    node.extend([0; 4]);
    for (logical, length, place) in entries {
        node.extend(logical.to_le_bytes());
        if depth == 0 {
            node.extend(length.to_le_bytes());
            node.extend([0; 2]);
            node.extend(place.to_le_bytes());
        } else {
            node.extend(place.to_le_bytes());
            node.extend([0; 4]);
        }
    }
    node
}
