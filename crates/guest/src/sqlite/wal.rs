//! The write-ahead log: pages that were committed and wait to be moved into the database.
//!
//! Frames follow each other, each with a page. A frame counts if its salts are those of the log's
//! header, if its checksum, which goes on from the frame before, is right, and if it or one that
//! follows ends a transaction. What comes after is from a transaction that was not finished or from
//! an earlier round of the log, and is nothing to anyone.

use std::collections::HashMap;

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

const HEADER: usize = 32;
const FRAME: usize = 24;

/// How much of a log is read. SQLite begins it anew after some thousand pages.
const MAX_LOG: u64 = 2 << 30;

/// What a log holds.
#[derive(Default)]
pub(super) struct Committed {
    /// Where in the log each page lies.
    pub(super) pages: HashMap<u32, u64>,
    /// How many pages the database has after the last transaction.
    pub(super) count: Option<u32>,
}

/// The pages that were committed, and what kept others from being read.
pub(super) fn committed(log: &dyn ReadAt, page_size: usize) -> (Committed, Option<Error>) {
    let mut committed = Committed::default();
    let problem = follow(log, page_size, &mut committed).err();
    (committed, problem.map(|error| error.within("write-ahead log")))
}

fn follow(log: &dyn ReadAt, page_size: usize, committed: &mut Committed) -> Result<()> {
    if log.len() < HEADER as u64 {
        return Ok(());
    }
    let head: [u8; HEADER] = read_array(log, "header", 0)?;
    let header = Fields::new("header", 0, &head);
    let magic = header.be_u32(0)?;
    if head.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    if !matches!(magic, 0x377F_0682 | 0x377F_0683) {
        return Err(header.corrupt(0, "it does not begin as a log does; none of it is applied"));
    }
    let mut sum = Checksum { big_endian: magic & 1 == 1, first: 0, second: 0 };
    sum.add(&head[..24]);
    if (sum.first, sum.second) != (header.be_u32(24)?, header.be_u32(28)?) {
        return Err(header.corrupt(24, "its checksum is wrong; none of it is applied"));
    }
    if header.be_u32(4)? != 3_007_000 {
        return Err(Error::unsupported("header", format!("version {}", header.be_u32(4)?)));
    }
    if header.be_u32(8)? as usize != page_size {
        let why = format!("pages of {} bytes; the database has others", header.be_u32(8)?);
        return Err(header.corrupt(8, why));
    }
    let salts = header.array::<8>(16)?;
    let mut waiting: Vec<(u32, u64)> = Vec::new();
    let mut frame = vec![0; FRAME + page_size];
    let mut at = HEADER as u64;
    while at + frame.len() as u64 <= log.len() {
        if at > MAX_LOG {
            let why = format!("it is longer than {} MiB; the rest is not read", MAX_LOG >> 20);
            return Err(Error::unsupported("frames", why).at(at));
        }
        log.read_at(at, &mut frame)?;
        let fields = Fields::new("frame", at, &frame);
        if fields.array::<8>(8)? != salts {
            break;
        }
        sum.add(fields.bytes(0, 8)?);
        sum.add(fields.bytes(FRAME, page_size)?);
        let (page, count) = (fields.be_u32(0)?, fields.be_u32(4)?);
        if page == 0 || (sum.first, sum.second) != (fields.be_u32(16)?, fields.be_u32(20)?) {
            break;
        }
        waiting.push((page, at + FRAME as u64));
        if count != 0 {
            committed.pages.extend(waiting.drain(..));
            committed.count = Some(count);
        }
        at += frame.len() as u64;
    }
    Ok(())
}

/// The running checksum of a log, over pairs of words in the byte order of the machine that wrote
/// it.
struct Checksum {
    big_endian: bool,
    first: u32,
    second: u32,
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let (pairs, _) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in pairs {
            let word = if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
            self.first = self.first.wrapping_add(word([a, b, c, d])).wrapping_add(self.second);
            self.second = self.second.wrapping_add(word([e, f, g, h])).wrapping_add(self.first);
        }
    }
}
