//! What firmware starts: programs whose sections hold a kernel, its arguments, and what they are
//! called.

use fathom_block::{Error, ReadAt, Result, read_vec};

use crate::pe::Headers;

/// The sections of a file.
pub(super) struct PortableExecutable {
    headers: Headers,
    length: u64,
}

/// Where a section lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: u64,
    pub(super) size: u64,
}

impl PortableExecutable {
    pub(super) fn read(reader: &dyn ReadAt) -> Result<Self> {
        let headers = Headers::read(reader)?;
        let none = || Error::corrupt("PE file", 0, "there is no PE header");
        Ok(Self { headers: headers.ok_or_else(none)?, length: reader.len() })
    }

    /// The first section of that name, if it lies in the file as a whole.
    pub(super) fn section(&self, name: &str) -> Option<Place> {
        let section = self.headers.section(name)?;
        let start = u64::from(section.offset);
        // What the file has beyond the section's own size is only padding.
        let size = u64::from(section.virtual_size.min(section.size));
        (start + size <= self.length).then_some(Place { start, size })
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
mod tests {
    use super::*;
    use crate::pe::tests::executable;

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
        let mut outside = file;
        outside[0x40 + 24 + 20] = 0xFF;
        assert!(PortableExecutable::read(&outside).unwrap().section(".uname").is_none());
    }
}
