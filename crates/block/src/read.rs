//! The trait everything stands on, and the few readers that need no format.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The most bytes that one number found on a disk may make us allocate at once.
pub const MAX_ALLOCATION: usize = 16 << 20;

/// A fixed number of bytes that can be read at any position, by any number of threads at once.
///
/// Reads are exact: all of `buf` is filled, or the result is an error. The bytes never change while
/// the reader lives.
pub trait ReadAt: Send + Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` with the bytes at `offset`.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()>;

    /// Fills several buffers in one call, so that a transport may join neighbours and fetch the
    /// rest side by side. Neighbours are those that follow each other in `reads` too.
    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        for (offset, buf) in reads {
            self.read_at(*offset, buf)?;
        }
        Ok(())
    }

    /// Hints that these ranges will be read soon. Never fails and promises nothing.
    fn prefetch(&self, _ranges: &[Range<u64>]) {}

    /// The first range at or after `offset` that may hold anything but zeros; `None` where only
    /// zeros follow. A reader that cannot tell answers that all the rest is data, and so does one
    /// whose map cannot be read: the read that follows then says what is wrong.
    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        (offset < self.len()).then(|| offset..self.len())
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Arc<T> {
    fn len(&self) -> u64 {
        (**self).len()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        (**self).read_at(offset, buf)
    }
    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        (**self).read_many(reads)
    }
    fn prefetch(&self, ranges: &[Range<u64>]) {
        (**self).prefetch(ranges);
    }
    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        (**self).next_data(offset)
    }
}

/// Bytes held in memory.
impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let range = check_range(offset, buf.len(), ReadAt::len(self))?;
        buf.copy_from_slice(&self[range.start as usize..range.end as usize]);
        Ok(())
    }
}

/// The range of a read of `length` bytes at `offset`, or the error that it passes the end.
pub fn check_range(offset: u64, length: usize, end: u64) -> Result<Range<u64>> {
    match offset.checked_add(length as u64) {
        Some(stop) if stop <= end => Ok(offset..stop),
        _ => Err(Error::past_end(offset, length as u64, end)),
    }
}

/// Reads `length` bytes at `offset` into a new buffer; `what` names them in the error that a
/// length over [`MAX_ALLOCATION`] gives.
pub fn read_vec(
    source: &(impl ReadAt + ?Sized),
    what: &str,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>> {
    check_range(offset, usize::try_from(length).unwrap_or(usize::MAX), source.len())
        .map_err(|error| error.within(what))?;
    if length > MAX_ALLOCATION as u64 {
        return Err(Error::corrupt(
            what,
            offset,
            format!("{length} bytes are claimed; at most {MAX_ALLOCATION} are read at once"),
        ));
    }
    let mut bytes = vec![0; length as usize];
    source.read_at(offset, &mut bytes).map_err(|error| error.within(what))?;
    Ok(bytes)
}

/// Reads `N` bytes at `offset`.
pub fn read_array<const N: usize>(
    source: &(impl ReadAt + ?Sized),
    what: &str,
    offset: u64,
) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_at(offset, &mut bytes).map_err(|error| error.within(what))?;
    Ok(bytes)
}

/// A window onto part of a reader, such as a partition.
#[derive(Clone)]
pub struct Window {
    source: Arc<dyn ReadAt>,
    start: u64,
    length: u64,
}

impl Window {
    /// The `length` bytes at `start`. They must lie within the source.
    pub fn new(source: Arc<dyn ReadAt>, start: u64, length: u64) -> Result<Self> {
        match start.checked_add(length) {
            Some(stop) if stop <= source.len() => Ok(Self { source, start, length }),
            stop => Err(Error::truncated("data", source.len(), stop.unwrap_or(u64::MAX))),
        }
    }

    /// Like [`Window::new`], but a window that passes the source's end is cut there. Reads beyond
    /// the cut are errors; what lies before it stays readable.
    pub fn clipped(source: Arc<dyn ReadAt>, start: u64, length: u64) -> Self {
        let start = start.min(source.len());
        let length = length.min(source.len() - start);
        Self { source, start, length }
    }
}

impl ReadAt for Window {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        check_range(offset, buf.len(), self.length)?;
        self.source.read_at(self.start + offset, buf)
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        for (offset, buf) in reads.iter_mut() {
            check_range(*offset, buf.len(), self.length)?;
        }
        for (offset, _) in reads.iter_mut() {
            *offset += self.start;
        }
        let result = self.source.read_many(reads);
        for (offset, _) in reads.iter_mut() {
            *offset -= self.start;
        }
        result
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let shifted: Vec<_> = ranges
            .iter()
            .map(|range| range.start.min(self.length)..range.end.min(self.length))
            .filter(|range| range.start < range.end)
            .map(|range| self.start + range.start..self.start + range.end)
            .collect();
        self.source.prefetch(&shifted);
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        if offset >= self.length {
            return None;
        }
        let data = self.source.next_data(self.start + offset)?;
        let start = data.start.saturating_sub(self.start).max(offset);
        let end = data.end.saturating_sub(self.start).min(self.length);
        (start < end).then_some(start..end)
    }
}

/// Nothing but zeros.
#[derive(Clone, Copy, Debug)]
pub struct Zeros(pub u64);

impl ReadAt for Zeros {
    fn len(&self) -> u64 {
        self.0
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        check_range(offset, buf.len(), self.0)?;
        buf.fill(0);
        Ok(())
    }
    fn next_data(&self, _offset: u64) -> Option<Range<u64>> {
        None
    }
}
