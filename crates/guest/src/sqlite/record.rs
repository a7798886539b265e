//! A row: a header that says of what type and length each value is, and the values.

use fathom_block::{Fields, Result};

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Nothing; also the column that is the row's identifier.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text, in the encoding of the database.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// A row.
pub(crate) struct Record<'a> {
    /// Its identifier.
    pub(crate) id: i64,
    fields: Fields<'a>,
}

impl<'a> Record<'a> {
    pub(super) fn new(id: i64, bytes: &'a [u8]) -> Self {
        Self { id, fields: Fields::new("row", 0, bytes) }
    }

    /// The value of the column, counted from nought. Of columns that were added after the row was
    /// written there is none.
    pub(crate) fn value(&self, column: usize) -> Result<Value<'a>> {
        let row = &self.fields;
        let (header, mut at) = varint(row, 0)?;
        let header = match usize::try_from(header) {
            Ok(header) if header <= row.len() => header,
            _ => return Err(row.corrupt(0, format!("a header of {header} bytes"))),
        };
        let mut content = header;
        let mut index = 0;
        while at < header {
            let (kind, size) = varint(row, at)?;
            let length = match kind {
                0 | 8 | 9 => 0,
                1..=4 => kind,
                5 => 6,
                6 | 7 => 8,
                10 | 11 => return Err(row.corrupt(at, format!("a value of type {kind}"))),
                _ => (kind - 12) / 2,
            };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if index == column {
                return value(kind, row.bytes(content, length)?);
            }
            content = content.saturating_add(length);
            index += 1;
            at += size;
        }
        Ok(Value::Null)
    }
}

fn value(kind: u64, bytes: &[u8]) -> Result<Value<'_>> {
    Ok(match kind {
        0 => Value::Null,
        1..=6 => {
            // The first byte has the sign.
            let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1 } else { 0 };
            Value::Integer(bytes.iter().fold(start, |n, byte| n << 8 | i64::from(*byte)))
        }
        7 => Value::Real(f64::from_be_bytes(Fields::new("number", 0, bytes).array(0)?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        kind if kind % 2 == 0 => Value::Blob(bytes),
        _ => Value::Text(bytes),
    })
}

/// A number in one to nine bytes, and in how many.
pub(super) fn varint(fields: &Fields<'_>, at: usize) -> Result<(u64, usize)> {
    let mut number = 0;
    for size in 0..8 {
        let byte = fields.u8(at.saturating_add(size))?;
        number = number << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Ok((number, size + 1));
        }
    }
    Ok((number << 8 | u64::from(fields.u8(at.saturating_add(8))?), 9))
}
