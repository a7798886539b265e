//! PE: programs of Windows.

use fathom_block::{ReadAt, Result};

use super::Section;
use crate::pe::Headers;

const WRITE: u32 = 0x8000_0000;
const DATA: u32 = 0x40;

/// The sections; nothing where this is a program of DOS.
pub(super) fn sections(reader: &dyn ReadAt) -> Result<Option<Vec<Section>>> {
    let Some(headers) = Headers::read(reader)? else { return Ok(None) };
    let base = image_base(&headers)?;
    let section = |one: crate::pe::Section| Section {
        name: one.name,
        address: base.saturating_add(one.address.into()),
        // Of the last sector of a section only a part may be meant.
        size: one.size.into(),
        offset: one.offset.into(),
        writable: one.flags & WRITE != 0 && one.flags & DATA != 0,
    };
    Ok(Some(headers.sections.into_iter().map(section).collect()))
}

/// The address that the program would like to be loaded at.
fn image_base(headers: &Headers) -> Result<u64> {
    const WIDE: u16 = 0x20B;
    let optional = headers.optional();
    if optional.len() < 32 {
        return Ok(0);
    }
    match optional.le_u16(0)? {
        WIDE => optional.le_u64(24),
        _ => optional.le_u32(28).map(u64::from),
    }
}
