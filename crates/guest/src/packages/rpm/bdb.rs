//! The container of rpm before 4.16: a hash table of Berkeley DB.
//!
//! A page of metadata says how many buckets there are and on which pages they begin. A bucket is a
//! chain of pages with pairs of items, key and header by turns; a header that does not fit a page
//! lies in a chain of overflow pages. The byte order is that of the machine that made it. The key
//! nought is not a package, but the highest number given so far.
//!
//! The page of a bucket that was never used is empty. Only tables that were made for a certain number
//! of records have such pages: others get a bucket when they need it. So that a page that was lost is
//! not taken for one of those, it is looked whether records are missing and whether overflow pages
//! belong to none.

use std::collections::HashSet;
use std::ops::ControlFlow;

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

use super::{MAX_HEADER, Visit, too_long};
use crate::damage::Damage;

const HASH_MAGIC: u32 = 0x0006_1561;
const METADATA: usize = 512;

/// Where the items' places begin on a page.
const PAGE_HEADER: usize = 26;

/// Types of pages.
const UNUSED: u8 = 0;
const UNSORTED_HASH: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;

/// Types of items.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

pub(super) fn read(reader: &dyn ReadAt, visit: Visit<'_>) -> Result<()> {
    let metadata = Metadata::read(reader)?;
    let used = HashSet::new();
    let damage = Damage::default();
    let mut walk = Walk { reader, metadata, used, damage, visit, records: 0, empty: None };
    for bucket in 0..=walk.metadata.max_bucket {
        if walk.bucket(bucket).is_break() {
            return Ok(());
        }
    }
    walk.judge_empty_page()
}

/// The first page.
struct Metadata {
    big_endian: bool,
    page_size: usize,
    last_page: u32,
    max_bucket: u32,
    /// How many records a bucket was meant to have, where the table was made for a certain number.
    fill_factor: u32,
    /// How many records there are, as far as it was kept; more where the table was made for a certain
    /// number.
    records: u32,
    /// How many pages come before the buckets of each doubling, less the buckets themselves.
    spares: [u32; 32],
}

impl Metadata {
    fn read(reader: &dyn ReadAt) -> Result<Self> {
        let bytes: [u8; METADATA] = read_array(reader, "metadata", 0)?;
        let fields = Fields::new("metadata", 0, &bytes);
        let big_endian = match fields.le_u32(12)? {
            HASH_MAGIC => false,
            magic if magic.swap_bytes() == HASH_MAGIC => true,
            magic => return Err(fields.corrupt(12, format!("{magic:#x} is not a hash table's"))),
        };
        let number = |at| number(&fields, big_endian, at);
        let version = number(16)?;
        if !(5..=10).contains(&version) {
            return Err(Error::unsupported("metadata", format!("version {version}")));
        }
        if fields.u8(24)? != 0 {
            return Err(Error::encrypted("Berkeley DB", "its pages are encrypted"));
        }
        if fields.u8(26)? != 0 {
            return Err(Error::unsupported("metadata", "pages with checksums"));
        }
        let page_size = number(20)?;
        if !(page_size.is_power_of_two() && (512..=65536).contains(&page_size)) {
            return Err(fields.corrupt(20, format!("a page of {page_size} bytes")));
        }
        let in_file = (reader.len() / u64::from(page_size)).saturating_sub(1);
        let last_page = number(32)?.min(u32::try_from(in_file).unwrap_or(u32::MAX));
        let max_bucket = number(72)?;
        if max_bucket > last_page {
            let why = format!("{max_bucket} buckets, but {last_page} pages");
            return Err(fields.corrupt(72, why));
        }
        let mut spares = [0; 32];
        for (index, spare) in spares.iter_mut().enumerate() {
            *spare = number(96 + 4 * index)?;
        }
        let page_size = page_size as usize;
        let (fill_factor, records) = (number(84)?, number(88)?);
        Ok(Self { big_endian, page_size, last_page, max_bucket, fill_factor, records, spares })
    }

