//! Hives with logs, right and wrong.

use super::*;
use crate::hive::Hive;
use crate::testing::{Builder, base_block, key, seal, set};

/// A hive whose root has that name.
fn hive(root: &[u8]) -> Vec<u8> {
    let mut hive = Builder::new(5);
    let root = hive.cell(&key(root, 0));
    hive.image(root)
}

/// The same hive, begun to be written and not finished.
fn dirty(root: &[u8], secondary: u32) -> Vec<u8> {
    let mut hive = hive(root);
    set(&mut hive, 4, secondary + 1);
    set(&mut hive, 8, secondary);
    seal(&mut hive);
    hive
}

/// The start of a log.
fn head(kind: u32, sequence: u32, bins_size: u32) -> Vec<u8> {
    let mut log = base_block(sequence, sequence, bins_size);
    log.truncate(512);
    set(&mut log, 28, kind);
    seal(&mut log);
    log
}

/// An entry with these pages of a hive, counted from the end of the base block.
fn entry(number: u32, hive: &[u8], pages: &[(u32, u32)]) -> Vec<u8> {
    let mut entry = vec![0; 40];
    entry[..4].copy_from_slice(b"HvLE");
    for (place, length) in pages {
        entry.extend(place.to_le_bytes());
        entry.extend(length.to_le_bytes());
    }
    for (place, length) in pages {
        entry.extend(&hive[4096 + *place as usize..][..*length as usize]);
    }
    entry.resize(entry.len().next_multiple_of(512), 0);
    let size = entry.len() as u32;
    for (at, value) in
        [(4, size), (12, number), (16, hive.len() as u32 - 4096), (20, pages.len() as u32)]
    {
        set(&mut entry, at, value);
    }
    rehash(&mut entry);
    entry
}

fn rehash(entry: &mut [u8]) {
    let hash = marvin32::hash(&entry[40..]);
    entry[24..32].copy_from_slice(&hash.to_le_bytes());
    let hash = marvin32::hash(&entry[..32]);
    entry[32..40].copy_from_slice(&hash.to_le_bytes());
}

/// A log of the new format, whose entries make the root have these names.
fn new_log(first: u32, names: &[&[u8]]) -> Vec<u8> {
    let mut log = head(6, first, 4096);
    for (name, step) in names.iter().zip(0..) {
        log.extend(entry(first.wrapping_add(step), &hive(name), &[(0, 4096)]));
    }
    log
}

/// A log of the old format.
fn old_log(name: &[u8], time: u8) -> Vec<u8> {
    let hive = hive(name);
    let mut log = head(1, 3, 4096);
    log[12] = time;
    seal(&mut log);
    log.extend(b"DIRT\x03");
    log.resize(1024, 0);
    log.extend(&hive[4096..5120]);
    log
}

/// Opens the hive with the logs: its state, the root's name and the words of its problems.
fn check(hive: Vec<u8>, logs: &[Vec<u8>], state: State, name: &str, problems: &[&str]) {
    let logs: Vec<Arc<dyn ReadAt>> = logs.iter().map(|log| Arc::new(log.clone()) as _).collect();
    let hive = Hive::open(Arc::new(hive), &logs).unwrap();
    let said: Vec<String> = hive.problems().iter().map(ToString::to_string).collect();
    assert_eq!((hive.state(), hive.root().unwrap().name()), (state, name), "{said:?}");
    assert_eq!(said.len(), problems.len(), "{said:#?}");
    for (said, words) in said.iter().zip(problems) {
        assert!(said.contains(words), "{said}, expected {words}");
    }
}

const HALFWAY: &str = "no transaction log can be replayed";

#[test]
fn logs_of_a_clean_hive_are_not_looked_at() {
    check(hive(b"own"), &[new_log(7, &[b"log"])], State::Clean, "own", &[]);
}

#[test]
fn a_dirty_hive_says_so() {
    check(dirty(b"own", 5), &[], State::Dirty, "own", &[HALFWAY]);
    check(dirty(b"own", 5), &[vec![], vec![]], State::Dirty, "own", &[HALFWAY]);
    check(dirty(b"own", 5), &[vec![0; 9000]], State::Dirty, "own", &[HALFWAY, "\"regf\""]);
    check(dirty(b"own", 5), &[hive(b"no")], State::Dirty, "own", &[HALFWAY, "no log but a hive"]);
}

#[test]
fn entries_are_replayed_in_order() {
    let state = State::Recovered;
    check(dirty(b"own", 5), &[new_log(5, &[b"log"])], state, "log", &[]);
    check(dirty(b"own", 5), &[new_log(6, &[b"a", b"b", b"c"])], state, "c", &[]);
    let pair = [new_log(6, &[b"a", b"b"]), new_log(8, &[b"c", b"d"])];
    check(dirty(b"own", 5), &pair, state, "d", &[]);
    let [first, second] = pair;
    check(dirty(b"own", 5), &[second, first], state, "d", &[]);
    // Numbers start again behind the last one.
    let pair = [new_log(0, &[b"c"]), new_log(u32::MAX, &[b"a"])];
    check(dirty(b"own", u32::MAX - 1), &pair, state, "c", &[]);
}

