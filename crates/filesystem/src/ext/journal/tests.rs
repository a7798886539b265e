//! Journals made by hand.

use fathom_block::ErrorKind;

use super::super::checksum::{crc32_be, crc32c};
use super::super::testing::*;
use super::superblock::MAGIC;
use crate::node::Health;

const FILE: u16 = 0o100644;

/// Where the journal is, and how many blocks it has.
const JOURNAL: usize = 300;
const LENGTH: u32 = 40;

/// Where the file's three blocks are.
const DATA: [u32; 3] = [200, 201, 202];

/// `s_feature_incompat` of a journal.
const REVOKE: u32 = 1;
const BIT64: u32 = 2;
const ASYNC: u32 = 4;
const CSUM_V2: u32 = 8;
const CSUM_V3: u32 = 16;

fn big(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A filesystem with a file of three blocks and a journal that is written block by block.
#[derive(Clone)]
struct Journal {
    image: Image,
    incompat: u32,
    /// Every transaction has a checksum.
    sums: bool,
    at: u32,
    sequence: u32,
    seconds: u64,
    sum: u32,
}

impl Journal {
    /// An empty log that starts at the block.
    fn new(incompat: u32, start: u32) -> Self {
        let mut image = Image::new();
        // has_journal, needs_recovery
        image.superblock(0x5C, 4);
        image.superblock(0x60, 6);
        image.superblock(0xE0, 8);
        image.inode(
            8,
            FILE,
            u64::from(LENGTH) * BLOCK as u64,
            EXTENTS,
            &extent_node(0, &[(0, LENGTH as u16, JOURNAL as u32)]),
        );
        image.inode(12, FILE, 3 * BLOCK as u64, 0, &numbers(&DATA));
        image.name("file", 12);
        for block in DATA {
            image.block(block as usize, &[b'-'; BLOCK]);
        }
        let mut journal =
            Self { image, incompat, sums: false, at: start, sequence: 7, seconds: 100, sum: !0 };
        journal.superblock(start);
        journal
    }

    fn has_checksums(&self) -> bool {
        self.incompat & (CSUM_V2 | CSUM_V3) != 0
    }

    fn superblock(&mut self, start: u32) {
        let mut block = big(&[MAGIC, 4, 0, BLOCK as u32, LENGTH, 1, 7, start]);
        block.extend(big(&[0, u32::from(self.sums), self.incompat]));
        block.resize(1024, 0);
        block[48..64].fill(0x55);
        block[80] = 4;
        if self.has_checksums() {
            let sum = crc32c(!0, &block);
            block[252..256].copy_from_slice(&sum.to_be_bytes());
        }
        self.image.block(JOURNAL, &block);
    }

    fn seed(&self) -> u32 {
        crc32c(!0, &[0x55; 16])
    }

    /// Where the next block of the log goes.
    fn place(&self) -> usize {
        (JOURNAL + self.at as usize) * BLOCK
    }

    fn write(&mut self, block: &[u8]) {
        let place = self.place();
        self.image.put(place, block);
        self.at = if self.at + 1 == LENGTH { 1 } else { self.at + 1 };
    }

    /// A block of the journal's own, with its checksum at `at`.
    fn own(&mut self, kind: u32, content: &[u8], at: usize) {
        let mut block = big(&[MAGIC, kind, self.sequence]);
        block.extend(content);
        block.resize(BLOCK, 0);
        if self.has_checksums() {
            let sum = crc32c(self.seed(), &block);
            block[at..at + 4].copy_from_slice(&sum.to_be_bytes());
        }
        if kind == 1 {
            self.sum = crc32_be(self.sum, &block);
        }
        self.write(&block);
    }

    /// Copies of blocks, each filled with a letter.
    fn copies(&mut self, copies: &[(u32, u8)]) {
        let blocks: Vec<_> =
            copies.iter().map(|(block, fill)| (*block, vec![*fill; BLOCK], 0)).collect();
        self.tagged(&blocks);
    }

    /// Copies of blocks: number, bytes and flags.
    fn tagged(&mut self, copies: &[(u32, Vec<u8>, u32)]) {
        let mut tags = Vec::new();
        for (index, (block, bytes, flags)) in copies.iter().enumerate() {
            // The first names the journal's identifier, the last is the last.
            let flags = flags
                | if index > 0 { 2 } else { 0 }
                | if index + 1 == copies.len() { 8 } else { 0 };
            let sum = crc32c(crc32c(self.seed(), &self.sequence.to_be_bytes()), bytes);
            tags.extend(big(&[*block]));
            if self.incompat & CSUM_V3 != 0 {
                tags.extend(big(&[flags, 0, sum]));
            } else {
                let sum = if self.incompat & CSUM_V2 != 0 { sum & 0xFFFF } else { 0 };
                tags.extend(big(&[sum << 16 | flags]));
                if self.incompat & BIT64 != 0 {
                    tags.extend(big(&[0]));
                }
                if self.incompat & CSUM_V2 != 0 {
                    tags.extend([0; 2]);
                }
            }
            if index == 0 {
                tags.extend([0x55; 16]);
            }
        }
        self.own(1, &tags, BLOCK - 4);
        for (_, bytes, _) in copies {
            self.sum = crc32_be(self.sum, bytes);
            self.write(bytes);
        }
    }

    fn revoke(&mut self, blocks: &[u32]) {
        let mut content = Vec::new();
        for block in blocks {
            content.extend(if self.incompat & BIT64 != 0 {
                big(&[0, *block])
            } else {
                big(&[*block])
            });
        }
        let count = (16 + content.len()) as u32;
        self.own(5, &[big(&[count]), content].concat(), BLOCK - 4);
    }

    fn commit(&mut self) {
        let mut content = match self.sums {
            true => [vec![1, 4, 0, 0], big(&[self.sum])].concat(),
            false => Vec::new(),
        };
        content.resize(36, 0);
        content.extend(self.seconds.to_be_bytes());
        self.own(2, &content, 16);
        self.sequence += 1;
        self.seconds += 1;
        self.sum = !0;
    }

    /// The first letters of the file's blocks.
    fn shown(&self) -> String {
        let bytes = self.image.read("/file").unwrap();
        bytes.chunks(BLOCK).map(|block| char::from(block[0])).collect()
    }

    fn check(&self, shown: &str, health: Health) {
        let filesystem = self.image.open().unwrap();
        let problems = filesystem.problems();
        assert_eq!(filesystem.info().health, health, "{problems:?}");
        assert_eq!(problems.is_empty(), health != Health::Dirty, "{problems:?}");
        assert_eq!(self.shown(), shown);
    }
}

#[test]
fn the_last_copy_wins_however_the_tags_are_written() {
    for incompat in [0, BIT64, CSUM_V2, CSUM_V2 | BIT64, CSUM_V3, CSUM_V3 | BIT64] {
        let mut journal = Journal::new(incompat | REVOKE, 30);
        journal.copies(&[(200, b'a'), (201, b'b')]);
        journal.commit();
        // Round the end of the ring.
        journal.copies(&[(201, b'c'), (900, b'x'), (901, b'x'), (902, b'x'), (903, b'x')]);
        journal.copies(&[(202, b'd')]);
        journal.commit();
        assert!(journal.at < 10);
        journal.check("acd", Health::Replayed);
        // What has no commit is not replayed.
        journal.copies(&[(200, b'z')]);
        journal.check("acd", Health::Replayed);
    }
}

#[test]
fn what_is_revoked_is_not_replayed_unless_it_is_written_again() {
    for incompat in [0, BIT64, CSUM_V3] {
        let mut journal = Journal::new(incompat | REVOKE, 1);
        journal.copies(&[(200, b'a'), (201, b'b'), (202, b'c')]);
        journal.commit();
        journal.revoke(&[200, 201]);
        journal.copies(&[(202, b'd')]);
        journal.commit();
        journal.copies(&[(201, b'e')]);
        journal.commit();
        // In one transaction, the revocation holds for it too.
        journal.copies(&[(202, b'f')]);
        journal.revoke(&[202]);
        journal.commit();
        journal.check("-e-", Health::Replayed);
    }
}

#[test]
fn a_copy_that_looks_like_the_journals_own_block() {
    let mut journal = Journal::new(CSUM_V3, 1);
    let mut bytes = vec![b'm'; BLOCK];
    bytes[..4].fill(0);
    journal.tagged(&[(200, bytes, 1)]);
    journal.commit();
    let file = journal.image.read("/file").unwrap();
    assert_eq!(file[..6], [0xC0, 0x3B, 0x39, 0x98, b'm', b'm']);
}

#[test]
fn a_damaged_copy_is_an_error_where_it_is_read_and_nowhere_else() {
    let mut journal = Journal::new(CSUM_V3, 1);
    journal.copies(&[(200, b'a'), (201, b'b')]);
    journal.commit();
    journal.image.put((JOURNAL + 3) * BLOCK + 9, b"?");
    let filesystem = journal.image.open().unwrap();
    assert_eq!(filesystem.info().health, Health::Dirty);
    let error = journal.image.error("/file");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.offset(), Some(((JOURNAL + 3) * BLOCK) as u64));
    // If it is written again, nothing is lost.
    journal.copies(&[(201, b'c')]);
    journal.commit();
    journal.check("ac-", Health::Replayed);
}

