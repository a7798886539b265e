//! The file as it is once its log is replayed, without writing to it.
//!
//! What the log brings stays where it is, in the log; only where it belongs is remembered. A logged
//! sector lacks its first eight and its last four bytes, which its descriptor keeps.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::log::SECTOR;
use crate::error::Result;
use crate::read::{ReadAt, check_range};

const LEADING: u64 = 8;
const TRAILING: u64 = 4;

/// A file, some of whose sectors are shown as its log says they should be.
pub(super) struct Replayed {
    beneath: Arc<dyn ReadAt>,
    length: u64,
    /// By their first byte; they do not overlap, and begin and end at whole sectors.
    patches: BTreeMap<u64, Patch>,
}

#[derive(Clone, Copy)]
struct Patch {
    end: u64,
    bytes: Bytes,
}

#[derive(Clone, Copy)]
enum Bytes {
    Zeros,
    /// One sector, the inner part of which lies at this place of the file.
    Logged {
        leading: [u8; 8],
        inner: u64,
        trailing: [u8; 4],
    },
}

/// A part of a range, and the patch over it with its first byte, where there is one.
type Piece = (Range<u64>, Option<(u64, Patch)>);

impl Replayed {
    /// `beneath`, made `length` bytes long with zeros.
    pub(super) fn new(beneath: Arc<dyn ReadAt>, length: u64) -> Self {
        Self { beneath, length, patches: BTreeMap::new() }
    }

    /// Shows zeros from `start` to `end`.
    pub(super) fn zero(&mut self, start: u64, end: u64) {
        self.put(start, Patch { end, bytes: Bytes::Zeros });
    }

    /// Shows at `start` the sector that was logged at `sector`.
    pub(super) fn write(&mut self, start: u64, leading: [u8; 8], sector: u64, trailing: [u8; 4]) {
        let bytes = Bytes::Logged { leading, inner: sector + LEADING, trailing };
        self.put(start, Patch { end: start.saturating_add(SECTOR), bytes });
    }

    /// A later patch stands over those before it.
    fn put(&mut self, start: u64, patch: Patch) {
        if start >= patch.end {
            return;
        }
        let before = self.patches.range(..start).next_back().map(|(at, other)| (*at, *other));
        if let Some((at, other)) = before.filter(|(_, other)| other.end > start) {
            self.patches.insert(at, Patch { end: start, ..other });
            if other.end > patch.end {
                self.patches.insert(patch.end, other);
            }
        }
        while let Some((at, other)) =
            self.patches.range(start..patch.end).next().map(|(at, other)| (*at, *other))
        {
            self.patches.remove(&at);
            if other.end > patch.end {
                self.patches.insert(patch.end, other);
            }
        }
        self.patches.insert(start, patch);
    }

    /// Splits a range at the borders of patches.
    fn pieces(&self, range: Range<u64>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        let before = self.patches.range(..=range.start).next_back();
        let within = self.patches.range((range.start + 1).min(range.end)..range.end);
        for (start, patch) in before.into_iter().chain(within) {
            let piece = at.max(*start)..range.end.min(patch.end);
            if piece.start >= piece.end {
                continue;
            }
            if at < piece.start {
                pieces.push((at..piece.start, None));
            }
            at = piece.end;
            pieces.push((piece, Some((*start, *patch))));
        }
        if at < range.end {
            pieces.push((at..range.end, None));
        }
        pieces
    }
}

impl ReadAt for Replayed {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut below: Vec<(u64, &mut [u8])> = Vec::with_capacity(reads.len());
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.length)?;
            let mut rest: &mut [u8] = buf;
            for (piece, patch) in self.pieces(range) {
                let (part, after) = rest.split_at_mut((piece.end - piece.start) as usize);
                rest = after;
                match patch {
                    None => {
                        let held = self.beneath.len().clamp(piece.start, piece.end) - piece.start;
                        let (held, added) = part.split_at_mut(held as usize);
                        added.fill(0);
                        below.push((piece.start, held));
                    }
                    Some((_, Patch { bytes: Bytes::Zeros, .. })) => part.fill(0),
                    Some((
                        start,
                        Patch { bytes: Bytes::Logged { leading, inner, trailing }, .. },
                    )) => {
                        let from = piece.start - start;
                        let (head, part) = cut(part, LEADING.saturating_sub(from));
                        head.copy_from_slice(tail_of(&leading, from, head.len()));
                        let from = from.max(LEADING);
                        let (body, tail) = cut(part, (SECTOR - TRAILING).saturating_sub(from));
                        let into = from.max(SECTOR - TRAILING) - (SECTOR - TRAILING);
                        tail.copy_from_slice(tail_of(&trailing, into, tail.len()));
                        below.push((inner + (from - LEADING), body));
                    }
                }
            }
        }
        below.retain(|(_, part)| !part.is_empty());
        self.beneath.read_many(&mut below)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        self.beneath.prefetch(ranges);
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let before = self.patches.range(..=offset).next_back();
        let after = self.patches.range(offset..).next();
        let patched = before
            .into_iter()
            .chain(after)
            .map(|(start, patch)| offset.max(*start)..patch.end.min(self.length))
            .find(|range| range.start < range.end);
        match (self.beneath.next_data(offset), patched) {
            (Some(data), Some(patch)) if patch.start < data.start => Some(patch),
            (Some(data), _) => Some(data),
            (None, patched) => patched,
        }
    }
}

