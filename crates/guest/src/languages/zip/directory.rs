//! The directory of an archive, and the record at the end that says where it is (APPNOTE 4.3.12 to
//! 4.3.16).

use fathom_block::{Error, Fields, MAX_ALLOCATION, ReadAt, Result, read_vec};

use super::Member;

const END: usize = 22;
const LOCATOR: usize = 20;
const END_64: usize = 56;
const ENTRY: usize = 46;

/// The longest comment that may follow the record.
const MAX_COMMENT: u64 = 0xFFFF;

/// The extra field of sizes and places that need 64 bits.
const WIDE: u16 = 1;

/// Where the directory is.
pub(super) struct Directory {
    start: u64,
    length: u64,
    entries: u64,
    /// How many bytes stand before the archive, such as a script that starts it.
    pub(super) before: u64,
}

impl Directory {
    /// Where it begins, which is where the members end.
    pub(super) fn start(&self) -> u64 {
        self.start
    }
}

/// Finds the record at the end, and with it the directory.
pub(super) fn find(reader: &dyn ReadAt) -> Result<Directory> {
    let none = || Error::corrupt("archive", 0, "it does not end as one");
    let length = reader.len();
    let tail_length = length.min(END as u64 + MAX_COMMENT);
    let tail_start = length - tail_length;
    // Most archives have no comment: their record is the last thing in them.
    let short = length.min((END_64 + LOCATOR + END) as u64);
    let mut tail = read_vec(reader, "end of the archive", length - short, short)?;
    let mut base = length - short;
    let mut end = last_record(&tail);
    if end.is_none() {
        tail = read_vec(reader, "end of the archive", tail_start, tail_length)?;
        base = tail_start;
        end = last_record(&tail);
    }
    let at = end.ok_or_else(none)?;
    let record = Fields::new("end of the archive", base + at as u64, &tail[at..]);
    let mut entries = u64::from(record.le_u16(10)?);
    let mut size = u64::from(record.le_u32(12)?);
    let mut offset = u64::from(record.le_u32(16)?);
    let mut stop = base + at as u64;
    let locator = stop.checked_sub(LOCATOR as u64);
    if let Some(locator_at) = locator
        && (entries == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF)
    {
        let bytes = read_vec(reader, "locator", locator_at, LOCATOR as u64)?;
        let locator = Fields::new("locator", locator_at, &bytes);
        if locator.array(0)? == *b"PK\x06\x07" {
            // The place that it names does not count what stands before the archive.
            let named = locator.le_u64(8)?;
            let (place, wide) =
                wide_record(reader, [locator_at.checked_sub(END_64 as u64), Some(named)])?;
            let wide = Fields::new("end of the archive", place, &wide);
            entries = wide.le_u64(32)?;
            size = wide.le_u64(40)?;
            offset = wide.le_u64(48)?;
            stop = place;
        }
    }
    let corrupt = |why: &str| Error::corrupt("directory of the archive", stop, why);
    let start = stop.checked_sub(size).ok_or_else(|| corrupt("it is longer than the archive"))?;
    let before = start
        .checked_sub(offset)
        .ok_or_else(|| corrupt("it lies behind the end of the archive"))?;
    if size > MAX_ALLOCATION as u64 {
        let why = format!("it has {size} bytes, and at most {MAX_ALLOCATION} are read");
        return Err(Error::unsupported("directory of the archive", why));
    }
    Ok(Directory { start, length: size, entries, before })
}

/// Where the last record begins whose comment ends within these bytes.
fn last_record(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END)?;
    (0..=last).rev().find(|&at| {
        let comment = u16::from_le_bytes([tail[at + 20], tail[at + 21]]);
        tail[at..].starts_with(b"PK\x05\x06") && at + END + usize::from(comment) <= tail.len()
    })
}

/// The wide record at the first of these places that has one.
fn wide_record(reader: &dyn ReadAt, places: [Option<u64>; 2]) -> Result<(u64, Vec<u8>)> {
    for place in places.into_iter().flatten() {
        if place.checked_add(END_64 as u64).is_some_and(|stop| stop <= reader.len()) {
            let bytes = read_vec(reader, "end of the archive", place, END_64 as u64)?;
            if bytes.starts_with(b"PK\x06\x06") {
                return Ok((place, bytes));
            }
        }
    }
    Err(Error::corrupt("archive", 0, "its wide end is not where it is said to be"))
}

/// The members that are wanted.
pub(super) fn members(
    reader: &dyn ReadAt,
    directory: &Directory,
    limit: usize,
    mut wanted: impl FnMut(&str) -> bool,
) -> Result<Vec<Member>> {
    let what = "directory of the archive";
    let bytes = read_vec(reader, what, directory.start, directory.length)?;
    let fields = Fields::new(what, directory.start, &bytes);
    let (mut members, mut at, mut count) = (Vec::new(), 0, 0u64);
    while at < bytes.len() && fields.bytes(at, 4)? == b"PK\x01\x02" {
        let entry = fields.part(what, at, ENTRY)?;
        let (name, extra, comment) = (
            usize::from(entry.le_u16(28)?),
            usize::from(entry.le_u16(30)?),
            usize::from(entry.le_u16(32)?),
        );
        count += 1;
        let name_bytes = fields.bytes(at + ENTRY, name)?;
        if let Ok(name_text) = std::str::from_utf8(name_bytes)
            && wanted(name_text)
        {
            if members.len() >= limit {
                let why = format!("more than {limit} of its members would have to be read");
                return Err(Error::unsupported("archive", why));
            }
            let extra = fields.part("extra field", at + ENTRY + name, extra)?;
            members.push(member(&entry, &extra, name_text)?);
        }
        at += ENTRY + name + extra + comment;
    }
    // Older archives count no further than 65,535 and begin anew.
    if count != directory.entries && count & 0xFFFF != directory.entries {
        let why =
            format!("it names {count} members, and {} are said to be there", directory.entries);
        return Err(fields.corrupt(at.min(bytes.len()), why));
    }
    Ok(members)
}

fn member(entry: &Fields<'_>, extra: &Fields<'_>, name: &str) -> Result<Member> {
    let narrow = |at| Ok::<_, Error>(u64::from(entry.le_u32(at)?));
    let (mut compressed, mut size, mut header) = (narrow(20)?, narrow(24)?, narrow(42)?);
    let mut at = 0;
    while at + 4 <= extra.len() {
        let (kind, length) = (extra.le_u16(at)?, usize::from(extra.le_u16(at + 2)?));
        if kind == WIDE {
            let wide = extra.part("wide sizes", at + 4, length)?;
            let mut next = 0;
            for number in [&mut size, &mut compressed, &mut header] {
                if *number == 0xFFFF_FFFF {
                    *number = wide.le_u64(next)?;
                    next += 8;
                }
            }
        }
        at += 4 + length;
    }
    Ok(Member {
        name: name.to_owned(),
        size,
        compressed,
        header,
        method: entry.le_u16(10)?,
        encrypted: entry.le_u16(8)? & 1 != 0,
        checksum: entry.le_u32(16)?,
    })
}
