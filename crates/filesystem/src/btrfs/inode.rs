//! Inodes, and the references that say under which names they are linked.

use std::fmt::Write as _;

use fathom_block::{Fields, Result};

use super::btree::Btree;
use super::key::{Key, kind};
use crate::node::{FileType, Metadata};
use crate::timestamp::Timestamp;

/// The file's data has no checksums (`BTRFS_INODE_NODATASUM`).
const NODATASUM: u64 = 1 << 0;

const NANOS: u32 = 1_000_000_000;

/// An inode item (`btrfs_inode_item`).
#[derive(Clone, Debug)]
pub(super) struct Inode {
    pub(super) size: u64,
    nbytes: u64,
    nlink: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    rdev: u64,
    flags: u64,
    atime: Timestamp,
    ctime: Timestamp,
    pub(super) mtime: Timestamp,
    otime: Timestamp,
    /// Where on the volume it lies.
    place: u64,
}

impl Inode {
    pub(super) fn parse(fields: &Fields<'_>, place: u64) -> Result<Self> {
        Ok(Self {
            size: fields.le_u64(16)?,
            nbytes: fields.le_u64(24)?,
            nlink: fields.le_u32(40)?,
            uid: fields.le_u32(44)?,
            gid: fields.le_u32(48)?,
            mode: fields.le_u32(52)?,
            rdev: fields.le_u64(56)?,
            flags: fields.le_u64(64)?,
            atime: timestamp(fields, 112)?,
            ctime: timestamp(fields, 124)?,
            mtime: timestamp(fields, 136)?,
            otime: timestamp(fields, 148)?,
            place,
        })
    }

    pub(super) fn file_type(&self) -> Result<FileType> {
        FileType::from_mode(self.mode).ok_or_else(|| {
            let why = format!("mode {:o} is of no file type", self.mode);
            fathom_block::Error::corrupt("Btrfs inode", self.place + 52, why)
        })
    }

    /// How many names it has.
    pub(super) fn links(&self) -> u32 {
        self.nlink
    }

    /// Whether the data of the file has checksums.
    pub(super) fn has_checksums(&self) -> bool {
        self.flags & NODATASUM == 0
    }

    pub(super) fn metadata(&self, sector_size: u32) -> Result<Metadata> {
        let file_type = self.file_type()?;
        let is_device = matches!(file_type, FileType::CharacterDevice | FileType::BlockDevice);
        let sector = u64::from(sector_size);
        Ok(Metadata {
            file_type,
            mode: self.mode & 0o7777,
            uid: self.uid,
            gid: self.gid,
            size: self.size,
            // As the kernel counts: the bytes of the file that lie on extents, whole sectors.
            allocated: self.nbytes.div_ceil(sector).saturating_mul(sector),
            links: u64::from(self.nlink),
            device: is_device.then(|| {
                // The kernel's own encoding: twelve bits of major, twenty of minor number.
                let rdev = self.rdev as u32;
                (rdev >> 20, rdev & 0xF_FFFF)
            }),
            modified: self.mtime,
            accessed: Some(self.atime),
            changed: Some(self.ctime),
            created: Some(self.otime),
        })
    }
}

/// A time (`btrfs_timespec`).
pub(super) fn timestamp(fields: &Fields<'_>, at: usize) -> Result<Timestamp> {
    Ok(Timestamp::new(fields.le_u64(at)? as i64, fields.le_u32(at + 8)?.min(NANOS - 1)))
}

/// The inode `number` of the tree.
pub(super) fn read(tree: &Btree, number: u64) -> Result<Option<Inode>> {
    match tree.get(&Key::first(number, kind::INODE_ITEM))? {
        Some(item) => Inode::parse(&item.fields("Btrfs inode item"), item.place()).map(Some),
        None => Ok(None),
    }
}

/// A name that an inode has in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) parent: u64,
    pub(super) index: u64,
    pub(super) name: Vec<u8>,
}

/// The names in an `INODE_REF` or `INODE_EXTREF` item (`btrfs_inode_ref`, `btrfs_inode_extref`).
pub(super) fn references(fields: &Fields<'_>, key: &Key) -> Result<Vec<Reference>> {
    let extended = key.kind == kind::INODE_EXTREF;
    let mut references = Vec::new();
    let mut at = 0;
    while at < fields.len() {
        let parent = if extended { fields.le_u64(at)? } else { key.offset };
        at += if extended { 8 } else { 0 };
        let length = usize::from(fields.le_u16(at + 8)?);
        let name = fields.bytes(at + 10, length)?.to_vec();
        references.push(Reference { parent, index: fields.le_u64(at)?, name });
        at += 10 + length;
    }
    Ok(references)
}

/// The directory that a directory lies in, and its name there.
pub(super) fn parent(tree: &Btree, number: u64) -> Result<Option<(u64, Vec<u8>)>> {
    let mut cursor = tree.cursor(Key::first(number, kind::INODE_REF));
    let Some(item) = cursor.next()? else {
        return Ok(None);
    };
    if !item.key.is(number, kind::INODE_REF) && !item.key.is(number, kind::INODE_EXTREF) {
        return Ok(None);
    }
    let references = references(&item.fields("Btrfs inode reference"), &item.key)?;
    Ok(references.into_iter().next().map(|reference| (reference.parent, reference.name)))
}

/// A UUID as everybody spells it.
pub(super) fn uuid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}
