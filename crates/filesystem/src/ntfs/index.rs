//! The nodes of a directory's tree: the root in the directory's own record, the others in INDX
//! blocks.

use fathom_block::{Error, Fields, Result};

use super::file_name::FileName;
use super::fixup;
use super::record::Reference;

/// The entry has a subtree before it.
const INDEX_ENTRY_NODE: u16 = 1;
/// The entry ends its node; it has no key.
const INDEX_ENTRY_END: u16 = 2;

/// The type of $FILE_NAME, which directories are indexed by.
const FILE_NAME: u32 = 0x30;
/// How file names are ordered.
const COLLATION_FILE_NAME: u32 = 1;

/// Where the index header of an INDX block stands; what it says is reckoned from there.
const BLOCK_HEADER: usize = 24;
/// Where that of the root stands.
const ROOT_HEADER: usize = 16;

/// What one entry says.
pub(super) struct Entry<'a> {
    pub(super) file: Reference,
    /// The name; the last entry of a node has none.
    pub(super) key: Option<FileName<'a>>,
    /// The block of the entries that come before it.
    pub(super) subnode: Option<u64>,
}

/// The size of the blocks that the root names.
pub(super) fn block_size(root: &Fields<'_>) -> Result<u64> {
    let (kind, collation) = (root.le_u32(0)?, root.le_u32(4)?);
    if (kind, collation) != (FILE_NAME, COLLATION_FILE_NAME) {
        return Err(root.corrupt(
            0,
            format!("a directory indexed by attribute {kind:#x} in order {collation}"),
        ));
    }
    let size = u64::from(root.le_u32(8)?);
    if !size.is_power_of_two() || !(512..=64 << 10).contains(&size) {
        return Err(root.corrupt(8, format!("index blocks of {size} bytes")));
    }
    Ok(size)
}

/// The entries of the root.
pub(super) fn root_entries<'a>(root: &Fields<'a>) -> Result<Entries<'a>> {
    entries(root, ROOT_HEADER)
}

/// The entries of a checked block.
pub(super) fn block_entries<'a>(block: &Fields<'a>) -> Result<Entries<'a>> {
    entries(block, BLOCK_HEADER)
}

/// Checks the block with the number `vcn`, which was read at the byte offset `at`, and puts its
/// own bytes back.
pub(super) fn check_block(block: &mut [u8], vcn: u64, at: u64) -> Result<()> {
    let fields = Fields::new("INDX block", at, block);
    let magic = fields.array::<4>(0)?;
    if &magic != b"INDX" {
        return Err(fields.corrupt(0, format!("it begins {}, not INDX", magic.escape_ascii())));
    }
    fixup::undo("INDX block", at, block)?;
    let fields = Fields::new("INDX block", at, block);
    let own = fields.le_u64(16)?;
    if own != vcn {
        return Err(fields.corrupt(16, format!("block {vcn} says that it is block {own}")));
    }
    Ok(())
}

fn entries<'a>(node: &Fields<'a>, header: usize) -> Result<Entries<'a>> {
    let entries_offset = node.le_u32(header)? as usize;
    let index_length = node.le_u32(header + 4)? as usize;
    if index_length > node.len() - header || entries_offset < 16 || entries_offset > index_length {
        return Err(node.corrupt(
            header,
            format!(
                "entries from {entries_offset} to {index_length} of {} bytes",
                node.len() - header
            ),
        ));
    }
    let used = node.part("index entries", 0, header + index_length)?;
    Ok(Entries { node: used, next: Some(header + entries_offset) })
}

/// The entries of one node. An error is the last item.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    node: Fields<'a>,
    next: Option<usize>,
}

