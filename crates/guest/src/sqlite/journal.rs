//! The rollback journal: pages as they were before a transaction that was not finished.
//!
//! A journal that still has its header is *hot*: the transaction was cut off, and the next user of
//! the database puts the pages back. One whose header is zeros is left over from a transaction that
//! was finished.

use std::collections::HashMap;

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

const MAGIC: [u8; 8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];
const HEADER: usize = 28;

/// How much of a journal is read.
const MAX_JOURNAL: u64 = 2 << 30;

/// What undoing leads to.
pub(super) struct Undone {
    /// Where in the journal each page lies.
    pub(super) pages: HashMap<u32, u64>,
    /// How many pages the database had before.
    pub(super) count: u32,
}

/// The pages that the journal puts back, if it is hot.
pub(super) fn undone(journal: &dyn ReadAt, page_size: usize) -> Result<Option<Undone>> {
    follow(journal, page_size).map_err(|error| error.within("rollback journal"))
}

fn follow(journal: &dyn ReadAt, page_size: usize) -> Result<Option<Undone>> {
    let mut undone: Option<Undone> = None;
    let mut at = 0;
    while at + HEADER as u64 <= journal.len() {
        let head: [u8; HEADER] = read_array(journal, "header", at)?;
        let header = Fields::new("header", at, &head);
        if header.array(0)? != MAGIC {
            break;
        }
        let (records, nonce) = (header.be_u32(8)?, header.be_u32(12)?);
        if undone.is_none() {
            let size = header.be_u32(24)? as usize;
            if size != page_size {
                let why = format!("pages of {size} bytes; the database has others");
                return Err(header.corrupt(24, why));
            }
        }
        let sector = header.be_u32(20)?;
        if !(sector.is_power_of_two() && (32..=65536).contains(&sector)) {
            return Err(header.corrupt(20, format!("a sector of {sector} bytes")));
        }
        let undone =
            undone.get_or_insert(Undone { pages: HashMap::new(), count: header.be_u32(16)? });
        at += u64::from(sector);
        // Written without waiting for the disk, it goes on to the end of the file.
        let records = if records == u32::MAX { u64::MAX } else { records.into() };
        let mut record = vec![0; page_size + 8];
        for _ in 0..records {
            if at + record.len() as u64 > journal.len() {
                break;
            }
            if at > MAX_JOURNAL {
                let why = format!("it is longer than {} MiB", MAX_JOURNAL >> 20);
                return Err(Error::unsupported("records", why).at(at));
            }
            journal.read_at(at, &mut record)?;
            let fields = Fields::new("record", at, &record);
            let (page, bytes) = (fields.be_u32(0)?, fields.bytes(4, page_size)?);
            // A record that was not wholly written ends the journal: the page was not changed yet.
            if page == 0 || checksum(nonce, bytes) != fields.be_u32(4 + page_size)? {
                return Ok(Some(Undone { pages: std::mem::take(&mut undone.pages), ..*undone }));
            }
            undone.pages.entry(page).or_insert(at + 4);
            at += record.len() as u64;
        }
        at = at.next_multiple_of(u64::from(sector));
    }
    Ok(undone)
}

/// The sum of every two hundredth byte, counted from the end.
fn checksum(nonce: u32, page: &[u8]) -> u32 {
    let mut sum = nonce;
    let mut at = page.len().saturating_sub(200);
    while at > 0 {
        sum = sum.wrapping_add(page.get(at).copied().unwrap_or(0).into());
        at = at.saturating_sub(200);
    }
    sum
}
