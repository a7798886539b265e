//! The area of fast commits as it is written: tags with values, commits that a tail ends.

use fathom_block::{Error, Fields, Problem, Result};

use super::super::checksum::crc32c;
use super::super::inode::GOOD_OLD_SIZE;
use super::super::journal::FastCommits;
use super::WHAT;

/// A tag without its value.
const BASE: usize = 4;

/// The most bytes of values that are taken: many times the area that mke2fs makes.
const MAX_BYTES: usize = 16 << 20;

/// What was done.
pub(super) enum Step {
    AddRange {
        inode: u32,
        first: u32,
        blocks: u32,
        place: u64,
        written: bool,
    },
    RemoveRange {
        inode: u32,
        first: u32,
        blocks: u32,
    },
    /// A name was made for a new inode.
    Create {
        parent: u32,
        inode: u32,
        name: Vec<u8>,
    },
    /// A name was made for an inode that had one.
    Link {
        parent: u32,
        inode: u32,
        name: Vec<u8>,
    },
    Unlink {
        parent: u32,
        name: Vec<u8>,
    },
    Inode {
        inode: u32,
        raw: Vec<u8>,
    },
}

/// The steps of all valid commits, in order, with their places; and what keeps the rest from being
/// read.
pub(super) fn scan(inode_size: u16, commits: &FastCommits) -> (Vec<(u64, Step)>, Vec<Problem>) {
    let mut scan = Scan { sequence: commits.sequence, ..Scan::default() };
    for index in 0..commits.blocks() {
        let block = match commits.block(index) {
            Ok((offset, bytes)) => scan.block(inode_size, offset, &bytes),
            Err(error) => Err(error),
        };
        match block {
            Ok(true) => {}
            Ok(false) => break,
            Err(problem) => return (scan.steps, vec![problem]),
        }
    }
    (scan.steps, Vec::new())
}

#[derive(Default)]
struct Scan {
    /// What the commits must say they belong to.
    sequence: u32,
    steps: Vec<(u64, Step)>,
    /// Those of a commit whose tail has not come yet.
    open: Vec<(u64, Step)>,
    sum: u32,
    bytes: usize,
    /// A commit of ours has begun.
    begun: bool,
    /// One has ended.
    ended: bool,
}

impl Scan {
    /// Takes the tags of one block. False where the commits end.
    fn block(&mut self, inode_size: u16, offset: u64, bytes: &[u8]) -> Result<bool> {
        let fields = &Fields::new(WHAT, offset, bytes);
        let mut at = 0;
        while at + BASE <= fields.len() {
            let (fc_tag, fc_len) = (fields.le_u16(at)?, usize::from(fields.le_u16(at + 2)?));
            if !self.begun && fc_tag != 9 {
                return Ok(false);
            }
            let Ok(value) = fields.part(WHAT, at + BASE, fc_len) else {
                return self.end(fields, at, format!("tag {fc_tag} has {fc_len} bytes"));
            };
            match fc_tag {
                1..=6 => {
                    let Some(step) = step(inode_size, fc_tag, &value)? else {
                        return self.end(fields, at, format!("tag {fc_tag} has {fc_len} bytes"));
                    };
                    self.bytes += fc_len + 64;
                    if self.bytes > MAX_BYTES {
                        let why = format!("they hold more than {MAX_BYTES} bytes");
                        return Err(Error::unsupported(WHAT, why));
                    }
                    self.open.push((offset + at as u64, step));
                }
                // Padding.
                7 => {}
                8 if fc_len >= 8 => {
                    self.sum = crc32c(self.sum, fields.bytes(at, BASE + 4)?);
                    let (fc_tid, fc_crc) = (value.le_u32(0)?, value.le_u32(4)?);
                    if fc_tid != self.sequence || fc_crc != self.sum {
                        return self.end(fields, at, "its checksum fails".into());
                    }
                    self.sum = 0;
                    self.ended = true;
                    self.steps.append(&mut self.open);
                    at += BASE + fc_len;
                    continue;
                }
                9 if fc_len >= 8 => {
                    let (fc_features, fc_tid) = (value.le_u32(0)?, value.le_u32(4)?);
                    if fc_tid != self.sequence {
                        return Ok(false);
                    }
                    if fc_features != 0 {
                        return Err(Error::unsupported(WHAT, format!("features {fc_features:#x}")));
                    }
                    self.begun = true;
                }
                _ => return self.end(fields, at, format!("tag {fc_tag} is unknown")),
            }
            self.sum = crc32c(self.sum, fields.bytes(at, BASE + fc_len)?);
            at += BASE + fc_len;
        }
        Ok(true)
    }

    /// What is no commit of ours ends the area, but the first one must be whole.
    fn end(&self, fields: &Fields<'_>, at: usize, why: String) -> Result<bool> {
        match self.ended {
            true => Ok(false),
            false => Err(fields.corrupt(at, format!("the commit is not whole: {why}"))),
        }
    }
}

/// Understands a tag; `None` if its value has the wrong length.
fn step(inode_size: u16, fc_tag: u16, value: &Fields<'_>) -> Result<Option<Step>> {
    let length = value.len();
    let right = match fc_tag {
        1 => length == 16,
        2 => length == 12,
        3..=5 => (9..=8 + 255).contains(&length),
        _ => (4 + GOOD_OLD_SIZE..=4 + usize::from(inode_size)).contains(&length),
    };
    if !right {
        return Ok(None);
    }
    let inode = value.le_u32(0)?;
    Ok(Some(match fc_tag {
        1 => {
            let first = value.le_u32(4)?;
            let ee_len = value.le_u16(8)?;
            let place = u64::from(value.le_u16(10)?) << 32 | u64::from(value.le_u32(12)?);
            let written = ee_len <= 32768;
            let blocks = u32::from(if written { ee_len } else { ee_len - 32768 });
            Step::AddRange { inode, first, blocks, place, written }
        }
        2 => Step::RemoveRange { inode, first: value.le_u32(4)?, blocks: value.le_u32(8)? },
        6 => Step::Inode { inode, raw: value.bytes(4, length - 4)?.to_vec() },
        _ => {
            let (parent, inode) = (inode, value.le_u32(4)?);
            let name = value.bytes(8, length - 8)?.to_vec();
            match fc_tag {
                3 => Step::Create { parent, inode, name },
                4 => Step::Link { parent, inode, name },
                _ => Step::Unlink { parent, name },
            }
        }
    }))
}
