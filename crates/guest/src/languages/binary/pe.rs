//! PE: programs of Windows.

use fathom_block::{Fields, ReadAt, Result, read_vec};

use super::{Section, fixed};

const HEADER: u64 = 24;
const SECTION: usize = 40;
const WRITE: u32 = 0x8000_0000;
const DATA: u32 = 0x40;

/// The sections; nothing where this is a program of DOS.
pub(super) fn sections(reader: &dyn ReadAt, head: &[u8]) -> Result<Option<Vec<Section>>> {
    let at = u64::from(Fields::new("DOS header", 0, head).le_u32(0x3C)?);
    if at.checked_add(HEADER).is_none_or(|stop| stop > reader.len()) {
        return Ok(None);
    }
    let header = read_vec(reader, "PE header", at, HEADER)?;
    let header = Fields::new("PE header", at, &header);
    if header.array(0)? != *b"PE\0\0" {
        return Ok(None);
    }
    let (count, optional) = (u64::from(header.le_u16(6)?), u64::from(header.le_u16(20)?));
    let base = image_base(reader, at + HEADER, optional)?;
    let start = at + HEADER + optional;
    let table = read_vec(reader, "table of sections", start, count * SECTION as u64)?;
    let table = Fields::new("table of sections", start, &table);
    let mut sections = Vec::new();
    for index in 0..count as usize {
        let one = table.part("section", index * SECTION, SECTION)?;
        let flags = one.le_u32(36)?;
        sections.push(Section {
            name: fixed(one.bytes(0, 8)?),
            address: base.saturating_add(one.le_u32(12)?.into()),
            // Of the last sector of a section only a part may be meant.
            size: one.le_u32(16)?.into(),
            offset: one.le_u32(20)?.into(),
            writable: flags & WRITE != 0 && flags & DATA != 0,
        });
    }
    Ok(Some(sections))
}

/// The address that the program would like to be loaded at.
fn image_base(reader: &dyn ReadAt, at: u64, length: u64) -> Result<u64> {
    const WIDE: u16 = 0x20B;
    if length < 32 {
        return Ok(0);
    }
    let optional = read_vec(reader, "PE header", at, 32)?;
    let optional = Fields::new("PE header", at, &optional);
    match optional.le_u16(0)? {
        WIDE => optional.le_u64(24),
        _ => optional.le_u32(28).map(u64::from),
    }
}
