//! What firmware starts: a file in Microsoft's PE format, of which only the table of sections
//! matters here.

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

/// The most sections that are looked at; the format allows 96 in an image.
const MAX_SECTIONS: usize = 96;

/// A section's name and place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    name: String,
    pub(super) start: u64,
    pub(super) size: u64,
}

/// The sections of a file.
pub(super) struct PortableExecutable(Vec<Section>);

impl PortableExecutable {
    pub(super) fn read(reader: &dyn ReadAt) -> Result<Self> {
        let what = "PE file";
        if reader.len() < 0x40 {
            return Err(Error::corrupt(what, 0, "it is too short"));
        }
        let head = read_vec(reader, what, 0, 0x40)?;
        let head = Fields::new(what, 0, &head);
        if head.bytes(0, 2)? != b"MZ" {
            return Err(head.corrupt(0, "it does not begin with MZ"));
        }
        let e_lfanew = u64::from(head.le_u32(0x3C)?);
        let coff = read_vec(reader, what, e_lfanew, 24)?;
        let coff = Fields::new(what, e_lfanew, &coff);
        if coff.bytes(0, 4)? != b"PE\0\0" {
            return Err(coff.corrupt(0, "there is no PE header"));
        }
        let number_of_sections = usize::from(coff.le_u16(6)?).min(MAX_SECTIONS);
        let size_of_optional_header = u64::from(coff.le_u16(20)?);
        let start = e_lfanew + 24 + size_of_optional_header;
        let table = read_vec(reader, what, start, 40 * number_of_sections as u64)?;
        let table = Fields::new(what, start, &table);
        let mut sections = Vec::new();
        for index in 0..number_of_sections {
            let at = 40 * index;
            let name = table.bytes(at, 8)?;
            let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
            let (virtual_size, raw_size) = (table.le_u32(at + 8)?, table.le_u32(at + 16)?);
            let start = u64::from(table.le_u32(at + 20)?);
            // What the file has beyond the section's own size is only padding.
            let size = u64::from(virtual_size.min(raw_size));
            if start.checked_add(size).is_some_and(|end| end <= reader.len()) {
                sections.push(Section { name, start, size });
            }
        }
        Ok(Self(sections))
    }

    /// The first section of that name.
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.0.iter().find(|section| section.name == name)
    }

    /// The text of a section of at most `limit` bytes.
    pub(super) fn text(
        &self,
        reader: &dyn ReadAt,
        name: &str,
        limit: u64,
    ) -> Result<Option<String>> {
        let Some(section) = self.section(name).filter(|section| section.size <= limit) else {
            return Ok(None);
        };
        let bytes = read_vec(reader, "PE section", section.start, section.size)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(text.trim_end_matches(['\0', '\n', ' ']).to_owned()))
    }
}

#[cfg(test)]
pub(super) mod tests {
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
    fn sections_are_found() {
        let file = executable(&[(".osrel", b"ID=x\n"), (".uname", b"6.6.1\0")]);
        let image = PortableExecutable::read(&file).unwrap();
        let text = |name: &str| image.text(&file, name, 100).unwrap();
        assert_eq!(text(".osrel").as_deref(), Some("ID=x"));
        assert_eq!(text(".uname").as_deref(), Some("6.6.1"));
        assert_eq!(text(".linux"), None);
        assert_eq!(image.text(&file, ".uname", 3).unwrap(), None);
    }

    #[test]
    fn damage_is_no_section() {
        let file = executable(&[(".uname", b"6.6.1")]);
        for length in 0..file.len() {
            let _ = PortableExecutable::read(&file[..length].to_vec());
        }
        let mut outside = file.clone();
        outside[0x40 + 24 + 20] = 0xFF;
        assert!(PortableExecutable::read(&outside).unwrap().section(".uname").is_none());
        let mut far = file;
        far[0x3C..0x40].copy_from_slice(&[0xFF; 4]);
        assert!(PortableExecutable::read(&far).is_err());
    }
}