impl<'a> Entries<'a> {
    fn entry(&mut self, at: usize) -> Result<Entry<'a>> {
        let length = usize::from(self.node.le_u16(at + 8)?);
        let entry = self.node.part("index entry", at, length)?;
        let flags = entry.le_u16(12)?;
        let mut key_end = 16;
        let mut key = None;
        if flags & INDEX_ENTRY_END == 0 {
            let key_length = usize::from(entry.le_u16(10)?);
            key = Some(FileName::parse(&entry.part("index entry's name", 16, key_length)?)?);
            key_end += key_length;
            self.next = Some(at + length);
        }
        let subnode = match flags & INDEX_ENTRY_NODE {
            0 => None,
            _ => Some(entry.le_u64(
                length.checked_sub(8).filter(|at| *at >= key_end).ok_or_else(|| {
                    entry.corrupt(
                        8,
                        format!("an entry of {length} bytes has no room for its subnode"),
                    )
                })?,
            )?),
        };
        Ok(Entry { file: Reference::new(entry.le_u64(0)?), key, subnode })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next.take()?;
        let entry = self.entry(at);
        if entry.is_err() {
            self.next = None;
        }
        Some(entry)
    }
}

/// The error that a directory lacks something.
#[cold]
pub(super) fn lacking(directory: u64, at: u64, why: impl Into<String>) -> Error {
    Error::corrupt(format!("directory {directory}"), at, why)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An entry in its form on disk.
    pub(crate) fn entry(file: u64, key: &[u8], subnode: Option<u64>) -> Vec<u8> {
        let mut bytes = vec![0; (16 + key.len()).next_multiple_of(8)];
        bytes[..8].copy_from_slice(&(file | 1 << 48).to_le_bytes());
        bytes[10..12].copy_from_slice(&(key.len() as u16).to_le_bytes());
        bytes[16..16 + key.len()].copy_from_slice(key);
        bytes[12] = if key.is_empty() { 2 } else { 0 };
        if let Some(subnode) = subnode {
            bytes.extend(subnode.to_le_bytes());
            bytes[12] |= 1;
        }
        let length = bytes.len() as u16;
        bytes[8..10].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    /// An index header and its entries.
    pub(crate) fn node(entries: &[Vec<u8>], offset: u32) -> Vec<u8> {
        let entries = entries.concat();
        let mut bytes = offset.to_le_bytes().to_vec();
        bytes.extend((offset + entries.len() as u32).to_le_bytes());
        bytes.resize(offset as usize, 0);
        bytes.extend(entries);
        bytes
    }

    /// The value of $INDEX_ROOT with blocks of 4 KiB.
    pub(crate) fn root(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0; 16];
        bytes[0] = 0x30;
        bytes[4] = 1;
        bytes[8..12].copy_from_slice(&4096u32.to_le_bytes());
        bytes.extend(node(entries, 16));
        bytes
    }

    #[test]
    fn entries_are_read_up_to_the_end_mark() {
        let name = crate::ntfs::file_name::tests::build(5, "name", 1);
        let bytes = root(&[entry(40, &name, Some(7)), entry(0, &[], Some(8))]);
        let fields = Fields::new("root", 0, &bytes);
        assert_eq!(block_size(&fields).unwrap(), 4096);
        let all: Vec<_> = root_entries(&fields).unwrap().map(Result::unwrap).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].file.record, all[0].subnode), (40, Some(7)));
        assert!(all[1].key.is_none() && all[1].subnode == Some(8));
    }

    #[test]
    fn an_entry_without_length_ends_in_an_error() {
        let name = crate::ntfs::file_name::tests::build(5, "name", 1);
        for length in [0u16, 8, 20, 0xFFF8] {
            let mut bytes = root(&[entry(40, &name, None), entry(0, &[], None)]);
            bytes[32 + 8..32 + 10].copy_from_slice(&length.to_le_bytes());
            let fields = Fields::new("root", 0, &bytes);
            let all: Vec<_> = root_entries(&fields).unwrap().take(10).collect();
            assert!(all.len() == 1 && all[0].is_err(), "{length}");
        }
    }

    #[test]
    fn nonsense_is_corrupt() {
        for (at, value) in [(0, 0x40), (4, 2), (8, 1), (9, 0), (16, 0), (16, 0xFF), (20, 0xFF)] {
            let mut bytes = root(&[entry(0, &[], None)]);
            bytes[at] = value;
            let fields = Fields::new("root", 0, &bytes);
            assert!(block_size(&fields).and_then(|_| root_entries(&fields)).is_err(), "{at}");
        }
    }
}
