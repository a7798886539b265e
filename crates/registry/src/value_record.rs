//! The record of a value: `vk`.

use fathom_block::{Fields, ReadAt, Result};

use crate::big_data::{self, PIECE};
use crate::cell::Cells;
use crate::name;

/// How much comes before the name.
const FIXED: u32 = 20;

const VALUE_COMP_NAME: u16 = 1;

/// Set in the size of data that lies in the record itself.
const RESIDENT: u32 = 1 << 31;

/// The first version whose long data is in pieces.
const FIRST_WITH_PIECES: u32 = 4;

/// What a disk writes as one.
const SECTOR: usize = 512;

/// How many zeros end a list of texts at most.
const END: usize = 4;

/// Where the data of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Here([u8; 4]),
    Cell(u32),
}

/// The fields that matter.
#[derive(Clone, Debug)]
pub(crate) struct ValueRecord {
    /// The byte of the file that the record starts at.
    pub(crate) at: u64,
    pub(crate) kind: u32,
    pub(crate) size: u32,
    pub(crate) name: Vec<u16>,
    place: Place,
}

impl ValueRecord {
    /// Reads the record in the cell at `offset`.
    pub(crate) fn read(cells: &Cells<impl ReadAt>, offset: u32) -> Result<Self> {
        const WHAT: &str = "registry value";
        let cell = cells.cell(WHAT, offset)?;
        let bytes = cells.start(WHAT, cell, FIXED + u32::from(u16::MAX))?;
        let fields = Fields::new(WHAT, cell.at, &bytes);
        if fields.bytes(0, 2)? != b"vk" {
            return Err(fields.corrupt(0, "no value is there"));
        }
        let length = usize::from(fields.le_u16(2)?);
        let compressed = fields.le_u16(16)? & VALUE_COMP_NAME != 0;
        let name = name::units(fields.bytes(FIXED as usize, length)?, compressed);
        if name::is_lost(&name) {
            return Err(fields.corrupt(FIXED as usize, "its name is nothing but zero characters"));
        }
        let size = fields.le_u32(4)?;
        let place = if size & RESIDENT != 0 {
            if size & !RESIDENT > 4 {
                let why = format!("{} bytes cannot lie in four", size & !RESIDENT);
                return Err(fields.corrupt(4, why));
            }
            Place::Here(fields.array(8)?)
        } else {
            Place::Cell(fields.le_u32(8)?)
        };
        Ok(Self { at: cell.at, kind: fields.le_u32(12)?, size: size & !RESIDENT, name, place })
    }

    /// Where in a text of this value zeros begin with a sector of the hive: what a filesystem leaves in
    /// the place of a sector that it lost. A text may end with zeros, but rarely with several that begin
    /// there.
    pub(crate) fn lost(&self, cells: &Cells<impl ReadAt>, text: &[u8]) -> Option<u64> {
        let Place::Cell(offset) = self.place else { return None };
        let start = cells.cell("data of a registry value", offset).ok()?.at;
        if text.len() > PIECE as usize {
            return None;
        }
        let first = (start.next_multiple_of(SECTOR as u64) - start) as usize;
        let mut borders = (first..text.len()).step_by(SECTOR);
        let is_lost = |border: &usize| {
            let behind = text.get(*border..).unwrap_or_default();
            let sector = behind.get(..SECTOR).unwrap_or(behind);
            let before = text.get(..*border).unwrap_or_default();
            sector.len() > END && sector.iter().all(|byte| *byte == 0) && !before.ends_with(&[0; 2])
        };
        borders.find(is_lost).map(|border| start + border as u64)
    }

