//! Directories. Every entry is stored twice: by the hash of its name, to be looked up, and by its
//! number, to be listed in the order in which the entries were made.

use std::ops::ControlFlow;

use fathom_block::{Error, Fields, Result};

use super::block::Item;
use super::btree::Btree;
use super::checksum::name_hash;
use super::key::{Key, kind};
use crate::node::FileType;

/// The longest name (`BTRFS_NAME_LEN`).
const NAME_LENGTH: usize = 255;

const HEADER: usize = Key::SIZE + 13;

/// The name is encrypted (`BTRFS_FT_ENCRYPTED`).
const ENCRYPTED: u8 = 0x80;
/// It is no directory entry but an attribute (`BTRFS_FT_XATTR`).
pub(super) const ATTRIBUTE: u8 = 8;

/// An entry (`btrfs_dir_item`). Attributes have the same form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// What is named: an inode of the same tree, or the root of another.
    pub(super) location: Key,
    pub(super) kind: u8,
    pub(super) name: &'a [u8],
    pub(super) data: &'a [u8],
    /// All of it as it is stored.
    pub(super) raw: &'a [u8],
}

impl Entry<'_> {
    pub(super) fn file_type(&self) -> Option<FileType> {
        FileType::from_directory(self.kind)
    }
}

/// The entries in an item. Those whose names have the same hash share one.
pub(super) fn entries<'a>(fields: &Fields<'a>) -> Result<Vec<Entry<'a>>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < fields.len() {
        let location = Key::parse(fields, at)?;
        let data_length = usize::from(fields.le_u16(at + 25)?);
        let name_length = usize::from(fields.le_u16(at + 27)?);
        let kind = fields.u8(at + 29)?;
        if kind & ENCRYPTED != 0 {
            return Err(Error::encrypted("Btrfs directory", "names are encrypted (fscrypt)"));
        }
        if name_length == 0 || name_length > NAME_LENGTH {
            return Err(fields.corrupt(at + 27, format!("a name of {name_length} bytes")));
        }
        let name = fields.bytes(at + HEADER, name_length)?;
        let data = fields.bytes(at + HEADER + name_length, data_length)?;
        let length = HEADER + name_length + data_length;
        let raw = fields.bytes(at, length)?;
        entries.push(Entry { location, kind, name, data, raw });
        at += length;
    }
    Ok(entries)
}

/// What the directory `dir` holds under `name`.
pub(super) fn find(tree: &Btree, dir: u64, name: &[u8]) -> Result<Option<Key>> {
    let Some(item) = tree.get(&Key::new(dir, kind::DIR_ITEM, name_hash(name)))? else {
        return Ok(None);
    };
    let fields = item.fields("Btrfs directory item");
    let entries = entries(&fields)?;
    Ok(entries.iter().find(|entry| entry.name == name).map(|entry| entry.location))
}

/// Hands every entry of the directory `dir` to `visit`. What can be read is handed over before the
/// first error is returned.
pub(super) fn list(
    tree: &Btree,
    dir: u64,
    visit: &mut dyn FnMut(&Entry<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut wrong = None;
    let mut cursor = tree.cursor(Key::first(dir, kind::DIR_INDEX));
    loop {
        let item = match cursor.next() {
            Ok(Some(item)) if item.key.is(dir, kind::DIR_INDEX) => item,
            Ok(_) => break,
            Err(error) => {
                wrong.get_or_insert(error);
                continue;
            }
        };
        match list_item(&item, visit) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return Ok(()),
            Err(error) => {
                wrong.get_or_insert(error);
            }
        }
    }
    wrong.map_or(Ok(()), Err)
}

fn list_item(
    item: &Item,
    visit: &mut dyn FnMut(&Entry<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let fields = item.fields("Btrfs directory index");
    for entry in entries(&fields)? {
        let name = entry.name;
        if name.contains(&b'/') || name.contains(&0) || name == b"." || name == b".." {
            let why = format!("an entry is called {:?}", name.escape_ascii().to_string());
            return Err(fields.corrupt(HEADER, why));
        }
        if visit(&entry)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