#[test]
fn logs_that_do_not_fit() {
    let old = [new_log(3, &[b"a"]), new_log(6, &[b"b"])];
    check(dirty(b"own", 5), &old, State::Recovered, "b", &[]);
    check(
        dirty(b"own", 9),
        &old,
        State::Dirty,
        "own",
        &[HALFWAY, "log 1 at byte 4: what it holds", "log 2"],
    );
    let gap = [new_log(6, &[b"a"]), new_log(8, &[b"b"])];
    check(
        dirty(b"own", 5),
        &gap,
        State::Recovered,
        "a",
        &["start with number 8, and those from 7 on are missing"],
    );
    let mut halfway = new_log(6, &[b"a"]);
    set(&mut halfway, 4, 7);
    seal(&mut halfway);
    let words = &[HALFWAY, "log 1: registry base block at byte 4: the log itself"];
    check(dirty(b"own", 5), &[halfway], State::Dirty, "own", words);
}

#[test]
fn what_ends_a_log() {
    let check = |change: &dyn Fn(&mut Vec<u8>), name, problems: &[&str]| {
        let mut log = new_log(6, &[b"a", b"b", b"c"]);
        let last = 512 + (log.len() - 512) / 3 * 2;
        let mut entry = log.split_off(last);
        change(&mut entry);
        log.extend(entry);
        check(dirty(b"own", 5), &[log], State::Recovered, name, problems);
    };
    let with = |at: usize, value: u32| {
        move |entry: &mut Vec<u8>| {
            set(entry, at, value);
            rehash(entry);
        }
    };
    check(&|_| (), "c", &[]);
    check(&|entry| entry[0] = b'x', "b", &[]);
    check(&|entry| entry[12] = 3, "b", &[]);
    check(&|entry| entry[36] ^= 1, "b", &["log 1: entry of a transaction log at byte"]);
    check(&|entry| entry[600] ^= 1, "b", &["the hash of its content"]);
    check(&|entry| entry.truncate(4000), "b", &["it cannot be 4608 bytes long"]);
    check(&with(4, 0), "b", &["it cannot be 0 bytes long"]);
    check(&with(4, u32::MAX), "b", &["it cannot be 4294967295"]);
    check(&with(16, 5), "b", &["bins cannot be 5"]);
    check(&with(20, 0), "b", &["it cannot have 0 pages"]);
    check(&with(20, u32::MAX), "b", &["it cannot have 4294967295 pages"]);
    check(&with(20, 2), "b", &["are no sectors"]);
    check(&with(40, 7), "b", &["4096 bytes at 7 are no sectors"]);
    check(&with(44, 8192), "b", &["8192 bytes of a page lie behind its end"]);
    // Far behind the end of the hive: nobody ever sees it.
    check(&with(40, 0xFFFF_F000), "b", &[]);
}

#[test]
fn a_hive_may_grow() {
    let mut wide = hive(b"own");
    let mut bin = wide[4096..].to_vec();
    set(&mut bin, 4, 4096);
    bin.extend(vec![0; 4096]);
    set(&mut bin, 8, 8192);
    wide.extend(bin);
    let mut log = head(6, 6, 12288);
    log.extend(entry(6, &wide, &[(4096, 8192)]));
    check(dirty(b"own", 5), &[log.clone()], State::Recovered, "own", &[]);
    log.truncate(512);
    log.extend(entry(6, &wide, &[(4096, 4096)]));
    check(dirty(b"own", 5), &[log], State::Recovered, "own", &["truncated"]);
}

#[test]
fn logs_of_the_old_format() {
    let state = State::Recovered;
    check(dirty(b"own", 5), &[old_log(b"log", 0)], state, "log", &[]);
    check(dirty(b"own", 5), &[old_log(b"a", 1), old_log(b"b", 2)], state, "b", &[]);
    check(dirty(b"own", 5), &[old_log(b"a", 1), new_log(6, &[b"b"])], state, "b", &[]);
    let mut late = dirty(b"own", 5);
    late[12] = 9;
    seal(&mut late);
    check(late, &[old_log(b"a", 1)], State::Dirty, "own", &[HALFWAY, "older than the hive"]);
    let mut short = old_log(b"a", 1);
    short.truncate(2000);
    check(dirty(b"own", 5), &[short], State::Dirty, "own", &[HALFWAY, "truncated"]);
    let mut other = old_log(b"a", 1);
    other[512] = b'd';
    check(dirty(b"own", 5), &[other], State::Dirty, "own", &[HALFWAY, "\"DIRT\""]);
}

#[test]
fn a_damaged_base_block() {
    let mut damaged = dirty(b"own", 5);
    damaged[508] ^= 1;
    check(damaged.clone(), &[], State::Dirty, "own", &["its checksum is wrong", HALFWAY]);
    let pair = [new_log(8, &[b"b"]), new_log(6, &[b"a"])];
    check(damaged.clone(), &pair, State::Recovered, "b", &["its checksum is wrong"]);
    check(damaged, &[old_log(b"log", 0)], State::Recovered, "log", &["its checksum is wrong"]);
    let mut gone = dirty(b"own", 5);
    gone[..512].fill(0);
    check(gone.clone(), &[], State::Dirty, "own", &["\"regf\"", HALFWAY]);
    check(gone.clone(), &[old_log(b"log", 0)], State::Recovered, "log", &["\"regf\""]);
    gone[4096] = 0;
    assert!(Hive::open(Arc::new(gone), &[]).is_err());
    assert!(Hive::open(Arc::new(new_log(6, &[b"a"])), &[]).is_err());
}
