//! A filesystem in the making.

use std::sync::Arc;

use fathom_block::Result;

use super::super::checksum::name_hash;
use super::super::key::{Key, id, kind};
use super::super::open;
use crate::node::Filesystem;
use crate::tree::Tree;

pub(super) const NODE: usize = 4096;
pub(super) const SUPERBLOCK: usize = 64 << 10;
pub(super) const CHUNKS: usize = 0x20000;
pub(super) const ROOTS: usize = 0x21000;
pub(super) const FILES: usize = 0x22000;
pub(super) const SUMS: usize = 0x23000;
pub(super) const LOGS: usize = 0x24000;
pub(super) const LOG: usize = 0x25000;
pub(super) const MORE: usize = 0x30000;
pub(super) const DATA: usize = 0x40000;
/// Addresses are places; the second copy, where there is one, lies this much further on.
pub(super) const MIRROR: usize = 0x10_0000;
pub(super) const GENERATION: u64 = 7;
pub(super) const FSID: [u8; 16] = *b"a filesystem id!";
pub(super) const DEVICE: [u8; 16] = *b"some device uuid";

pub(super) type Items = Vec<(Key, Vec<u8>)>;

/// A filesystem in the making.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    pub(super) roots: Items,
    pub(super) files: Items,
    pub(super) sums: Items,
    pub(super) log: Items,
    /// The type of the one chunk, and the devices of its stripes.
    pub(super) chunk: (u64, Vec<u64>),
    pub(super) incompat: u64,
}

impl Image {
    pub(super) fn new() -> Self {
        let mut image = Self {
            bytes: vec![0; 2 * MIRROR],
            roots: Vec::new(),
            files: Vec::new(),
            sums: Vec::new(),
            log: Vec::new(),
            chunk: (7 | 1 << 5, vec![1, 1]),
            incompat: 1 << 9,
        };
        image.files.push((Key::first(256, kind::INODE_ITEM), inode(0o040755, 0, 1)));
        image.files.push((Key::new(256, kind::INODE_REF, 256), reference(0, b"..")));
        image
    }

    /// Adds an inode with a name in the root directory.
    pub(super) fn add(&mut self, number: u64, name: &[u8], mode: u32, size: u64) {
        self.files.push((Key::first(number, kind::INODE_ITEM), inode(mode, size, 1)));
        self.files.push((Key::new(number, kind::INODE_REF, 256), reference(number, name)));
        self.entry(256, number, name, Key::first(number, kind::INODE_ITEM), 1);
    }

    pub(super) fn entry(
        &mut self,
        dir: u64,
        index: u64,
        name: &[u8],
        location: Key,
        file_type: u8,
    ) {
        let entry = entry(location, name, b"", file_type);
        let hashed = Key::new(dir, kind::DIR_ITEM, name_hash(name));
        self.files.push((hashed, entry.clone()));
        self.files.push((Key::new(dir, kind::DIR_INDEX, index), entry));
    }

    /// Adds an extent of a file and puts its bytes, with their checksums, at `at`.
    pub(super) fn extent(&mut self, number: u64, start: u64, at: usize, bytes: &[u8]) {
        let length = bytes.len() as u64;
        let item = extent(1, 0, [at as u64, length, 0, length], length);
        self.files.push((Key::new(number, kind::EXTENT_DATA, start), item));
        self.data(at, bytes);
    }

