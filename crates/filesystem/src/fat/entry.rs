//! Directory entries: one of 32 bytes for every file, and before it those that hold its long name
//! in pieces, the last piece first.

use fathom_block::{Fields, Result};

use super::codepage;
use super::time::timestamp;
use crate::timestamp::Timestamp;
use crate::utf16;

/// The size of an entry.
pub(super) const ENTRY: usize = 32;

const ATTR_READ_ONLY: u8 = 1;
const ATTR_VOLUME_ID: u8 = 8;
const ATTR_DIRECTORY: u8 = 0x10;
/// No writer sets these.
const ATTR_RESERVED: u8 = 0xC0;
/// The attributes of a piece of a long name, and the bits to tell them by.
const ATTR_LONG_NAME: u8 = 0x0F;
const ATTR_LONG_NAME_MASK: u8 = 0x3F;

/// The entry is free.
const DELETED: u8 = 0xE5;
/// Stands for 0xE5 as the first byte of a name.
const KANJI_E5: u8 = 0x05;

/// Since Windows NT: the name, and its extension, are shown in small letters. Those of A to Z only:
/// that is how Windows reads the bits, and nobody else writes them beside other letters. Linux gives
/// a name with such letters a long name, though where it meets the bits it makes them small as well.
const NT_LOWER_BASE: u8 = 0x08;
const NT_LOWER_EXTENSION: u8 = 0x10;

/// Marks the piece that comes first on disk and last in the name.
const LAST_LONG_ENTRY: u8 = 0x40;
/// The most pieces of a name of 255 characters.
const MAX_PIECES: u8 = 20;
/// The characters of a piece.
const PIECE: usize = 13;

/// What 32 bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The directory ends here.
    End,
    /// Nothing.
    Deleted,
    /// A piece of a long name.
    Piece(Piece),
    /// The label of the volume.
    Label([u8; 11]),
    /// A file or directory.
    File(Short),
}

/// A piece of a long name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    order: u8,
    checksum: u8,
    units: [u16; PIECE],
}

/// What an entry says of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Short {
    name: [u8; 11],
    case: u8,
    attributes: u8,
    /// The first cluster; zero where there is none.
    pub(super) cluster: u32,
    pub(super) size: u32,
    pub(super) modified: Timestamp,
    pub(super) accessed: Option<Timestamp>,
    pub(super) created: Option<Timestamp>,
}

impl Slot {
    /// What the entry is.
    pub(super) fn parse(entry: &Fields<'_>) -> Result<Self> {
        let attributes = entry.u8(11)?;
        Ok(match entry.u8(0)? {
            0 => Self::End,
            DELETED => Self::Deleted,
            order if attributes & ATTR_LONG_NAME_MASK == ATTR_LONG_NAME => {
                if !(1..=MAX_PIECES).contains(&(order & !LAST_LONG_ENTRY)) {
                    let why = format!("a piece of a long name has number {order:#04x}");
                    return Err(entry.corrupt(0, why));
                }
                let mut units = [0; PIECE];
                for (index, unit) in units.iter_mut().enumerate() {
                    let at = match index {
                        0..5 => 1 + 2 * index,
                        5..11 => 14 + 2 * (index - 5),
                        _ => 28 + 2 * (index - 11),
                    };
                    *unit = entry.le_u16(at)?;
                }
                Self::Piece(Piece { order, checksum: entry.u8(13)?, units })
            }
            _ if attributes & ATTR_VOLUME_ID != 0 => {
                let label: [u8; 11] = entry.array(0)?;
                let has_others = attributes & (ATTR_RESERVED | ATTR_DIRECTORY) != 0;
                if has_others || label.iter().any(|byte| *byte < b' ') {
                    return Err(entry.corrupt(0, "it is neither a file nor a label"));
                }
                Self::Label(label)
            }
            _ => Self::File(Short::parse(entry, attributes)?),
        })
    }
}

impl Short {
    fn parse(entry: &Fields<'_>, attributes: u8) -> Result<Self> {
        let (created, accessed) = (entry.le_u16(16)?, entry.le_u16(18)?);
        let created_at = timestamp(created, entry.le_u16(14)?, entry.u8(13)?);
        let high = u32::from(entry.le_u16(20)?);
        Ok(Self {
            name: entry.array(0)?,
            case: entry.u8(12)?,
            attributes,
            cluster: high << 16 | u32::from(entry.le_u16(26)?),
            size: entry.le_u32(28)?,
            modified: timestamp(entry.le_u16(24)?, entry.le_u16(22)?, 0),
            accessed: (accessed != 0).then(|| timestamp(accessed, 0, 0)),
            created: (created != 0).then_some(created_at),
        })
    }

