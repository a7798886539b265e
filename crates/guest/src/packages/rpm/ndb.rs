//! The container of SUSE: slots that say where each header lies, then the headers.
//!
//! The file is divided into blocks of sixteen bytes. The first pages are slots, the first two of
//! which are the file's own header. A header lies between a head and a tail with checks. All numbers
//! are little-endian.

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

use super::{Visit, take};
use crate::damage::Damage;

const PAGE: usize = 4096;
const SLOT: usize = 16;
const BLOCK: u64 = 16;
const HEAD: u64 = 16;
const TAIL: u64 = 12;

/// The most pages of slots: of four million packages.
const MAX_PAGES: u32 = 1 << 14;

pub(super) fn read(reader: &dyn ReadAt, visit: Visit<'_>) -> Result<()> {
    let head: [u8; 32] = read_array(reader, "metadata", 0)?;
    let head = Fields::new("metadata", 0, &head);
    if head.bytes(0, 4)? != b"RpmP" {
        return Err(head.corrupt(0, "it does not begin as a database of packages does"));
    }
    if head.le_u32(4)? != 0 {
        return Err(Error::unsupported("metadata", format!("version {}", head.le_u32(4)?)));
    }
    let pages = head.le_u32(12)?;
    if pages > MAX_PAGES {
        return Err(head.corrupt(12, format!("{pages} pages of slots")));
    }
    let mut slots = Vec::new();
    let mut damage = Damage::default();
    let mut damaged = |error: Error, visit: Visit<'_>| {
        damage.tell(error, "slots", |error| visit(Err(error))).is_break()
    };
    'pages: for page in 0..u64::from(pages) {
        let mut bytes = [0; PAGE];
        if let Err(error) = reader.read_at(page * PAGE as u64, &mut bytes) {
            if damaged(error.within("slots"), visit) {
                return Ok(());
            }
            // What cannot be read because the file ends will not get better.
            break;
        }
        // The head of the file takes the place of two slots.
        for at in (if page == 0 { 2 * SLOT } else { 0 }..PAGE).step_by(SLOT) {
            match Slot::read(&Fields::new("slot", page * PAGE as u64, &bytes), at) {
                Ok(slot) => slots.extend(slot),
                Err(error) => {
                    if damaged(error, visit) {
                        break 'pages;
                    }
                }
            }
        }
    }
    // Headers do not share bytes: in the order in which they lie none begins before the last ended.
    slots.sort_by_key(|slot| slot.offset);
    let mut end = u64::from(pages) * PAGE as u64;
    for slot in slots {
        let header = slot.length(reader, end).and_then(|length| {
            end = slot.offset + slot.blocks * BLOCK;
            slot.header(reader, length)
        });
        let is_over = match header {
            Ok(header) => visit(Ok(&header)).is_break(),
            Err(error) => damaged(error.within(format!("package {}", slot.package)), visit),
        };
        if is_over {
            break;
        }
    }
    Ok(())
}

/// Where a header lies.
struct Slot {
    package: u32,
    offset: u64,
    blocks: u64,
}

impl Slot {
    /// The slot at `at`; nothing where it is free.
    fn read(page: &Fields<'_>, at: usize) -> Result<Option<Self>> {
        if page.bytes(at, 4)? != b"Slot" {
            return Err(page.corrupt(at, "it does not begin as a slot does"));
        }
        let (package, block) = (page.le_u32(at + 4)?, page.le_u32(at + 8)?);
        let blocks = page.le_u32(at + 12)?.into();
        let offset = u64::from(block) * BLOCK;
        Ok((block != 0).then_some(Self { package, offset, blocks }))
    }

    /// How long the header is. Nothing lies before `start`.
    fn length(&self, reader: &dyn ReadAt, start: u64) -> Result<u64> {
        if self.offset < start {
            return Err(Error::corrupt("header", self.offset, "it lies over another"));
        }
        let head: [u8; HEAD as usize] = read_array(reader, "head", self.offset)?;
        let fields = Fields::new("head", self.offset, &head);
        if fields.bytes(0, 4)? != b"BlbS" {
            return Err(fields.corrupt(0, "it does not begin as a header does"));
        }
        if fields.le_u32(4)? != self.package {
            return Err(fields.corrupt(4, format!("it is of package {}", fields.le_u32(4)?)));
        }
        let length = u64::from(fields.le_u32(12)?);
        if self.blocks != (HEAD + length + TAIL).div_ceil(BLOCK) {
            let why = format!("{length} bytes in {} blocks", self.blocks);
            return Err(fields.corrupt(12, why));
        }
        Ok(length)
    }

    fn header(&self, reader: &dyn ReadAt, length: u64) -> Result<Vec<u8>> {
        let head: [u8; HEAD as usize] = read_array(reader, "head", self.offset)?;
        // Between the header and the tail, which ends the last block, may be padding.
        let padded = self.blocks * BLOCK - HEAD - TAIL;
        let mut header = take(reader, self.offset + HEAD, padded)?;
        let place = self.offset + HEAD + padded;
        let tail: [u8; TAIL as usize] = read_array(reader, "tail", place)?;
        let tail = Fields::new("tail", place, &tail);
        if tail.bytes(8, 4)? != b"BlbE" || u64::from(tail.le_u32(4)?) != length {
            return Err(tail.corrupt(4, "it does not end as it began"));
        }
        if tail.le_u32(0)? != adler32(adler32(1, &head), &header) {
            return Err(tail.corrupt(0, "its checksum is wrong"));
        }
        header.truncate(length as usize);
        Ok(header)
    }
}

/// The checksum of RFC 1950, going on from `sum`.
pub(super) fn adler32(sum: u32, bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65521;
    /// As many bytes as can be summed up before a number grows over 32 bits.
    const PORTION: usize = 5552;
    let (mut low, mut high) = (sum & 0xFFFF, sum >> 16);
    for portion in bytes.chunks(PORTION) {
        for byte in portion {
            low += u32::from(*byte);
            high += low;
        }
        low %= PRIME;
        high %= PRIME;
    }
    high << 16 | low
}
