//! Arrays of numbers in an image: block maps, allocation tables, directories.
//!
//! They may be as large as the image's author likes, so they are never read whole. A piece is read
//! when one of its entries is asked for, and the last few pieces are remembered.

use std::sync::Arc;

use crate::cache::Decoded;
use crate::error::{Error, Result};
use crate::read::{ReadAt, read_vec};

/// How many entries are read at once.
const PIECE: u64 = 2048;

/// How many bytes of decoded pieces one table remembers.
const CEILING: usize = 256 << 10;

/// How an entry is spelled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spelling {
    /// Little-endian, 32 bits.
    Le32,
    /// Big-endian, 32 bits.
    Be32,
    /// Little-endian, 64 bits.
    Le64,
}

impl Spelling {
    fn width(self) -> u64 {
        match self {
            Self::Le32 | Self::Be32 => 4,
            Self::Le64 => 8,
        }
    }

    fn decode(self, bytes: &[u8]) -> Vec<u64> {
        let four = |entry: &[u8]| entry.try_into().unwrap_or_default();
        match self {
            Self::Le32 => {
                bytes.chunks_exact(4).map(|entry| u32::from_le_bytes(four(entry)).into()).collect()
            }
            Self::Be32 => {
                bytes.chunks_exact(4).map(|entry| u32::from_be_bytes(four(entry)).into()).collect()
            }
            Self::Le64 => bytes
                .chunks_exact(8)
                .map(|entry| u64::from_le_bytes(entry.try_into().unwrap_or_default()))
                .collect(),
        }
    }
}

/// An array of numbers in an image.
pub(crate) struct Table {
    source: Arc<dyn ReadAt>,
    what: &'static str,
    start: u64,
    count: u64,
    spelling: Spelling,
    pieces: Decoded<u64, Vec<u64>>,
}

impl Table {
    /// The `count` entries at byte `start` of `source`, called `what` in errors. All of them must
    /// lie within the source.
    pub(crate) fn new(
        source: Arc<dyn ReadAt>,
        what: &'static str,
        start: u64,
        count: u64,
        spelling: Spelling,
    ) -> Result<Self> {
        let end = count.checked_mul(spelling.width()).and_then(|length| start.checked_add(length));
        if end.is_none_or(|end| end > source.len()) {
            return Err(Error::corrupt(
                what,
                start,
                format!("its {count} entries pass the image's end at byte {}", source.len()),
            ));
        }
        Ok(Self { source, what, start, count, spelling, pieces: Decoded::new(CEILING) })
    }

    /// How many entries there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The byte offset of an entry, for errors.
    pub(crate) fn position(&self, index: u64) -> u64 {
        self.start.saturating_add(index.saturating_mul(self.spelling.width()))
    }

    /// The error that an entry contradicts the format.
    pub(crate) fn corrupt(&self, index: u64, why: impl Into<String>) -> Error {
        Error::corrupt(format!("{} entry {index}", self.what), self.position(index), why)
    }

    /// The entry at `index`.
    pub(crate) fn get(&self, index: u64) -> Result<u64> {
        if index >= self.count {
            return Err(self.corrupt(index, format!("the table has {} entries", self.count)));
        }
        let piece = self.piece(index / PIECE)?;
        // The piece is as long as it was asked to be, so that the entry is there.
        Ok(piece.get((index % PIECE) as usize).copied().unwrap_or_default())
    }

    /// How many entries from `index` on are the same as the one there, as far as one look tells.
    pub(crate) fn repeats(&self, index: u64) -> Result<u64> {
        let first = self.get(index)?;
        let piece = self.piece(index / PIECE)?;
        let rest = piece.get((index % PIECE) as usize..).unwrap_or_default();
        Ok(rest.iter().take_while(|entry| **entry == first).count().max(1) as u64)
    }

    fn piece(&self, number: u64) -> Result<Arc<Vec<u64>>> {
        self.pieces.get_or(
            &number,
            |piece| piece.len() * 8,
            || {
                let first = number * PIECE;
                let count = PIECE.min(self.count - first);
                let length = count * self.spelling.width();
                let bytes = read_vec(&*self.source, self.what, self.position(first), length)?;
                Ok(self.spelling.decode(&bytes))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_across_pieces_in_every_spelling() {
        let numbers: Vec<u32> = (0..5000).map(|number| number / 3 * 7).collect();
        let little: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let big: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let wide: Vec<u8> =
            numbers.iter().flat_map(|number| (u64::from(*number) << 33).to_le_bytes()).collect();
        let cases =
            [(little, Spelling::Le32, 0), (big, Spelling::Be32, 0), (wide, Spelling::Le64, 33)];
        for (bytes, spelling, shift) in cases {
            let mut image = vec![0xEE; 100];
            image.extend(bytes);
            let table = Table::new(Arc::new(image), "map", 100, 5000, spelling).unwrap();
            for (index, number) in numbers.iter().enumerate() {
                assert_eq!(table.get(index as u64).unwrap(), u64::from(*number) << shift);
            }
            assert_eq!(table.repeats(3).unwrap(), 3);
            assert_eq!(table.repeats(5).unwrap(), 1);
            assert!(table.get(5000).is_err());
        }
    }

    #[test]
    fn a_table_that_passes_the_end_is_refused() {
        let image: Arc<dyn ReadAt> = Arc::new(vec![0; 100]);
        assert!(Table::new(image.clone(), "map", 0, 25, Spelling::Le32).is_ok());
        for (start, count) in [(0, 26), (97, 1), (u64::MAX, 1), (0, u64::MAX)] {
            let table = Table::new(image.clone(), "map", start, count, Spelling::Le32);
            assert!(table.is_err(), "{start} {count}");
        }
    }
}