    /// The first page of a bucket.
    fn page(&self, bucket: u32) -> Option<u32> {
        let doubling = (u32::BITS - bucket.leading_zeros()) as usize;
        self.spares.get(doubling)?.checked_add(bucket)
    }
}

struct Walk<'a, 'b> {
    reader: &'a dyn ReadAt,
    metadata: Metadata,
    /// The pages that have been read, each of which has one use.
    used: HashSet<u32>,
    damage: Damage,
    visit: Visit<'b>,
    /// How many pairs of items there were so far.
    records: u32,
    /// An empty page of a bucket: the bucket and the page.
    empty: Option<(u32, u32)>,
}

impl Walk<'_, '_> {
    fn damaged(&mut self, error: Error) -> ControlFlow<()> {
        self.damage.tell(error, "hash table", |error| (self.visit)(Err(error)))
    }

    fn bucket(&mut self, bucket: u32) -> ControlFlow<()> {
        let Some(first) = self.metadata.page(bucket) else {
            return self.damaged(Error::corrupt("metadata", 96, format!("no bucket {bucket}")));
        };
        let mut page = first;
        loop {
            let may_be_empty = (page == first).then_some(bucket);
            match self.page(page, may_be_empty) {
                Ok((_, ControlFlow::Break(()))) => return ControlFlow::Break(()),
                Ok((0, ControlFlow::Continue(()))) => return ControlFlow::Continue(()),
                Ok((next, ControlFlow::Continue(()))) => page = next,
                Err(error) => return self.damaged(error),
            }
        }
    }

