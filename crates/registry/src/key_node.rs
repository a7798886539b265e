//! The record of a key: `nk`.

use fathom_block::{Fields, ReadAt, Result};

use crate::cell::Cells;
use crate::filetime::Filetime;
use crate::name;

/// How much comes before the name.
const FIXED: u32 = 76;

const KEY_COMP_NAME: u16 = 0x20;
const KEY_SYM_LINK: u16 = 0x10;
/// The fields of the values hold something else, and there are no values.
const KEY_PREDEF_HANDLE: u16 = 0x40;

/// The fields that matter.
#[derive(Debug)]
pub(crate) struct KeyNode {
    /// The byte of the file that the record starts at.
    pub(crate) at: u64,
    pub(crate) is_link: bool,
    pub(crate) last_written: Filetime,
    pub(crate) parent: u32,
    pub(crate) subkeys: u32,
    pub(crate) subkeys_list: u32,
    pub(crate) values: u32,
    pub(crate) values_list: u32,
    pub(crate) class: u32,
    pub(crate) class_length: u16,
    pub(crate) name: Vec<u16>,
}

impl KeyNode {
    /// Reads the record in the cell at `offset`.
    pub(crate) fn read(cells: &Cells<impl ReadAt>, offset: u32) -> Result<Self> {
        const WHAT: &str = "registry key";
        let cell = cells.cell(WHAT, offset)?;
        let bytes = cells.start(WHAT, cell, FIXED + u32::from(u16::MAX))?;
        let fields = Fields::new(WHAT, cell.at, &bytes);
        if fields.bytes(0, 2)? != b"nk" {
            return Err(fields.corrupt(0, "no key is there"));
        }
        let flags = fields.le_u16(2)?;
        let length = usize::from(fields.le_u16(72)?);
        let name = name::units(fields.bytes(FIXED as usize, length)?, flags & KEY_COMP_NAME != 0);
        if name::is_lost(&name) {
            return Err(fields.corrupt(FIXED as usize, "its name is nothing but zero characters"));
        }
        let values = fields.le_u32(36)?;
        Ok(Self {
            at: cell.at,
            is_link: flags & KEY_SYM_LINK != 0,
            last_written: Filetime(fields.le_u64(4)?),
            parent: fields.le_u32(16)?,
            subkeys: fields.le_u32(20)?,
            subkeys_list: fields.le_u32(28)?,
            values: if flags & KEY_PREDEF_HANDLE != 0 { 0 } else { values },
            values_list: fields.le_u32(40)?,
            class: fields.le_u32(48)?,
            class_length: fields.le_u16(74)?,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Builder, key};

    fn check(change: impl Fn(&mut Vec<u8>), expected: &str) {
        let mut record = key(b"Name", 0);
        change(&mut record);
        let mut hive = Builder::new(5);
        let offset = hive.cell(&record);
        let said = match KeyNode::read(&Cells::new(hive.image(offset), 5), offset) {
            Ok(node) => format!("{} {node:?}", String::from_utf16_lossy(&node.name)),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn keys_right_and_wrong() {
        check(|_| (), "Name");
        check(|key| key[0] = b'x', "at byte 4132: no key is there");
        check(|key| key.truncate(30), "bytes are wanted");
        check(|key| key[73] = 0xFF, "bytes are wanted");
        check(|key| key[2] &= !0x20, "慎敭");
        check(|key| key[76..].fill(0), "zero characters");
        check(|key| key[2] |= 0x50, "is_link: true");
        check(
            |key| {
                key[2] |= 0x40;
                key[36] = 9;
            },
            "values: 0,",
        );
    }
}
