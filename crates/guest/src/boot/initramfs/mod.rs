//! Initial filesystems: archives of cpio one behind the other, packed or not, of which only the names
//! matter here.
//!
//! The kernel takes what it is given piece by piece, zeros between the pieces: mostly an archive with
//! microcode that is not packed, and one that is. So does this, in a stream, however much it unpacks
//! to; nothing is kept but the name that is looked at.

mod cpio;
mod unpack;

use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_vec};

use self::cpio::{Archive, Bytes as _, MAX_UNPACKED, Packed, Plain};

/// The longest initial filesystem that is read. Those of distributions have up to 250 MiB.
const MAX_FILE: u64 = 1 << 30;

/// The most pieces that one is made of.
const MAX_PIECES: usize = 64;

/// How much is read at once of what is packed. So much goes past the page cache: it is read once.
const PORTION: usize = 1 << 20;

/// How much of what takes long to unpack is read where nobody asked for all: of xz this is some
/// half a second.
const MAX_SLOW: u64 = 6 << 20;

/// How much that may unpack to.
const MAX_SLOW_UNPACKED: u64 = 128 << 20;

/// Hands every name to `visit`, which may break off; fails where not all of it could be read.
pub(super) fn names(
    reader: &Arc<dyn ReadAt>,
    patient: bool,
    visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<()> {
    const WHAT: &str = "initial filesystem";
    let length = reader.len();
    if length > MAX_FILE {
        let why = format!("it is longer than {} MiB", MAX_FILE >> 20);
        return Err(Error::unsupported(WHAT, why));
    }
    let mut at = 0;
    let mut left = MAX_UNPACKED;
    for _ in 0..MAX_PIECES {
        at = past_zeros(&**reader, at)?;
        if at >= length {
            return Ok(());
        }
        let magic = read_vec(&**reader, WHAT, at, (length - at).min(6))?;
        if magic.starts_with(b"07070") {
            let mut plain = Plain::new(&**reader, at);
            if Archive::new(&mut plain).names(visit)?.is_break() {
                return Ok(());
            }
            at = plain.position();
            continue;
        }
        let codec = unpack::Codec::of(&magic).ok_or_else(|| {
            let why =
                "what stands there is neither an archive of cpio nor packed in a way that is read";
            Error::unsupported(WHAT, why).at(at)
        })?;
        if codec.is_slow() && !patient && length - at > MAX_SLOW {
            let why = format!(
                "it is packed with {} and has {} MiB, which takes seconds to unpack; \
                 with --deep it is read",
                codec.name(),
                (length - at) >> 20
            );
            return Err(Error::unsupported(WHAT, why).at(at));
        }
        if codec.is_slow() && !patient {
            left = left.min(MAX_SLOW_UNPACKED);
        }
        let mut source =
            BufReader::with_capacity(PORTION, Cursor { reader: Arc::clone(reader), at });
        let stopped = packed(codec, &mut source, at, &mut left, visit)?;
        if stopped.is_break() {
            return Ok(());
        }
        let left = source.buffer().len() as u64;
        let next = source.get_ref().at - left;
        if next <= at {
            return Err(Error::corrupt(WHAT, at, "a packed piece has no end"));
        }
        at = next;
    }
    Err(Error::unsupported(WHAT, format!("it has more than {MAX_PIECES} pieces")).at(at))
}

/// The names in a packed piece.
fn packed(
    codec: unpack::Codec,
    source: &mut dyn BufRead,
    at: u64,
    left: &mut u64,
    visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let wrong = |error: std::io::Error| Error::corrupt("packed archive", at, error.to_string());
    let mut unpacked = codec.unpack(source).map_err(wrong)?;
    let mut stream = Packed::new(&mut unpacked, at, left);
    // Several archives may be packed together.
    for _ in 0..MAX_PIECES {
        if !stream.past_zeros()? {
            return Ok(ControlFlow::Continue(()));
        }
        if Archive::new(&mut stream).names(visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    let why = format!("more than {MAX_PIECES} archives are packed together");
    Err(Error::unsupported("packed archive", why).at(at))
}

/// Where the next byte is that is not zero.
fn past_zeros(reader: &dyn ReadAt, mut at: u64) -> Result<u64> {
    let mut portion = vec![0; 4 << 10];
    while at < reader.len() {
        let length = (reader.len() - at).min(portion.len() as u64) as usize;
        reader.read_at(at, &mut portion[..length])?;
        if let Some(zeros) = portion[..length].iter().position(|byte| *byte != 0) {
            return Ok(at + zeros as u64);
        }
        at += length as u64;
        portion.resize(PORTION, 0);
    }
    Ok(at)
}

/// The bytes from a place on, one after the other.
struct Cursor {
    reader: Arc<dyn ReadAt>,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let length = self.reader.len().saturating_sub(self.at).min(buf.len() as u64) as usize;
        self.reader.read_at(self.at, &mut buf[..length]).map_err(std::io::Error::other)?;
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
