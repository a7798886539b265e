//! A page of a tree: a branch that leads to further pages, or a leaf with keys and what lies behind
//! them.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

use super::meta::Meta;
use super::{Bucket, Entry, Place, Visit};

const BRANCH: u16 = 1;
const LEAF: u16 = 2;

/// The head of every page.
const HEAD: usize = 16;

/// What an element of either kind takes in front of the keys.
const ELEMENT: usize = 16;

/// The head of a bucket: its first page, and a number that it counts with.
const BUCKET: usize = 16;

/// The element is a bucket.
const IS_BUCKET: u32 = 1;

/// The longest run of pages that is read as one. The state of a container has some fifty kilobytes.
const MAX_LENGTH: u64 = 16 << 20;

/// A page, and those that it runs over into.
pub(super) struct Page<'a> {
    number: u64,
    /// Where it lies in the file.
    base: u64,
    /// How many pages it takes.
    count: u64,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Page<'a> {
    /// The page that begins at this number.
    pub(super) fn read(reader: &dyn ReadAt, meta: &Meta, number: u64) -> Result<Self> {
        let wrong =
            |why: String| Error::corrupt("page", number.saturating_mul(meta.page_size), why);
        if number < 2 || number >= meta.end {
            return Err(wrong(format!(
                "there is no page {number}; the last is before {}",
                meta.end
            )));
        }
        let base =
            number.checked_mul(meta.page_size).ok_or_else(|| wrong("it is beyond all".into()))?;
        let head: [u8; HEAD] = read_array(reader, "page", base)?;
        let head = Fields::new("page", base, &head);
        if head.le_u64(0)? != number {
            return Err(head.corrupt(0, format!("it is page {}, not {number}", head.le_u64(0)?)));
        }
        let count = 1 + u64::from(head.le_u32(12)?);
        let length = count * meta.page_size;
        if length > MAX_LENGTH || count > meta.end - number || length > reader.len() - base {
            return Err(head.corrupt(12, format!("it takes {count} pages")));
        }
        let mut bytes = vec![0; length as usize];
        reader.read_at(base, &mut bytes)?;
        Ok(Self { number, base, count, bytes: Cow::Owned(bytes) })
    }

    /// The page of a bucket that lies within another page; it knows no place of its own.
    pub(super) fn inline(bytes: &'a [u8]) -> Result<Self> {
        let page = Self { number: 0, base: 0, count: 0, bytes: Cow::Borrowed(bytes) };
        if page.is_branch()? {
            return Err(page.corrupt("a bucket within a page has branches"));
        }
        Ok(page)
    }

    /// The numbers of the pages that it takes.
    pub(super) fn numbers(&self) -> Range<u64> {
        self.number..self.number + self.count
    }

    pub(super) fn corrupt(&self, why: impl Into<String>) -> Error {
        Error::corrupt("page", self.base, why)
    }

    fn fields(&self) -> Fields<'_> {
        Fields::new("page", self.base, &self.bytes)
    }

    pub(super) fn is_branch(&self) -> Result<bool> {
        match self.fields().le_u16(8)? {
            BRANCH => Ok(true),
            LEAF => Ok(false),
            flags => Err(self.corrupt(format!("it is no part of a tree, but has type {flags:#x}"))),
        }
    }

    /// Where each element lies.
    fn elements(&self) -> Result<impl Iterator<Item = usize>> {
        let count = usize::from(self.fields().le_u16(10)?);
        if HEAD + count * ELEMENT > self.bytes.len() {
            return Err(self.corrupt(format!("it claims to have {count} elements")));
        }
        Ok((0..count).map(|index| HEAD + index * ELEMENT))
    }

    /// The pages that a branch leads to.
    pub(super) fn branch(&self) -> Result<Vec<u64>> {
        let fields = self.fields();
        self.elements()?.map(|at| fields.le_u64(at + 8)).collect()
    }

    /// Shows the keys of a leaf.
    pub(super) fn leaf(&self, visit: Visit<'_>) -> Result<ControlFlow<()>> {
        let fields = self.fields();
        let elements: Vec<usize> = self.elements()?.collect();
        // Keys and what lies behind them follow the elements, one after the other and in order. There
        // is no checksum; but what is damaged hardly fits so well.
        let mut next = HEAD + elements.len() * ELEMENT;
        let mut last: &[u8] = &[];
        for at in elements {
            let start = at.saturating_add(fields.le_u32(at + 4)? as usize);
            let key = fields.le_u32(at + 8)? as usize;
            let value = fields.le_u32(at + 12)? as usize;
            if start != next {
                return Err(fields.corrupt(at + 4, format!("it lies at {start}, not at {next}")));
            }
            let name = fields.bytes(start, key)?;
            if name <= last && !last.is_empty() {
                return Err(fields.corrupt(at, "keys are out of order"));
            }
            last = name;
            next = start.saturating_add(key).saturating_add(value);
            let behind = fields.bytes(start.saturating_add(key), value)?;
            let entry = if fields.le_u32(at)? & IS_BUCKET == 0 {
                Entry::Value(behind)
            } else {
                Entry::Bucket(bucket(behind)?)
            };
            if visit(Ok((name, entry))).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The bucket that an element is.
fn bucket(bytes: &[u8]) -> Result<Bucket> {
    let fields = Fields::new("bucket", 0, bytes);
    Ok(Bucket(match fields.le_u64(0)? {
        0 => Place::Inline(fields.bytes(BUCKET, bytes.len().saturating_sub(BUCKET))?.to_vec()),
        page => Place::Tree(page),
    }))
}
