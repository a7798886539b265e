//! Whole volumes made by hand, and what may be wrong with them.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::ErrorKind;

use super::entry::tests::{long, short};
use super::table::tests::fat12;
use super::*;
use crate::tree::Tree;

/// Where the root directory starts, and where a cluster does.
const ROOT_AT: usize = 25 * 512;
fn cluster(number: usize) -> usize {
    (26 + number - 2) * 512
}

fn put(volume: &mut [u8], at: usize, entries: &[Vec<u8>]) {
    let entries = entries.concat();
    volume[at..at + entries.len()].copy_from_slice(&entries);
}

fn names(fat: &Fat, dir: NodeId) -> (Vec<String>, Option<Error>) {
    let mut names = Vec::new();
    let outcome = fat.read_dir(dir, &mut |entry| {
        names.push(String::from_utf8_lossy(&entry.name).into_owned());
        ControlFlow::Continue(())
    });
    (names, outcome.err())
}

#[test]
fn a_small_volume_is_read() {
    let mut volume = fat12(&[4, 0xFFF, 0xFFF]);
    let file = short(b"LONGNA~1TXT", 1, 2, 700);
    let entries = [
        short(b"A LABEL    ", 8, 0, 0),
        long("Long name.txt", &file),
        file,
        short(b"\xE5ELETED    ", 0, 2, 10),
        short(b"DIR        ", 0x10, 3, 0),
    ];
    put(&mut volume, ROOT_AT, &entries);
    let dots = [short(b".          ", 0x10, 3, 0), short(b"..         ", 0x10, 0, 0)];
    put(&mut volume, cluster(3), &[dots.concat(), short(b"EMPTY      ", 0, 0, 0)]);
    volume[cluster(2)..cluster(2) + 512].fill(b'a');
    volume[cluster(4)..cluster(4) + 512].fill(b'b');
    let fat = Fat::open(Arc::new(volume)).unwrap();
    assert_eq!(names(&fat, ROOT).0, ["Long name.txt", "DIR"]);
    let file = fat.lookup(ROOT, b"LONG NAME.TXT").unwrap().unwrap();
    assert_eq!(fat.lookup(ROOT, b"longna~1.txt").unwrap(), Some(file));
    let metadata = fat.metadata(file).unwrap();
    assert_eq!((metadata.size, metadata.allocated, metadata.mode), (700, 1024, 0o555));
    let mut bytes = vec![0; 700];
    Filesystem::open(&fat, file).unwrap().read_at(0, &mut bytes).unwrap();
    assert!(bytes[..512].iter().all(|b| *b == b'a') && bytes[512..].iter().all(|b| *b == b'b'));
    let dir = fat.lookup(ROOT, b"dir").unwrap().unwrap();
    assert_eq!(names(&fat, dir).0, ["EMPTY"]);
    let empty = fat.lookup(dir, b"empty").unwrap().unwrap();
    assert!(Filesystem::open(&fat, empty).unwrap().is_empty());
    let info = fat.info();
    assert_eq!((info.label.as_deref(), info.uuid.as_deref()), (Some("A LABEL"), Some("1234-ABCD")));
    assert_eq!((info.free, info.health), (Some(297 * 512), Health::Clean));
    // What is not so.
    assert_eq!(fat.lookup(ROOT, b"absent").unwrap(), None);
    assert_eq!(Filesystem::open(&fat, dir).err().unwrap().kind(), ErrorKind::Invalid);
    assert_eq!(names(&fat, file).1.unwrap().kind(), ErrorKind::Invalid);
    assert_eq!(fat.read_link(file).unwrap_err().kind(), ErrorKind::Invalid);
    for nowhere in [3, 512, cluster(3) as u64 + 4096, 1 << 60] {
        assert!(fat.metadata(NodeId::new(nowhere)).is_err(), "{nowhere}");
    }
}

#[test]
fn directories_in_a_circle_or_shared_end() {
    let mut volume = fat12(&[0xFFF, 0xFFF]);
    let dirs = [short(b"A          ", 0x10, 2, 0), short(b"B          ", 0x10, 2, 0)];
    put(&mut volume, ROOT_AT, &dirs);
    let dots = [short(b".          ", 0x10, 2, 0), short(b"..         ", 0x10, 0, 0)];
    put(
        &mut volume,
        cluster(2),
        &[dots.concat(), short(b"C          ", 0x10, 2, 0), short(b"F          ", 0, 0, 0)],
    );
    let tree = Tree::new(Arc::new(Fat::open(Arc::new(volume)).unwrap()));
    let steps: Vec<_> = tree.walk(b"/").unwrap().collect();
    assert_eq!(steps.len(), 5, "the root, A, A/C, A/F, B");
    assert_eq!(steps.iter().filter(|step| step.problem.is_some()).count(), 2);
}

#[test]
fn a_damaged_directory_is_listed_as_far_as_it_goes() {
    let mut volume = fat12(&[2]);
    put(&mut volume, ROOT_AT, &[short(b"DIR        ", 0x10, 2, 0)]);
    let full: Vec<_> = (b'A'..b'A' + 16).map(|letter| short(&[letter; 11], 0, 0, 0)).collect();
    put(&mut volume, cluster(2), &full);
    let fat = Fat::open(Arc::new(volume)).unwrap();
    let dir = fat.lookup(ROOT, b"DIR").unwrap().unwrap();
    let (listed, problem) = names(&fat, dir);
    assert!(listed.len() >= 16 && problem.is_some());
    assert!(fat.lookup(dir, b"AAAAAAAA.AAA").unwrap().is_some());
    assert!(fat.lookup(dir, b"absent").is_err(), "it could not be looked");
}

