//! The clear side of an unlocked volume.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use fathom_block::{ReadAt, Result, check_range};

use super::cipher::{Decrypt, SECTOR};

/// From how many bytes on a read is decrypted by several threads.
const WORTH_THREADS: usize = 512 << 10;

/// No more threads than this for one read.
const MAX_THREADS: usize = 8;

/// Sectors that are decrypted as they are read.
pub(super) struct Decrypted {
    pub(super) below: Arc<dyn ReadAt>,
    /// Where the payload starts below.
    pub(super) offset: u64,
    /// A whole number of sectors.
    pub(super) length: u64,
    pub(super) sector_size: usize,
    /// The number of the first sector, in 512 bytes.
    pub(super) first: u64,
    pub(super) cipher: Box<dyn Decrypt>,
}

/// A part of a read: where it starts on the clear side, and the buffer, in whole sectors.
struct Part<'a> {
    at: u64,
    buf: &'a mut [u8],
}

/// A sector of which only a part was asked for.
struct Edge<'a> {
    at: u64,
    sector: Vec<u8>,
    /// Where in the sector the wanted part starts.
    skip: usize,
    wanted: &'a mut [u8],
}

impl Decrypted {
    fn decrypt(&self, at: u64, data: &mut [u8]) {
        let number = self.first.wrapping_add(at / SECTOR as u64);
        self.cipher.decrypt(number, self.sector_size, data);
    }

    /// Decrypts all parts, side by side where that pays.
    fn decrypt_all(&self, parts: Vec<Part<'_>>) {
        let total: usize = parts.iter().map(|part| part.buf.len()).sum();
        let threads = threads();
        if total < WORTH_THREADS || threads == 1 {
            parts.into_iter().for_each(|part| self.decrypt(part.at, part.buf));
            return;
        }
        let share = total.div_ceil(threads).next_multiple_of(self.sector_size);
        let mut shares: Vec<Vec<Part<'_>>> = vec![Vec::new()];
        let mut room = share;
        for mut part in parts {
            loop {
                let length = part.buf.len().min(room);
                let (now, later) = part.buf.split_at_mut(length);
                if let Some(last) = shares.last_mut() {
                    last.push(Part { at: part.at, buf: now });
                }
                room -= length;
                if later.is_empty() {
                    break;
                }
                part = Part { at: part.at + length as u64, buf: later };
                shares.push(Vec::new());
                room = share;
            }
        }
        std::thread::scope(|scope| {
            let mut shares = shares.into_iter();
            let own = shares.next();
            for share in shares {
                scope.spawn(move || {
                    share.into_iter().for_each(|part| self.decrypt(part.at, part.buf))
                });
            }
            own.into_iter().flatten().for_each(|part| self.decrypt(part.at, part.buf));
        });
    }
}

fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| {
        std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_THREADS)
    })
}

impl ReadAt for Decrypted {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let size = self.sector_size as u64;
        let mut parts = Vec::with_capacity(reads.len());
        let mut edges = Vec::new();
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.length)?;
            let mut at = range.start;
            let mut rest: &mut [u8] = buf;
            while !rest.is_empty() {
                let skip = (at % size) as usize;
                let whole = rest.len() / self.sector_size * self.sector_size;
                let edge = skip != 0 || whole == 0;
                let length = if edge { rest.len().min(self.sector_size - skip) } else { whole };
                let (wanted, after) = rest.split_at_mut(length);
                if edge {
                    let sector = vec![0; self.sector_size];
                    edges.push(Edge { at: at - skip as u64, sector, skip, wanted });
                } else {
                    parts.push(Part { at, buf: wanted });
                }
                rest = after;
                at += length as u64;
            }
        }
        let mut below: Vec<(u64, &mut [u8])> = Vec::with_capacity(parts.len() + edges.len());
        below.extend(parts.iter_mut().map(|part| (self.offset + part.at, &mut *part.buf)));
        below.extend(edges.iter_mut().map(|edge| (self.offset + edge.at, &mut edge.sector[..])));
        self.below.read_many(&mut below)?;
        self.decrypt_all(parts);
        for edge in edges {
            let Edge { at, mut sector, skip, wanted } = edge;
            self.decrypt(at, &mut sector);
            wanted.copy_from_slice(&sector[skip..skip + wanted.len()]);
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let ranges =
            ranges.iter().map(|range| range.start.min(self.length)..range.end.min(self.length));
        let below: Vec<_> =
            ranges.map(|range| self.offset + range.start..self.offset + range.end).collect();
        self.below.prefetch(&below);
    }

    // No holes: zeros below are not zeros here.
}

#[cfg(test)]
mod tests {
    use super::super::cipher::Spec;
    use super::*;

    #[test]
    fn every_shape_of_read_is_right() {
        let key: Vec<u8> = (0..64).collect();
        for sector_size in [512, 4096] {
            let below: Vec<u8> = (0..(2 << 20) + 100_u32).map(|at| ((at * 7) >> 2) as u8).collect();
            let mut expected = below[4096..4096 + (1 << 20)].to_vec();
            let cipher = || Spec::parse("aes-xts-plain64").keyed(&key).unwrap();
            cipher().decrypt(3, sector_size, &mut expected);
            let reader = Decrypted {
                below: Arc::new(below),
                offset: 4096,
                length: 1 << 20,
                sector_size,
                first: 3,
                cipher: cipher(),
            };
            let shapes = [
                (0, 1 << 20),
                (0, 1),
                (511, 2),
                (4095, 4098),
                (100, 8192),
                (777, 900_000),
                ((1 << 20) - 1, 1),
                (5000, 0),
            ];
            let mut buffers: Vec<Vec<u8>> =
                shapes.iter().map(|(_, length)| vec![0; *length]).collect();
            for ((at, length), buf) in shapes.iter().zip(&mut buffers) {
                reader.read_at(*at as u64, buf).unwrap();
                assert!(buf[..] == expected[*at..*at + *length], "{at} {length}");
                buf.fill(0);
            }
            let mut reads: Vec<(u64, &mut [u8])> = shapes
                .iter()
                .zip(&mut buffers)
                .map(|((at, _), buf)| (*at as u64, &mut buf[..]))
                .collect();
            reader.read_many(&mut reads).unwrap();
            for ((at, length), buf) in shapes.iter().zip(&buffers) {
                assert!(buf[..] == expected[*at..*at + *length], "{at} {length}");
            }
            assert!(reader.read_at(1 << 20, &mut [0; 1]).is_err());
            assert_eq!(reader.next_data(5), Some(5..1 << 20));
            reader.prefetch(&[0..10, 5..u64::MAX]);
        }
    }
}
