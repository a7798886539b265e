//! $ATTRIBUTE_LIST: which records the attributes of a large file lie in.
//!
//! A file with more attributes than its record has room for lists all of them, itself excepted, in
//! the order of their types and names. The list may itself lie in clusters.

use fathom_block::{Fields, Result};

use super::record::Reference;

/// The longest list; Windows has the same limit.
pub(super) const MAX_LENGTH: u64 = 256 << 10;

/// Where one attribute, or one part of one, lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListEntry {
    pub(super) kind: u32,
    /// The name in UTF-16LE.
    pub(super) name: Vec<u8>,
    /// The first cluster of the value that the part maps.
    pub(super) lowest_vcn: u64,
    /// The record that holds it.
    pub(super) record: Reference,
    /// Which of that record's attributes it is.
    pub(super) instance: u16,
}

/// The entries of the list.
pub(super) fn parse(list: &Fields<'_>) -> Result<Vec<ListEntry>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < list.len() {
        let length = usize::from(list.le_u16(at + 4)?);
        if length < 26 {
            return Err(list.corrupt(at + 4, format!("an entry of {length} bytes")));
        }
        let entry = list.part("attribute list", at, length)?;
        let name_length = 2 * usize::from(entry.u8(6)?);
        entries.push(ListEntry {
            kind: entry.le_u32(0)?,
            name: match name_length {
                0 => Vec::new(),
                _ => entry.bytes(usize::from(entry.u8(7)?), name_length)?.to_vec(),
            },
            lowest_vcn: entry.le_u64(8)?,
            record: Reference::new(entry.le_u64(16)?),
            instance: entry.le_u16(24)?,
        });
        at += length;
    }
    Ok(entries)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An entry in its form on disk.
    pub(crate) fn entry(kind: u32, lowest_vcn: u64, record: u64, instance: u16) -> Vec<u8> {
        let mut bytes = vec![0; 32];
        bytes[..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..6].copy_from_slice(&32u16.to_le_bytes());
        bytes[7] = 26;
        bytes[8..16].copy_from_slice(&lowest_vcn.to_le_bytes());
        bytes[16..24].copy_from_slice(&(record | 1 << 48).to_le_bytes());
        bytes[24..26].copy_from_slice(&instance.to_le_bytes());
        bytes
    }

    #[test]
    fn entries_are_read_to_the_end() {
        let mut list = entry(0x10, 0, 5, 0);
        list.extend(entry(0x80, 7, 40, 2));
        let entries = parse(&Fields::new("attribute list", 0, &list)).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[1].kind, entries[1].lowest_vcn, entries[1].instance), (0x80, 7, 2));
        assert_eq!(entries[1].record, Reference { record: 40, sequence: 1 });
    }

    #[test]
    fn nonsense_is_corrupt() {
        for (at, value) in [(4, 0), (4, 25), (4, 40), (6, 20)] {
            let mut list = entry(0x10, 0, 5, 0);
            list[at] = value;
            assert!(parse(&Fields::new("attribute list", 0, &list)).is_err(), "{at} = {value}");
        }
    }
}
