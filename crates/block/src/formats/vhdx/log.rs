//! The log: changes to the file's own structures that were decided but maybe not yet made.
//!
//! It is a ring of entries, each a header and descriptors of sectors to write or ranges to zero,
//! followed by the sectors themselves. An entry counts only if all of it has its sequence number and
//! its checksum is right. The *active sequence* is the run of consecutive entries with the highest
//! numbers whose last one names the first, its tail, as part of the run; replaying it from tail to
//! head makes the file whole. Here that happens in memory: see [`Replayed`].
//!
//! MS-VHDX 2.3.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::header::{Guid, Header};
use super::replay::Replayed;
use crate::error::{Error, Problem, Result};
use crate::fields::Fields;
use crate::read::ReadAt;

/// The unit of the log.
pub(super) const SECTOR: u64 = 4096;

/// The longest log that is read. Hyper-V's has 1 MiB.
const LONGEST: u64 = 64 << 20;

/// The most descriptors that are replayed; a log of a mebibyte has room for 32 thousand.
const MOST_DESCRIPTORS: u64 = 256 << 10;

/// The sizes of an entry's header and of a descriptor.
const HEADER: u64 = 64;
const DESCRIPTOR: u64 = 32;

/// The ring.
struct Log<'a> {
    source: &'a dyn ReadAt,
    guid: Guid,
    offset: u64,
    length: u64,
}

/// An entry that is whole.
#[derive(Clone, Debug)]
struct Entry {
    length: u64,
    sequence: u64,
    /// Where the entry is that the sequence must be replayed from.
    tail: u64,
    descriptors: u64,
    /// The file was at least this long when the entry was written: shorter, it is truncated.
    flushed_file_offset: u64,
    /// All that the file must have, with what the entry adds.
    last_file_offset: u64,
}

/// The file as it is once its log is replayed, how many entries that took, and a problem where the
/// header says that the log is in use but nothing was ever written to it.
///
/// Without a sequence MS-VHDX forbids opening the file at all, and qemu opens it without a word. It
/// is refused here where the log has anything under the name that the header gives it: an entry that
/// was whole may have been carried out in part. Where it has nothing, there is nothing to lose: qemu
/// names the log in the header first and writes the first entry next, and may stop in between.
pub(super) fn replay(
    source: Arc<dyn ReadAt>,
    header: &Header,
) -> Result<(Arc<dyn ReadAt>, usize, Option<Problem>)> {
    if header.log_guid == Guid::ZERO {
        return Ok((source, 0, None));
    }
    let log = Log::open(&*source, header)?;
    let (entries, begun) = log.entries()?;
    let active = active(&entries, log.length);
    let Some((_, newest)) = active.last() else {
        let corrupt = |why: String| Error::corrupt("VHDX log", log.offset, why);
        if begun > 0 {
            let (of, whole) = (if begun == 1 { "entry" } else { "entries" }, entries.len());
            return Err(corrupt(format!(
                "the header says that the log is in use, and it has {begun} {of}, {whole} of them \
                 whole, but no sequence that could be replayed: the disk may be in disorder",
            )));
        }
        let why = "the header says that the log is in use, but it has not one entry; the disk is \
                   read without it";
        return Ok((source.clone(), 0, Some(corrupt(why.to_owned()))));
    };
    if newest.flushed_file_offset > source.len() {
        let why = format!(
            "the file had {} bytes when it was logged, and has {} now: truncated",
            newest.flushed_file_offset,
            source.len()
        );
        return Err(Error::corrupt("VHDX log", log.offset, why));
    }
    let descriptors: u64 = active.iter().map(|(_, entry)| entry.descriptors).sum();
    if descriptors > MOST_DESCRIPTORS {
        let why = format!("it has {descriptors} changes; at most {MOST_DESCRIPTORS} are replayed");
        return Err(Error::unsupported("VHDX log", why));
    }
    let length = source.len().max(newest.last_file_offset);
    let mut replayed = Replayed::new(source.clone(), length);
    for (at, entry) in &active {
        log.apply(*at, entry, &mut replayed)?;
    }
    Ok((Arc::new(replayed), active.len(), None))
}