/// Splits off the first `length` bytes, or all where there are fewer.
fn cut(buf: &mut [u8], length: u64) -> (&mut [u8], &mut [u8]) {
    let at = buf.len().min(length as usize);
    buf.split_at_mut(at)
}

/// `length` of `bytes` from `from` on; the caller has made sure that they are there.
fn tail_of(bytes: &[u8], from: u64, length: usize) -> &[u8] {
    bytes.get(from as usize..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of six sectors of `a` to `f`, the fifth of which is taken for a logged one.
    fn file() -> Vec<u8> {
        (0..6_u8).flat_map(|sector| vec![b'a' + sector; 4096]).collect()
    }

    fn whole(replayed: &Replayed) -> Vec<u8> {
        let mut bytes = vec![0xEE; replayed.len() as usize];
        replayed.read_at(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn every_range_shows_what_the_log_says() {
        let mut replayed = Replayed::new(Arc::new(file()), 8 * 4096);
        replayed.write(4096, [1; 8], 4 * 4096, [2; 4]);
        replayed.zero(3 * 4096, 4 * 4096);
        replayed.write(6 * 4096, [3; 8], 4 * 4096, [4; 4]);
        let logged = |one, other| [vec![one; 8], vec![b'e'; 4084], vec![other; 4]].concat();
        let mut wanted = file();
        wanted.resize(8 * 4096, 0);
        wanted[4096..8192].copy_from_slice(&logged(1, 2));
        wanted[3 * 4096..4 * 4096].fill(0);
        wanted[6 * 4096..7 * 4096].copy_from_slice(&logged(3, 4));
        let edges = [0, 1, 4095, 4096, 4097, 4103, 4104, 4105, 8187, 8188, 8189, 8191, 8192, 12288]
            .into_iter()
            .chain([14000, 16384, 20480, 24575, 24576, 24580, 28670, 28672, 32767, 32768]);
        let edges: Vec<usize> = edges.collect();
        for (index, start) in edges.iter().enumerate() {
            for end in &edges[index..] {
                let mut bytes = vec![0xEE; end - start];
                replayed.read_at(*start as u64, &mut bytes).unwrap();
                assert_eq!(bytes, wanted[*start..*end], "{start}..{end}");
            }
        }
        assert!(replayed.read_at(32768, &mut [0]).is_err());
        assert_eq!(replayed.next_data(24576), Some(24576..28672));
        assert_eq!(replayed.next_data(28672), None);
    }

    #[test]
    fn later_changes_cut_earlier_ones() {
        let mut replayed = Replayed::new(Arc::new(file()), 6 * 4096);
        replayed.zero(0, 6 * 4096);
        replayed.write(4096, [b'x'; 8], 4096, [b'x'; 4]);
        replayed.zero(2 * 4096, 2 * 4096);
        replayed.write(5 * 4096, [b'y'; 8], 5 * 4096, [b'y'; 4]);
        replayed.zero(4096, 2 * 4096);
        replayed.write(0, [b'z'; 8], 0, [b'z'; 4]);
        let mut wanted = vec![0; 6 * 4096];
        wanted[..4096].fill(b'a');
        wanted[5 * 4096..].fill(b'f');
        for (place, byte) in [(0, b'z'), (5 * 4096, b'y')] {
            wanted[place..place + 8].fill(byte);
            wanted[place + 4092..place + 4096].fill(byte);
        }
        assert!(whole(&replayed) == wanted);
        replayed.zero(0, 5 * 4096);
        wanted[..4096].fill(0);
        assert!(whole(&replayed) == wanted);
    }
}
