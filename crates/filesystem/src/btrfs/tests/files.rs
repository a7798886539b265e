//! What files hold, plain and packed.

use fathom_block::ErrorKind;

use super::super::key::{Key, kind};
use super::image::*;
use super::{check_file, unreadable};
use crate::node::{Health, NodeId};

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
