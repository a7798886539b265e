//! Hand-made filesystems for the tests beside the code: two allocation groups of 512 blocks of
//! 4 KiB, inodes of 512 bytes, the root directory inode 64, the log at block 256.

use std::sync::Arc;

use fathom_block::{ReadAt, Result};

use super::blocks::{Blocks, Identity, crc_without};
use super::superblock::Superblock;
use crate::node::Filesystem;

pub(super) const BLOCK: usize = 4096;
pub(super) const INODE: usize = 512;
pub(super) const ROOT: u64 = 64;
pub(super) const UUID: [u8; 16] = [7; 16];
pub(super) const AG_BLOCKS: usize = 512;
/// The block where the log starts, and how many it has.
pub(super) const LOG: usize = 256;
pub(super) const LOG_BLOCKS: usize = 64;

/// What a test wants to know or change of an inode.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) mode: u16,
    pub(super) format: u8,
    pub(super) size: u64,
    pub(super) extents: u32,
    pub(super) data: Vec<u8>,
    /// In units of eight bytes; zero for no attributes.
    pub(super) fork_offset: u8,
    pub(super) attribute_format: u8,
    pub(super) attribute_extents: u16,
    pub(super) attributes: Vec<u8>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            mode: 0o100644,
            format: 2,
            size: 0,
            extents: 0,
            data: Vec::new(),
            fork_offset: 0,
            attribute_format: 2,
            attribute_extents: 0,
            attributes: Vec::new(),
        }
    }
}

/// A filesystem in the making.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    pub(super) v5: bool,
}

impl Image {
    /// An empty root directory and an empty log.
    pub(super) fn new(v5: bool) -> Self {
        let mut image = Self { bytes: vec![0; 2 * AG_BLOCKS * BLOCK], v5 };
        for group in [0, AG_BLOCKS * BLOCK] {
            image.put(group, b"XFSB");
            image.be32(group + 4, BLOCK as u32);
            image.be64(group + 8, 2 * AG_BLOCKS as u64);
            image.put(group + 32, &UUID);
            image.be64(group + 48, LOG as u64);
            image.be64(group + 56, ROOT);
            image.be32(group + 84, AG_BLOCKS as u32);
            image.be32(group + 88, 2);
            image.be32(group + 96, LOG_BLOCKS as u32);
            image.be16(group + 100, if v5 { 0xB4A5 } else { 0xB4A4 });
            image.be16(group + 102, 512);
            image.be16(group + 104, INODE as u16);
            image.be16(group + 106, 8);
            image.put(group + 108, b"label");
            image.put(group + 120, &[12, 9, 9, 3, 9, 0, 0]);
            image.be32(group + 200, 0x8A);
            image.be32(group + 204, 0x8A);
            if v5 {
                image.be32(group + 216, 0x1);
            }
            image.seal(group, 512, 224);
        }
        let root = Node { mode: 0o040755, format: 1, size: 6, data: short(&[]), ..Node::default() };
        image.inode(ROOT, &root);
        image
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
    pub(super) fn be16(&mut self, at: usize, value: u16) {
        self.put(at, &value.to_be_bytes());
    }
    pub(super) fn be32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_be_bytes());
    }
    pub(super) fn be64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_be_bytes());
    }

    /// Makes the checksum at `place` of a structure right.
    pub(super) fn seal(&mut self, at: usize, length: usize, place: usize) {
        if self.v5 {
            let crc = crc_without(&self.bytes[at..at + length], place);
            self.put(at + place, &crc.to_le_bytes());
        }
    }

    /// Changes both superblocks.
    pub(super) fn superblock(&mut self, at: usize, bytes: &[u8]) {
        for group in [0, AG_BLOCKS * BLOCK] {
            self.put(group + at, bytes);
            self.seal(group, 512, 224);
        }
    }

    /// Writes an inode.
    pub(super) fn inode(&mut self, number: u64, node: &Node) {
        let at = number as usize * INODE;
        let core = if self.v5 { 176 } else { 100 };
        self.bytes[at..at + INODE].fill(0);
        self.put(at, b"IN");
        self.be16(at + 2, node.mode);
        self.put(at + 4, &[if self.v5 { 3 } else { 2 }, node.format]);
        self.be32(at + 8, 1000);
        self.be32(at + 12, 1001);
        self.be32(at + 16, 2);
        self.be32(at + 40, -5i32 as u32);
        self.be32(at + 44, 6);
        self.be64(at + 56, node.size);
        self.be64(at + 64, 3);
        self.be32(at + 76, node.extents);
        self.be16(at + 80, node.attribute_extents);
        self.put(at + 82, &[node.fork_offset, node.attribute_format]);
        self.be32(at + 96, u32::MAX);
        if self.v5 {
            self.be64(at + 152, number);
            self.put(at + 160, &UUID);
        }
        self.put(at + core, &node.data);
        self.put(at + core + usize::from(node.fork_offset) * 8, &node.attributes);
        self.seal(at, INODE, 100);
    }

    /// Writes a block that says what and whose it is.
    pub(super) fn block(&mut self, block: usize, bytes: &[u8], identity: Identity, owner: u64) {
        let at = block * BLOCK;
        self.put(at, bytes);
        self.identify(at, BLOCK, identity, owner);
    }

    /// Makes what lies at the byte `at` say what and whose it is.
    pub(super) fn identify(&mut self, at: usize, length: usize, identity: Identity, owner: u64) {
        if self.v5 {
            let [crc, block, uuid, owner_at] = identity.places();
            self.be64(at + block, at as u64 / 512);
            self.put(at + uuid, &UUID);
            self.be64(at + owner_at, owner);
            self.seal(at, length, crc);
        }
    }

    /// What it is for those who read parts of it.
    pub(super) fn blocks(&self) -> Blocks {
        let volume: Arc<dyn ReadAt> = Arc::new(self.bytes.clone());
        let superblock = Superblock::read(&*volume, 0).unwrap();
        Blocks::new(volume, superblock, Default::default(), Default::default())
    }

    /// Opens it as a whole.
    pub(super) fn open(&self) -> Result<Arc<dyn Filesystem>> {
        super::open(Arc::new(self.bytes.clone()))
    }
}

/// A directory in short form, of regular files; with types where the first entry has a number
/// below 2^32.
pub(super) fn short(entries: &[(&[u8], u32)]) -> Vec<u8> {
    let mut bytes = vec![entries.len() as u8, 0];
    bytes.extend((ROOT as u32).to_be_bytes());
    for (name, number) in entries {
        bytes.extend([name.len() as u8, 0, 0]);
        bytes.extend_from_slice(name);
        bytes.push(1);
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

/// An extent record.
pub(super) fn extent(start: u64, block: u64, count: u64, unwritten: bool) -> [u8; 16] {
    let upper = u64::from(unwritten) << 63 | start << 9 | block >> 43;
    let lower = block << 21 | count;
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&upper.to_be_bytes());
    bytes[8..].copy_from_slice(&lower.to_be_bytes());
    bytes
}
