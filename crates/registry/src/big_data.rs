//! Data too long for one cell, since version 1.4: a record `db` names the cells of its pieces.

use fathom_block::{Error, Fields, MAX_ALLOCATION, ReadAt, Result};

use crate::cell::{Cell, Cells};

/// How long every piece but the last is: the longest data that lies in one cell.
pub(crate) const PIECE: u32 = 16344;

const WHAT: &str = "pieces of a registry value";

/// Reads `size` bytes of the pieces that the record in `cell` names. Fewer come back where they
/// have fewer.
pub(crate) fn read(cells: &Cells<impl ReadAt>, cell: Cell, size: u32) -> Result<Vec<u8>> {
    let record = cells.start(WHAT, cell, 8)?;
    let record = Fields::new(WHAT, cell.at, &record);
    if record.bytes(0, 2)? != b"db" {
        return Err(record.corrupt(0, "no list of pieces is there"));
    }
    let count = u32::from(record.le_u16(2)?);
    if count < size.div_ceil(PIECE) {
        let why = format!("{count} pieces cannot hold {size} bytes");
        return Err(record.corrupt(2, why));
    }
    if size as usize > MAX_ALLOCATION {
        let why = format!("{size} bytes; at most {MAX_ALLOCATION} are read");
        return Err(Error::unsupported(WHAT, why).at(cell.at));
    }
    let list = cells.cell(WHAT, record.le_u32(4)?)?;
    let offsets = cells.start(WHAT, list, count * 4)?;
    let offsets = Fields::new(WHAT, list.at, &offsets);
    let mut data = Vec::new();
    for index in 0..size.div_ceil(PIECE) {
        let piece = cells.cell(WHAT, offsets.le_u32(index as usize * 4)?)?;
        let wanted = (size - data.len() as u32).min(PIECE);
        let bytes = cells.start(WHAT, piece, wanted)?;
        let short = (bytes.len() as u32) < wanted;
        data.extend(bytes);
        if short {
            // What follows would come to lie in the wrong place.
            if index + 1 < size.div_ceil(PIECE) {
                let why = format!("a piece has less than {PIECE} bytes");
                return Err(Error::corrupt(WHAT, piece.at, why));
            }
            break;
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Builder;

    fn check(
        pieces: &[usize],
        size: u32,
        change: impl Fn(&mut Vec<u8>),
        expected: std::result::Result<usize, &str>,
    ) {
        let mut hive = Builder::new(5);
        let pieces: Vec<u32> = pieces.iter().map(|size| hive.cell(&vec![7; *size])).collect();
        let list: Vec<u8> = pieces.iter().flat_map(|piece| piece.to_le_bytes()).collect();
        let list = hive.cell(&list);
        let mut record = b"db".to_vec();
        record.extend((pieces.len() as u16).to_le_bytes());
        record.extend(list.to_le_bytes());
        change(&mut record);
        let record = hive.cell(&record);
        let cells = Cells::new(hive.image(0), 5);
        let read = read(&cells, cells.cell("record", record).unwrap(), size);
        match read {
            Ok(data) => assert_eq!(Ok(data.len()), expected),
            Err(error) => {
                let said = error.to_string();
                assert!(expected.is_err_and(|words| said.contains(words)), "{said}");
            }
        }
    }

    #[test]
    fn pieces_right_and_wrong() {
        check(&[16344, 16348, 100], 32_700, |_| (), Ok(32_700));
        check(&[16344, 16344], 32_688, |_| (), Ok(32_688));
        check(&[16344, 4], 16_400, |_| (), Ok(16_348));
        check(&[16344, 100, 16344], 40_000, |_| (), Err("less than 16344"));
        check(&[16344], 20_000, |_| (), Err("1 pieces cannot hold 20000 bytes"));
        check(&[16344, 16344], 20_000, |record| record[0] = b'x', Err("no list of pieces"));
        check(&[16344, 16344], 20_000, |record| record[4..].fill(0xFF), Err("no cell starts"));
        check(&[4; 2000], 17 << 20, |_| (), Err("at most 16777216 are read"));
        check(&[16344, 16344], 60_000, |record| record[2] = 9, Err("header of a bin"));
    }
}
