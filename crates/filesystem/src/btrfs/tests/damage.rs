//! What is wrong is mended from another copy, named, or at least survived.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::ErrorKind;

use super::super::checksum::{Checksum, name_hash};
use super::super::key::{Key, id, kind};
use super::super::open;
use super::image::*;
use super::subvolumes::with_log;
use super::{check_file, refused, unreadable};
use crate::node::{Health, NodeId};
use crate::tree::Tree;

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
