//! Pages by number, from whichever file holds the one that counts.

use std::collections::HashMap;
use std::sync::Arc;

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

use super::{Source, journal, wal};

/// How much of the first page the header of the database takes.
pub(super) const HEADER: usize = 100;

/// The most pages of a database: 16 GiB of the smallest that SQLite makes by default. No database
/// that we read comes near.
const MAX_PAGES: u32 = 1 << 22;

/// A file that holds pages.
#[derive(Clone, Copy)]
enum Place {
    Wal(u64),
    Journal(u64),
}

/// The pages of a database.
pub(super) struct Pages {
    source: Source,
    size: usize,
    /// How much of a page holds content.
    usable: usize,
    count: u32,
    /// Pages that do not lie in the file itself.
    elsewhere: HashMap<u32, Place>,
}

impl Pages {
    pub(super) fn open(source: Source) -> Result<(Self, Vec<Error>)> {
        let mut problems = Vec::new();
        // To SQLite, too, a file without a byte is a database without a table, and what lies beside
        // it is left over from another.
        if source.main.is_empty() {
            let elsewhere = HashMap::new();
            return Ok((Self { source, size: 512, usable: 512, count: 0, elsewhere }, problems));
        }
        let head: [u8; HEADER] = read_array(&source.main, "header", 0)?;
        let size = page_size(&Fields::new("header", 0, &head))?;
        let mut pages = Self { source, size, usable: size, count: 0, elsewhere: HashMap::new() };
        let mut count = None;
        if let Some(journal) = pages.source.journal.clone().filter(|file| !file.is_empty()) {
            match journal::undone(&journal, size) {
                Ok(Some(undone)) => {
                    count = Some(undone.count);
                    let places = undone.pages.into_iter();
                    pages.elsewhere.extend(places.map(|(page, at)| (page, Place::Journal(at))));
                }
                Ok(None) => {}
                Err(error) => problems.push(error),
            }
        }
        if let Some(log) = pages.source.wal.clone().filter(|file| !file.is_empty()) {
            let (committed, problem) = wal::committed(&log, size);
            problems.extend(problem);
            count = committed.count.or(count);
            let places = committed.pages.into_iter();
            pages.elsewhere.extend(places.map(|(page, at)| (page, Place::Wal(at))));
        }
        pages.measure(count)?;
        Ok((pages, problems))
    }

    /// How many pages there are, and how much of each holds content.
    fn measure(&mut self, count: Option<u32>) -> Result<()> {
        let in_file = self.source.main.len() / self.size as u64;
        // Until it is known how many there are, all may be read.
        self.count = MAX_PAGES;
        let first = self.read(1)?;
        let first = Fields::new("header", 0, &first);
        // The number in the header counts if it was written together with the change counter.
        let claimed = first.be_u32(28)?;
        let is_current = claimed != 0 && first.be_u32(24)? == first.be_u32(92)?;
        let count = match count {
            Some(count) => u64::from(count),
            None if is_current => u64::from(claimed),
            None => in_file,
        };
        let reserved = usize::from(first.u8(20)?);
        self.usable = match self.size.checked_sub(reserved) {
            Some(usable) if usable >= 480 => usable,
            _ => return Err(first.corrupt(20, format!("{reserved} bytes a page are reserved"))),
        };
        self.count = match u32::try_from(count) {
            Ok(count) if count <= MAX_PAGES => count,
            _ => {
                let why = format!("it has {count} pages; at most {MAX_PAGES} are read");
                return Err(Error::unsupported("database", why));
            }
        };
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn usable(&self) -> usize {
        self.usable
    }

    /// Where the page lies, or would.
    pub(super) fn offset(&self, number: u32) -> u64 {
        match self.elsewhere.get(&number) {
            Some(Place::Wal(at) | Place::Journal(at)) => *at,
            None => u64::from(number.saturating_sub(1)) * self.size as u64,
        }
    }

    /// The bytes of a page. The first is 1.
    pub(super) fn read(&self, number: u32) -> Result<Vec<u8>> {
        if number == 0 || number > self.count {
            let why = format!("there is no page {number}; the last is {}", self.count);
            return Err(Error::corrupt("page", self.offset(number), why));
        }
        let mut bytes = vec![0; self.size];
        let file: &Arc<dyn ReadAt> = match self.elsewhere.get(&number) {
            Some(Place::Wal(_)) => self.source.wal.as_ref().unwrap_or(&self.source.main),
            Some(Place::Journal(_)) => self.source.journal.as_ref().unwrap_or(&self.source.main),
            None => &self.source.main,
        };
        let read = file.read_at(self.offset(number), &mut bytes);
        read.map_err(|error| error.within(format!("page {number}")))?;
        Ok(bytes)
    }
}

fn page_size(header: &Fields<'_>) -> Result<usize> {
    if header.bytes(0, 16)? != b"SQLite format 3\0" {
        return Err(header.corrupt(0, "it does not begin as a database of SQLite does"));
    }
    match header.be_u16(16)? {
        1 => Ok(65536),
        size if size.is_power_of_two() && size >= 512 => Ok(size.into()),
        size => Err(header.corrupt(16, format!("a page of {size} bytes"))),
    }
}
