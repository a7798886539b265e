//! Executables, as far as compilers write into them what they are made of: named sections, and bytes
//! by the address that they are loaded at.
//!
//! Only the headers and what is asked for are read, so that a look at a large program costs little.

mod elf;
mod macho;
mod pe;
#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_vec};

use crate::walk::Entry;

/// The shortest file that is looked at: no program with anything in it is shorter.
const SHORTEST: u64 = 512;

/// How many bytes of a section are searched for a mark at a time.
const PORTION: u64 = 1 << 20;

/// The longest section that is searched for a mark.
const MAX_SEARCHED: u64 = 256 << 20;

/// Whether the file may be a program: its mode or its name says so.
pub(super) fn recognise(entry: &Entry) -> bool {
    let named = [&b".exe"[..], b".dll"].iter().any(|end| entry.path.ends_with(end));
    entry.metadata.size >= SHORTEST && (entry.metadata.mode & 0o111 != 0 || named)
}

/// A part of the file that has a name, is loaded at an address, or both.
pub(super) struct Section {
    name: String,
    address: u64,
    offset: u64,
    /// How many bytes of the file it has.
    size: u64,
    /// Whether the program may write there.
    writable: bool,
}

/// How an executable is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Of Linux and most others.
    Elf,
    /// Of Windows.
    Pe,
    /// Of macOS.
    MachO,
}

/// An executable.
pub(super) struct Binary {
    reader: Arc<dyn ReadAt>,
    /// How it is written.
    pub(super) format: Format,
    sections: Vec<Section>,
    /// Whether what the sections are called is known: a program may be stripped of that too.
    pub(super) is_named: bool,
}

impl Binary {
    /// Reads the headers; nothing where this is no executable.
    pub(super) fn open(reader: Arc<dyn ReadAt>) -> Result<Option<Self>> {
        if reader.len() < SHORTEST {
            return Ok(None);
        }
        let head = read_vec(&*reader, "program", 0, SHORTEST)?;
        let magic = [head[0], head[1], head[2], head[3]];
        let (format, sections, is_named) = match magic {
            [0x7F, b'E', b'L', b'F'] => {
                let (sections, is_named) = elf::sections(&*reader, &head)?;
                (Format::Elf, sections, is_named)
            }
            [b'M', b'Z', ..] => match pe::sections(&*reader)? {
                Some(sections) => (Format::Pe, sections, true),
                None => return Ok(None),
            },
            [0xCE | 0xCF, 0xFA, 0xED, 0xFE] => {
                (Format::MachO, macho::sections(&*reader, &head)?, true)
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { reader, format, sections, is_named }))
    }

    /// The section of that name.
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// What the program may write to.
    pub(super) fn writable(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| section.writable)
    }

    /// The bytes of the section, if there are not more than `limit`.
    pub(super) fn read(&self, section: &Section, limit: u64) -> Result<Vec<u8>> {
        self.read_part(section, 0, section.size, limit)
    }

    /// `length` bytes, `at` so many from the beginning of the section.
    pub(super) fn read_part(
        &self,
        section: &Section,
        at: u64,
        length: u64,
        limit: u64,
    ) -> Result<Vec<u8>> {
        if length > limit {
            let why = format!("{length} bytes would have to be read, and at most {limit} are");
            return Err(Error::unsupported("section", why));
        }
        let stop = at.checked_add(length).filter(|stop| *stop <= section.size);
        let start = stop.and_then(|_| section.offset.checked_add(at));
        let outside = || Error::corrupt("section", section.offset, "it is shorter than is said");
        read_vec(&*self.reader, "section", start.ok_or_else(outside)?, length)
    }

    /// `length` bytes that are loaded at `address`, if there are not more than `limit`.
    pub(super) fn at_address(&self, address: u64, length: u64, limit: u64) -> Result<Vec<u8>> {
        let found = self.sections.iter().find(|section| {
            let stop = address.checked_add(length);
            let end = section.address.checked_add(section.size);
            section.address > 0
                && section.address <= address
                && stop.zip(end).is_some_and(|(stop, end)| stop <= end)
        });
        match found {
            Some(section) => self.read_part(section, address - section.address, length, limit),
            None => {
                let why = format!("nothing is loaded at the address {address:#x}");
                Err(Error::corrupt("program", 0, why))
            }
        }
    }

    /// Where in the section the mark stands, at a multiple of its length.
    pub(super) fn search(
        &self,
        section: &Section,
        mark: &[u8; 16],
        used: usize,
    ) -> Result<Option<u64>> {
        let mut at = 0;
        while at < section.size.min(MAX_SEARCHED) {
            let length = (section.size - at).min(PORTION);
            let bytes = self.read_part(section, at, length, PORTION)?;
            let found = bytes.chunks(mark.len()).position(|it| it.starts_with(&mark[..used]));
            if let Some(found) = found {
                return Ok(Some(at + (found * mark.len()) as u64));
            }
            at += length;
        }
        Ok(None)
    }
}

/// A name in a field of fixed length, which ends at the first zero.
fn fixed(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