#[test]
fn a_damaged_descriptor_ends_the_log() {
    let mut journal = Journal::new(CSUM_V3, 1);
    journal.copies(&[(200, b'a')]);
    journal.commit();
    let place = journal.place();
    journal.copies(&[(201, b'b')]);
    journal.image.put(place + 500, b"?");
    let mut old = journal.clone();
    journal.commit();
    journal.check("a--", Health::Dirty);
    // A commit from an earlier round of the ring is older: the log simply ends.
    old.seconds = 5;
    old.commit();
    old.check("a--", Health::Replayed);
}

#[test]
fn a_damaged_commit() {
    for (incompat, sums) in [(CSUM_V3, false), (CSUM_V2, false), (0, true)] {
        let mut journal = Journal::new(incompat, 1);
        journal.sums = sums;
        journal.superblock(1);
        journal.copies(&[(200, b'a')]);
        journal.commit();
        journal.copies(&[(201, b'b')]);
        let place = journal.place();
        journal.commit();
        journal.check("ab-", Health::Replayed);
        journal.image.put(place + 17, b"?");
        journal.check("a--", Health::Dirty);
        // Where commits may come before their blocks, the machine was stopped then; unless the log
        // goes on.
        journal.incompat |= ASYNC;
        journal.superblock(1);
        journal.check("a--", Health::Replayed);
        journal.copies(&[(202, b'c')]);
        journal.check("a--", Health::Dirty);
    }
}

