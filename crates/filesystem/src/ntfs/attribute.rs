//! An attribute: everything a file has is one, its names and times as well as its bytes.
//!
//! A small value lies in the record itself (*resident*); a large one lies in clusters that a run
//! list names. A value whose run list does not fit into one record is continued by further
//! attributes of the same type and name, each of which says with which cluster it goes on.

use fathom_block::{Fields, Result};

/// Ends the attributes of a record.
pub(super) const END: u32 = 0xFFFF_FFFF;

/// Times and DOS attributes.
pub(super) const STANDARD_INFORMATION: u32 = 0x10;
/// Which other records this file's attributes lie in.
pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
/// A name and the directory that holds it.
pub(super) const FILE_NAME: u32 = 0x30;
/// The volume's label.
pub(super) const VOLUME_NAME: u32 = 0x60;
/// The version of NTFS, and whether the volume is dirty.
pub(super) const VOLUME_INFORMATION: u32 = 0x70;
/// The bytes.
pub(super) const DATA: u32 = 0x80;
/// The top of a directory's tree.
pub(super) const INDEX_ROOT: u32 = 0x90;
/// The other nodes of that tree.
pub(super) const INDEX_ALLOCATION: u32 = 0xA0;
/// Which of those nodes are in use.
pub(super) const BITMAP: u32 = 0xB0;
/// What a symbolic link, mount point or other special file is.
pub(super) const REPARSE_POINT: u32 = 0xC0;
/// The extended attributes of OS/2 and of the Windows Subsystem for Linux.
pub(super) const EA: u32 = 0xE0;

/// The bits of the flags that name a way of compression.
pub(super) const COMPRESSION: u16 = 0x00FF;
/// Encrypted by EFS.
pub(super) const ENCRYPTED: u16 = 0x4000;
/// With holes.
pub(super) const SPARSE: u16 = 0x8000;

/// One attribute of one record.
#[derive(Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) kind: u32,
    /// The name in UTF-16LE; empty for most.
    pub(super) name: &'a [u8],
    pub(super) flags: u16,
    /// Tells it from the record's other attributes.
    pub(super) instance: u16,
    pub(super) value: Value<'a>,
}

/// Where the value is.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// Here.
    Resident(Fields<'a>),
    /// In clusters.
    NonResident(NonResident<'a>),
}

/// A value, or a part of one, in clusters.
#[derive(Clone, Copy)]
pub(super) struct NonResident<'a> {
    /// The first of the value's clusters that this part maps.
    pub(super) lowest_vcn: u64,
    /// The cluster after the last one.
    pub(super) end_vcn: u64,
    pub(super) mapping_pairs: Fields<'a>,
    /// What only the first part says.
    pub(super) sizes: Sizes,
}

/// How long a value is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    /// The power of two of clusters that are compressed together; zero where none are.
    pub(super) compression_unit: u8,
    /// The bytes of its clusters, holes included.
    pub(super) allocated: u64,
    /// Its length.
    pub(super) data: u64,
    /// How much of it was ever written. The rest reads as zeros, whatever its clusters hold.
    pub(super) initialized: u64,
    /// The bytes of its clusters without the holes.
    pub(super) total_allocated: u64,
}

impl<'a> Attribute<'a> {
    /// The attribute at `at` of a record, and its length.
    pub(super) fn parse(record: &Fields<'a>, at: usize) -> Result<(Self, usize)> {
        let length = record.le_u32(at + 4)? as usize;
        if length < 24 || !length.is_multiple_of(8) {
            return Err(record.corrupt(at + 4, format!("an attribute of {length} bytes")));
        }
        let fields = record.part("attribute", at, length)?;
        let name_length = 2 * usize::from(fields.u8(9)?);
        let name = match name_length {
            0 => &[],
            _ => fields.bytes(usize::from(fields.le_u16(10)?), name_length)?,
        };
        let flags = fields.le_u16(12)?;
        let value = match fields.u8(8)? {
            0 => {
                let (value_length, value_offset) = (fields.le_u32(16)?, fields.le_u16(20)?);
                let offset = usize::from(value_offset);
                Value::Resident(fields.part("attribute value", offset, value_length as usize)?)
            }
            1 => Value::NonResident(NonResident::parse(&fields, flags)?),
            other => return Err(fields.corrupt(8, format!("residence {other}, neither 0 nor 1"))),
        };
        Ok((
            Self { kind: fields.le_u32(0)?, name, flags, instance: fields.le_u16(14)?, value },
            length,
        ))
    }

    /// Whether it begins a value, rather than continuing one.
    pub(super) fn begins(&self) -> bool {
        match &self.value {
            Value::Resident(_) => true,
            Value::NonResident(part) => part.lowest_vcn == 0,
        }
    }

    /// How long the whole value is, if this begins it.
    pub(super) fn sizes(&self) -> Sizes {
        match &self.value {
            Value::Resident(value) => {
                let length = value.len() as u64;
                // Windows and ntfs-3g count what a resident value takes of its record.
                let allocated = length.next_multiple_of(8);
                Sizes {
                    compression_unit: 0,
                    allocated,
                    data: length,
                    initialized: length,
                    total_allocated: allocated,
                }
            }
            Value::NonResident(part) => part.sizes,
        }
    }
}