impl<'a> Log<'a> {
    fn open(source: &'a dyn ReadAt, header: &Header) -> Result<Self> {
        let (offset, length) = (header.log_offset, header.log_length);
        if length > LONGEST {
            return Err(Error::unsupported(
                "VHDX log",
                format!("it is {length} bytes long; at most {LONGEST} are read"),
            ));
        }
        // It begins behind the headers and region tables, which the format has at fixed places.
        let inside =
            offset >= 1 << 20 && offset.checked_add(length).is_some_and(|end| end <= source.len());
        let aligned = length.is_multiple_of(1 << 20) && offset.is_multiple_of(1 << 20);
        if length == 0 || !aligned || !inside {
            let why = format!("{length} bytes: not whole mebibytes, or not inside the file");
            return Err(Error::corrupt("VHDX log", offset, why));
        }
        Ok(Self { source, guid: header.log_guid, offset, length })
    }

    /// The file offset of a place in the ring.
    fn place(&self, at: u64) -> u64 {
        self.offset + at % self.length
    }

    /// The sector at a place in the ring.
    fn sector(&self, at: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; SECTOR as usize];
        let read = self.source.read_at(self.place(at), &mut bytes);
        read.map_err(|error| error.within("VHDX log"))?;
        Ok(bytes)
    }

    /// All entries that are whole, by their places, and how many were begun.
    ///
    /// No sector of an entry but its first looks like an entry's first. So however many entries are
    /// begun in a hostile log, no sector is looked at for more than two of them.
    fn entries(&self) -> Result<(BTreeMap<u64, Entry>, usize)> {
        let mut entries = BTreeMap::new();
        let mut begun = 0;
        let mut at = 0;
        while at < self.length {
            let sector = self.sector(at)?;
            let first = Fields::new("VHDX log entry", self.place(at), &sector);
            if !self.begins(&first)? {
                at += SECTOR;
                continue;
            }
            begun += 1;
            match self.entry(at, &first)? {
                Some(entry) => {
                    let length = entry.length;
                    entries.insert(at, entry);
                    at += length;
                }
                None => at += SECTOR,
            }
        }
        Ok((entries, begun))
    }

    /// Whether an entry of this log begins with the sector.
    fn begins(&self, first: &Fields<'_>) -> Result<bool> {
        Ok(first.bytes(0, 4)? == b"loge" && first.bytes(32, 16)? == self.guid.0)
    }

    /// The entry that begins with this sector, if it is whole.
    fn entry(&self, at: u64, first: &Fields<'_>) -> Result<Option<Entry>> {
        let entry = Entry {
            length: first.le_u32(8)?.into(),
            tail: first.le_u32(12)?.into(),
            sequence: first.le_u64(16)?,
            descriptors: first.le_u32(24)?.into(),
            flushed_file_offset: first.le_u64(48)?,
            last_file_offset: first.le_u64(56)?,
        };
        let described = entry.described();
        let plausible = entry.sequence != 0
            && entry.length.is_multiple_of(SECTOR)
            && (described..=self.length).contains(&entry.length)
            && entry.tail.is_multiple_of(SECTOR)
            && entry.tail < self.length;
        if !plausible {
            return Ok(None);
        }
        let zeroed = crc32c::crc32c_append(crc32c::crc32c(first.bytes(0, 4)?), &[0; 4]);
        let mut crc = crc32c::crc32c_append(zeroed, first.bytes(8, SECTOR as usize - 8)?);
        let mut data = entry.count_data(first, 0)?;
        for inner in (SECTOR..entry.length).step_by(SECTOR as usize) {
            let bytes = self.sector(at + inner)?;
            let fields = Fields::new("VHDX log sector", self.place(at + inner), &bytes);
            let whole = if inner < described {
                let more = entry.count_data(&fields, inner)?;
                data = data.zip(more).map(|(data, more)| data + more);
                data.is_some()
            } else {
                entry.owns(&fields)?
            };
            if !whole {
                return Ok(None);
            }
            crc = crc32c::crc32c_append(crc, &bytes);
        }
        let sectors = data.map(|data| described + data * SECTOR);
        Ok((sectors == Some(entry.length) && crc == first.le_u32(4)?).then_some(entry))
    }

    /// Shows in `replayed` what the entry at `at` changes.
    fn apply(&self, at: u64, entry: &Entry, replayed: &mut Replayed) -> Result<()> {
        let mut data = at + entry.described();
        for inner in (0..entry.described()).step_by(SECTOR as usize) {
            let bytes = self.sector(at + inner)?;
            let sector = Fields::new("VHDX log", self.place(at + inner), &bytes);
            for place in entry.descriptors_in(inner) {
                let descriptor = sector.part("VHDX log descriptor", place, DESCRIPTOR as usize)?;
                data += self.apply_one(&descriptor, data, replayed)?;
            }
        }
        Ok(())
    }

    /// Shows what one descriptor changes, and returns how many bytes of data it has.
    fn apply_one(&self, it: &Fields<'_>, data: u64, replayed: &mut Replayed) -> Result<u64> {
        let zero = it.bytes(0, 4)? == b"zero";
        let target = it.le_u64(16)?;
        let length = if zero { it.le_u64(8)? } else { SECTOR };
        let whole = target.is_multiple_of(SECTOR) && length.is_multiple_of(SECTOR);
        let Some(end) = target.checked_add(length).filter(|_| whole) else {
            let why = format!("{length} bytes at {target} are not whole sectors of a file");
            return Err(it.corrupt(16, why));
        };
        if zero {
            replayed.zero(target, end);
            return Ok(0);
        }
        replayed.write(target, it.array(8)?, self.place(data), it.array(4)?);
        Ok(SECTOR)
    }
}