#[test]
fn a_log_that_never_ends() {
    let mut journal = Journal::new(REVOKE, 1);
    for _ in 0..LENGTH {
        journal.revoke(&[200]);
    }
    journal.check("---", Health::Replayed);
    // A descriptor of more blocks than the log has.
    let mut journal = Journal::new(0, 1);
    journal.copies(&[(200, b'a')]);
    journal.commit();
    let many: Vec<_> = (0..100).map(|block| (block + 400, b'x')).collect();
    journal.copies(&many[..30]);
    let place = journal.place() - 31 * BLOCK;
    journal.image.put(place + 12 + 29 * 8 + 16 + 6, &[0, 2]);
    journal.check("a--", Health::Replayed);
}

#[test]
fn blocks_that_the_filesystem_does_not_have() {
    let mut journal = Journal::new(0, 1);
    journal.copies(&[(200, b'a'), (1024, b'x'), (u32::MAX, b'x')]);
    journal.commit();
    journal.check("a--", Health::Dirty);
    let mut journal = Journal::new(REVOKE, 1);
    journal.copies(&[(200, b'a')]);
    journal.commit();
    journal.own(5, &big(&[5000, 200]), BLOCK - 4);
    journal.commit();
    journal.check("a--", Health::Dirty);
}

#[test]
fn journals_that_cannot_be_read() {
    let damages: [(usize, Vec<u8>); 9] = [
        (0, big(&[0])),
        (4, big(&[9])),
        (12, big(&[4096])),
        (16, big(&[LENGTH + 1])),
        (20, big(&[0])),
        (20, big(&[LENGTH])),
        (28, big(&[LENGTH])),
        (40, big(&[0x100])),
        (40, big(&[CSUM_V2 | CSUM_V3])),
    ];
    for (at, bytes) in damages {
        let mut journal = Journal::new(0, 1);
        journal.copies(&[(200, b'a')]);
        journal.commit();
        journal.image.put(JOURNAL * BLOCK + at, &bytes);
        journal.check("---", Health::Dirty);
    }
    let mut journal = Journal::new(CSUM_V3, 1);
    journal.image.put(JOURNAL * BLOCK + 1000, b"?");
    journal.check("---", Health::Dirty);
}

#[test]
fn a_journal_whose_inode_is_damaged_has_a_copy() {
    let mut journal = Journal::new(0, 1);
    journal.copies(&[(200, b'a')]);
    journal.commit();
    journal.image.inode(8, 0, 0, 0, &[]);
    journal.check("---", Health::Dirty);
    journal.image.put(1024 + 0xFD, &[1]);
    let node = extent_node(0, &[(0, LENGTH as u16, JOURNAL as u32)]);
    journal.image.put(1024 + 0x10C, &node);
    journal.image.superblock(0x10C + 64, LENGTH * BLOCK as u32);
    assert_eq!(journal.shown(), "a--");
    assert_eq!(journal.image.open().unwrap().problems().len(), 1);
}

#[test]
fn journals_that_need_nothing() {
    // In use, but all had reached its place.
    let mut journal = Journal::new(0, 1);
    journal.superblock(0);
    journal.check("---", Health::Replayed);
    // Unmounted: what the log still holds is history.
    let mut journal = Journal::new(0, 1);
    journal.copies(&[(200, b'a')]);
    journal.commit();
    journal.image.superblock(0x60, 2);
    journal.check("---", Health::Clean);
    // Elsewhere.
    journal.image.superblock(0xE0, 0);
    journal.check("---", Health::Clean);
    journal.image.superblock(0x60, 6);
    assert_eq!(journal.image.open().map(|_| ()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_superblock_in_the_journal_is_the_one_that_counts() {
    let mut journal = Journal::new(0, 1);
    let mut superblock = journal.image.bytes[1024..2048].to_vec();
    superblock[0x78..0x7B].copy_from_slice(b"new");
    journal.tagged(&[(1, superblock, 0)]);
    journal.commit();
    assert_eq!(journal.image.open().unwrap().info().label.as_deref(), Some("new"));
}
