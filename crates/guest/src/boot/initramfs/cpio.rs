//! Archives of cpio in the format that the kernel takes (Documentation/driver-api/early-userspace/
//! buffer-format.rst).

use std::io::Read;
use std::ops::ControlFlow;

use fathom_block::{Error, ReadAt, Result};

/// The length of what stands before a name.
pub(super) const HEADER: usize = 110;

/// The longest name, as the kernel takes them.
const MAX_NAME: u64 = 4096;

/// The most files of one archive.
const MAX_FILES: usize = 1 << 20;

/// How much all pieces of one initial filesystem may unpack to. Those with everything in them that a
/// distribution has come to half of that.
pub(super) const MAX_UNPACKED: u64 = 2 << 30;

/// The name that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";

/// Bytes in their order.
pub(super) trait Bytes {
    /// Fills the buffer, or says that there is nothing left at all.
    fn fill(&mut self, buf: &mut [u8]) -> Result<bool>;
    fn skip(&mut self, length: u64) -> Result<()>;
    /// How many bytes were passed.
    fn position(&self) -> u64;
}

/// Bytes as they lie in the file.
pub(super) struct Plain<'a> {
    reader: &'a dyn ReadAt,
    at: u64,
}

impl<'a> Plain<'a> {
    pub(super) fn new(reader: &'a dyn ReadAt, at: u64) -> Self {
        Self { reader, at }
    }
}

impl Bytes for Plain<'_> {
    fn fill(&mut self, buf: &mut [u8]) -> Result<bool> {
        if self.at >= self.reader.len() {
            return Ok(false);
        }
        self.reader.read_at(self.at, buf)?;
        self.at += buf.len() as u64;
        Ok(true)
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        match self.at.checked_add(length) {
            Some(at) if at <= self.reader.len() => self.at = at,
            _ => return Err(Error::past_end(self.at, length, self.reader.len())),
        }
        Ok(())
    }

    fn position(&self) -> u64 {
        self.at
    }
}

/// Bytes as they are unpacked.
pub(super) struct Packed<'a> {
    source: &'a mut dyn Read,
    /// Where the piece lies that they are unpacked from, for errors.
    piece: u64,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    passed: u64,
    /// How much more may be unpacked.
    left: &'a mut u64,
}

impl<'a> Packed<'a> {
    pub(super) fn new(source: &'a mut dyn Read, piece: u64, left: &'a mut u64) -> Self {
        Self { source, piece, buffer: vec![0; 128 << 10], start: 0, end: 0, passed: 0, left }
    }

    /// Goes on to the next byte that is not zero; says whether there is one.
    pub(super) fn past_zeros(&mut self) -> Result<bool> {
        loop {
            let held = &self.buffer[self.start..self.end];
            if let Some(zeros) = held.iter().position(|byte| *byte != 0) {
                self.advance(zeros);
                return Ok(true);
            }
            self.advance(held.len());
            if !self.refill()? {
                return Ok(false);
            }
        }
    }

    fn advance(&mut self, length: usize) {
        self.start += length;
        self.passed += length as u64;
    }

    /// Unpacks more; `false` where that was all.
    fn refill(&mut self) -> Result<bool> {
        if *self.left == 0 {
            let why = "it unpacks to more than is read".to_owned();
            return Err(Error::unsupported("packed archive", why).at(self.piece));
        }
        let read = self.source.read(&mut self.buffer);
        let read = read.map_err(|error| {
            let why = format!("it cannot be unpacked: {error}");
            // A window as large as this the kernel takes, and we do not.
            if error.to_string().contains("too much memory") {
                return Error::unsupported("packed archive", why).at(self.piece);
            }
            Error::corrupt("packed archive", self.piece, why)
        })?;
        (self.start, self.end) = (0, read);
        *self.left = self.left.saturating_sub(read as u64);
        Ok(read > 0)
    }

    fn ends(&self) -> Error {
        Error::corrupt("packed archive", self.piece, "it ends within a file")
    }
}

impl Bytes for Packed<'_> {
    fn fill(&mut self, buf: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while filled < buf.len() {
            if self.start == self.end && !self.refill()? {
                return if filled == 0 { Ok(false) } else { Err(self.ends()) };
            }
            let length = (buf.len() - filled).min(self.end - self.start);
            buf[filled..filled + length]
                .copy_from_slice(&self.buffer[self.start..self.start + length]);
            self.advance(length);
            filled += length;
        }
        Ok(true)
    }

    fn skip(&mut self, mut length: u64) -> Result<()> {
        while length > 0 {
            if self.start == self.end && !self.refill()? {
                return Err(self.ends());
            }
            let held = length.min((self.end - self.start) as u64);
            self.advance(held as usize);
            length -= held;
        }
        Ok(())
    }

    fn position(&self) -> u64 {
        self.passed
    }
}

/// One archive.
pub(super) struct Archive<'b> {
    bytes: &'b mut dyn Bytes,
    start: u64,
}

impl<'b> Archive<'b> {
    pub(super) fn new(bytes: &'b mut dyn Bytes) -> Self {
        let start = bytes.position();
        Self { bytes, start }
    }

    /// Hands every name to `visit`.
    pub(super) fn names(
        mut self,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let mut header = [0; HEADER];
        let mut name = Vec::new();
        for _ in 0..MAX_FILES {
            let at = self.bytes.position();
            // The kernel takes an archive without its trailer too.
            if !self.bytes.fill(&mut header)? {
                return Ok(ControlFlow::Continue(()));
            }
            if !matches!(&header[..6], b"070701" | b"070702") {
                return Err(Error::corrupt("cpio", at, "a file does not begin with 070701"));
            }
            let (c_filesize, c_namesize) = (field(&header, 6, at)?, field(&header, 11, at)?);
            if c_namesize == 0 || c_namesize > MAX_NAME {
                let why = format!("a name of {c_namesize} bytes; it has 1 to {MAX_NAME}");
                return Err(Error::corrupt("cpio", at, why));
            }
            name.resize(c_namesize as usize, 0);
            if !self.bytes.fill(&mut name)? {
                return Err(Error::corrupt("cpio", at, "it ends within a name"));
            }
            if name.last() == Some(&0) {
                name.pop();
            }
            self.align()?;
            if name == TRAILER {
                return Ok(ControlFlow::Continue(()));
            }
            if visit(&name).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.bytes.skip(c_filesize)?;
            self.align()?;
        }
        let why = format!("it holds more than {MAX_FILES} files");
        Err(Error::unsupported("cpio", why).at(self.bytes.position()))
    }

    /// Names and files end at a multiple of four bytes, counted from the start of the archive.
    fn align(&mut self) -> Result<()> {
        let rest = (self.bytes.position() - self.start) % 4;
        match rest {
            0 => Ok(()),
            rest => self.bytes.skip(4 - rest),
        }
    }
}

/// The hexadecimal number of eight digits in that place.
fn field(header: &[u8; HEADER], index: usize, at: u64) -> Result<u64> {
    let start = 6 + 8 * index;
    let digits = &header[start..start + 8];
    let number = std::str::from_utf8(digits).ok().filter(|it| !it.starts_with('+'));
    let number = number.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| Error::corrupt("cpio", at + start as u64, "it is no number"))
}