impl Entry {
    /// How many bytes the header and the descriptors take.
    fn described(&self) -> u64 {
        (HEADER + self.descriptors * DESCRIPTOR).next_multiple_of(SECTOR)
    }

    /// Where in the sector at `inner` of the entry its descriptors stand.
    fn descriptors_in(&self, inner: u64) -> impl Iterator<Item = usize> + use<> {
        let start = inner.max(HEADER) - inner;
        let end = (HEADER + self.descriptors * DESCRIPTOR).min(inner + SECTOR) - inner;
        (start as usize..end as usize).step_by(DESCRIPTOR as usize)
    }

    /// How many data sectors the descriptors in the sector at `inner` of the entry announce, if all
    /// of them are descriptors of this entry.
    fn count_data(&self, sector: &Fields<'_>, inner: u64) -> Result<Option<u64>> {
        let mut data = 0;
        for at in self.descriptors_in(inner) {
            match sector.bytes(at, 4)? {
                b"desc" => data += 1,
                b"zero" => {}
                _ => return Ok(None),
            }
            if sector.le_u64(at + 24)? != self.sequence {
                return Ok(None);
            }
        }
        Ok(Some(data))
    }

    /// Whether this is a data sector of the entry.
    fn owns(&self, sector: &Fields<'_>) -> Result<bool> {
        let (high, low) = (sector.le_u32(4)?, sector.le_u32(4092)?);
        Ok(sector.bytes(0, 4)? == b"data"
            && u64::from(high) << 32 | u64::from(low) == self.sequence)
    }
}

/// The entries of the active sequence, from tail to head.
fn active(entries: &BTreeMap<u64, Entry>, length: u64) -> Vec<(u64, Entry)> {
    let next = |at: u64, entry: &Entry| {
        let next = (at + entry.length) % length;
        let follows = entry.sequence.checked_add(1);
        entries.get(&next).filter(|other| Some(other.sequence) == follows).map(|_| next)
    };
    let mut newest_first: Vec<_> = entries.iter().collect();
    newest_first.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.sequence));
    // The last entry of the run that each one belongs to. Those with higher numbers come first, so
    // that a follower's is known already.
    let mut heads: HashMap<u64, u64> = HashMap::new();
    for (at, entry) in &newest_first {
        let follower = next(**at, entry).and_then(|next| heads.get(&next).copied());
        heads.insert(**at, follower.unwrap_or(**at));
    }
    let is_head =
        |at: u64, entry: &Entry| heads.get(&at) == Some(&at) && heads.get(&entry.tail) == Some(&at);
    let Some((_, head)) = newest_first.iter().find(|(at, entry)| is_head(**at, entry)) else {
        return Vec::new();
    };
    let mut sequence = Vec::new();
    let mut at = Some(head.tail);
    while let Some((place, entry)) = at.and_then(|at| entries.get_key_value(&at)) {
        sequence.push((*place, entry.clone()));
        at = next(*place, entry);
    }
    sequence
}
