//! The new format of a log: entries `HvLE`, one behind the other. Each has a number, the pages that
//! it changed, and hashes of itself.

use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Fields, ReadAt, Result, read_array, read_vec};

use super::MAX_REPLAYED;
use super::marvin32::{self, Marvin32};
use crate::base_block::{COPY, LENGTH, is_bins_size};
use crate::patched::{Patched, SECTOR};

/// How much comes before the references to pages.
const HEADER: u64 = 40;

const WHAT: &str = "entry of a transaction log";

/// What a log gave.
pub(super) struct Replayed {
    /// How long the bins are behind the last entry; `None` where there was no entry.
    pub(super) bins_size: Option<u32>,
    /// The number of the entry that would come next.
    pub(super) next: u32,
    /// The entry that would come next is there, but not to be used.
    pub(super) damage: Option<Error>,
}

/// Replays the entries of a log, the first of which has the number `first`. What was not meant to
/// be an entry ends the log; an entry that is damaged does too, and is told.
pub(super) fn replay(
    log: &Arc<dyn ReadAt>,
    first: u32,
    budget: &mut u64,
    hive: &mut Patched,
) -> Result<Replayed> {
    let number = hive.add_log(log.clone());
    let mut replayed = Replayed { bins_size: None, next: first, damage: None };
    let mut at = COPY;
    while log.len().saturating_sub(at) >= HEADER {
        let entry = match Entry::read(log, at, replayed.next, budget) {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => {
                replayed.damage = Some(error);
                break;
            }
            Err(error) => return Err(error),
        };
        for page in entry.pages {
            hive.replace(LENGTH + page.place, number, page.at, page.length);
        }
        replayed.bins_size = Some(entry.bins_size);
        replayed.next = replayed.next.wrapping_add(1);
        at += entry.size;
    }
    Ok(replayed)
}

/// One page that an entry changed.
struct Page {
    /// Where it belongs, counted from the end of the base block.
    place: u64,
    length: u64,
    /// Where it lies in the log.
    at: u64,
}

struct Entry {
    size: u64,
    bins_size: u32,
    pages: Vec<Page>,
}

impl Entry {
    /// The entry at byte `at`, if the one with that number lies there.
    fn read(log: &Arc<dyn ReadAt>, at: u64, number: u32, budget: &mut u64) -> Result<Option<Self>> {
        let header = read_array::<{ HEADER as usize }>(log, WHAT, at)?;
        let fields = Fields::new(WHAT, at, &header);
        // What was written before the log was begun anew may follow: that is no damage.
        if fields.bytes(0, 4)? != b"HvLE" || fields.le_u32(12)? != number {
            return Ok(None);
        }
        if fields.le_u64(32)? != marvin32::hash(fields.bytes(0, 32)?) {
            return Err(fields.corrupt(32, "the hash of its header is wrong"));
        }
        let size = u64::from(fields.le_u32(4)?);
        if size < SECTOR || !size.is_multiple_of(SECTOR) || size > log.len() - at {
            return Err(fields.corrupt(4, format!("it cannot be {size} bytes long")));
        }
        *budget += size;
        if *budget > MAX_REPLAYED {
            let why = format!("more than {MAX_REPLAYED} bytes are not replayed");
            return Err(Error::unsupported(WHAT, why).at(at));
        }
        let bins_size = fields.le_u32(16)?;
        if !is_bins_size(bins_size) {
            return Err(fields.corrupt(16, format!("bins cannot be {bins_size} bytes long")));
        }
        if fields.le_u64(24)? != content_hash(log, at + HEADER, size - HEADER)? {
            return Err(fields.corrupt(24, "the hash of its content is wrong"));
        }
        let pages = pages(log, at, size, fields.le_u32(20)?)?;
        Ok(Some(Self { size, bins_size, pages }))
    }
}

/// The pages of the entry at byte `at`.
fn pages(log: &Arc<dyn ReadAt>, at: u64, size: u64, count: u32) -> Result<Vec<Page>> {
    let corrupt = |at, why: String| Err(Error::corrupt(WHAT, at, why));
    let length = u64::from(count) * 8;
    if count == 0 || length > size - HEADER {
        return corrupt(at + 20, format!("it cannot have {count} pages"));
    }
    let references = read_vec(log, WHAT, at + HEADER, length)?;
    let references = Fields::new(WHAT, at + HEADER, &references);
    let mut pages = Vec::new();
    let mut from = HEADER + length;
    for index in 0..count as usize {
        let place = u64::from(references.le_u32(index * 8)?);
        let length = u64::from(references.le_u32(index * 8 + 4)?);
        if !place.is_multiple_of(SECTOR) || !length.is_multiple_of(SECTOR) {
            return corrupt(at, format!("{length} bytes at {place} are no sectors"));
        }
        if length > size - from {
            return corrupt(at, format!("{length} bytes of a page lie behind its end"));
        }
        pages.push(Page { place, length, at: at + from });
        from += length;
    }
    Ok(pages)
}

fn content_hash(log: &Arc<dyn ReadAt>, start: u64, length: u64) -> Result<u64> {
    const STEP: u64 = 64 << 10;
    let mut hash = Marvin32::new();
    let mut done = 0;
    while done < length {
        let step = (length - done).min(STEP);
        // Entries are sectors long, so that no bytes are ever left over.
        hash.update(&read_vec(log, WHAT, start + done, step)?);
        done += step;
    }
    Ok(hash.finish(&[]))
}
