//! Extended attributes: in what is left of the inode, in one block, and with `ea_inode` each large
//! value in an inode of its own.
//!
//! A list of entries grows from the front, the values from the back; each entry says which
//! namespace its name belongs to by a number, and where its value is. What is shown is what
//! `getxattr` shows: attributes that the filesystem keeps for itself are not listed.

use fathom_block::{Error, Fields, MAX_ALLOCATION, ReadAt, Result};

use super::acl;
use super::checksum::crc32c;
use super::file::MappedFile;
use super::inode::{GOOD_OLD_SIZE, Inode};
use super::store::Store;
use crate::node::Xattr;
use std::sync::Arc;

const WHAT: &str = "ext extended attributes";

/// `h_magic`, in the inode and in a block.
const MAGIC: u32 = 0xEA02_0000;

/// The header of a block of attributes.
const BLOCK_HEADER: usize = 32;

/// An entry without its name.
const ENTRY: usize = 16;

/// The longest value that `getxattr` hands out.
const MAX_VALUE: u32 = 65536;

/// `e_name_index` of `system.data`, which holds the rest of inline data.
const SYSTEM: u8 = 7;

/// One entry of a list.
struct Entry<'a> {
    e_name_index: u8,
    name: &'a [u8],
    e_value_offs: u16,
    e_value_inum: u32,
    e_value_size: u32,
    e_hash: u32,
    at: usize,
}

/// A list of entries and the bytes that its values are in.
struct List<'a> {
    /// What value offsets count from.
    values: Fields<'a>,
    entries: Vec<Entry<'a>>,
}

/// All that `getxattr` would show of the inode, sorted by name.
pub(super) fn list(store: &Arc<Store>, inode: &Inode) -> Result<Vec<Xattr>> {
    let mut xattrs = Vec::new();
    let mut weight = 0;
    let block = block(store, inode)?;
    let lists = [
        in_inode(inode)?,
        block.as_ref().map(|(offset, bytes)| in_block(*offset, bytes)).transpose()?,
    ];
    for list in lists.iter().flatten() {
        for entry in &list.entries {
            let Some(name) = full_name(entry) else {
                continue;
            };
            let value = value(store, inode, list, entry)?;
            weight += value.len();
            if weight > MAX_ALLOCATION {
                let why = format!("their values have more than {MAX_ALLOCATION} bytes");
                return Err(Error::unsupported(WHAT, why));
            }
            let value = match entry.e_name_index {
                acl::ACCESS | acl::DEFAULT => acl::convert(&value)
                    .ok_or_else(|| list.values.corrupt(entry.at, "it is not an access list"))?,
                _ => value,
            };
            xattrs.push(Xattr { name, value });
        }
    }
    xattrs.sort_unstable();
    Ok(xattrs)
}

/// The value of `system.data`: what of inline data does not fit into `i_block`.
pub(super) fn system_data(inode: &Inode) -> Result<Option<Fields<'_>>> {
    let Some(list) = in_inode(inode)? else {
        return Ok(None);
    };
    let entry =
        list.entries.iter().find(|entry| entry.e_name_index == SYSTEM && entry.name == b"data");
    match entry {
        Some(entry) if entry.e_value_inum == 0 => inner_value(&list, entry).map(Some),
        _ => Ok(None),
    }
}

/// The name as `listxattr` spells it; `None` for what it does not list.
fn full_name(entry: &Entry<'_>) -> Option<Vec<u8>> {
    let prefix: &[u8] = match entry.e_name_index {
        1 => b"user.",
        acl::ACCESS if entry.name.is_empty() => b"system.posix_acl_access",
        acl::DEFAULT if entry.name.is_empty() => b"system.posix_acl_default",
        4 => b"trusted.",
        6 => b"security.",
        10 => b"gnu.",
        // `system.data`, encryption contexts and what only other kernels know.
        _ => return None,
    };
    Some([prefix, entry.name].concat())
}

/// The list in the inode, if it has one.
fn in_inode(inode: &Inode) -> Result<Option<List<'_>>> {
    // Where the extra space was never used, nothing lies behind it either.
    let start = GOOD_OLD_SIZE + usize::from(inode.extra_isize);
    if inode.extra_isize == 0 || start + 8 > inode.raw.len() {
        return Ok(None);
    }
    let fields = inode.fields();
    if fields.le_u32(start)? != MAGIC {
        return Ok(None);
    }
    let values = fields.part(WHAT, start + 4, inode.raw.len() - start - 4)?;
    Ok(Some(List { values, entries: entries(&values, 0)? }))
}

