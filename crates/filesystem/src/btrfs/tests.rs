//! Small filesystems made by hand, right and wrong ones. What mkfs and the kernel make is compared
//! by `cargo xtask oracle btrfs/`.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{ErrorKind, ReadAt, Result};

use super::checksum::{Checksum, extref_hash, name_hash};
use super::key::{Key, id, kind};
use super::open;
use crate::node::{Filesystem, Health, NodeId};
use crate::tree::Tree;

const NODE: usize = 4096;
const SUPERBLOCK: usize = 64 << 10;
const CHUNKS: usize = 0x20000;
const ROOTS: usize = 0x21000;
const FILES: usize = 0x22000;
const SUMS: usize = 0x23000;
const LOGS: usize = 0x24000;
const LOG: usize = 0x25000;
const MORE: usize = 0x30000;
const DATA: usize = 0x40000;
/// Addresses are places; the second copy, where there is one, lies this much further on.
const MIRROR: usize = 0x10_0000;
const GENERATION: u64 = 7;
const FSID: [u8; 16] = *b"a filesystem id!";
const DEVICE: [u8; 16] = *b"some device uuid";

type Items = Vec<(Key, Vec<u8>)>;

/// A filesystem in the making.
#[derive(Clone)]
struct Image {
    bytes: Vec<u8>,
    roots: Items,
    files: Items,
    sums: Items,
    log: Items,
    /// The type of the one chunk, and the devices of its stripes.
    chunk: (u64, Vec<u64>),
    incompat: u64,
}