    pub(super) fn data(&mut self, at: usize, bytes: &[u8]) {
        self.put(at, bytes);
        let key = Key::new(id::EXTENT_CSUM, kind::EXTENT_CSUM, at as u64);
        self.sums.push((key, sums(bytes)));
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        let at = at + MIRROR;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn leaf(&mut self, at: usize, owner: u64, generation: u64, mut items: Items) {
        items.sort_by_key(|(key, _)| *key);
        let mut block = header(at, owner, generation, items.len(), 0);
        let mut end = NODE - 101;
        for (index, (key, bytes)) in items.iter().enumerate() {
            end -= bytes.len();
            let slot = 101 + index * 25;
            block[slot..slot + 17].copy_from_slice(&key.to_bytes());
            block[slot + 17..slot + 21].copy_from_slice(&(end as u32).to_le_bytes());
            block[slot + 21..slot + 25].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
            block[101 + end..101 + end + bytes.len()].copy_from_slice(bytes);
        }
        self.block(at, block);
    }

    pub(super) fn node(&mut self, at: usize, owner: u64, level: u8, pointers: &[(Key, usize)]) {
        let mut block = header(at, owner, GENERATION, pointers.len(), level);
        for (index, (key, to)) in pointers.iter().enumerate() {
            let slot = 101 + index * 33;
            block[slot..slot + 17].copy_from_slice(&key.to_bytes());
            block[slot + 17..slot + 25].copy_from_slice(&(*to as u64).to_le_bytes());
            block[slot + 25..slot + 33].copy_from_slice(&GENERATION.to_le_bytes());
        }
        self.block(at, block);
    }

    pub(super) fn block(&mut self, at: usize, mut block: Vec<u8>) {
        seal(&mut block);
        self.put(at, &block);
    }

    /// Writes the trees that the superblock and the tree of roots lead to.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut chunk = Vec::new();
        let (kind, devices) = self.chunk.clone();
        for number in [MIRROR as u64, 2, 64 << 10, kind] {
            chunk.extend_from_slice(&number.to_le_bytes());
        }
        chunk.extend_from_slice(&[0; 12]);
        chunk.extend_from_slice(&(devices.len() as u16).to_le_bytes());
        chunk.extend_from_slice(&[0; 2]);
        for (index, device) in devices.iter().enumerate() {
            chunk.extend_from_slice(&device.to_le_bytes());
            chunk.extend_from_slice(&((index * MIRROR) as u64).to_le_bytes());
            chunk.extend_from_slice(&DEVICE);
        }
        let chunk_key = Key::new(id::FIRST_CHUNK_TREE, kind::CHUNK_ITEM, 0);
        self.leaf(CHUNKS, id::CHUNK_TREE, GENERATION, vec![(chunk_key, chunk.clone())]);
        let mut roots = self.roots.clone();
        for (tree, at) in [(id::FS_TREE, FILES), (id::CSUM_TREE, SUMS)] {
            roots.push((Key::first(tree, kind::ROOT_ITEM), root(at, GENERATION, 0)));
        }
        self.leaf(ROOTS, id::ROOT_TREE, GENERATION, roots);
        self.leaf(FILES, id::FS_TREE, GENERATION, self.files.clone());
        self.leaf(SUMS, id::CSUM_TREE, GENERATION, self.sums.clone());
        let mut log_root = 0;
        if !self.log.is_empty() {
            log_root = LOGS as u64;
            let logs = Key::new(id::TREE_LOG, kind::ROOT_ITEM, id::FS_TREE);
            let items = vec![(logs, root(LOG, GENERATION + 1, 0))];
            self.leaf(LOGS, id::TREE_LOG, GENERATION + 1, items);
            self.leaf(LOG, id::TREE_LOG, GENERATION + 1, self.log.clone());
        }
        let mut superblock = vec![0; 4096];
        let mut set = |at: usize, bytes: &[u8]| {
            superblock[at..at + bytes.len()].copy_from_slice(bytes);
        };
        set(0x20, &FSID);
        set(0x30, &(SUPERBLOCK as u64).to_le_bytes());
        set(0x40, b"_BHRfS_M");
        set(0x48, &GENERATION.to_le_bytes());
        set(0x50, &(ROOTS as u64).to_le_bytes());
        set(0x58, &(CHUNKS as u64).to_le_bytes());
        set(0x60, &log_root.to_le_bytes());
        set(0x70, &(2 * MIRROR as u64).to_le_bytes());
        set(0x80, &6_u64.to_le_bytes());
        set(0x88, &1_u64.to_le_bytes());
        set(0x90, &4096_u32.to_le_bytes());
        set(0x94, &(NODE as u32).to_le_bytes());
        set(0xA0, &((17 + chunk.len()) as u32).to_le_bytes());
        set(0xA4, &GENERATION.to_le_bytes());
        set(0xBC, &self.incompat.to_le_bytes());
        set(0xC9, &1_u64.to_le_bytes());
        set(0xC9 + 8, &(2 * MIRROR as u64).to_le_bytes());
        set(0xC9 + 66, &DEVICE);
        set(0x12B, b"label");
        set(0x32B, &chunk_key.to_bytes());
        set(0x32B + 17, &chunk);
        seal(&mut superblock);
        self.bytes[SUPERBLOCK..SUPERBLOCK + 4096].copy_from_slice(&superblock);
        self.bytes.clone()
    }

