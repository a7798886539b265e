//! Cells: what records and data lie in. A negative size says that the cell is in use.

use fathom_block::{Error, Fields, ReadAt, Result, read_array, read_vec};

use crate::base_block::LENGTH;
use crate::bin::{Bins, HEADER};

/// The offset that stands for nothing.
pub(crate) const NIL: u32 = u32::MAX;

/// A cell in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The byte of the file that its content starts at.
    pub(crate) at: u64,
    /// How long its content is.
    pub(crate) length: u32,
}

/// The cells of a hive.
pub(crate) struct Cells<R> {
    pub(crate) hive: R,
    pub(crate) minor: u32,
    bins: Bins,
}

impl<R: ReadAt> Cells<R> {
    /// The cells of a hive of version 1 and `minor`.
    pub(crate) fn new(hive: R, minor: u32) -> Self {
        Self { hive, minor, bins: Bins::default() }
    }

    /// The cell at `offset`, which is to hold `what`.
    pub(crate) fn cell(&self, what: &str, offset: u32) -> Result<Cell> {
        let at = LENGTH + u64::from(offset);
        let corrupt = |why: String| Error::corrupt(what, at, why);
        if !offset.is_multiple_of(8) {
            return Err(corrupt("no cell starts there".to_owned()));
        }
        if at >= self.hive.len() {
            return Err(corrupt(format!("the hive ends at byte {}", self.hive.len())));
        }
        let bin = self.bins.holding(&self.hive, offset).map_err(|error| error.within(what))?;
        if offset - bin.start < HEADER {
            return Err(corrupt("the header of a bin lies there".to_owned()));
        }
        let size = i32::from_le_bytes(read_array(&self.hive, what, at)?);
        if size >= 0 {
            return Err(corrupt("it lies in a cell that is free".to_owned()));
        }
        // Version 1.1 has the place of the cell before here.
        let header = if self.minor == 1 { 8 } else { 4 };
        let size = size.unsigned_abs();
        if !size.is_multiple_of(8) || size < 8 || size > bin.end - offset {
            return Err(corrupt(format!("its cell cannot be {size} bytes long")));
        }
        Ok(Cell { at: at + header, length: size - header as u32 })
    }

    /// The first bytes of a cell, at most `most`.
    pub(crate) fn start(&self, what: &str, cell: Cell, most: u32) -> Result<Vec<u8>> {
        read_vec(&self.hive, what, cell.at, u64::from(cell.length.min(most)))
    }

    /// The two letters that a record starts with, and the number behind them.
    pub(crate) fn record(&self, what: &str, cell: Cell) -> Result<([u8; 2], u16)> {
        let start = self.start(what, cell, 4)?;
        let fields = Fields::new(what, cell.at, &start);
        Ok((fields.array(0)?, fields.le_u16(2)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(minor: u32, offset: u32, size: i32, expected: std::result::Result<(u64, u32), &str>) {
        let mut hive = vec![0; 4096 * 3];
        hive[4096..4108].copy_from_slice(b"hbin\0\0\0\0\0\x10\0\0");
        let at = 4096 + offset as usize;
        if let Some(place) = hive.get_mut(at..at + 4) {
            place.copy_from_slice(&size.to_le_bytes());
        }
        match (Cells::new(hive, minor).cell("thing", offset), expected) {
            (Ok(cell), expected) => assert_eq!(Ok((cell.at, cell.length)), expected),
            (Err(error), Err(words)) => {
                let said = error.to_string();
                assert!(said.contains("thing") && said.contains(words), "{said}");
                assert_eq!(error.offset(), Some(4096 + u64::from(offset)));
            }
            (Err(error), expected) => panic!("{error}, expected {expected:?}"),
        }
    }

    #[test]
    fn cells_right_and_wrong() {
        check(5, 32, -16, Ok((4132, 12)));
        check(1, 32, -16, Ok((4136, 8)));
        check(1, 32, -8, Ok((4136, 0)));
        check(5, 32, -4064, Ok((4132, 4060)));
        check(5, 36, -16, Err("no cell starts"));
        check(5, 32, 16, Err("free"));
        check(5, 32, 0, Err("free"));
        check(5, 32, -4072, Err("cannot be 4072"));
        check(5, 32, -12, Err("cannot be 12"));
        check(5, 32, -4, Err("cannot be 4 "));
        check(5, 32, i32::MIN, Err("cannot be 2147483648"));
        check(5, 24, -8, Err("header of a bin"));
        check(5, 4096, -16, Err("in no bin"));
        check(5, 8192, -16, Err("ends at byte 12288"));
        check(5, u32::MAX - 7, -16, Err("ends at byte"));
    }
}