impl Image {
    fn new() -> Self {
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
    fn add(&mut self, number: u64, name: &[u8], mode: u32, size: u64) {
        self.files.push((Key::first(number, kind::INODE_ITEM), inode(mode, size, 1)));
        self.files.push((Key::new(number, kind::INODE_REF, 256), reference(number, name)));
        self.entry(256, number, name, Key::first(number, kind::INODE_ITEM), 1);
    }

    fn entry(&mut self, dir: u64, index: u64, name: &[u8], location: Key, file_type: u8) {
        let entry = entry(location, name, b"", file_type);
        let hashed = Key::new(dir, kind::DIR_ITEM, name_hash(name));
        self.files.push((hashed, entry.clone()));
        self.files.push((Key::new(dir, kind::DIR_INDEX, index), entry));
    }

    /// Adds an extent of a file and puts its bytes, with their checksums, at `at`.
    fn extent(&mut self, number: u64, start: u64, at: usize, bytes: &[u8]) {
        let length = bytes.len() as u64;
        let item = extent(1, 0, [at as u64, length, 0, length], length);
        self.files.push((Key::new(number, kind::EXTENT_DATA, start), item));
        self.data(at, bytes);
    }

    fn data(&mut self, at: usize, bytes: &[u8]) {
        self.put(at, bytes);
        let key = Key::new(id::EXTENT_CSUM, kind::EXTENT_CSUM, at as u64);
        self.sums.push((key, sums(bytes)));
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        let at = at + MIRROR;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn leaf(&mut self, at: usize, owner: u64, generation: u64, mut items: Items) {
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

    fn node(&mut self, at: usize, owner: u64, level: u8, pointers: &[(Key, usize)]) {
        let mut block = header(at, owner, GENERATION, pointers.len(), level);
        for (index, (key, to)) in pointers.iter().enumerate() {
            let slot = 101 + index * 33;
            block[slot..slot + 17].copy_from_slice(&key.to_bytes());
            block[slot + 17..slot + 25].copy_from_slice(&(*to as u64).to_le_bytes());
            block[slot + 25..slot + 33].copy_from_slice(&GENERATION.to_le_bytes());
        }
        self.block(at, block);
    }

    fn block(&mut self, at: usize, mut block: Vec<u8>) {
        seal(&mut block);
        self.put(at, &block);
    }

    /// Writes the trees that the superblock and the tree of roots lead to.
    fn finish(&mut self) -> Vec<u8> {
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

    fn open(&mut self) -> Result<Arc<dyn Filesystem>> {
        open(Arc::new(self.finish()))
    }

    fn tree(&mut self) -> Tree {
        Tree::new(self.open().unwrap())
    }
}

fn seal(structure: &mut [u8]) {
    let sum = crc32c::crc32c(&structure[32..]);
    structure[..4].copy_from_slice(&sum.to_le_bytes());
}

fn sums(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(4096).flat_map(|sector| crc32c::crc32c(sector).to_le_bytes()).collect()
}

fn header(at: usize, owner: u64, generation: u64, count: usize, level: u8) -> Vec<u8> {
    let mut block = vec![0; NODE];
    block[32..48].copy_from_slice(&FSID);
    block[48..56].copy_from_slice(&(at as u64).to_le_bytes());
    block[80..88].copy_from_slice(&generation.to_le_bytes());
    block[88..96].copy_from_slice(&owner.to_le_bytes());
    block[96..100].copy_from_slice(&(count as u32).to_le_bytes());
    block[100] = level;
    block
}

fn inode(mode: u32, size: u64, generation: u64) -> Vec<u8> {
    let mut item = vec![0; 160];
    item[..8].copy_from_slice(&generation.to_le_bytes());
    item[16..24].copy_from_slice(&size.to_le_bytes());
    item[40..44].copy_from_slice(&1_u32.to_le_bytes());
    item[52..56].copy_from_slice(&mode.to_le_bytes());
    item
}

fn reference(index: u64, name: &[u8]) -> Vec<u8> {
    let mut item = index.to_le_bytes().to_vec();
    item.extend_from_slice(&(name.len() as u16).to_le_bytes());
    item.extend_from_slice(name);
    item
}

fn entry(location: Key, name: &[u8], data: &[u8], file_type: u8) -> Vec<u8> {
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
fn extent(file_type: u8, compression: u8, numbers: [u64; 4], ram_bytes: u64) -> Vec<u8> {
    let mut item = GENERATION.to_le_bytes().to_vec();
    item.extend_from_slice(&ram_bytes.to_le_bytes());
    item.extend_from_slice(&[compression, 0, 0, 0, file_type]);
    if file_type != 0 {
        numbers.iter().for_each(|number| item.extend_from_slice(&number.to_le_bytes()));
    }
    item
}

fn inline(compression: u8, ram_bytes: u64, bytes: &[u8]) -> Vec<u8> {
    let mut item = extent(0, compression, [0; 4], ram_bytes);
    item.extend_from_slice(bytes);
    item
}

fn root(at: usize, generation: u64, level: u8) -> Vec<u8> {
    let mut item = vec![0; 439];
    item[160..168].copy_from_slice(&generation.to_le_bytes());
    item[168..176].copy_from_slice(&256_u64.to_le_bytes());
    item[176..184].copy_from_slice(&(at as u64).to_le_bytes());
    item[216..220].copy_from_slice(&1_u32.to_le_bytes());
    item[238] = level;
    item[239..247].copy_from_slice(&generation.to_le_bytes());
    item
}

fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Reads the file in odd portions and as a whole.
fn check_file(tree: &Tree, path: &str, wanted: &[u8]) {
    let file = tree.open(path.as_bytes()).unwrap();
    assert_eq!(file.len(), wanted.len() as u64, "{path}");
    assert_eq!(tree.read(path.as_bytes(), 1 << 20).unwrap(), wanted, "{path}");
    for (start, length) in [(0, 1), (1, 4095), (4095, 2), (100, 9000), (8191, 4098)] {
        let end = (start + length).min(wanted.len());
        let start = start.min(end);
        let mut buf = vec![0xEE; end - start];
        file.read_at(start as u64, &mut buf).unwrap();
        assert_eq!(buf, wanted[start..end], "{path} {start}..{end}");
    }
    assert!(file.read_at(wanted.len() as u64, &mut [0]).is_err());
    file.prefetch(std::slice::from_ref(&(0..file.len())));
}

fn refused(image: &mut Image, kind: ErrorKind, words: &str) {
    let error = image.open().err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

/// The error of reading all of `path`.
fn unreadable(image: &mut Image, path: &str, words: &str) {
    let error = image.tree().read(path.as_bytes(), 1 << 20).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn an_empty_filesystem() {
    let tree = Image::new().tree();
    assert!(tree.read_dir(b"/").unwrap().is_empty());
    let filesystem = &tree.mounts()[0].filesystem;
    let info = filesystem.info();
    assert_eq!(info.label.as_deref(), Some("label"));
    assert_eq!(info.uuid.as_deref(), Some("61206669-6c65-7379-7374-656d20696421"));
    assert_eq!((info.health, info.block_size), (Health::Clean, 4096));
    assert!(filesystem.problems().is_empty());
    assert!(filesystem.lookup(filesystem.root(), b"none").unwrap().is_none());
    assert!(filesystem.open(filesystem.root()).is_err());
    assert!(filesystem.read_link(filesystem.root()).is_err());
    let nowhere = NodeId { tree: 5, inode: 999 };
    assert_eq!(filesystem.metadata(nowhere).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(filesystem.open_subvolume(300).err().unwrap().kind(), ErrorKind::NotFound);
}

#[test]
fn extents_of_every_kind() {
    let mut image = Image::new();
    image.add(257, b"plain", 0o100644, 20000);
    let bytes = noise(8192);
    image.extent(257, 4096, DATA, &bytes);
    // Half of an extent, after a hole; and space that was never written.
    let half = extent(1, 0, [DATA as u64, 8192, 4096, 4096], 8192);
    image.files.push((Key::new(257, kind::EXTENT_DATA, 16384), half));
    let mut plain = vec![0; 4096];
    plain.extend_from_slice(&bytes);
    plain.resize(16384, 0);
    plain.extend_from_slice(&bytes[4096..4096 + 3616]);
    image.add(258, b"allocated", 0o100644, 8192);
    let allocated = extent(2, 0, [DATA as u64, 8192, 0, 8192], 8192);
    image.files.push((Key::new(258, kind::EXTENT_DATA, 0), allocated));
    image.add(259, b"inline", 0o100644, 6000);
    image.files.push((Key::new(259, kind::EXTENT_DATA, 0), inline(0, 5, b"hello")));
    let tree = image.tree();
    check_file(&tree, "plain", &plain);
    check_file(&tree, "allocated", &[0; 8192]);
    let mut hello = b"hello".to_vec();
    hello.resize(6000, 0);
    check_file(&tree, "inline", &hello);
    let file = tree.open(b"plain").unwrap();
    assert_eq!(file.next_data(0), Some(4096..12288));
    assert_eq!(file.next_data(5000), Some(5000..12288));
    assert_eq!(file.next_data(12288), Some(16384..20000));
    assert_eq!(file.next_data(20000), None);
    assert_eq!(tree.open(b"allocated").unwrap().next_data(0), None);
    assert_eq!(tree.read_dir(b"/").unwrap().len(), 3);
}

/// LZO with nothing but literal bytes, for up to 238 of them.
fn lzo_literals(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![17 + bytes.len() as u8];
    packed.extend_from_slice(bytes);
    packed.extend_from_slice(&[0x11, 0, 0]);
    packed
}

fn lzo_frame(segments: &[Vec<u8>]) -> Vec<u8> {
    let mut frame = vec![0; 4];
    for segment in segments {
        if 4096 - frame.len() % 4096 < 4 {
            frame.resize(frame.len().next_multiple_of(4096), 0);
        }
        frame.extend_from_slice(&(segment.len() as u32).to_le_bytes());
        frame.extend_from_slice(segment);
    }
    let length = (frame.len() as u32).to_le_bytes();
    frame[..4].copy_from_slice(&length);
    frame
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 1000);
    let mut encoder = flate2::Compress::new(flate2::Compression::fast(), true);
    encoder.compress_vec(bytes, &mut packed, flate2::FlushCompress::Finish).unwrap();
    packed
}

#[test]
fn compressed_extents() {
    let mut text = b"some text ".repeat(900);
    text.truncate(8200);
    let zstd = zstd::bulk::compress(&text, 3).unwrap();
    let lzo = lzo_frame(&[lzo_literals(&text[..200]), lzo_literals(&text[..100])]);
    let mut lzo_text = text[..200].to_vec();
    lzo_text.resize(4096, 0);
    lzo_text.extend_from_slice(&text[..100]);
    lzo_text.resize(8200, 0);
    let mut image = Image::new();
    for (index, mut packed) in [zlib(&text), lzo, zstd].into_iter().enumerate() {
        let (number, at) = (300 + index as u64, DATA + index * 0x2000);
        let name = [b"zlib".as_slice(), b"lzo", b"zstd"][index];
        image.add(number, name, 0o100644, 8200);
        packed.resize(packed.len().next_multiple_of(4096), 0xAA);
        let length = packed.len() as u64;
        let whole = extent(1, index as u8 + 1, [at as u64, length, 0, 12288], 12288);
        image.files.push((Key::new(number, kind::EXTENT_DATA, 0), whole));
        image.data(at, &packed);
    }
    image.add(310, b"inline", 0o100644, 4000);
    let packed = zlib(&text[..4000]);
    image.files.push((Key::new(310, kind::EXTENT_DATA, 0), inline(1, 4000, &packed)));
    image.add(311, b"part", 0o100644, 4096);
    let part = extent(1, 3, [(DATA + 0x4000) as u64, 4096, 4096, 4096], 12288);
    image.files.push((Key::new(311, kind::EXTENT_DATA, 0), part));
    let tree = image.tree();
    check_file(&tree, "zlib", &text);
    check_file(&tree, "zstd", &text);
    check_file(&tree, "lzo", &lzo_text);
    check_file(&tree, "inline", &text[..4000]);
    check_file(&tree, "part", &text[4096..8192]);
    // A packed byte that is damaged together with its checksum is noticed when it is unpacked.
    for at in [DATA, DATA + 0x2000, DATA + 0x4000] {
        let mut sector = image.bytes[at..at + 4096].to_vec();
        sector[..8].fill(0xFF);
        image.sums.retain(|(key, _)| key.offset != at as u64);
        image.data(at, &sector);
    }
    for name in ["zlib", "lzo", "zstd"] {
        unreadable(&mut image, name, "extent");
    }
}

#[test]
fn many_packed_extents_are_unpacked_at_once() {
    let mut image = Image::new();
    image.add(257, b"file", 0o100644, 16 * 8192);
    let mut wanted = Vec::new();
    for index in 0..16_usize {
        let bytes = vec![index as u8; 8192];
        let mut packed = zlib(&bytes);
        packed.resize(4096, 0);
        let at = DATA + index * 4096;
        let item = extent(1, 1, [at as u64, 4096, 0, 8192], 8192);
        image.files.push((Key::new(257, kind::EXTENT_DATA, 8192 * index as u64), item));
        image.data(at, &packed);
        wanted.extend_from_slice(&bytes);
    }
    check_file(&image.tree(), "file", &wanted);
}

#[test]
fn extents_that_make_no_sense() {
    let key = Key::new(257, kind::EXTENT_DATA, 0);
    let at = DATA as u64;
    for (item, words) in [
        (extent(1, 9, [at, 4096, 0, 4096], 4096), "compression type 9"),
        (extent(7, 0, [at, 4096, 0, 4096], 4096), "type 7"),
        (extent(1, 0, [at + 1, 4096, 0, 4096], 4096), "multiple of a sector"),
        (extent(1, 0, [at, 4096, 4096, 4096], 4096), "of an extent that has"),
        (extent(1, 0, [at, 4096, 0, 0], 4096), "0 bytes at byte 0"),
        (extent(1, 1, [at, 4096, 0, 4096], 1 << 20), "unpack to 1048576"),
        (extent(1, 0, [at, u64::MAX - 4095, u64::MAX - 8191, 4096], 0), "bytes at address"),
        (extent(1, 0, [0xFFFF_0000, 4096, 0, 4096], 4096), "no chunk holds"),
        (extent(1, 0, [at, 0x20_0000, 0, 0x20_0000], 0), "pass the end of their chunk"),
        (inline(0, 9, b"hello"), "9 bytes are claimed"),
        (inline(1, 9, b"hello"), "zlib"),
        (inline(3, 9, b""), "ends early"),
        (inline(2, 9, b"\xFF\xFF\xFF\x7F"), "claims"),
    ] {
        let mut image = Image::new();
        image.add(257, b"file", 0o100644, 0x20_0000);
        image.files.push((key, item));
        let error = image.tree().read(b"file", 4 << 20).unwrap_err();
        assert!(error.to_string().contains(words), "{error}, not {words}");
        // The map of holes does not hide it.
        let file = image.tree().open(b"file").unwrap();
        assert!(file.next_data(0).is_some());
    }
    let mut image = Image::new();
    image.add(257, b"file", 0o100644, 16384);
    image.extent(257, 0, DATA, &noise(8192));
    image.extent(257, 4096, DATA + 0x4000, &noise(4096));
    unreadable(&mut image, "file", "two extents both hold byte 4096");
    let mut image = Image::new();
    image.add(257, b"file", 0o100644, 8192);
    image.files.push((Key::new(257, kind::EXTENT_DATA, 4096), inline(0, 1, b"x")));
    unreadable(&mut image, "file", "inline bytes at byte 4096");
}

#[test]
fn damage_is_mended_from_the_other_copy_or_named() {
    let mut image = Image::new();
    image.add(257, b"file", 0o100644, 8192);
    let bytes = noise(8192);
    image.extent(257, 0, DATA, &bytes);
    let mut volume = image.finish();
    volume[FILES + 2000] ^= 1;
    volume[DATA + 5000] ^= 1;
    let tree = Tree::new(open(Arc::new(volume.clone())).unwrap());
    assert_eq!(tree.read(b"file", 8192).unwrap(), bytes);
    let problems = tree.problems();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0].offset(), Some(FILES as u64));
    assert_eq!(problems[1].offset(), Some(DATA as u64 + 4096));
    volume[MIRROR + DATA + 5001] ^= 1;
    let tree = Tree::new(open(Arc::new(volume.clone())).unwrap());
    let error = tree.read(b"file", 8192).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("the crc32c of this sector should be"), "{error}");
    let mut first = [0; 4096];
    tree.open(b"file").unwrap().read_at(0, &mut first).unwrap();
    assert_eq!(first, bytes[..4096]);
    volume[MIRROR + FILES + 2001] ^= 1;
    let error = open(Arc::new(volume)).err().unwrap();
    assert_eq!(error.offset(), Some(FILES as u64), "{error}");
    // A checksum that is missing is damage, unless the file says that it has none.
    image.sums.clear();
    unreadable(&mut image, "file", "none is stored");
    let at = image.files.iter().position(|(key, _)| *key == Key::first(257, kind::INODE_ITEM));
    image.files[at.unwrap()].1[64] = 1;
    check_file(&image.tree(), "file", &bytes);
}

#[test]
fn blocks_that_are_not_what_they_should_be() {
    for (at, bytes, words) in [
        (32, vec![9_u8], "another filesystem"),
        (48, vec![1], "it is block"),
        (80, vec![9], "a write was lost"),
        (88, vec![7], "it is of 7"),
        (96, vec![0xFF, 0xFF], "items do not fit"),
        (100, vec![3], "points at block"),
        (100, vec![9], "level 9"),
        (101 + 17, vec![0xFF, 0xFF, 0xFF, 0xFF], "they should end at"),
        (101, vec![0xFF, 0xFF, 0xFF], "not in order"),
    ] {
        let mut image = Image::new();
        image.add(257, b"file", 0o100644, 0);
        let volume = image.finish();
        let mut block = volume[FILES..FILES + NODE].to_vec();
        block[at..at + bytes.len()].copy_from_slice(&bytes);
        image.block(FILES, block);
        let error = open(Arc::new(image.bytes)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains(words), "{error}, not {words}");
    }
}

/// A filesystem whose tree of files has two levels.
fn tall(pointers: &[(Key, usize)]) -> Image {
    let mut image = Image::new();
    for index in 0..10 {
        image.add(257 + index, format!("name-{index}").as_bytes(), 0o100644, 0);
    }
    let mut items = image.files.clone();
    items.sort_by_key(|(key, _)| *key);
    let later = items.split_off(15);
    let first = (items[0].0, MORE);
    let second = (later[0].0, MORE + NODE);
    let files = std::mem::take(&mut image.files);
    image.finish();
    image.files = files;
    image.leaf(MORE, id::FS_TREE, GENERATION, items);
    image.leaf(MORE + NODE, id::FS_TREE, GENERATION, later);
    let pointers = if pointers.is_empty() { vec![first, second] } else { pointers.to_vec() };
    image.node(FILES, id::FS_TREE, 1, &pointers);
    let item = root(FILES, GENERATION, 1);
    let roots = vec![
        (Key::first(id::FS_TREE, kind::ROOT_ITEM), item),
        (Key::first(id::CSUM_TREE, kind::ROOT_ITEM), root(SUMS, GENERATION, 0)),
    ];
    image.leaf(ROOTS, id::ROOT_TREE, GENERATION, roots);
    image
}

#[test]
fn trees_of_several_levels_and_their_loops() {
    let image = tall(&[]);
    let tree = Tree::new(open(Arc::new(image.bytes.clone())).unwrap());
    assert_eq!(tree.read_dir(b"/").unwrap().len(), 10);
    for index in 0..10 {
        assert_eq!(tree.read(format!("name-{index}").as_bytes(), 1).unwrap(), b"");
    }
    // Where one leaf is bad, what the others hold is still listed.
    let mut hurt = image.clone();
    hurt.put(MORE, &[0; 4]);
    let mut items = image.files.clone();
    items.sort_by_key(|(key, _)| *key);
    let filesystem = open(Arc::new(hurt.bytes));
    assert_eq!(filesystem.err().unwrap().offset(), Some(MORE as u64));
    let mut hurt = image.clone();
    hurt.put(MORE + NODE, &[0; 4]);
    let filesystem = open(Arc::new(hurt.bytes)).unwrap();
    let mut listed = 0;
    let outcome = filesystem.read_dir(filesystem.root(), &mut |_| {
        listed += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((listed, outcome.is_err()), (3, true));
    // A node that points at itself, at the wrong leaf, and at nothing.
    let first = Key::first(256, kind::INODE_ITEM);
    for (to, words) in [(FILES, "level"), (MORE + NODE, "first key"), (0, "points at block 0")] {
        let image = tall(&[(first, to)]);
        let error = open(Arc::new(image.bytes)).err().unwrap();
        assert!(error.to_string().contains(words), "{error}, not {words}");
    }
    let mut image = tall(&[]);
    image.node(FILES, id::FS_TREE, 1, &[(items[15].0, MORE + NODE), (first, MORE)]);
    let error = open(Arc::new(image.bytes)).err().unwrap();
    assert!(error.to_string().contains("not in order"), "{error}");
}

#[test]
fn superblocks_that_are_refused() {
    let fresh = Image::new().finish();
    let with = |at: usize, bytes: &[u8]| {
        let mut volume = fresh.clone();
        let superblock = &mut volume[SUPERBLOCK..SUPERBLOCK + 4096];
        superblock[at..at + bytes.len()].copy_from_slice(bytes);
        seal(superblock);
        open(Arc::new(volume)).err().unwrap()
    };
    let check = |at: usize, bytes: &[u8], kind: ErrorKind, words: &str| {
        let error = with(at, bytes);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}, not {words}");
    };
    check(0x30, &[1], ErrorKind::Corrupt, "it lies at byte");
    check(0x3F, &[1], ErrorKind::Unsupported, "flags 0x100000000000000");
    check(0x40, b"X", ErrorKind::Corrupt, "magic");
    check(0x90, &[0, 0x20], ErrorKind::Unsupported, "sectors of 8192 bytes");
    check(0x90, &[1], ErrorKind::Corrupt, "sectorsize 4097");
    check(0x94, &[1], ErrorKind::Corrupt, "nodesize 4097");
    check(0xA0, &[0, 9], ErrorKind::Corrupt, "bytes of system chunks");
    check(0xBE, &[0x80], ErrorKind::Unsupported, "0x800000");
    check(0xC4, &[9], ErrorKind::Unsupported, "checksum type 9");
    check(0xC6, &[9], ErrorKind::Corrupt, "9 levels");
    check(0x50, &[1], ErrorKind::Corrupt, "mid-sector");
    check(0x50, &[0, 0, 0x7F], ErrorKind::Corrupt, "no chunk holds");
    check(0x32B + 17 + 16, &[1], ErrorKind::Corrupt, "stripes of 65537");
    let small = open(Arc::new(vec![0; 4096])).err().unwrap();
    assert_eq!(small.kind(), ErrorKind::Corrupt);
    // Errors that the filesystem itself recorded.
    let mut volume = fresh;
    volume[SUPERBLOCK + 0x38] = 4;
    seal(&mut volume[SUPERBLOCK..SUPERBLOCK + 4096]);
    assert_eq!(open(Arc::new(volume)).unwrap().info().health, Health::Errors);
}

#[test]
fn profiles_are_refused_by_name_unless_all_is_here() {
    let with = |kind: u64, devices: &[u64]| {
        let mut image = Image::new();
        image.chunk = (7 | kind, devices.to_vec());
        image
    };
    assert!(with(0, &[1]).open().is_ok());
    assert!(with(1 << 4, &[1, 2]).open().is_ok());
    assert!(with(1 << 3, &[1]).open().is_ok());
    refused(&mut with(0, &[2]), ErrorKind::Unsupported, "single");
    refused(&mut with(1 << 3, &[1, 1]), ErrorKind::Unsupported, "RAID0");
    refused(&mut with(1 << 8, &[1, 1, 1]), ErrorKind::Unsupported, "RAID6");
    refused(&mut with(1 << 9, &[2, 3, 4]), ErrorKind::Unsupported, "RAID1C3");
    refused(&mut with(1 << 5, &[1]), ErrorKind::Corrupt, "1 stripes of profile DUP");
    refused(&mut with(3 << 4, &[1, 1]), ErrorKind::Corrupt, "several profiles");
    refused(&mut with(1 << 20, &[1]), ErrorKind::Unsupported, "type 0x100007");
}

#[test]
fn names_with_the_same_hash_share_an_item() {
    let mut image = Image::new();
    image.add(257, b"one", 0o100644, 0);
    image.add(258, b"two", 0o100644, 0);
    // They do not really collide; an item may hold them together all the same.
    let hashed = Key::new(256, kind::DIR_ITEM, name_hash(b"one"));
    let both = [
        entry(Key::first(258, kind::INODE_ITEM), b"two", b"", 1),
        entry(Key::first(257, kind::INODE_ITEM), b"one", b"", 1),
    ];
    image.files.retain(|(key, _)| *key != hashed);
    image.files.push((hashed, both.concat()));
    let attributes = [
        entry(Key::new(0, 0, 0), b"user.b", b"value", 8),
        entry(Key::new(0, 0, 0), b"user.a", b"", 8),
    ];
    image.files.push((Key::new(257, kind::XATTR_ITEM, 5), attributes.concat()));
    let tree = image.tree();
    let found = tree.resolve(b"one", true).unwrap();
    assert_eq!(found.node, NodeId { tree: 5, inode: 257 });
    let xattrs = found.xattrs().unwrap();
    assert_eq!(xattrs.len(), 2);
    assert_eq!(
        (xattrs[0].name.as_slice(), xattrs[1].value.as_slice()),
        (&b"user.a"[..], &b"value"[..])
    );
}

#[test]
fn names_that_cannot_be() {
    for (name, words) in [(&b"a/b"[..], "a/b"), (b"..", ".."), (b"", "a name of 0 bytes")] {
        let mut image = Image::new();
        image.add(257, b"good", 0o100644, 0);
        let item = entry(Key::first(257, kind::INODE_ITEM), name, b"", 1);
        image.files.push((Key::new(256, kind::DIR_INDEX, 9), item));
        let filesystem = image.open().unwrap();
        let mut listed = Vec::new();
        let outcome = filesystem.read_dir(filesystem.root(), &mut |entry| {
            listed.push(entry.name);
            ControlFlow::Continue(())
        });
        assert_eq!(listed, [b"good"]);
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let mut image = Image::new();
    let item = entry(Key::first(257, kind::INODE_ITEM), b"x", b"", 0x81);
    image.files.push((Key::new(256, kind::DIR_INDEX, 9), item));
    assert_eq!(image.tree().read_dir(b"/").unwrap_err().kind(), ErrorKind::Encrypted);
}

/// Adds a subvolume 300 that is linked as `sub`, and one 301 that is not linked where it is named.
fn with_subvolumes() -> Image {
    let mut image = Image::new();
    image.entry(256, 2, b"sub", Key::new(300, kind::ROOT_ITEM, u64::MAX), 2);
    image.entry(256, 3, b"gone", Key::new(301, kind::ROOT_ITEM, u64::MAX), 2);
    let mut item = root(MORE, GENERATION, 0);
    item[208] = 1;
    item[247..263].fill(0x11);
    image.roots.push((Key::new(300, kind::ROOT_ITEM, 5), item));
    let mut link = 256_u64.to_le_bytes().to_vec();
    link.extend_from_slice(&2_u64.to_le_bytes());
    link.extend_from_slice(&3_u16.to_le_bytes());
    link.extend_from_slice(b"sub");
    image.roots.push((Key::new(5, kind::ROOT_REF, 300), link.clone()));
    image.roots.push((Key::new(300, kind::ROOT_BACKREF, 5), link));
    let default = entry(Key::new(300, kind::ROOT_ITEM, u64::MAX), b"default", b"", 2);
    image.roots.push((Key::new(6, kind::DIR_ITEM, name_hash(b"default")), default));
    image.finish();
    let inside = vec![
        (Key::first(256, kind::INODE_ITEM), inode(0o040700, 0, 1)),
        (Key::new(256, kind::INODE_REF, 256), reference(0, b"..")),
    ];
    image.leaf(MORE, 300, GENERATION, inside);
    image
}

#[test]
fn subvolumes_are_directories_and_roots() {
    let mut image = with_subvolumes();
    let filesystem = image.open().unwrap();
    assert_eq!(filesystem.root(), NodeId { tree: 300, inode: 256 });
    let subvolumes = filesystem.subvolumes().unwrap();
    assert_eq!(subvolumes.len(), 2);
    let sub = &subvolumes[1];
    assert_eq!((sub.id, sub.parent, sub.path.as_deref()), (300, Some(5), Some(&b"sub"[..])));
    assert!(sub.read_only && sub.is_default && !subvolumes[0].is_default);
    assert_eq!(sub.uuid.as_deref(), Some("11111111-1111-1111-1111-111111111111"));
    let top = filesystem.open_subvolume(5).unwrap();
    let tree = Tree::new(top.clone());
    assert_eq!(tree.metadata(b"sub").unwrap().mode, 0o700);
    let gone = tree.resolve(b"gone", true).unwrap();
    assert_eq!(gone.node.inode, 2);
    assert_eq!(gone.metadata().unwrap().mode, 0o755);
    assert!(gone.xattrs().unwrap().is_empty() && gone.open().is_err());
    assert!(tree.read_dir(b"gone").unwrap().is_empty());
    assert!(top.lookup(gone.node, b"x").unwrap().is_none());
    assert_eq!(tree.walk(b"/").unwrap().count(), 3);
}

/// Takes an item's checksum-keeping neighbours out of the way of a test of the log.
fn with_log() -> Image {
    let mut image = Image::new();
    image.add(257, b"old", 0o100644, 8192);
    image.extent(257, 0, DATA, &noise(8192));
    image.add(258, b"removed", 0o100644, 0);
    let attribute = entry(Key::new(0, 0, 0), b"user.lost", b"1", 8);
    image.files.push((Key::new(257, kind::XATTR_ITEM, name_hash(b"user.lost")), attribute));
    // The root directory: one name is gone, one is new.
    image.log.push((Key::first(256, kind::INODE_ITEM), inode(0o040755, 99, 1)));
    image.log.push((Key::new(256, kind::INODE_REF, 256), reference(0, b"..")));
    image.log.push((Key::new(256, kind::DIR_LOG_INDEX, 258), 300_u64.to_le_bytes().to_vec()));
    let new = Key::first(260, kind::INODE_ITEM);
    image.log.push((Key::new(256, kind::DIR_INDEX, 260), entry(new, b"new", b"", 1)));
    // A sector in the middle of the old file is new, and it has another name.
    image.log.push((Key::first(257, kind::INODE_ITEM), inode(0o100600, 8192, 7)));
    let names = [reference(257, b"old"), reference(261, b"second")];
    image.log.push((Key::new(257, kind::INODE_REF, 256), names.concat()));
    let at = DATA + 0x8000;
    let item = extent(1, 0, [at as u64, 4096, 0, 4096], 4096);
    image.log.push((Key::new(257, kind::EXTENT_DATA, 4096), item));
    image.put(at, &[7; 4096]);
    let sum = Key::new(id::EXTENT_CSUM, kind::EXTENT_CSUM, at as u64);
    image.log.push((sum, sums(&[7; 4096])));
    // The new file; and one that never had a name.
    image.log.push((new, inode(0o100644, 5, 7)));
    image.log.push((Key::new(260, kind::INODE_REF, 256), reference(260, b"new")));
    image.log.push((Key::new(260, kind::EXTENT_DATA, 0), inline(0, 5, b"hello")));
    let attribute = entry(Key::new(0, 0, 0), b"user.new", b"1", 8);
    image.log.push((Key::new(260, kind::XATTR_ITEM, name_hash(b"user.new")), attribute));
    let mut nameless = inode(0o100644, 5, 7);
    nameless[40] = 0;
    image.log.push((Key::first(270, kind::INODE_ITEM), nameless));
    image.log.push((Key::new(270, kind::EXTENT_DATA, 0), inline(0, 5, b"never")));
    image
}

#[test]
fn a_log_is_merged() {
    let tree = with_log().tree();
    let filesystem = &tree.mounts()[0].filesystem;
    assert_eq!(filesystem.info().health, Health::Replayed);
    assert!(filesystem.problems().is_empty(), "{:?}", filesystem.problems());
    let names: Vec<_> = tree.read_dir(b"/").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [&b"new"[..], b"old", b"second"]);
    check_file(&tree, "new", b"hello");
    let mut old = noise(8192);
    old[4096..].fill(7);
    check_file(&tree, "old", &old);
    check_file(&tree, "second", &old);
    let metadata = tree.metadata(b"old").unwrap();
    assert_eq!((metadata.mode, metadata.links), (0o600, 2));
    assert!(tree.resolve(b"old", true).unwrap().xattrs().unwrap().is_empty());
    assert_eq!(tree.resolve(b"new", true).unwrap().xattrs().unwrap().len(), 1);
    assert!(tree.metadata(b"removed").is_err());
    let gone = NodeId { tree: 5, inode: 258 };
    assert_eq!(filesystem.metadata(gone).unwrap().links, 0);
    // The directory had nothing before; now it has lost seven letters and gained nine.
    assert_eq!(tree.metadata(b"/").unwrap().size, 2 * 9);
}

#[test]
fn a_log_that_makes_no_sense_is_not_merged_and_its_files_are_named() {
    let mut image = with_log();
    let orphan = extent(1, 0, [0, 0, 0, 4096], 4096);
    image.log.push((Key::new(999, kind::EXTENT_DATA, 0), orphan));
    let tree = image.tree();
    let filesystem = &tree.mounts()[0].filesystem;
    assert_eq!(filesystem.info().health, Health::Dirty);
    let text = format!("{:?}", filesystem.problems());
    for word in ["inode 999", "/old (subvolume 5)", "/new (subvolume 5)"] {
        assert!(text.contains(word), "{text}");
    }
    check_file(&tree, "old", &noise(8192));
    assert!(tree.metadata(b"removed").is_ok());
    // A log that cannot be read at all.
    let mut volume = with_log().finish();
    for at in [LOG, LOG + MIRROR] {
        volume[at + 200] ^= 1;
    }
    let filesystem = open(Arc::new(volume)).unwrap();
    assert_eq!(filesystem.info().health, Health::Dirty);
    assert_eq!(filesystem.problems().len(), 2);
}

#[test]
fn extended_references_in_a_log() {
    let mut image = Image::new();
    image.add(257, b"file", 0o100644, 0);
    let mut item = 256_u64.to_le_bytes().to_vec();
    item.extend_from_slice(&reference(9, b"far"));
    let far = Key::new(257, kind::INODE_EXTREF, extref_hash(256, b"far"));
    image.files.push((far, item));
    let location = Key::first(257, kind::INODE_ITEM);
    image.entry(256, 9, b"far", location, 1);
    // The log has it under another name instead.
    image.log.push((Key::first(257, kind::INODE_ITEM), inode(0o100644, 0, 7)));
    image.log.push((Key::new(257, kind::INODE_REF, 256), reference(257, b"file")));
    let mut item = 256_u64.to_le_bytes().to_vec();
    item.extend_from_slice(&reference(10, b"near"));
    let near = Key::new(257, kind::INODE_EXTREF, extref_hash(256, b"near"));
    image.log.push((near, item));
    let range = Key::new(256, kind::DIR_LOG_INDEX, 9);
    image.log.push((Key::first(256, kind::INODE_ITEM), inode(0o040755, 0, 0)));
    image.log.push((range, 9_u64.to_le_bytes().to_vec()));
    let tree = image.tree();
    assert_eq!(tree.problems().len(), 0, "{:?}", tree.problems());
    let names: Vec<_> = tree.read_dir(b"/").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [&b"file"[..], b"near"]);
    assert_eq!(tree.metadata(b"near").unwrap().links, 2);
}

#[test]
fn every_byte_may_be_wrong() {
    let good = with_log().finish();
    assert_eq!(Checksum::from_type(0), Some(Checksum::Crc32c));
    for block in [CHUNKS, ROOTS, FILES, LOGS, LOG] {
        for at in (0..NODE).step_by(7) {
            let mut volume = good.clone();
            for copy in [block, block + MIRROR] {
                volume[copy + at] = volume[copy + at].wrapping_add(1 + at as u8 % 200);
                seal(&mut volume[copy..copy + NODE]);
            }
            let Ok(filesystem) = open(Arc::new(volume)) else {
                continue;
            };
            let tree = Tree::new(filesystem);
            for step in tree.walk(b"/").unwrap().take(20) {
                if let Ok(file) = step.found.open() {
                    let mut buf = vec![0; 8192.min(file.len() as usize)];
                    let _ = file.read_at(0, &mut buf);
                }
            }
        }
    }
}
