//! The bytes of one member.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use fathom_block::{Error, Fields, ReadAt, Result, Window, read_vec};
use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::{Budget, Member, Zip};

pub(super) const STORED: u16 = 0;
const DEFLATED: u16 = 8;

const HEADER: usize = 30;

impl Zip {
    /// The whole member, if it is not longer than `limit`.
    pub(crate) fn read(
        &mut self,
        member: &Member,
        limit: u64,
        budget: &mut Budget,
    ) -> Result<Vec<u8>> {
        let corrupt = |why: String| Error::corrupt(&*member.name, member.header, why);
        let data = self.data(member)?;
        if member.size > limit {
            let why = format!("it has {} bytes, and at most {limit} are read", member.size);
            return Err(Error::unsupported(&*member.name, why));
        }
        let bytes = match member.method {
            STORED => {
                budget.spend(member.size)?;
                let mut bytes = Vec::new();
                Read::read_to_end(&mut Stream::of(data), &mut bytes).map_err(from_stream)?;
                bytes
            }
            DEFLATED => {
                let mut bytes = Vec::new();
                // What it inflates to is believed as it comes, and paid for even if it is too much.
                let budgeted = member.size.saturating_add(1).min(budget.bytes.saturating_add(1));
                let stream =
                    DeflateDecoder::new(BufReader::with_capacity(64 << 10, Stream::of(data)));
                let outcome = stream.take(budgeted).read_to_end(&mut bytes);
                budget.spend(bytes.len() as u64)?;
                outcome.map_err(|error| match error.kind() {
                    io::ErrorKind::Other => from_stream(error),
                    _ => corrupt(format!("it cannot be inflated: {error}")),
                })?;
                bytes
            }
            method => {
                let why = format!("it is compressed by method {method}");
                return Err(Error::unsupported(&*member.name, why));
            }
        };
        if bytes.len() as u64 != member.size {
            return Err(corrupt(format!("it is said to have {} bytes, and has not", member.size)));
        }
        let mut checksum = Crc::new();
        checksum.update(&bytes);
        if checksum.sum() != member.checksum {
            return Err(corrupt("its checksum is wrong".to_owned()));
        }
        Ok(bytes)
    }

    /// The bytes as they stand in the archive: those of the member itself, where it is stored.
    pub(crate) fn data(&mut self, member: &Member) -> Result<Window> {
        let corrupt = |why: &str| Error::corrupt(&*member.name, member.header, why);
        if member.encrypted {
            return Err(Error::encrypted(&*member.name, "it is encrypted"));
        }
        if member.method == STORED && member.size != member.compressed {
            return Err(corrupt("it is stored, but has two sizes"));
        }
        let end = self.directory.start();
        let start = member.header.checked_add(self.directory.before);
        let start =
            start.filter(|start| start.checked_add(HEADER as u64).is_some_and(|it| it <= end));
        let start = start.ok_or_else(|| corrupt("it lies behind the end of the archive"))?;
        let header = read_vec(&*self.reader, "member", start, HEADER as u64)?;
        let header = Fields::new("member", start, &header);
        if header.array(0)? != *b"PK\x03\x04" {
            return Err(corrupt("it does not begin as a member"));
        }
        let names = u64::from(header.le_u16(26)?) + u64::from(header.le_u16(28)?);
        let data = start + HEADER as u64 + names;
        let stop = data.checked_add(member.compressed).filter(|stop| *stop <= end);
        let stop = stop.ok_or_else(|| corrupt("it lies behind the end of the archive"))?;
        let before = self.taken.range(..stop).next_back();
        if before.is_some_and(|(_, end)| *end > start) {
            return Err(corrupt("it lies on the bytes of another"));
        }
        self.taken.insert(start, stop);
        Window::new(Arc::clone(&self.reader), data, member.compressed)
    }
}

/// A reader from its beginning to its end. Its own errors are of the kind `Other`.
struct Stream {
    window: Window,
    at: u64,
}

impl Stream {
    fn of(window: Window) -> Self {
        Self { window, at: 0 }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.window.len() - self.at;
        let length = (buf.len() as u64).min(left) as usize;
        self.window.read_at(self.at, &mut buf[..length]).map_err(io::Error::other)?;
        self.at += length as u64;
        Ok(length)
    }
}

/// The error that the stream brought.
fn from_stream(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::io("archive", error),
    }
}
