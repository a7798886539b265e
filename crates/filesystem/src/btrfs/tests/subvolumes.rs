//! Several roots in one filesystem, and the log of each.

use std::sync::Arc;

use super::super::checksum::{extref_hash, name_hash};
use super::super::key::{Key, id, kind};
use super::super::open;
use super::check_file;
use super::image::*;
use crate::node::{Health, NodeId};
use crate::tree::Tree;

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
pub(super) fn with_log() -> Image {
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
