//! A disk whose bytes are spread over several readers, one behind the other: the extents of a VMDK,
//! the chunks of a file in an open virtualization archive.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::read::{ReadAt, check_range};

/// Readers one behind the other.
pub(crate) struct Joined {
    parts: Vec<Part>,
    length: u64,
}

struct Part {
    start: u64,
    reader: Arc<dyn ReadAt>,
}

impl Part {
    fn end(&self) -> u64 {
        self.start + self.reader.len()
    }
}

impl Joined {
    /// `readers` in their order.
    pub(crate) fn new(readers: impl IntoIterator<Item = Arc<dyn ReadAt>>) -> Result<Self> {
        let mut length = 0_u64;
        let mut parts = Vec::new();
        for reader in readers {
            let start = length;
            length = length.checked_add(reader.len()).ok_or_else(|| {
                Error::corrupt("joined parts", start, "together they are longer than 2^64 bytes")
            })?;
            if length > start {
                parts.push(Part { start, reader });
            }
        }
        Ok(Self { parts, length })
    }

    /// The index of the part that holds `offset`.
    fn index(&self, offset: u64) -> usize {
        self.parts.partition_point(|part| part.end() <= offset)
    }
}

impl ReadAt for Joined {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut pieces: Vec<(usize, u64, &mut [u8])> = Vec::with_capacity(reads.len());
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.length)?;
            let mut rest: &mut [u8] = buf;
            let mut at = range.start;
            let first = self.index(at);
            for (index, part) in self.parts.iter().enumerate().skip(first) {
                if at >= range.end {
                    break;
                }
                let length = part.end().min(range.end) - at;
                let (piece, after) = rest.split_at_mut(length as usize);
                pieces.push((index, at - part.start, piece));
                rest = after;
                at += length;
            }
        }
        pieces.sort_by_key(|(index, ..)| *index);
        let mut pieces = pieces.into_iter().peekable();
        while let Some((index, offset, buf)) = pieces.next() {
            let mut below = vec![(offset, buf)];
            while let Some((_, offset, buf)) = pieces.next_if(|(next, ..)| *next == index) {
                below.push((offset, buf));
            }
            if let Some(part) = self.parts.get(index) {
                part.reader.read_many(&mut below)?;
            }
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        for part in &self.parts {
            let inner: Vec<_> = ranges
                .iter()
                .map(|range| range.start.max(part.start)..range.end.min(part.end()))
                .filter(|range| range.start < range.end)
                .map(|range| range.start - part.start..range.end - part.start)
                .collect();
            if !inner.is_empty() {
                part.reader.prefetch(&inner);
            }
        }
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        self.parts.iter().skip(self.index(offset)).find_map(|part| {
            let data = part.reader.next_data(offset.saturating_sub(part.start))?;
            Some(part.start + data.start..part.start + data.end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Zeros;

    #[test]
    fn every_range_reads_as_if_the_parts_were_one() {
        let parts: [Arc<dyn ReadAt>; 5] = [
            Arc::new((0..10).collect::<Vec<u8>>()),
            Arc::new(Zeros(5)),
            Arc::new(Vec::new()),
            Arc::new(vec![7; 1]),
            Arc::new((20..30).collect::<Vec<u8>>()),
        ];
        let mut wanted: Vec<u8> = (0..10).collect();
        wanted.extend([0; 5]);
        wanted.push(7);
        wanted.extend(20..30);
        let joined = Joined::new(parts).unwrap();
        assert_eq!(joined.len(), 26);
        for start in 0..26 {
            for end in start..=26 {
                let (mut one, mut other) = (vec![0xEE; end - start], vec![0xEE; 26 - end]);
                joined
                    .read_many(&mut [(end as u64, &mut other), (start as u64, &mut one)])
                    .unwrap();
                assert_eq!(one, wanted[start..end]);
                assert_eq!(other, wanted[end..]);
            }
        }
        assert!(joined.read_at(20, &mut [0; 7]).is_err());
        assert_eq!(joined.next_data(3), Some(3..10));
        assert_eq!(joined.next_data(10), Some(15..16));
        assert_eq!(joined.next_data(26), None);
        joined.prefetch(&[0..26, 3..4]);
    }

    #[test]
    fn parts_longer_than_anything_are_refused() {
        let huge: Arc<dyn ReadAt> = Arc::new(Zeros(u64::MAX));
        assert!(Joined::new([huge.clone(), huge]).is_err());
    }
}