impl<'a> NonResident<'a> {
    fn parse(fields: &Fields<'a>, flags: u16) -> Result<Self> {
        let lowest_vcn = fields.le_u64(16)?;
        // The highest is -1 where no cluster is allocated.
        let end_vcn = fields.le_u64(24)?.wrapping_add(1);
        if lowest_vcn > end_vcn || end_vcn >= 1 << 63 {
            return Err(
                fields.corrupt(16, format!("it maps clusters {lowest_vcn} up to {end_vcn}"))
            );
        }
        let offset = usize::from(fields.le_u16(32)?);
        let rest = fields.len().checked_sub(offset).ok_or_else(|| {
            fields.corrupt(32, format!("a run list at byte {offset} of {}", fields.len()))
        })?;
        let mut sizes = Sizes::default();
        if lowest_vcn == 0 {
            let allocated = fields.le_u64(40)?;
            let compact = flags & (COMPRESSION | SPARSE) != 0;
            sizes = Sizes {
                compression_unit: fields.u8(34)?,
                allocated,
                data: fields.le_u64(48)?,
                initialized: fields.le_u64(56)?,
                total_allocated: if compact && offset >= 72 {
                    fields.le_u64(64)?
                } else {
                    allocated
                },
            };
            let size = sizes.allocated;
            if sizes.initialized > sizes.data || sizes.data > size || size >= 1 << 63 {
                return Err(fields.corrupt(
                    40,
                    format!(
                        "{} bytes are written of {} in clusters of {}",
                        sizes.initialized, sizes.data, sizes.allocated
                    ),
                ));
            }
        }
        let mapping_pairs = fields.part("run list", offset, rest)?;
        Ok(Self { lowest_vcn, end_vcn, mapping_pairs, sizes })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A resident attribute.
    pub(crate) fn resident(kind: u32, instance: u16, name: &str, value: &[u8]) -> Vec<u8> {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let offset = (24 + name.len()).next_multiple_of(8);
        let mut bytes = vec![0; (offset + value.len()).next_multiple_of(8)];
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes[9] = (name.len() / 2) as u8;
        bytes[10..12].copy_from_slice(&24u16.to_le_bytes());
        bytes[14..16].copy_from_slice(&instance.to_le_bytes());
        bytes[16..20].copy_from_slice(&(value.len() as u32).to_le_bytes());
        bytes[20..22].copy_from_slice(&(offset as u16).to_le_bytes());
        bytes[24..24 + name.len()].copy_from_slice(&name);
        bytes[offset..offset + value.len()].copy_from_slice(value);
        bytes
    }

    /// A non-resident attribute without a name that maps `vcns` by `pairs`.
    pub(crate) fn non_resident(
        kind: u32,
        instance: u16,
        vcns: std::ops::Range<u64>,
        size: u64,
        pairs: &[u8],
    ) -> Vec<u8> {
        let mut bytes = vec![0; (64 + pairs.len() + 1).next_multiple_of(8)];
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes[8] = 1;
        bytes[14..16].copy_from_slice(&instance.to_le_bytes());
        bytes[16..24].copy_from_slice(&vcns.start.to_le_bytes());
        bytes[24..32].copy_from_slice(&vcns.end.wrapping_sub(1).to_le_bytes());
        bytes[32..34].copy_from_slice(&64u16.to_le_bytes());
        bytes[40..48].copy_from_slice(&size.next_multiple_of(4096).to_le_bytes());
        bytes[48..56].copy_from_slice(&size.to_le_bytes());
        bytes[56..64].copy_from_slice(&size.to_le_bytes());
        bytes[64..64 + pairs.len()].copy_from_slice(pairs);
        bytes
    }

    fn check(bytes: &[u8]) -> Result<(Attribute<'_>, usize)> {
        // The tests' bytes outlive the view that is made of them here.
        Attribute::parse(&Fields::new("record", 0, bytes), 0)
    }

    #[test]
    fn both_forms_are_read() {
        let bytes = resident(DATA, 3, "name", b"hello");
        let (attribute, length) = check(&bytes).unwrap();
        assert_eq!((attribute.kind, attribute.instance, length), (DATA, 3, bytes.len()));
        assert_eq!(attribute.name, b"n\0a\0m\0e\0");
        assert!(attribute.begins() && attribute.sizes().allocated == 8);
        let bytes = non_resident(DATA, 0, 5..9, 100, &[0x11, 4, 9]);
        let (attribute, _) = check(&bytes).unwrap();
        assert!(!attribute.begins());
        let Value::NonResident(part) = attribute.value else { panic!("resident") };
        assert_eq!((part.lowest_vcn, part.end_vcn, part.mapping_pairs.len()), (5, 9, 8));
    }

    #[test]
    fn nonsense_is_corrupt() {
        let good = resident(DATA, 0, "x", b"hello");
        for (at, value) in [(4, 0), (4, 25), (4, 0xF8), (8, 2), (10, 0xFF), (16, 0xFF), (20, 0xFF)]
        {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(check(&bad).is_err(), "{at} = {value}");
        }
        let good = non_resident(DATA, 0, 0..1, 100, &[0x11, 1, 9]);
        for (at, value) in [(16, 9), (31, 0x80), (32, 200), (57, 1), (50, 1)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(check(&bad).is_err(), "{at} = {value}");
        }
    }
}