#[test]
fn a_directory_that_was_overwritten_is_damage() {
    let mut volume = fat12(&[0xFFF, 0xFFF]);
    put(&mut volume, ROOT_AT, &[short(b"DIR        ", 0x10, 2, 0)]);
    let dots = [short(b".          ", 0x10, 2, 0), short(b"..         ", 0x10, 0, 0)];
    put(&mut volume, cluster(2), &[dots.concat(), short(b"F          ", 0, 3, 9)]);
    let check = |change: &dyn Fn(&mut Vec<u8>), dir: &str, words: &str| {
        let mut volume = volume.clone();
        change(&mut volume);
        let fat = Fat::open(Arc::new(volume)).unwrap();
        let dir = match dir {
            "" => ROOT,
            name => fat.lookup(ROOT, name.as_bytes()).unwrap().unwrap(),
        };
        let said = names(&fat, dir).1.map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{words}: {said}");
        assert_eq!(fat.lookup(dir, b"absent").is_err(), !words.is_empty());
    };
    check(&|_| (), "", "");
    check(&|_| (), "DIR", "");
    let fill = |at: usize, byte: u8| move |volume: &mut Vec<u8>| volume[at..at + 512].fill(byte);
    check(&fill(ROOT_AT, 0), "", "the root is empty, but a file has cluster 2");
    for byte in [0x01, 0x3C, 0x5C, 0xC4, 0xFF] {
        check(&fill(ROOT_AT, byte), "", "corrupt");
    }
    for byte in [0, b'a', 0xE5, 0xFF] {
        check(&fill(cluster(2), byte), "DIR", "does not begin with itself");
    }
    check(&|it| it[cluster(2) + 64 + 11] = 8, "DIR", "only the root may have");
    // A new volume is empty.
    let fat = Fat::open(Arc::new(fat12(&[]))).unwrap();
    let (listed, problem) = names(&fat, ROOT);
    assert!(listed.is_empty() && problem.is_none(), "{problem:?}");
}

#[test]
fn files_whose_chain_does_not_hold_them_are_damage() {
    let mut volume = fat12(&[0xFFF, 0]);
    put(
        &mut volume,
        ROOT_AT,
        &[
            short(b"SHORT      ", 0, 2, 600),
            short(b"NONE       ", 0, 0, 1),
            short(b"A/B        ", 0, 0, 0),
        ],
    );
    let fat = Fat::open(Arc::new(volume)).unwrap();
    for name in ["SHORT", "NONE"] {
        let file = fat.lookup(ROOT, name.as_bytes()).unwrap().unwrap();
        assert_eq!(
            Filesystem::open(&fat, file).err().unwrap().kind(),
            ErrorKind::Corrupt,
            "{name}"
        );
    }
    let (listed, problem) = names(&fat, ROOT);
    assert_eq!((listed.len(), problem.is_some()), (2, true), "a name with a slash is no name");
}

#[test]
fn a_cut_volume_says_where_it_ends() {
    let mut volume = fat12(&[]);
    let wanted = volume.len();
    volume.truncate(wanted - 1000);
    let fat = Fat::open(Arc::new(volume)).unwrap();
    let problem = &fat.problems()[0];
    assert_eq!(problem.offset(), Some(wanted as u64 - 1000), "{problem}");
    assert!(problem.to_string().contains(&format!("should reach byte {wanted}")), "{problem}");
}

#[test]
fn a_hole_in_a_directory_is_not_its_end() {
    let mut volume = fat12(&[3, 4, 0xFFF]);
    put(&mut volume, ROOT_AT, &[short(b"DIR        ", 0x10, 2, 0)]);
    let file = |letter: u8| short(&[letter; 11], 0, 0, 0);
    let dots = [short(b".          ", 0x10, 2, 0), short(b"..         ", 0x10, 0, 0)];
    let full: Vec<_> = dots.into_iter().chain((b'A'..=b'X').map(file)).collect();
    put(&mut volume, cluster(2), &full);
    let check = |change: &dyn Fn(&mut Vec<u8>), count: usize, words: &str| {
        let mut volume = volume.clone();
        change(&mut volume);
        let fat = Fat::open(Arc::new(volume)).unwrap();
        let dir = fat.lookup(ROOT, b"DIR").unwrap().unwrap();
        let (listed, problem) = names(&fat, dir);
        let said = problem.map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{words}: {said}");
        assert_eq!(listed.len(), count, "{words}");
    };
    check(&|_| (), 24, "");
    // What lies behind the end may be anything but entries.
    check(&|it| it[cluster(4)..cluster(5)].fill(0xFF), 24, "");
    check(&|it| put(it, cluster(4), &[file(b'Y')]), 24, "entries lie behind its end");
    put(&mut volume, cluster(4), &[file(b'Y')]);
    volume[cluster(3)..cluster(4)].fill(0);
    let fat = Fat::open(Arc::new(volume)).unwrap();
    let dir = fat.lookup(ROOT, b"DIR").unwrap().unwrap();
    assert!(fat.lookup(dir, b"AAAAAAAA.AAA").unwrap().is_some());
    assert!(fat.lookup(dir, b"YYYYYYYY.YYY").is_err(), "it could not be looked");
}