    fn take(&mut self, number: u32) -> Result<Vec<u8>> {
        let at = u64::from(number) * self.metadata.page_size as u64;
        if number == 0 || number > self.metadata.last_page {
            let why = format!("there is no page {number}; the last is {}", self.metadata.last_page);
            return Err(Error::corrupt("page", at, why));
        }
        if !self.used.insert(number) {
            return Err(Error::corrupt("page", at, format!("page {number} is linked to twice")));
        }
        let mut bytes = vec![0; self.metadata.page_size];
        self.reader.read_at(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Tells of an empty page if it cannot be that of a bucket that was never used.
    fn judge_empty_page(&mut self) -> Result<()> {
        let Some((bucket, page)) = self.empty else { return Ok(()) };
        let made_to_measure = self.metadata.fill_factor != 0;
        let why = if !made_to_measure && bucket > 0 {
            "but such a table has no bucket that was never used".to_owned()
        } else if !made_to_measure && self.records < self.metadata.records {
            format!("and of {} records {} are there", self.metadata.records, self.records)
        } else if let Some(stray) = self.stray()? {
            format!("and overflow page {stray} belongs to no header")
        } else {
            return Ok(());
        };
        let at = u64::from(page) * self.metadata.page_size as u64;
        let why = format!("page {page}, of bucket {bucket}, is empty, {why}");
        let _ = self.damaged(Error::corrupt("page", at, why));
        Ok(())
    }

    /// The first overflow page that no header leads to. Pages that were given up are no overflow pages
    /// any more.
    fn stray(&self) -> Result<Option<u32>> {
        let unused = (1..=self.metadata.last_page).filter(|page| !self.used.contains(page));
        for page in unused {
            let at = u64::from(page) * self.metadata.page_size as u64;
            let [kind] = read_array(self.reader, "page", at.saturating_add(25))?;
            if kind == OVERFLOW {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    /// Shows the headers of a page, and gives the page that follows. The first page of a bucket may be
    /// empty.
    fn page(&mut self, number: u32, first_of: Option<u32>) -> Result<(u32, ControlFlow<()>)> {
        let bytes = self.take(number)?;
        let start = u64::from(number) * self.metadata.page_size as u64;
        let page =
            Page { fields: Fields::new("page", start, &bytes), big: self.metadata.big_endian };
        match page.fields.u8(25)? {
            HASH | UNSORTED_HASH => {}
            UNUSED if page.half(20)? == 0 && first_of.is_some() => {
                // One of the first bucket says less than one of another.
                if self.empty.is_none_or(|(bucket, _)| bucket == 0) {
                    self.empty = first_of.map(|bucket| (bucket, number));
                }
                return Ok((0, ControlFlow::Continue(())));
            }
            kind => {
                return Err(page.fields.corrupt(25, format!("a page of buckets has type {kind}")));
            }
        }
        let next = page.word(16)?;
        if page.word(8)? != number {
            return Err(page.fields.corrupt(8, format!("page {number} says that it is another")));
        }
        let items = usize::from(page.half(20)?);
        for pair in 0..items / 2 {
            self.records = self.records.saturating_add(1);
            let flow = match self.header(&page, 2 * pair) {
                Ok(None) => ControlFlow::Continue(()),
                Ok(Some(header)) => (self.visit)(Ok(&header)),
                Err(error) => self.damaged(error),
            };
            if flow.is_break() {
                return Ok((next, flow));
            }
        }
        Ok((next, ControlFlow::Continue(())))
    }

    /// The header whose key is the item `key`, unless the key is nought.
    fn header(&mut self, page: &Page<'_>, key: usize) -> Result<Option<Vec<u8>>> {
        let bytes = page.item(key)?;
        if bytes.as_bytes() == [ON_PAGE, 0, 0, 0, 0] {
            return Ok(None);
        }
        let item = page.item(key + 1)?;
        match item.u8(0)? {
            ON_PAGE => Ok(item.as_bytes().get(1..).map(<[u8]>::to_vec)),
            OFF_PAGE => {
                let page = number(&item, self.metadata.big_endian, 4)?;
                let length = number(&item, self.metadata.big_endian, 8)?;
                self.overflow(page, length).map(Some)
            }
            kind => Err(item.corrupt(0, format!("a header has type {kind}"))),
        }
    }

    /// The bytes of a chain of pages.
    fn overflow(&mut self, mut number: u32, length: u32) -> Result<Vec<u8>> {
        let start = u64::from(number) * self.metadata.page_size as u64;
        if u64::from(length) > MAX_HEADER {
            return Err(too_long(start, length.into()));
        }
        let length = length as usize;
        let mut header = Vec::new();
        while header.len() < length {
            let bytes = self.take(number).map_err(|error| error.within("overflow"))?;
            let start = u64::from(number) * self.metadata.page_size as u64;
            let fields = Fields::new("overflow", start, &bytes);
            let page = Page { fields, big: self.metadata.big_endian };
            if fields.u8(25)? != OVERFLOW {
                return Err(fields.corrupt(25, format!("it has type {}", fields.u8(25)?)));
            }
            let portion = usize::from(page.half(22)?);
            if portion == 0 || portion > length - header.len() {
                let why = format!("it has {portion} bytes of {}", length - header.len());
                return Err(fields.corrupt(22, why));
            }
            header.extend_from_slice(fields.bytes(PAGE_HEADER, portion)?);
            number = page.word(16)?;
        }
        Ok(header)
    }
}

/// A page, and in which byte order.
struct Page<'a> {
    fields: Fields<'a>,
    big: bool,
}

impl<'a> Page<'a> {
    fn word(&self, at: usize) -> Result<u32> {
        number(&self.fields, self.big, at)
    }

    fn half(&self, at: usize) -> Result<u16> {
        if self.big { self.fields.be_u16(at) } else { self.fields.le_u16(at) }
    }

    /// An item ends where the one before it begins; the first ends with the page.
    fn item(&self, index: usize) -> Result<Fields<'a>> {
        let place = |index: usize| self.half(PAGE_HEADER + 2 * index).map(usize::from);
        let start = place(index)?;
        let end = match index.checked_sub(1) {
            Some(before) => place(before)?,
            None => self.fields.len(),
        };
        match end.checked_sub(start) {
            Some(length) if length > 0 && start >= PAGE_HEADER => {
                self.fields.part("item", start, length)
            }
            _ => Err(self.fields.corrupt(PAGE_HEADER + 2 * index, "items lie over each other")),
        }
    }
}

fn number(fields: &Fields<'_>, big_endian: bool, at: usize) -> Result<u32> {
    if big_endian { fields.be_u32(at) } else { fields.le_u32(at) }
}