    /// Whether it is a directory.
    pub(super) fn is_directory(&self) -> bool {
        self.attributes & ATTR_DIRECTORY != 0
    }

    /// Whether it is not to be written to.
    pub(super) fn is_read_only(&self) -> bool {
        self.attributes & ATTR_READ_ONLY != 0
    }

    /// Whether it is the directory itself or the one above.
    pub(super) fn is_dot(&self) -> bool {
        matches!(&self.name, b".          " | b"..         ")
    }

    /// Why no writer would have made such an entry. Some give files with long names a short name that
    /// nobody can type, so that this is of use only where there is no long one.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        let is_strange = |byte: &u8| *byte < b' ' || b"\"*/:<>?\\|".contains(byte);
        let (first, rest) = self.name.split_first()?;
        let starts = *first == KANJI_E5 || *first != b' ' && !is_strange(first);
        if self.attributes & ATTR_RESERVED != 0 {
            Some("it has attributes that do not exist")
        } else if !starts || rest.iter().any(is_strange) {
            Some("its name has characters that no name has")
        } else {
            None
        }
    }

    /// The name of eight characters and three.
    pub(super) fn name(&self) -> String {
        let mut name = self.name;
        if name[0] == KANJI_E5 {
            name[0] = DELETED;
        }
        let (base, extension) = name.split_at(8);
        let part = |bytes: &[u8], lower: u8| {
            let text = codepage::decode(bytes);
            let text = text.trim_end_matches(' ');
            if self.case & lower != 0 { text.to_ascii_lowercase() } else { text.to_owned() }
        };
        let mut name = part(base, NT_LOWER_BASE);
        let extension = part(extension, NT_LOWER_EXTENSION);
        if !extension.is_empty() {
            name.push('.');
            name.push_str(&extension);
        }
        name
    }

    /// The number that ties the pieces of a long name to this entry.
    fn checksum(&self) -> u8 {
        self.name.iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
    }
}

/// A long name that is being put together.
#[derive(Default)]
pub(super) struct LongName {
    pieces: Vec<Piece>,
}

impl LongName {
    /// Takes the next entry of the directory, if it is a piece that fits, and forgets what was
    /// there otherwise.
    pub(super) fn add(&mut self, piece: Piece) {
        let order = piece.order & !LAST_LONG_ENTRY;
        let first = piece.order & LAST_LONG_ENTRY != 0;
        let follows = self.pieces.last().is_some_and(|last| {
            last.order & !LAST_LONG_ENTRY == order.wrapping_add(1)
                && last.checksum == piece.checksum
        });
        if first || !follows {
            self.pieces.clear();
        }
        if (first || follows) && (1..=MAX_PIECES).contains(&order) {
            self.pieces.push(piece);
        }
    }

