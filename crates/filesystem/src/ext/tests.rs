//! Filesystems made by hand: what is right, what lies at the border, and what is hostile.

use fathom_block::{ErrorKind, ReadAt as _};

use super::checksum::crc16;
use super::testing::*;
use crate::node::{FileType, Health, NodeId};

const FILE: u16 = 0o100644;
const LINK: u16 = 0o120777;
const DIRECTORY: u16 = 0o040755;

/// An image with one file, of the size and the map.
fn file(size: u64, flags: u32, i_block: &[u8]) -> Image {
    let mut image = Image::new();
    image.inode(12, FILE, size, flags, i_block);
    image.name("file", 12);
    for block in 30..60 {
        image.block(block, &[block as u8; BLOCK]);
    }
    image
}

#[test]
fn a_block_map_with_holes_and_all_levels() {
    let mut map = [0_u32; 15];
    (map[0], map[2], map[12], map[13], map[14]) = (30, 31, 40, 41, 42);
    let size = (12 + 256 + 65536 + 1) * BLOCK as u64 + 5;
    let mut image = file(size, 0, &numbers(&map));
    image.block(40, &[vec![0; 8], numbers(&[32])].concat());
    image.block(41, &[numbers(&[0; 255]), numbers(&[43])].concat());
    image.block(43, &numbers(&[33, 34]));
    image.block(42, &numbers(&[44]));
    image.block(44, &numbers(&[45]));
    image.block(45, &numbers(&[0, 35]));
    image.block(35, &[35; BLOCK]);
    let tree = image.tree();
    let reader = tree.open(b"/file").unwrap();
    let byte = |block: u64| {
        let mut byte = [9];
        reader.read_at(block * BLOCK as u64, &mut byte).unwrap();
        byte[0]
    };
    assert_eq!((byte(0), byte(1), byte(2), byte(14)), (30, 0, 31, 32));
    let double = 12 + 256 + 255 * 256;
    assert_eq!((byte(double), byte(double + 1)), (33, 34));
    assert_eq!((byte(12 + 256 + 65536), byte(12 + 256 + 65536 + 1)), (0, 35));
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(data) = reader.next_data(at) {
        starts.push(data.start / BLOCK as u64);
        at = data.end;
    }
    assert_eq!(starts, [0, 2, 14, double, 12 + 256 + 65536 + 1]);
    assert_eq!(at, size);
    assert!(reader.read_at(size - 1, &mut [0; 2]).is_err());
}

#[test]
fn a_block_map_that_names_itself_is_walked_in_bounded_time() {
    // Every level is one block of numbers of blocks that are all the same, the last of holes.
    let mut map = [0_u32; 15];
    map[14] = 40;
    let mut image = file(1 << 34, 0, &numbers(&map));
    image.block(40, &numbers(&[41; 256]));
    image.block(41, &numbers(&[42; 256]));
    image.block(42, &[0; BLOCK]);
    assert_eq!(image.tree().open(b"/file").unwrap().next_data(0), None);
    image.block(40, &numbers(&[40; 256]));
    let reader = image.tree().open(b"/file").unwrap();
    assert!(reader.next_data(0).is_some());
    let mut buf = vec![0; 1 << 20];
    reader.read_at((1 << 34) - (1 << 20), &mut buf).unwrap();
}

#[test]
fn blocks_outside_the_filesystem_are_damage_with_a_place() {
    for block in [1, 1024, u32::MAX] {
        let error = file(10, 0, &numbers(&[block])).error("/file");
        assert_eq!(error.offset(), Some(Image::place(12) as u64 + 0x28), "{error}");
        let node = extent_node(0, &[(0, 1, block)]);
        let error = file(10, EXTENTS, &node).error("/file");
        assert_eq!(error.offset(), Some(Image::place(12) as u64 + 0x28 + 20), "{error}");
    }
    // The last block is there, the one behind it is not.
    file(10, EXTENTS, &extent_node(0, &[(0, 1, 1023)])).read("/file").unwrap();
    file(10, EXTENTS, &extent_node(0, &[(0, 2, 1023)])).error("/file");
}

