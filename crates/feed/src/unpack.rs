//! What packed streams unpack to, and how much of that there may be.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use fathom_advisory::Day;

/// The most bytes that a feed may unpack to, everything in it taken together. The largest real ones
/// have some thirty GB.
const MOST: u64 = 64 << 30;

/// The bytes that a feed may unpack to however small it is.
const FREE: u64 = 256 << 20;

/// How many times its own size a feed may unpack to beyond that. What providers write packs to a
/// twentieth at best, and what is made to never end to a ten-thousandth.
const RATIO: u64 = 2000;

/// How much of a stream is read at once.
const BUFFER: usize = 256 << 10;

/// How many more bytes a feed may unpack to. All that is unpacked of one feed counts, so that nothing
/// is gained by packing much of it apart, or by packing twice.
#[derive(Clone)]
pub(crate) struct Budget(Rc<Cell<u64>>);

impl Budget {
    /// That of a feed of so many bytes.
    pub(crate) fn of(packed: u64) -> Self {
        Self(Rc::new(Cell::new(packed.saturating_mul(RATIO).clamp(FREE, MOST))))
    }

    /// The reader of something unpacked, which fails when there is more than any feed has.
    pub(crate) fn count<R: Read>(&self, reader: R) -> Counted<R> {
        Counted { reader, left: self.clone() }
    }

    fn spend(&self, count: usize) -> io::Result<()> {
        match self.0.get().checked_sub(count as u64) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => {
                let why = "it unpacks to more than any feed has";
                Err(io::Error::new(io::ErrorKind::FileTooLarge, why))
            }
        }
    }
}

/// A reader whose bytes count.
pub(crate) struct Counted<R> {
    reader: R,
    left: Budget,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left.spend(count)?;
        Ok(count)
    }
}

/// What the stream unpacks to, if it is packed; and when what is in it was last changed, if it says so.
pub(crate) fn unpacked<'s>(
    mut stream: impl BufRead + 's,
    budget: &Budget,
) -> io::Result<(Box<dyn BufRead + 's>, Day)> {
    let mut front = Vec::new();
    (&mut stream).take(8).read_to_end(&mut front)?;
    let whole = Cursor::new(front.clone()).chain(stream);
    let mut modified = Day::default();
    let plain: Box<dyn Read + 's> = match *front {
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Box::new(zstd::stream::Decoder::with_buffer(whole)?),
        [0x1F, 0x8B, _, _, a, b, c, d] => {
            modified = changed(u32::from_le_bytes([a, b, c, d]).into());
            Box::new(flate2::bufread::MultiGzDecoder::new(whole))
        }
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(whole)),
        // What is not packed ends with what it lies in, which counts by itself.
        _ => return Ok((Box::new(whole), modified)),
    };
    Ok((Box::new(BufReader::with_capacity(BUFFER, budget.count(plain))), modified))
}

/// The day so many seconds after the beginning of 1970, if any feed was written by then.
pub(crate) fn changed(seconds: u64) -> Day {
    let day = Day::of(&fathom_report::Day::of_seconds(seconds).to_string());
    if day < Day::of("2000-01-01") { Day::default() } else { day }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_refused_however_it_is_parted() {
        let budget = Budget::of(10);
        let mut sink = io::sink();
        let half = || io::repeat(0).take(FREE / 2);
        assert_eq!(io::copy(&mut budget.count(half()), &mut sink).unwrap(), FREE / 2);
        assert_eq!(io::copy(&mut budget.count(half()), &mut sink).unwrap(), FREE / 2);
        let refused = io::copy(&mut budget.count(half()), &mut sink).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        // What is large may unpack to much, and nothing to everything.
        assert_eq!(Budget::of(1 << 20).0.get(), RATIO << 20);
        assert_eq!(Budget::of(u64::MAX).0.get(), MOST);
    }

    #[test]
    fn what_is_packed_twice_counts_twice() {
        let zeros = zstd::encode_all(io::repeat(0).take(FREE / 2), 1).unwrap();
        let budget = Budget::of(zeros.len() as u64);
        for _ in 0..2 {
            let (mut stream, _) = unpacked(&*zeros, &budget).unwrap();
            io::copy(&mut stream, &mut io::sink()).unwrap();
        }
        let (mut stream, _) = unpacked(&*zeros, &budget).unwrap();
        assert!(io::copy(&mut stream, &mut io::sink()).is_err());
    }
}
