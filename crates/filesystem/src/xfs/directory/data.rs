//! Blocks of directory entries: `xfs_dir2_data_hdr` and what follows it.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Fields, Result};

use crate::xfs::blocks::{Blocks, DIR3};
use crate::xfs::bmap::Mapping;

/// The tag of a stretch without entries.
const FREE_TAG: u16 = 0xFFFF;

/// Entries and free stretches are aligned to this.
const ALIGN: usize = 8;

/// One entry, wherever it was found.
pub(super) struct Entry<'a> {
    /// Where it lies.
    pub(super) at: u64,
    pub(super) number: u64,
    pub(super) name: &'a [u8],
    /// The type of what it names; zero where the directory does not say.
    pub(super) ftype: u8,
}

/// A block of entries, checked.
#[derive(Clone)]
pub(super) struct Block(Arc<Checked>);

/// What is kept of a block in the cache.
pub(in crate::xfs) struct Checked {
    at: u64,
    bytes: Vec<u8>,
    ftype: bool,
    /// Where entries start and end.
    start: usize,
    end: usize,
    /// Where the index at the end of the block starts and how many entries it has.
    index: Option<(usize, usize)>,
}

impl Checked {
    /// What it weighs in the cache.
    pub(in crate::xfs) fn weight(&self) -> usize {
        self.bytes.len() + 64
    }
}

impl Block {
    /// Reads the block that starts at block `logical` of the directory `owner`.
    pub(super) fn read(
        blocks: &Blocks,
        what: &str,
        owner: u64,
        map: &[Mapping],
        logical: u64,
    ) -> Result<Self> {
        let read = || Checked::read(blocks, what, owner, map, logical);
        blocks.directories.get_or(&(owner, logical), Checked::weight, read).map(Self)
    }

    fn fields<'a>(&'a self, what: &'a str) -> Fields<'a> {
        Fields::new(what, self.0.at, &self.0.bytes)
    }

    /// The index at the end of the block: its fields, where it starts, and how many entries it has.
    pub(super) fn index<'a>(&'a self, what: &'a str) -> Result<(Fields<'a>, usize, usize)> {
        let fields = self.fields(what);
        match self.0.index {
            Some((at, count)) => Ok((fields, at, count)),
            None => Err(fields.corrupt(0, "the only block of the directory has no index")),
        }
    }

    /// The entry at `offset` of the block, and where the next one starts.
    pub(super) fn entry<'a>(&'a self, what: &'a str, offset: usize) -> Result<(Entry<'a>, usize)> {
        let fields = self.fields(what);
        if offset < self.0.start || !offset.is_multiple_of(ALIGN) {
            return Err(fields.corrupt(offset, "no entry can start there"));
        }
        let length = usize::from(fields.u8(offset + 8)?);
        let ftype = usize::from(self.0.ftype);
        let name = fields.bytes(offset + 9, length)?;
        let tag = (offset + 9 + length + ftype + 2).next_multiple_of(ALIGN) - 2;
        if tag + 2 > self.0.end || length == 0 {
            return Err(fields.corrupt(offset, "the entry passes the end of the entries"));
        }
        if usize::from(fields.be_u16(tag)?) != offset {
            return Err(fields.corrupt(tag, format!("the entry at {offset} has another tag")));
        }
        let entry = Entry {
            at: self.0.at + offset as u64,
            number: fields.be_u64(offset)?,
            name,
            ftype: if self.0.ftype { fields.u8(offset + 9 + length)? } else { 0 },
        };
        Ok((entry, tag + 2))
    }

    /// Hands every entry to `visit`; what breaks the chain of entries is handed over last.
    pub(super) fn each(
        &self,
        what: &str,
        visit: &mut dyn FnMut(Result<Entry<'_>>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut offset = self.0.start;
        while offset < self.0.end {
            match self.free_until(what, offset) {
                Ok(Some(next)) => {
                    offset = next;
                    continue;
                }
                Ok(None) => {}
                Err(error) => return visit(Err(error)),
            }
            match self.entry(what, offset) {
                Ok((entry, next)) => {
                    visit(Ok(entry))?;
                    offset = next;
                }
                Err(error) => return visit(Err(error)),
            }
        }
        ControlFlow::Continue(())
    }

    /// Where a free stretch at `offset` ends, if there is one.
    fn free_until(&self, what: &str, offset: usize) -> Result<Option<usize>> {
        let fields = self.fields(what);
        if fields.be_u16(offset)? != FREE_TAG {
            return Ok(None);
        }
        let length = usize::from(fields.be_u16(offset + 2)?);
        let end = offset + length;
        if length < ALIGN || !length.is_multiple_of(ALIGN) || end > self.0.end {
            return Err(fields.corrupt(offset, format!("{length} bytes cannot be free there")));
        }
        Ok(Some(end))
    }
}

impl Checked {
    fn read(
        blocks: &Blocks,
        what: &str,
        owner: u64,
        map: &[Mapping],
        logical: u64,
    ) -> Result<Self> {
        let span = 1 << blocks.superblock.dir_block_log;
        let (at, bytes) = blocks.read_mapped(what, map, logical, span)?;
        let fields = Fields::new(what, at, &bytes);
        let single = match (&fields.array::<4>(0)?, blocks.crc()) {
            (b"XD2B", false) | (b"XDB3", true) => true,
            (b"XD2D", false) | (b"XDD3", true) => false,
            (magic, _) => {
                let why = format!("the magic {} is not of entries", magic.escape_ascii());
                return Err(fields.corrupt(0, why));
            }
        };
        if blocks.crc() {
            blocks.verify(what, at, &bytes, DIR3, owner)?;
        }
        let start = if blocks.crc() { 64 } else { 16 };
        let (end, index) = if single {
            // The tail says how many index entries lie before it.
            let tail = fields.len() - 8;
            let count = fields.be_u32(tail)?;
            match (count as usize).checked_mul(8).and_then(|length| tail.checked_sub(length)) {
                Some(at) if at >= start => (at, Some((at, count as usize))),
                _ => return Err(fields.corrupt(tail, format!("{count} entries do not fit"))),
            }
        } else {
            (fields.len(), None)
        };
        let ftype = blocks.superblock.features.ftype;
        Ok(Self { at, ftype, start, end, index, bytes })
    }
}
