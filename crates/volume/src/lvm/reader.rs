//! The bytes of a logical volume: segments, each on one area or in stripes over several.

use std::ops::Range;
use std::sync::Arc;

use fathom_block::{ReadAt, Result, check_range};

/// A stretch of a logical volume, in bytes.
pub(super) struct Piece {
    pub(super) start: u64,
    pub(super) length: u64,
    /// How many bytes lie on one area before the next one's turn. Only with several areas.
    pub(super) stripe: u64,
    /// Which reader and where on it. None at all is zeros.
    pub(super) areas: Vec<(usize, u64)>,
}

/// A logical volume.
pub(super) struct LogicalReader {
    /// What the pieces lie on.
    pub(super) readers: Vec<Arc<dyn ReadAt>>,
    /// Sorted and joined.
    pub(super) pieces: Vec<Piece>,
    pub(super) length: u64,
}

/// A run of bytes that lies in one place: where in the volume, how long, and on which reader where.
struct Run {
    length: u64,
    place: Option<(usize, u64)>,
}

impl Piece {
    fn end(&self) -> u64 {
        // Checked when the volume was assembled.
        self.start + self.length
    }

    /// The run that starts at byte `at` of the volume, which lies in this piece.
    fn run(&self, at: u64) -> Run {
        let within = at - self.start;
        match self.areas[..] {
            [] => Run { length: self.length - within, place: None },
            [(reader, base)] => {
                Run { length: self.length - within, place: Some((reader, base + within)) }
            }
            _ => {
                let (chunk, inner) = (within / self.stripe, within % self.stripe);
                let count = self.areas.len() as u64;
                let (row, column) = (chunk / count, chunk % count);
                let (reader, base) = self.areas[column as usize];
                let place = base + row * self.stripe + inner;
                Run { length: self.stripe - inner, place: Some((reader, place)) }
            }
        }
    }
}

impl LogicalReader {
    /// The runs that make up `range`, in order.
    fn runs(&self, range: Range<u64>) -> impl Iterator<Item = Run> {
        let first = self.pieces.partition_point(|piece| piece.end() <= range.start);
        let mut pieces = self.pieces[first..].iter().peekable();
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let mut run = pieces.peek()?.run(at);
            run.length = run.length.min(range.end - at);
            at += run.length;
            pieces.next_if(|piece| piece.end() <= at);
            Some(run)
        })
    }
}

impl ReadAt for LogicalReader {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut below: Vec<Vec<(u64, &mut [u8])>> = Vec::new();
        below.resize_with(self.readers.len(), Vec::new);
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.length)?;
            let mut rest: &mut [u8] = buf;
            for run in self.runs(range) {
                let (part, after) = rest.split_at_mut(run.length as usize);
                rest = after;
                match run.place {
                    Some((reader, place)) => below[reader].push((place, part)),
                    None => part.fill(0),
                }
            }
        }
        for (reader, reads) in self.readers.iter().zip(&mut below) {
            if !reads.is_empty() {
                reader.read_many(reads)?;
            }
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        /// A hint is not worth more than this.
        const MOST: usize = 4096;
        let mut below: Vec<Vec<Range<u64>>> = vec![Vec::new(); self.readers.len()];
        let ranges = ranges.iter().map(|range| range.start..range.end.min(self.length));
        for run in ranges.flat_map(|range| self.runs(range)).take(MOST) {
            if let Some((reader, place)) = run.place {
                below[reader].push(place..place + run.length);
            }
        }
        for (reader, ranges) in self.readers.iter().zip(&below) {
            if !ranges.is_empty() {
                reader.prefetch(ranges);
            }
        }
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let first = self.pieces.partition_point(|piece| piece.end() <= offset);
        for piece in &self.pieces[first..] {
            let from = piece.start.max(offset);
            match piece.areas[..] {
                [] => {}
                [(reader, base)] => {
                    let data = self.readers[reader].next_data(base + (from - piece.start));
                    if let Some(data) = data.filter(|data| data.start < base + piece.length) {
                        let start = data.start.saturating_sub(base) + piece.start;
                        let end = data.end.min(base + piece.length) - base + piece.start;
                        return Some(start.max(from)..end);
                    }
                }
                // Holes are smaller than stripes on few disks; nobody has missed them here.
                _ => return Some(from..piece.end()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pieces: linear, two stripes of 4 bytes, zeros.
    fn volume() -> (LogicalReader, Vec<u8>) {
        let one: Vec<u8> = (0..100).collect();
        let two: Vec<u8> = (100..200).collect();
        let mut expected: Vec<u8> = two[50..60].to_vec();
        for row in 0..2 {
            expected.extend(&one[10 + row * 4..][..4]);
            expected.extend(&two[20 + row * 4..][..4]);
        }
        expected.extend([0; 7]);
        let piece = |start, length, areas: &[(usize, u64)]| Piece {
            start,
            length,
            stripe: 4,
            areas: areas.to_vec(),
        };
        let pieces =
            vec![piece(0, 10, &[(1, 50)]), piece(10, 16, &[(0, 10), (1, 20)]), piece(26, 7, &[])];
        (
            LogicalReader { readers: vec![Arc::new(one), Arc::new(two)], pieces, length: 33 },
            expected,
        )
    }

    #[test]
    fn every_read_is_right() {
        let (volume, expected) = volume();
        for start in 0..=33 {
            for end in start..=33 {
                let mut buf = vec![0xEE; end - start];
                volume.read_at(start as u64, &mut buf).unwrap();
                assert_eq!(buf, expected[start..end], "{start}..{end}");
            }
        }
        assert!(volume.read_at(30, &mut [0; 4]).is_err());
        volume.prefetch(&[0..33, 20..1000]);
    }

    #[test]
    fn holes_show_through() {
        let (volume, _) = volume();
        assert_eq!(volume.next_data(0), Some(0..10));
        assert_eq!(volume.next_data(12), Some(12..26));
        assert_eq!(volume.next_data(26), None);
    }
}