/// The block of attributes, if there is one: where it is, and its bytes.
fn block(store: &Store, inode: &Inode) -> Result<Option<(u64, Vec<u8>)>> {
    if inode.file_acl == 0 {
        return Ok(None);
    }
    store.check_blocks(&inode.fields(), 0x68, inode.file_acl, 1)?;
    let offset = store.superblock.offset(inode.file_acl);
    let bytes = store.block(WHAT, inode.file_acl)?;
    let fields = Fields::new(WHAT, offset, &bytes);
    let h_magic = fields.le_u32(0)?;
    if h_magic != MAGIC {
        return Err(fields.corrupt(0, format!("h_magic is {h_magic:#010x}, not {MAGIC:#010x}")));
    }
    if store.superblock.features.metadata_csum() {
        const H_CHECKSUM: usize = 0x10;
        let stored = fields.le_u32(H_CHECKSUM)?;
        let sum = crc32c(store.superblock.csum_seed, &inode.file_acl.to_le_bytes());
        let sum = crc32c(sum, fields.bytes(0, H_CHECKSUM)?);
        let rest = fields.bytes(H_CHECKSUM + 4, fields.len() - H_CHECKSUM - 4)?;
        let computed = crc32c(crc32c(sum, &[0; 4]), rest);
        if stored != computed {
            let why =
                format!("the checksum is {stored:#010x}, but the bytes give {computed:#010x}");
            return Err(fields.corrupt(H_CHECKSUM, why));
        }
    }
    Ok(Some((offset, bytes)))
}

fn in_block(offset: u64, bytes: &[u8]) -> Result<List<'_>> {
    let values = Fields::new(WHAT, offset, bytes);
    Ok(List { values, entries: entries(&values, BLOCK_HEADER)? })
}

/// The entries from `at` on, up to the four zero bytes that end them.
fn entries<'a>(fields: &Fields<'a>, mut at: usize) -> Result<Vec<Entry<'a>>> {
    let mut entries = Vec::new();
    while fields.le_u32(at)? != 0 {
        let e_name_len = usize::from(fields.u8(at)?);
        let entry = Entry {
            e_name_index: fields.u8(at + 1)?,
            e_value_offs: fields.le_u16(at + 2)?,
            e_value_inum: fields.le_u32(at + 4)?,
            e_value_size: fields.le_u32(at + 8)?,
            e_hash: fields.le_u32(at + 12)?,
            name: fields.bytes(at + ENTRY, e_name_len)?,
            at,
        };
        if entry.name.contains(&0) {
            return Err(fields.corrupt(at, "a name holds a zero byte"));
        }
        entries.push(entry);
        at += (ENTRY + e_name_len).next_multiple_of(4);
    }
    Ok(entries)
}

fn value(store: &Arc<Store>, inode: &Inode, list: &List<'_>, entry: &Entry<'_>) -> Result<Vec<u8>> {
    if entry.e_value_size > MAX_VALUE {
        let why = format!("a value has {} bytes; {MAX_VALUE} are the most", entry.e_value_size);
        return Err(list.values.corrupt(entry.at + 8, why));
    }
    if entry.e_value_inum != 0 {
        return value_in_inode(store, inode, list, entry);
    }
    Ok(inner_value(list, entry)?.as_bytes().to_vec())
}

/// The value that lies behind the entries of its list.
fn inner_value<'a>(list: &List<'a>, entry: &Entry<'_>) -> Result<Fields<'a>> {
    // Where an empty value lies means nothing.
    let at = if entry.e_value_size == 0 { 0 } else { usize::from(entry.e_value_offs) };
    list.values.part(WHAT, at, entry.e_value_size as usize)
}

/// The value that fills an inode of its own.
fn value_in_inode(
    store: &Arc<Store>,
    inode: &Inode,
    list: &List<'_>,
    entry: &Entry<'_>,
) -> Result<Vec<u8>> {
    let wrong = |why: String| list.values.corrupt(entry.at + 4, why);
    if !store.superblock.features.ea_inode() {
        return Err(wrong("a value is in an inode, but there is no feature ea_inode".into()));
    }
    let holder = store.any_inode(entry.e_value_inum)?;
    if !holder.is_ea_inode() || holder.size != u64::from(entry.e_value_size) {
        return Err(wrong(format!(
            "inode {} is to hold a value of {} bytes, but {} and has {}",
            entry.e_value_inum,
            entry.e_value_size,
            if holder.is_ea_inode() { "is such an inode" } else { "is no such inode" },
            holder.size
        )));
    }
    let mut value = vec![0; entry.e_value_size as usize];
    MappedFile::new(store.clone(), holder.clone()).read_at(0, &mut value)?;
    // Linux keeps the hash of the value in the time of access. Lustre, whose format this was,
    // keeps none, but the number and the generation of the file that the value belongs to.
    let hash = crc32c(store.superblock.csum_seed, &value);
    let fields = holder.fields();
    let stored = fields.le_u32(0x8)?;
    let lustre = fields.le_u32(0x10)? == inode.number && holder.generation == inode.generation;
    if stored != hash && !lustre {
        return Err(wrong(format!(
            "the hash of the value in inode {} is {stored:#010x}, but its bytes give {hash:#010x}",
            entry.e_value_inum
        )));
    }
    if !lustre
        && entry.e_hash != entry_hash(entry.name, hash, false)
        && entry.e_hash != entry_hash(entry.name, hash, true)
    {
        return Err(wrong(format!(
            "e_hash is {:#010x}, not that of its name and value",
            entry.e_hash
        )));
    }
    Ok(value)
}

/// The hash of an entry whose value has a hash of its own. Some machines have hashed the name's
/// bytes as signed numbers.
fn entry_hash(name: &[u8], value: u32, signed: bool) -> u32 {
    let hash = name.iter().fold(0_u32, |hash, byte| {
        let byte = if signed { *byte as i8 as u32 } else { u32::from(*byte) };
        hash.rotate_left(5) ^ byte
    });
    hash.rotate_left(16) ^ value
}