    /// The data. Fewer bytes than its size come back where its cell is smaller, as there are in
    /// healthy hives.
    pub(crate) fn data(&self, cells: &Cells<impl ReadAt>) -> Result<Vec<u8>> {
        const WHAT: &str = "data of a registry value";
        let offset = match self.place {
            Place::Here(bytes) => return Ok(bytes.into_iter().take(self.size as usize).collect()),
            Place::Cell(_) if self.size == 0 => return Ok(Vec::new()),
            Place::Cell(offset) => offset,
        };
        let cell = cells.cell(WHAT, offset)?;
        // Some writers put long data into one cell no matter the version.
        let pieces =
            self.size > PIECE && cells.minor >= FIRST_WITH_PIECES && cell.length < self.size;
        if pieces && cells.record(WHAT, cell)?.0 == *b"db" {
            return big_data::read(cells, cell, self.size);
        }
        cells.start(WHAT, cell, self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Builder, value};

    fn check(change: impl Fn(&mut Builder, &mut Vec<u8>), expected: &str) {
        let mut hive = Builder::new(5);
        let mut record = value(b"Name", 3, 0x8000_0002, u32::from_le_bytes(*b"data"));
        change(&mut hive, &mut record);
        let offset = hive.cell(&record);
        let cells = Cells::new(hive.image(offset), 5);
        let said = match ValueRecord::read(&cells, offset) {
            Ok(value) => match value.data(&cells) {
                Ok(data) => {
                    let name = String::from_utf16_lossy(&value.name);
                    format!("{name} {} {} of {}", data.escape_ascii(), data.len(), value.size)
                }
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expected), "{said}");
    }

    fn put(hive: &mut Builder, record: &mut [u8], size: u32, data: &[u8]) {
        let cell = hive.cell(data);
        record[4..8].copy_from_slice(&size.to_le_bytes());
        record[8..12].copy_from_slice(&cell.to_le_bytes());
    }

    #[test]
    fn values_right_and_wrong() {
        check(|_, _| (), "Name da 2 of 2");
        check(|_, value| value[4] = 4, "Name data 4 of 4");
        check(|_, value| value[4] = 0, "Name  0 of 0");
        check(|_, value| value[4] = 5, "5 bytes cannot lie in four");
        check(|_, value| value[16] = 0, "慎敭 da");
        check(|_, value| value[0] = b'x', "no value is there");
        check(|_, value| value[20..].fill(0), "zero characters");
        check(|_, value| value[3] = 0xFF, "bytes are wanted");
        check(|_, value| value.truncate(10), "bytes are wanted");
        check(|hive, value| put(hive, value, 7, b"1234567"), "Name 1234567 7 of 7");
        check(|hive, value| put(hive, value, 0, b"1234567"), "Name  0 of 0");
        check(|hive, value| put(hive, value, 100, b"123456789012"), "12 of 100");
        check(|hive, value| put(hive, value, 20_000, &[0; 20_000]), "20000 of 20000");
        check(|hive, value| put(hive, value, 20_000, b"db\0\0\0\0\0\0"), "0 pieces cannot hold");
        check(|hive, value| put(hive, value, i32::MAX as u32, b"12345678"), "of 2147483647");
        check(|_, value| value[4..12].copy_from_slice(&[9, 0, 0, 0, 1, 0, 0, 0]), "no cell starts");
    }

    #[test]
    fn zeros_from_a_sector_on_are_no_text() {
        let text: Vec<u8> = "a".repeat(600).encode_utf16().flat_map(u16::to_le_bytes).collect();
        // The cell is the first, so that sectors of the file begin at these places of the text.
        let (first, second) = (476, 988);
        let check = |zeros: std::ops::Range<usize>, length: usize, expected: Option<usize>| {
            let mut text = text[..length].to_vec();
            text[zeros.clone()].fill(0);
            let mut hive = Builder::new(5);
            let cell = hive.cell(&text);
            let offset = hive.cell(&value(b"Name", 1, length as u32, cell));
            let cells = Cells::new(hive.image(offset), 5);
            let record = ValueRecord::read(&cells, offset).unwrap();
            let lost = record.lost(&cells, &record.data(&cells).unwrap());
            assert_eq!(lost, expected.map(|at| 4096 + 36 + at as u64), "{zeros:?} of {length}");
        };
        check(1198..1200, 1200, None);
        check(first..second, 1200, Some(first));
        check(second..1200, 1200, Some(second));
        check(first..600, 600, Some(first));
        check(first..600, 700, None);
        // The end of a text, or what was longer once and is no more.
        check(first..first + 2, first + 2, None);
        check(first..first + 4, first + 4, None);
        check(first - 2..1200, 1200, None);
        check(0..1200, 1200, None);
    }
}