    /// The long name of the entry that comes after the pieces, if they are its own and complete.
    pub(super) fn take(&mut self, short: &Short) -> Option<Vec<u8>> {
        let pieces = std::mem::take(&mut self.pieces);
        let last = pieces.last()?;
        if last.order & !LAST_LONG_ENTRY != 1 || last.checksum != short.checksum() {
            return None;
        }
        let units = pieces.iter().rev().flat_map(|piece| piece.units);
        let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
        (1..=255).contains(&units.len()).then(|| utf16::decode(units))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A short entry.
    pub(crate) fn short(name: &[u8; 11], attributes: u8, cluster: u16, size: u32) -> Vec<u8> {
        let mut entry = name.to_vec();
        entry.push(attributes);
        entry.resize(26, 0);
        entry.extend(cluster.to_le_bytes());
        entry.extend(size.to_le_bytes());
        entry
    }

    /// The pieces of a long name for a short one.
    pub(crate) fn long(name: &str, short: &[u8]) -> Vec<u8> {
        let checksum = parse_short(short).checksum();
        let mut units: Vec<u16> = name.encode_utf16().collect();
        let count = units.len().div_ceil(PIECE);
        if !units.len().is_multiple_of(PIECE) {
            units.push(0);
        }
        units.resize(count * PIECE, 0xFFFF);
        let mut entries = Vec::new();
        for index in (0..count).rev() {
            let mut entry = vec![0; ENTRY];
            let last = if index + 1 == count { LAST_LONG_ENTRY } else { 0 };
            entry[0] = (index + 1) as u8 | last;
            entry[11] = ATTR_LONG_NAME;
            entry[13] = checksum;
            let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain([28, 30]);
            for (at, unit) in places.zip(&units[index * PIECE..]) {
                entry[at..at + 2].copy_from_slice(&unit.to_le_bytes());
            }
            entries.extend(entry);
        }
        entries
    }

    fn slot(bytes: &[u8]) -> Slot {
        Slot::parse(&Fields::new("entry", 0, bytes)).unwrap()
    }

    fn parse_short(bytes: &[u8]) -> Short {
        match slot(bytes) {
            Slot::File(short) => short,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn short_names_are_put_together() {
        let name = |bytes: &[u8; 11], case: u8| {
            let mut entry = short(bytes, 0, 0, 0);
            entry[12] = case;
            parse_short(&entry).name()
        };
        assert_eq!(name(b"README  TXT", 0), "README.TXT");
        assert_eq!(name(b"README  TXT", 0x08), "readme.TXT");
        assert_eq!(name(b"README  TXT", 0x18), "readme.txt");
        assert_eq!(name(b"NOEXT      ", 0), "NOEXT");
        assert_eq!(name(b"\x05BC     D  ", 0), "σBC.D");
        assert_eq!(name(b"A B     C D", 0), "A B.C D");
        // ÄΣΩ: their small letters would be ä, σ or at the end ς, and one that the page lacks.
        assert_eq!(name(b"A\x8E\xE4\xEA    B\xE4 ", 0x18), "aÄΣΩ.bΣ");
    }

    #[test]
    fn every_kind_of_slot_is_told() {
        assert_eq!(slot(&[0; 32]), Slot::End);
        assert_eq!(slot(&short(b"\xE5ELETED    ", 0, 0, 0)), Slot::Deleted);
        assert_eq!(slot(&short(b"LABEL      ", 8, 0, 0)), Slot::Label(*b"LABEL      "));
        let file = parse_short(&short(b"FILE       ", 0x11, 7, 9));
        assert!(file.is_directory() && file.is_read_only() && !file.is_dot());
        assert_eq!((file.cluster, file.size, file.created), (7, 9, None));
        assert!(parse_short(&short(b"..         ", 0x10, 0, 0)).is_dot());
    }

    #[test]
    fn junk_is_no_slot() {
        let parse = |bytes: &[u8]| Slot::parse(&Fields::new("entry", 0, bytes));
        for (attributes, name) in
            [(0x0F, b"\x95XXXXXXXXXX"), (0x18, b"LABEL      "), (0x08, b"LA\x01EL      ")]
        {
            assert!(parse(&short(name, attributes, 0, 0)).is_err(), "{attributes}");
        }
        let wrong = |name, attributes| parse_short(&short(name, attributes, 0, 0)).wrong();
        assert_eq!(wrong(b"\x05BC     D  ", 0x21), None);
        assert_eq!(wrong(b"A+B\x80 c  .~ ", 0), None);
        assert!(wrong(b"ABC        ", 0x40).is_some());
        for name in [b" BC        ", b"A\x05C        ", b"A|C        ", b"\x02          "] {
            assert!(wrong(name, 0).is_some(), "{name:?}");
        }
    }

    fn joined(entries: &[u8], short: &[u8]) -> Option<String> {
        let mut name = LongName::default();
        for entry in entries.chunks(ENTRY) {
            match slot(entry) {
                Slot::Piece(piece) => name.add(piece),
                other => panic!("{other:?}"),
            }
        }
        name.take(&parse_short(short)).map(|name| String::from_utf8(name).unwrap())
    }

    #[test]
    fn long_names_are_put_together_when_all_is_there() {
        let file = short(b"LONGNA~1TXT", 0, 0, 0);
        for name in
            ["a", "exactly 13 ch", "A rather long name, with ünïcode 😀.txt", &"x".repeat(255)]
        {
            assert_eq!(joined(&long(name, &file), &file).as_deref(), Some(name));
        }
        let pieces = long("A name that takes more than two pieces", &file);
        assert_eq!(joined(&pieces[..64], &file), None, "the end is missing");
        assert_eq!(joined(&pieces[32..], &file), None, "the start is missing");
        assert_eq!(joined(&[&pieces[..32], &pieces[64..]].concat(), &file), None);
        assert_eq!(joined(&pieces, &short(b"OTHER~1 TXT", 0, 0, 0)), None, "an orphan");
        let orphan = long("orphan of a name of two pieces", &short(b"OTHER~1 TXT", 0, 0, 0));
        assert_eq!(joined(&[&orphan, &pieces[..]].concat(), &file).unwrap().len(), 38);
    }
}
