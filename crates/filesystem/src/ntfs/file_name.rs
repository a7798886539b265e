//! $FILE_NAME: a name of a file and the directory it is in. It stands in the file's own record and
//! again, as the key, in the directory's index.

use fathom_block::{Fields, Result};

use super::record::Reference;
use crate::utf16;

/// The name is only there for DOS: eight characters and three.
const NAMESPACE_DOS: u8 = 2;

/// DOS attribute: system.
pub(super) const FILE_ATTRIBUTE_SYSTEM: u32 = 0x4;
/// DOS attribute: it has a reparse point.
pub(super) const FILE_ATTRIBUTE_REPARSE_POINT: u32 = 0x400;
/// In this structure only: the file is a directory.
pub(super) const I30_INDEX_PRESENT: u32 = 0x1000_0000;

/// One name.
#[derive(Clone, Copy)]
pub(super) struct FileName<'a> {
    pub(super) parent: Reference,
    /// As of when the name was last touched; not always true.
    pub(super) attributes: u32,
    namespace: u8,
    /// The name in UTF-16LE.
    pub(super) name: &'a [u8],
}

impl<'a> FileName<'a> {
    /// The name that a value or key is.
    pub(super) fn parse(fields: &Fields<'a>) -> Result<Self> {
        let length = 2 * usize::from(fields.u8(64)?);
        let namespace = fields.u8(65)?;
        if length == 0 || namespace > 3 {
            return Err(
                fields.corrupt(64, format!("a name of {length} bytes in namespace {namespace}"))
            );
        }
        Ok(Self {
            parent: Reference::new(fields.le_u64(0)?),
            attributes: fields.le_u32(56)?,
            namespace,
            name: fields.bytes(66, length)?,
        })
    }

    /// Whether the file has a longer name beside this one.
    pub(super) fn is_dos(&self) -> bool {
        self.namespace == NAMESPACE_DOS
    }

    /// The name as paths spell it; `None` where it can be no part of a path.
    pub(super) fn path_part(&self) -> Option<Vec<u8>> {
        let name = utf16::decode(utf16::units(self.name));
        let unfit = name.contains(&b'/') || name.contains(&0) || name == b"." || name == b"..";
        (!unfit).then_some(name)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A name in its form on disk.
    pub(crate) fn build(parent: u64, name: &str, namespace: u8) -> Vec<u8> {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut bytes = vec![0; 66];
        bytes[..8].copy_from_slice(&(parent | 1 << 48).to_le_bytes());
        bytes[64] = (name.len() / 2) as u8;
        bytes[65] = namespace;
        bytes.extend(name);
        bytes
    }

    #[test]
    fn names_are_parts_of_paths_or_not() {
        let path = |name: &str| {
            let bytes = build(5, name, 1);
            FileName::parse(&Fields::new("name", 0, &bytes)).unwrap().path_part()
        };
        assert_eq!(path("héllo").unwrap(), "héllo".as_bytes());
        for unfit in ["a/b", "a\0b", ".", ".."] {
            assert_eq!(path(unfit), None);
        }
    }

    #[test]
    fn nonsense_is_corrupt() {
        for (at, value) in [(64, 0), (64, 200), (65, 4)] {
            let mut bytes = build(5, "name", 3);
            bytes[at] = value;
            assert!(FileName::parse(&Fields::new("name", 0, &bytes)).is_err(), "{at} = {value}");
        }
    }
}