    pub(super) fn open(&mut self) -> Result<Arc<dyn Filesystem>> {
        open(Arc::new(self.finish()))
    }

    pub(super) fn tree(&mut self) -> Tree {
        Tree::new(self.open().unwrap())
    }
}

pub(super) fn seal(structure: &mut [u8]) {
    let sum = crc32c::crc32c(&structure[32..]);
    structure[..4].copy_from_slice(&sum.to_le_bytes());
}

pub(super) fn sums(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(4096).flat_map(|sector| crc32c::crc32c(sector).to_le_bytes()).collect()
}

pub(super) fn header(at: usize, owner: u64, generation: u64, count: usize, level: u8) -> Vec<u8> {
    let mut block = vec![0; NODE];
    block[32..48].copy_from_slice(&FSID);
    block[48..56].copy_from_slice(&(at as u64).to_le_bytes());
    block[80..88].copy_from_slice(&generation.to_le_bytes());
    block[88..96].copy_from_slice(&owner.to_le_bytes());
    block[96..100].copy_from_slice(&(count as u32).to_le_bytes());
    block[100] = level;
    block
}

pub(super) fn inode(mode: u32, size: u64, generation: u64) -> Vec<u8> {
    let mut item = vec![0; 160];
    item[..8].copy_from_slice(&generation.to_le_bytes());
    item[16..24].copy_from_slice(&size.to_le_bytes());
    item[40..44].copy_from_slice(&1_u32.to_le_bytes());
    item[52..56].copy_from_slice(&mode.to_le_bytes());
    item
}

pub(super) fn reference(index: u64, name: &[u8]) -> Vec<u8> {
    let mut item = index.to_le_bytes().to_vec();
    item.extend_from_slice(&(name.len() as u16).to_le_bytes());
    item.extend_from_slice(name);
    item
}

pub(super) fn entry(location: Key, name: &[u8], data: &[u8], file_type: u8) -> Vec<u8> {
    let mut item = location.to_bytes().to_vec();
    item.extend_from_slice(&GENERATION.to_le_bytes());
    item.extend_from_slice(&(data.len() as u16).to_le_bytes());
    item.extend_from_slice(&(name.len() as u16).to_le_bytes());
    item.push(file_type);
    item.extend_from_slice(name);
    item.extend_from_slice(data);
    item
}

/// A file extent: type, compression, the four numbers of one that is not inline, and the size.
pub(super) fn extent(file_type: u8, compression: u8, numbers: [u64; 4], ram_bytes: u64) -> Vec<u8> {
    let mut item = GENERATION.to_le_bytes().to_vec();
    item.extend_from_slice(&ram_bytes.to_le_bytes());
    item.extend_from_slice(&[compression, 0, 0, 0, file_type]);
    if file_type != 0 {
        numbers.iter().for_each(|number| item.extend_from_slice(&number.to_le_bytes()));
    }
    item
}

pub(super) fn inline(compression: u8, ram_bytes: u64, bytes: &[u8]) -> Vec<u8> {
    let mut item = extent(0, compression, [0; 4], ram_bytes);
    item.extend_from_slice(bytes);
    item
}

pub(super) fn root(at: usize, generation: u64, level: u8) -> Vec<u8> {
    let mut item = vec![0; 439];
    item[160..168].copy_from_slice(&generation.to_le_bytes());
    item[168..176].copy_from_slice(&256_u64.to_le_bytes());
    item[176..184].copy_from_slice(&(at as u64).to_le_bytes());
    item[216..220].copy_from_slice(&1_u32.to_le_bytes());
    item[238] = level;
    item[239..247].copy_from_slice(&generation.to_le_bytes());
    item
}

pub(super) fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}
