//! The headers of Microsoft's PE format, in which programs of Windows and those that firmware starts
//! are written. What is in the sections is for those who ask.

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

const WHAT: &str = "PE file";

/// The header of DOS, at whose end stands where the next one is.
const DOS: u64 = 0x40;
const HEADER: u64 = 24;
const SECTION: usize = 40;

/// The most sections that a program has; Windows loads none with more.
const MAX_SECTIONS: u16 = 96;

/// What stands before the sections.
pub(crate) struct Headers {
    /// The number of the processor.
    pub(crate) machine: u16,
    /// The optional header, which every program has.
    optional: Vec<u8>,
    optional_at: u64,
    /// The sections, in their order.
    pub(crate) sections: Vec<Section>,
}

/// One section, as the table says; the file may be shorter.
pub(crate) struct Section {
    pub(crate) name: String,
    /// Where it is loaded, from the beginning of the program.
    pub(crate) address: u32,
    pub(crate) virtual_size: u32,
    /// Where it lies in the file, and how many bytes it has there, which may be padding in part.
    pub(crate) offset: u32,
    pub(crate) size: u32,
    pub(crate) flags: u32,
}

impl Headers {
    /// Reads them; nothing where this is a program of DOS, or none at all.
    pub(crate) fn read(reader: &dyn ReadAt) -> Result<Option<Self>> {
        if reader.len() < DOS {
            return Ok(None);
        }
        let dos = read_vec(reader, WHAT, 0, DOS)?;
        let dos = Fields::new(WHAT, 0, &dos);
        let e_lfanew = u64::from(dos.le_u32(0x3C)?);
        if dos.bytes(0, 2)? != b"MZ" || e_lfanew + HEADER > reader.len() {
            return Ok(None);
        }
        let header = read_vec(reader, WHAT, e_lfanew, HEADER)?;
        let header = Fields::new(WHAT, e_lfanew, &header);
        if header.bytes(0, 4)? != b"PE\0\0" {
            return Ok(None);
        }
        let count = header.le_u16(6)?;
        if count > MAX_SECTIONS {
            let why = format!("{count} sections are claimed; at most {MAX_SECTIONS} are loaded");
            return Err(Error::corrupt(WHAT, e_lfanew, why));
        }
        let optional_at = e_lfanew + HEADER;
        let optional = read_vec(reader, WHAT, optional_at, header.le_u16(20)?.into())?;
        let start = optional_at + optional.len() as u64;
        let table = read_vec(reader, WHAT, start, SECTION as u64 * u64::from(count))?;
        let table = Fields::new(WHAT, start, &table);
        let mut sections = Vec::new();
        for index in 0..usize::from(count) {
            let one = table.part("section", index * SECTION, SECTION)?;
            let name = one.bytes(0, 8)?;
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            sections.push(Section {
                name: String::from_utf8_lossy(&name[..end]).into_owned(),
                virtual_size: one.le_u32(8)?,
                address: one.le_u32(12)?,
                size: one.le_u32(16)?,
                offset: one.le_u32(20)?,
                flags: one.le_u32(36)?,
            });
        }
        Ok(Some(Self { machine: header.le_u16(4)?, optional, optional_at, sections }))
    }

    /// The optional header.
    pub(crate) fn optional(&self) -> Fields<'_> {
        Fields::new(WHAT, self.optional_at, &self.optional)
    }

    /// The first section of that name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A file with these sections.
    pub(crate) fn executable(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut file = vec![0; 0x40];
        file[..2].copy_from_slice(b"MZ");
        file[0x3C] = 0x40;
        file.extend(b"PE\0\0");
        file.extend([0x64, 0x86]);
        file.extend((sections.len() as u16).to_le_bytes());
        file.extend([0; 16]);
        let mut at = file.len() + 40 * sections.len();
        for (name, bytes) in sections {
            let mut header = [0; 40];
            header[..name.len()].copy_from_slice(name.as_bytes());
            let size = (bytes.len() as u32).to_le_bytes();
            header[8..12].copy_from_slice(&size);
            header[16..20].copy_from_slice(&size);
            header[20..24].copy_from_slice(&(at as u32).to_le_bytes());
            file.extend(header);
            at += bytes.len();
        }
        sections.iter().for_each(|(_, bytes)| file.extend(*bytes));
        file
    }

    #[test]
    fn what_is_no_program_is_none_and_a_short_one_is_damaged() {
        let file = executable(&[(".uname", b"6.6.1"), (".linux", b"")]);
        assert!(Headers::read(&file).unwrap().unwrap().section(".linux").is_some());
        for length in 0..0x40 + 24 {
            assert!(Headers::read(&file[..length].to_vec()).unwrap().is_none());
        }
        for length in 0x40 + 24..0x40 + 24 + 80 {
            assert!(Headers::read(&file[..length].to_vec()).is_err(), "{length}");
        }
        let mut far = file.clone();
        far[0x3C..0x40].copy_from_slice(&[0xFF; 4]);
        assert!(Headers::read(&far).unwrap().is_none());
        let mut many = file;
        many[0x46] = 97;
        assert!(Headers::read(&many).is_err());
    }
}
