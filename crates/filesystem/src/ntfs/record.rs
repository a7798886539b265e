//! The FILE record: one entry of the master file table, a header and a list of attributes.

use fathom_block::{Error, Fields, Result};

use super::attribute::{Attribute, END};
use super::fixup;

/// The record is in use.
const IN_USE: u16 = 1;
/// The record is that of a directory.
const DIRECTORY: u16 = 2;

/// Where the record's own number is kept since NTFS 3.1, and the update sequence before.
const MFT_RECORD_NUMBER: usize = 0x2C;

/// Points at a FILE record: its number, and how often that number had been reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reference {
    pub(super) record: u64,
    /// Zero where the pointer does not care.
    pub(super) sequence: u16,
}

impl Reference {
    /// The pointer in its form on disk.
    pub(super) fn new(number: u64) -> Self {
        Self { record: number & 0xFFFF_FFFF_FFFF, sequence: (number >> 48) as u16 }
    }
}

/// A checked FILE record.
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) sequence: u16,
    flags: u16,
    /// The record that this one extends; all zeros where it extends none.
    pub(super) base: Reference,
    /// The byte offset it was read at.
    at: u64,
    first: usize,
    /// The record up to its last used byte, fixups undone.
    bytes: Vec<u8>,
}

impl Record {
    /// The record `number`, whose `bytes` were read at the byte offset `at`.
    pub(super) fn parse(number: u64, at: u64, mut bytes: Vec<u8>) -> Result<Self> {
        let fields = Fields::new("FILE record", at, &bytes);
        match &fields.array::<4>(0)? {
            b"FILE" => {}
            b"BAAD" => {
                return Err(fields.corrupt(0, format!("record {number} is marked as damaged")));
            }
            [0, 0, 0, 0] => {
                return Err(fields.corrupt(0, format!("record {number} was never written")));
            }
            other => {
                let why = format!("record {number} begins {}, not FILE", other.escape_ascii());
                return Err(fields.corrupt(0, why));
            }
        }
        fixup::undo("FILE record", at, &mut bytes)?;
        let fields = Fields::new("FILE record", at, &bytes);
        let usa_ofs = usize::from(fields.le_u16(4)?);
        let own = fields.le_u32(MFT_RECORD_NUMBER)?;
        if usa_ofs >= MFT_RECORD_NUMBER + 4 && own != 0 && own != number as u32 {
            return Err(fields.corrupt(
                MFT_RECORD_NUMBER,
                format!("record {number} says that it is record {own}"),
            ));
        }
        let bytes_in_use = fields.le_u32(24)? as usize;
        let first = usize::from(fields.le_u16(20)?);
        if bytes_in_use > bytes.len() || first + 4 > bytes_in_use || first < 42 {
            return Err(fields.corrupt(
                20,
                format!("attributes from {first} to {bytes_in_use} of {} bytes", bytes.len()),
            ));
        }
        let record = Self {
            number,
            sequence: fields.le_u16(16)?,
            flags: fields.le_u16(22)?,
            base: Reference::new(fields.le_u64(32)?),
            at,
            first,
            bytes: Vec::new(),
        };
        bytes.truncate(bytes_in_use);
        Ok(Self { bytes, ..record })
    }

    /// Whether it holds a file at all.
    pub(super) fn in_use(&self) -> bool {
        self.flags & IN_USE != 0
    }

    /// Whether it holds attributes of another record's file. The table's own extensions name
    /// record 0, so the sequence number has to be looked at as well.
    pub(super) fn is_extension(&self) -> bool {
        self.base != Reference { record: 0, sequence: 0 }
    }

    /// Whether that file is a directory.
    pub(super) fn is_directory(&self) -> bool {
        self.flags & DIRECTORY != 0
    }

    /// How many bytes it takes in memory.
    pub(super) fn weight(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }

    /// Its attributes in the order of the disk. An error is the last item.
    pub(super) fn attributes(&self) -> Attributes<'_> {
        Attributes { record: self, next: Some(self.first) }
    }

    /// The error that this record contradicts the format.
    #[cold]
    pub(super) fn corrupt(&self, why: impl Into<String>) -> Error {
        Error::corrupt(format!("FILE record {}", self.number), self.at, why)
    }
}

/// The attributes of one record.
pub(super) struct Attributes<'a> {
    record: &'a Record,
    next: Option<usize>,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next.take()?;
        let fields = Fields::new("attribute", self.record.at, &self.record.bytes);
        let attribute = match fields.le_u32(at) {
            Ok(END) => return None,
            Ok(_) => Attribute::parse(&fields, at),
            Err(error) => Err(error),
        };
        match attribute {
            Ok((attribute, length)) => {
                self.next = Some(at + length);
                Some(Ok(attribute))
            }
            Err(error) => Some(Err(error.within(format!("FILE record {}", self.record.number)))),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record of 1 KiB with these attributes.
    pub(crate) fn build(number: u32, flags: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut record = vec![0; 1024];
        record[..4].copy_from_slice(b"FILE");
        record[16..18].copy_from_slice(&1u16.to_le_bytes());
        record[20..22].copy_from_slice(&56u16.to_le_bytes());
        record[22..24].copy_from_slice(&flags.to_le_bytes());
        record[0x2C..0x30].copy_from_slice(&number.to_le_bytes());
        let mut at = 56;
        for attribute in attributes {
            record[at..at + attribute.len()].copy_from_slice(attribute);
            at += attribute.len();
        }
        record[at..at + 4].fill(0xFF);
        record[24..28].copy_from_slice(&(at as u32 + 8).to_le_bytes());
        record[28..32].copy_from_slice(&1024u32.to_le_bytes());
        fixup::tests::apply(&mut record, 48);
        record
    }

    #[test]
    fn a_record_knows_who_it_is() {
        let bytes = build(7, IN_USE | DIRECTORY, &[]);
        let record = Record::parse(7, 0, bytes.clone()).unwrap();
        assert!(record.in_use() && record.is_directory());
        assert_eq!((record.sequence, record.attributes().count()), (1, 0));
        let error = Record::parse(8, 512, bytes).err().unwrap();
        assert_eq!(error.offset(), Some(512 + 0x2C));
    }

    #[test]
    fn damage_is_told_apart() {
        for (magic, word) in [(b"BAAD", "damaged"), (b"\0\0\0\0", "never"), (b"INDX", "not FILE")] {
            let mut bytes = build(7, IN_USE, &[]);
            bytes[..4].copy_from_slice(magic);
            let error = Record::parse(7, 0, bytes).err().unwrap();
            assert!(error.to_string().contains(word), "{error}");
        }
        for (at, value) in [(20, 0xFFFFu16), (20, 0), (24, 0xFFFF), (24, 10)] {
            let mut bytes = build(7, IN_USE, &[]);
            bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
            assert!(Record::parse(7, 0, bytes).is_err(), "{at} = {value}");
        }
    }

    #[test]
    fn attributes_that_run_out_end_in_an_error() {
        let mut bytes = build(7, IN_USE, &[]);
        bytes[56..60].fill(0x10);
        let record = Record::parse(7, 0, bytes).unwrap();
        let all: Vec<_> = record.attributes().collect();
        assert!(all.len() == 1 && all[0].is_err());
    }

    #[test]
    fn references_split() {
        let reference = Reference::new(0x0005_0000_0000_0010);
        assert_eq!((reference.record, reference.sequence), (16, 5));
    }
}