#[test]
fn an_extent_tree_with_unwritten_parts() {
    let mut image = file(9 * BLOCK as u64, EXTENTS, &extent_node(1, &[(0, 0, 50), (5, 0, 51)]));
    image.block(50, &extent_node(0, &[(0, 2, 30), (2, 32768 + 2, 32)]));
    image.block(51, &extent_node(0, &[(5, 1, 35), (7, 40, 36)]));
    let bytes = image.read("/file").unwrap();
    let blocks: Vec<u8> = bytes.chunks(BLOCK).map(|block| block[0]).collect();
    assert_eq!(blocks, [30, 31, 0, 0, 0, 35, 0, 36, 37]);
}

#[test]
fn extent_trees_that_contradict_themselves() {
    let cases: [(Vec<u8>, &str); 7] = [
        (extent_node(0, &[(0, 2, 30), (1, 1, 40)]), "2 is expected"),
        (extent_node(0, &[(0, 0, 30)]), "no blocks"),
        (extent_node(0, &[(u32::MAX, 2, 30)]), "is for block"),
        (extent_node(6, &[(0, 1, 30)]), "no tree is deeper"),
        (extent_node(1, &[(0, 1, 30)]), "eh_magic"),
        (extent_node(0, &[(0, 1, 30); 5])[..60].to_vec(), "entries are used"),
        (vec![0; 12], "eh_magic"),
    ];
    for (node, why) in cases {
        let error = file(4096, EXTENTS, &node).error("/file").to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn an_extent_tree_that_names_itself() {
    // A node of depth 1 whose child is itself has the wrong depth there.
    let mut image = file(1 << 30, EXTENTS, &extent_node(2, &[(0, 0, 50)]));
    image.block(50, &extent_node(1, &[(0, 0, 50)]));
    assert!(image.error("/file").to_string().contains("it has 1073741824 bytes"));
    let reader = image.tree().open(b"/file").unwrap();
    let error = reader.read_at(0, &mut [0; 10]).unwrap_err();
    assert!(error.to_string().contains("eh_depth is 1, not 0"), "{error}");
    assert_eq!(reader.next_data(5), Some(5..1 << 30));
    // One leaf for two places: it cannot belong to both.
    image.inode(12, FILE, 1 << 20, EXTENTS, &extent_node(1, &[(0, 0, 50), (10, 0, 50)]));
    image.block(50, &extent_node(0, &[(0, 1, 30)]));
    let reader = image.tree().open(b"/file").unwrap();
    reader.read_at(0, &mut [0; 10]).unwrap();
    let error = reader.read_at(10 * BLOCK as u64, &mut [0; 10]).unwrap_err();
    assert!(error.to_string().contains("is named for"), "{error}");
}

#[test]
fn links_short_long_and_odd() {
    let mut image = Image::new();
    image.inode(12, LINK, 6, 0, b"target");
    image.inode(13, LINK, 100, 0, &numbers(&[30]));
    image.put(Image::place(13) + 0x1C, &[2]);
    image.block(30, &[b'l'; 100]);
    image.inode(14, LINK, 9, 0, b"cut\0short");
    image.inode(15, LINK, 0, 0, b"");
    image.inode(16, LINK, 1 << 31, 0, &numbers(&[30]));
    image.inode(17, LINK, 100, 0, &numbers(&[0]));
    image.inode(18, LINK, 3, 0, b"\0\0\0");
    let filesystem = image.open().unwrap();
    let link = |inode: u64| filesystem.read_link(NodeId::new(inode));
    assert_eq!(link(12).unwrap(), b"target");
    assert_eq!(link(13).unwrap(), [b'l'; 100]);
    assert_eq!(link(14).unwrap(), b"cut");
    for inode in [15, 16, 17, 18] {
        assert_eq!(link(inode).unwrap_err().kind(), ErrorKind::Corrupt, "{inode}");
    }
    assert_eq!(link(2).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn inodes_that_no_name_may_have() {
    let mut image = Image::new();
    for (name, inode) in [("none", 12), ("journal", 8), ("past", 65), ("far", u32::MAX)] {
        image.name(name, inode);
    }
    image.inode(8, FILE, 0, 0, &[]);
    image.inode(13, FILE, 0, 0, &[]);
    image.put(Image::place(13) + 0x1A, &[0]);
    image.name("deleted", 13);
    let tree = image.tree();
    assert_eq!(tree.read_dir(b"/").unwrap().len(), 5);
    for name in ["/none", "/journal", "/past", "/far", "/deleted"] {
        let error = tree.metadata(name.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
    }
    let filesystem = image.open().unwrap();
    assert!(filesystem.metadata(NodeId { tree: 1, inode: 2 }).is_err());
    assert!(filesystem.metadata(NodeId::new(1 << 40)).is_err());
    assert!(filesystem.open(NodeId::new(2)).is_err());
    assert!(
        filesystem.read_dir(NodeId::new(13), &mut |_| std::ops::ControlFlow::Break(())).is_err()
    );
}

#[test]
fn what_can_be_read_of_a_damaged_directory_is_shown() {
    let mut image = Image::new();
    image.inode(12, DIRECTORY, 5 * BLOCK as u64, 0, &numbers(&[30, 31, 0, 32, 33]));
    image.name("d", 12);
    image.block(30, &directory_block(&entry(b"first", 20)));
    let broken = [entry(b"second", 21), numbers(&[22]), vec![7, 0, 1, 1], vec![b'x'; 8]].concat();
    image.block(31, &broken);
    image.block(32, &directory_block(&[entry(b"sl/ash", 23), entry(b"third", 24)].concat()));
    image.block(33, &directory_block(&entry(b"", 25)));
    let filesystem = image.open().unwrap();
    let mut names = Vec::new();
    let outcome = filesystem.read_dir(NodeId::new(12), &mut |entry| {
        names.push(String::from_utf8(entry.name).unwrap());
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(names, ["first", "second", "third"]);
    assert_eq!(outcome.unwrap_err().offset(), Some(31 * BLOCK as u64 + 16 + 4));
    // What is there is found; what is not there may be in what could not be read.
    let lookup = |name: &str| filesystem.lookup(NodeId::new(12), name.as_bytes());
    assert_eq!(lookup("third").unwrap(), Some(NodeId::new(24)));
    assert_eq!(lookup("fourth").unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn names_of_a_directory_without_an_index_are_read_once() {
    let mut image = Image::new();
    image.name("dir", 12);
    image.inode(12, DIRECTORY, 2 * BLOCK as u64, 0, &numbers(&[30, 31]));
    let first = [entry(b"b", 21), entry(b"long name", 22), entry(b"b", 23)].concat();
    image.block(30, &directory_block(&first));
    image.block(31, &directory_block(&[entry(b"a", 24), entry(b"bb", 25)].concat()));
    let fs = image.open().unwrap();
    let lookup = |name: &str| fs.lookup(NodeId::new(12), name.as_bytes());
    for _ in 0..2 {
        for (name, inode) in [("a", 24), ("b", 21), ("bb", 25), ("long name", 22)] {
            assert_eq!(lookup(name).unwrap(), Some(NodeId::new(inode)), "{name}");
        }
        for name in ["", "c", "B", "long"] {
            assert_eq!(lookup(name).unwrap(), None, "{name}");
        }
    }
    let reads = image.counted();
    let fs = super::open(reads.clone()).unwrap();
    let lookup = |name: &str| fs.lookup(NodeId::new(12), name.as_bytes()).unwrap();
    lookup("a");
    let before = reads.count();
    lookup("bb");
    assert_eq!((lookup("none"), reads.count()), (None, before));
}

#[test]
fn a_directory_whose_map_names_a_block_twice_is_damaged() {
    let mut image = Image::new();
    image.name("dir", 12);
    let size = 4 * BLOCK as u64;
    for (block, name) in [(30, b"a"), (31, b"b"), (32, b"c"), (33, b"d")] {
        image.block(block, &directory_block(&entry(name, 13)));
    }
    let mut listed = |map: &[u32]| {
        image.inode(12, DIRECTORY, size, 0, &numbers(map));
        let fs = image.open().unwrap();
        let mut names = Vec::new();
        let outcome = fs.read_dir(NodeId::new(12), &mut |entry| {
            names.push(String::from_utf8(entry.name).unwrap());
            std::ops::ControlFlow::Continue(())
        });
        (names.concat(), outcome.err().map(|error| error.to_string()))
    };
    assert_eq!(listed(&[30, 31, 32, 33]), ("abcd".to_owned(), None));
    assert_eq!(listed(&[33, 32, 31, 30]), ("dcba".to_owned(), None));
    for (map, names) in
        [([30, 31, 30, 33], "abd"), ([30, 31, 32, 31], "abc"), ([31, 30, 31, 32], "bac")]
    {
        let (shown, problem) = listed(&map);
        assert_eq!(shown, names, "{map:?}");
        assert!(problem.unwrap().contains("names are missing"), "{map:?}");
    }
}

#[test]
fn a_directory_larger_than_its_volume() {
    let mut image = Image::new();
    let node = extent_node(0, &[(0, 900, 30), (900, 900, 30)]);
    image.inode(12, DIRECTORY, 1800 * BLOCK as u64, EXTENTS, &node);
    image.name("d", 12);
    for block in 30..930 {
        image.block(block, &directory_block(&[]));
    }
    let error = image.tree().read_dir(b"/d").unwrap_err();
    assert!(error.to_string().contains("more blocks than the volume"), "{error}");
}

#[test]
fn inline_files_and_directories() {
    let mut image = Image::new();
    image.superblock(0x60, 0x8002);
    let data = |name: u8, value: &[u8]| {
        // The magic, one entry, four zeros, and the value at the end.
        let mut area = 0xEA02_0000_u32.to_le_bytes().to_vec();
        area.extend([4, 7]);
        area.extend((40_u16).to_le_bytes());
        area.extend(numbers(&[0, value.len() as u32, 0]));
        area.extend([b'd', b'a', b't', name]);
        area.resize(44, 0);
        area.extend(value);
        area
    };
    let long: Vec<u8> = (0..80).collect();
    image.inode(12, FILE, 80, INLINE, &long[..60]);
    image.put(Image::place(12) + 160, &data(b'a', &long[60..]));
    image.name("long", 12);
    image.inode(13, FILE, 80, INLINE, &long[..60]);
    image.put(Image::place(13) + 160, &data(b'o', &long[60..]));
    image.name("short", 13);
    let fill = |entries: Vec<u8>, length: usize| {
        let rest = (length - entries.len()) as u16;
        let mut bytes = entries;
        bytes.extend([0; 4]);
        bytes.extend(rest.to_le_bytes());
        bytes.resize(length, 0);
        bytes
    };
    let first = [2_u32.to_le_bytes().to_vec(), fill(entry(b"one", 12), 56)].concat();
    image.inode(14, DIRECTORY, 84, INLINE, &first);
    image.put(Image::place(14) + 160, &data(b'a', &fill(entry(b"two", 13), 24)));
    image.name("directory", 14);
    assert_eq!(image.read("/long").unwrap(), long);
    assert!(image.error("/short").to_string().contains("keeps only 60 inline"));
    let tree = image.tree();
    let names: Vec<_> =
        tree.read_dir(b"/directory").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [b"one", b"two"]);
    assert_eq!(tree.metadata(b"/directory/one").unwrap().allocated, 512);
}

/// An entry of a list of attributes: index, name, offset, inode and size of the value.
fn attribute(index: u8, name: &[u8], offset: u16, inode: u32, size: u32) -> Vec<u8> {
    let mut entry = vec![name.len() as u8, index];
    entry.extend(offset.to_le_bytes());
    entry.extend(numbers(&[inode, size, 0]));
    entry.extend(name);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry
}

#[test]
fn attributes_of_every_namespace() {
    let mut image = Image::new();
    image.inode(12, FILE, 0, 0, &[]);
    image.put(Image::place(12) + 0x68, &numbers(&[30]));
    let mut block = numbers(&[0xEA02_0000, 1, 1, 0, 0, 0, 0, 0]);
    block.extend(attribute(1, b"u", 1000, 0, 5));
    block.extend(attribute(4, b"t", 0, 0, 0));
    block.extend(attribute(6, b"s", 1000, 0, 2));
    block.extend(attribute(2, b"", 900, 0, 8));
    block.extend(attribute(9, b"c", 1000, 0, 5));
    block.extend(attribute(77, b"x", 1000, 0, 5));
    image.block(30, &block);
    image.put(30 * BLOCK + 1000, b"value");
    image.put(30 * BLOCK + 900, &[1, 0, 0, 0, 1, 0, 7, 0]);
    let xattrs = image.open().unwrap().xattrs(NodeId::new(12)).unwrap();
    let names: Vec<_> =
        xattrs.iter().map(|xattr| String::from_utf8_lossy(&xattr.name).into_owned()).collect();
    assert_eq!(names, ["security.s", "system.posix_acl_access", "trusted.t", "user.u"]);
    assert_eq!((xattrs[3].value.as_slice(), xattrs[2].value.as_slice()), (&b"value"[..], &b""[..]));
    assert_eq!(xattrs[1].value.len(), 12);
}

#[test]
fn attributes_that_point_nowhere() {
    let cases: [Vec<u8>; 6] = [
        attribute(1, b"u", 1020, 0, 5),
        attribute(1, b"u", 0, 0, u32::MAX),
        attribute(1, b"u", 0, 2, 5),
        attribute(1, b"\0", 900, 0, 5),
        attribute(2, b"", 900, 0, 5),
        vec![0xFF; 990],
    ];
    for entry in cases {
        let mut image = Image::new();
        image.inode(12, FILE, 0, 0, &[]);
        image.put(Image::place(12) + 0x68, &numbers(&[30]));
        image.block(30, &[numbers(&[0xEA02_0000, 1, 1, 0, 0, 0, 0, 0]), entry].concat());
        let error = image.open().unwrap().xattrs(NodeId::new(12)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        image.put(30 * BLOCK, &[1]);
        let error = image.open().unwrap().xattrs(NodeId::new(12)).unwrap_err();
        assert_eq!(error.offset(), Some(30 * BLOCK as u64), "{error}");
    }
}

#[test]
fn values_in_inodes_of_their_own() {
    const EA_INODE: u32 = 0x20_0000;
    let mut image = Image::new();
    image.superblock(0x60, 0x402);
    image.inode(12, FILE, 0, 0, &[]);
    image.put(Image::place(12) + 0x68, &numbers(&[30]));
    let list = [numbers(&[0xEA02_0000, 1, 1, 0, 0, 0, 0, 0]), attribute(1, b"u", 0, 13, 2000)];
    image.block(30, &list.concat());
    image.inode(13, FILE, 2000, EA_INODE, &numbers(&[31, 32]));
    image.block(31, &[7; 2 * BLOCK]);
    let xattrs = |image: &Image| image.open().unwrap().xattrs(NodeId::new(12));
    assert!(xattrs(&image).unwrap_err().to_string().contains("the hash of the value"));
    // Lustre knows no hashes, but whose value it is.
    image.put(Image::place(13) + 0x10, &numbers(&[12]));
    assert_eq!(xattrs(&image).unwrap()[0].value, [7; 2000]);
    image.inode(13, FILE, 2000, 0, &numbers(&[31, 32]));
    assert!(xattrs(&image).unwrap_err().to_string().contains("is no such inode"));
    image.superblock(0x60, 2);
    assert!(xattrs(&image).unwrap_err().to_string().contains("no feature ea_inode"));
}

#[test]
fn encrypted_files_are_never_served() {
    let mut image = Image::new();
    image.superblock(0x60, 0x1_0002);
    image.inode(12, FILE, 5, 0x800, &numbers(&[30]));
    image.inode(13, LINK, 5, 0x800, b"x");
    image.inode(14, DIRECTORY, BLOCK as u64, 0x800, &numbers(&[31]));
    image.block(31, &directory_block(&entry(b"\0/\xFF", 12)));
    image.name("file", 12);
    image.name("link", 13);
    image.name("directory", 14);
    let tree = image.tree();
    assert_eq!(tree.open(b"/file").map(|_| ()).unwrap_err().kind(), ErrorKind::Encrypted);
    assert_eq!(tree.read_link(b"/link").unwrap_err().kind(), ErrorKind::Encrypted);
    assert_eq!(tree.read_dir(b"/directory").unwrap()[0].name, b"AC__");
    assert_eq!(tree.metadata(b"/directory/AC__").unwrap().size, 5);
}

#[test]
fn names_of_a_casefolded_directory() {
    let mut image = Image::new();
    image.superblock(0x60, 0x2_0002);
    image.inode(12, DIRECTORY, BLOCK as u64, 0x4000_0000, &numbers(&[30]));
    image.name("d", 12);
    image.inode(13, FILE, 0, 0, &[]);
    image.inode(14, FILE, 0, 0, &[]);
    image.block(30, &directory_block(&[entry(b"ReadMe", 13), entry(b"README", 14)].concat()));
    let filesystem = image.open().unwrap();
    let lookup = |name: &str| filesystem.lookup(NodeId::new(12), name.as_bytes());
    assert_eq!(lookup("README").unwrap(), Some(NodeId::new(14)));
    assert_eq!(lookup("readme").unwrap(), Some(NodeId::new(13)));
    assert_eq!(lookup("readme2").unwrap(), None);
    assert_eq!(lookup("größe").unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn what_a_filesystem_says_of_itself() {
    let mut image = Image::new();
    image.superblock(0xC, 100);
    image.put(1024 + 0x78, b"label");
    image.put(1024 + 0x68, &[0x11; 16]);
    let info = image.open().unwrap().info();
    assert_eq!((info.variant.as_str(), info.label.as_deref()), ("ext2", Some("label")));
    assert_eq!(info.uuid.as_deref(), Some("11111111-1111-1111-1111-111111111111"));
    assert_eq!((info.size, info.free), (1 << 20, Some(100 * 1024)));
    assert_eq!((info.health, info.features), (Health::Clean, vec!["filetype".to_owned()]));
    let health = |at: usize, value: u8| {
        let mut image = image.clone();
        image.put(1024 + at, &[value]);
        let filesystem = image.open().unwrap();
        (filesystem.info().health, filesystem.problems().len())
    };
    assert_eq!(health(0x3A, 0), (Health::Dirty, 1));
    assert_eq!(health(0x3A, 3), (Health::Errors, 0));
    assert_eq!(health(0x194, 1), (Health::Errors, 0));
    image.superblock(0x4, 1025);
    assert_eq!(
        image.open().unwrap().problems()[0].to_string(),
        "corrupt: ext volume at byte 1048576: it ends there, but should reach byte 1049600: \
         truncated?"
    );
    assert_eq!(image.tree().metadata(b"/").unwrap().file_type, FileType::Directory);
}

#[test]
fn a_backup_superblock_is_found() {
    let mut image = Image::new();
    // Two groups, of which the second has a copy of everything.
    image.bytes.resize(9000 * BLOCK, 0);
    image.superblock(0x0, 128);
    image.superblock(0x4, 9000);
    image.put(2 * BLOCK + 32 + 8, &numbers(&[9]));
    image.inode(12, FILE, 4, 0, &numbers(&[30]));
    image.block(30, b"text");
    image.name("file", 12);
    for block in 1..3 {
        let copy = image.bytes[block * BLOCK..(block + 1) * BLOCK].to_vec();
        image.block(8192 + block, &copy);
    }
    image.put(8193 * BLOCK + 0x5A, &[1]);
    assert!(image.open().unwrap().problems().is_empty());
    image.superblock(0x18, 77);
    assert_eq!(image.read("/file").unwrap(), b"text");
    assert_eq!(image.open().unwrap().problems().len(), 2);
    // The descriptors too.
    image.block(2, &[0xFF; BLOCK]);
    assert_eq!(image.read("/file").unwrap(), b"text");
    image.block(8194, &[0xFF; BLOCK]);
    assert!(image.tree().metadata(b"/").is_err());
    image.block(1, &[0; BLOCK]);
    let volume: std::sync::Arc<dyn fathom_block::ReadAt> = std::sync::Arc::new(image.bytes.clone());
    assert_eq!(crate::detect(&volume).unwrap(), Some(crate::Kind::Ext));
    image.block(8193, &[0; BLOCK]);
    let volume: std::sync::Arc<dyn fathom_block::ReadAt> = std::sync::Arc::new(image.bytes);
    assert_eq!(crate::detect(&volume).unwrap(), None);
}

#[test]
fn every_group_descriptor_is_checked_when_it_is_opened() {
    // Two groups, with checksums of the old kind; the second has no copies.
    let mut image = Image::new();
    image.bytes.resize(9000 * BLOCK, 0);
    image.superblock(0x0, 128);
    image.superblock(0x4, 9000);
    image.superblock(0x64, 0x11);
    let second = 2 * BLOCK + 32;
    image.put(second + 8, &numbers(&[9]));
    let mend = |image: &mut Image, group: u32| {
        let at = 2 * BLOCK + 32 * group as usize;
        let sum = crc16(crc16(!0, &[0; 16]), &group.to_le_bytes());
        let sum = crc16(sum, &image.bytes[at..at + 0x1E]);
        image.put(at + 0x1E, &sum.to_le_bytes());
    };
    mend(&mut image, 0);
    mend(&mut image, 1);
    let look = |image: &Image| {
        let filesystem = image.open().unwrap();
        (filesystem.info().health, filesystem.problems())
    };
    let (health, problems) = look(&image);
    assert_eq!((health, problems.len()), (Health::Clean, 0), "{problems:?}");
    // A count of no consequence, which nobody looks at: the place is used all the same.
    image.put(second + 0xC, &[7]);
    let (health, problems) = look(&image);
    assert_eq!((health, problems.len()), (Health::Errors, 1));
    let said = problems[0].to_string();
    assert!(said.contains("the checksum of group 1") && said.contains("used as it is"), "{said}");
    // What a filesystem says of itself is told first.
    image.put(1024 + 0x3A, &[0]);
    assert_eq!(look(&image).0, Health::Dirty);
    image.put(1024 + 0x3A, &[1]);
    // A place where there is none.
    mend(&mut image, 1);
    image.put(second + 8, &numbers(&[u32::MAX]));
    mend(&mut image, 1);
    let (health, problems) = look(&image);
    assert_eq!((health, problems.len()), (Health::Errors, 1), "{problems:?}");
    assert!(problems[0].to_string().contains("the inode table of group 1"), "{problems:?}");
    assert_eq!(image.tree().metadata(b"/").unwrap().file_type, FileType::Directory);
}
