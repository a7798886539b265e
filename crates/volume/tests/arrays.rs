//! Arrays that Linux made: every level and layout, whole and with every choice of members missing.
//! `tests/arrays/README.md` says where they come from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::sync::Arc;

use fathom_block::{ErrorKind, ReadAt as _};
use fathom_volume::{Content, Discovery, Disk, Keys, Layer, Volume, discover};

const CHUNK: usize = 4096;

/// An array: what it is found as, how many members it can always do without, and the members.
struct Small {
    id: String,
    spare: usize,
    members: Vec<Vec<u8>>,
}

fn small() -> Vec<Small> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arrays");
    let packed = std::fs::read(from.join("members.zst")).unwrap();
    let mut decoder = zstd::Decoder::new(packed.as_slice()).unwrap();
    decoder.window_log_max(27).unwrap();
    let mut rest = Vec::new();
    std::io::copy(&mut decoder, &mut rest).unwrap();
    let list = std::fs::read_to_string(from.join("list.txt")).unwrap();
    let mut rest = rest.as_slice();
    let array = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let members = words[2..].iter().map(|sectors| {
            let (member, after) = rest.split_at(sectors.parse::<usize>().unwrap() * 512);
            rest = after;
            member.to_vec()
        });
        let members = members.collect();
        Small { id: words[0].to_owned(), spare: words[1].parse().unwrap(), members }
    };
    list.lines().map(array).collect()
}

fn found<'m>(members: impl Iterator<Item = &'m Vec<u8>>) -> Discovery {
    let disk = |(index, member): (usize, &Vec<u8>)| Disk {
        name: format!("member{index}"),
        reader: Arc::new(member.clone()),
        sector_size: None,
    };
    discover(&members.enumerate().map(disk).collect::<Vec<_>>(), &Keys::default())
}

/// Fails unless the array holds the pattern that it was filled with: every chunk starts with its
/// number, and is filled with a byte of that.
fn check(volume: &Volume, what: &str) {
    let reader = volume.reader.as_ref().unwrap_or_else(|| panic!("{what}: {:?}", volume.problem));
    let mut bytes = vec![0; reader.len() as usize];
    assert!(!bytes.is_empty());
    reader.read_at(0, &mut bytes).unwrap();
    for (number, chunk) in bytes.chunks(CHUNK).enumerate() {
        let mut expected = vec![(number * 37 + 11) as u8; chunk.len()];
        let head = chunk.len().min(8);
        expected[..head].copy_from_slice(&number.to_le_bytes()[..head]);
        assert!(chunk == expected, "{what}: chunk {number}");
    }
}

#[test]
fn every_array_is_read_as_it_was_written() {
    let arrays = small();
    assert!(arrays.len() > 40);
    for array in arrays {
        let discovery = found(array.members.iter());
        let volume = discovery.find(&array.id).unwrap();
        assert!(volume.problem.is_none(), "{}: {:?}", array.id, volume.problem);
        assert!(discovery.problems.is_empty());
        check(volume, &array.id);
        assert!(matches!(
            &discovery.volumes[0].content,
            Content::ArrayMember { array: Some(of), .. } if of.as_str() == array.id
        ));
    }
}

#[test]
fn members_may_be_missing() {
    for array in small() {
        let count = array.members.len();
        for out in 1..(1_usize << count) - 1 {
            let left = array.members.iter().enumerate().filter(|(index, _)| out >> index & 1 == 0);
            let discovery = found(left.map(|(_, member)| member));
            let volume = discovery.find(&array.id).unwrap();
            let what = format!("{} without {out:b}", array.id);
            let missing = out.count_ones();
            assert!(matches!(volume.layer, Layer::Array { missing: told, .. } if told == missing));
            let problem = volume.problem.as_ref().unwrap();
            assert_eq!(problem.kind(), ErrorKind::NotFound, "{what}");
            if volume.reader.is_some() || missing as usize <= array.spare {
                check(volume, &what);
            }
        }
    }
}
