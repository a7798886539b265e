//! Keys: how every item of every tree is found, and the numbers they are made of.
//!
//! All trees of Btrfs map a key of three parts to a few bytes. What the object id and the offset
//! mean depends on the type between them.

use fathom_block::{Fields, Result};

/// The key of an item (`btrfs_disk_key`), in the order of the trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) objectid: u64,
    pub(super) kind: u8,
    pub(super) offset: u64,
}

impl Key {
    /// Its size on the disk.
    pub(super) const SIZE: usize = 17;

    pub(super) const fn new(objectid: u64, kind: u8, offset: u64) -> Self {
        Self { objectid, kind, offset }
    }

    /// The first key of that object and type.
    pub(super) const fn first(objectid: u64, kind: u8) -> Self {
        Self::new(objectid, kind, 0)
    }

    pub(super) fn parse(fields: &Fields<'_>, at: usize) -> Result<Self> {
        Ok(Self::new(fields.le_u64(at)?, fields.u8(at + 8)?, fields.le_u64(at + 9)?))
    }

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.objectid.to_le_bytes());
        bytes[8] = self.kind;
        bytes[9..].copy_from_slice(&self.offset.to_le_bytes());
        bytes
    }

    /// Whether it is of that object and type.
    pub(super) fn is(&self, objectid: u64, kind: u8) -> bool {
        self.objectid == objectid && self.kind == kind
    }

    /// The key right before it.
    pub(super) fn before(self) -> Option<Self> {
        let Self { objectid, kind, offset } = self;
        if let Some(offset) = offset.checked_sub(1) {
            return Some(Self { objectid, kind, offset });
        }
        if let Some(kind) = kind.checked_sub(1) {
            return Some(Self { objectid, kind, offset: u64::MAX });
        }
        let objectid = objectid.checked_sub(1)?;
        Some(Self { objectid, kind: u8::MAX, offset: u64::MAX })
    }
}

/// The types of items (`BTRFS_*_KEY`).
pub(super) mod kind {
    pub(crate) const INODE_ITEM: u8 = 1;
    pub(crate) const INODE_REF: u8 = 12;
    pub(crate) const INODE_EXTREF: u8 = 13;
    pub(crate) const XATTR_ITEM: u8 = 24;
    pub(crate) const DIR_LOG_INDEX: u8 = 72;
    pub(crate) const DIR_ITEM: u8 = 84;
    pub(crate) const DIR_INDEX: u8 = 96;
    pub(crate) const EXTENT_DATA: u8 = 108;
    pub(crate) const EXTENT_CSUM: u8 = 128;
    pub(crate) const ROOT_ITEM: u8 = 132;
    pub(crate) const ROOT_BACKREF: u8 = 144;
    pub(crate) const ROOT_REF: u8 = 156;
    pub(crate) const CHUNK_ITEM: u8 = 228;
}

/// Well-known object ids (`BTRFS_*_OBJECTID`).
pub(super) mod id {
    pub(crate) const ROOT_TREE: u64 = 1;
    pub(crate) const CHUNK_TREE: u64 = 3;
    pub(crate) const FS_TREE: u64 = 5;
    pub(crate) const CSUM_TREE: u64 = 7;
    /// What a directory is that names a subvolume which is not linked there.
    pub(crate) const EMPTY_SUBVOL_DIR: u64 = 2;
    /// The first of subvolumes, and the root directory of each.
    pub(crate) const FIRST_FREE: u64 = 256;
    pub(crate) const FIRST_CHUNK_TREE: u64 = 256;
    pub(crate) const TREE_LOG: u64 = -6_i64 as u64;
    pub(crate) const EXTENT_CSUM: u64 = -10_i64 as u64;
}

/// Whether the tree holds files (`is_fstree`): the top-level one and every subvolume. Ids with
/// something in the upper sixteen bits are quota groups.
pub(super) fn is_file_tree(tree: u64) -> bool {
    tree == id::FS_TREE || (tree as i64 >= id::FIRST_FREE as i64 && tree >> 48 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_as_in_a_tree() {
        let key = Key::new(7, 3, 0);
        assert_eq!(key.before(), Some(Key::new(7, 2, u64::MAX)));
        assert_eq!(Key::new(7, 0, 0).before(), Some(Key::new(6, 255, u64::MAX)));
        assert_eq!(Key::new(0, 0, 0).before(), None);
        assert!(Key::new(7, 3, 9) < Key::new(7, 4, 0) && Key::new(7, 4, 0) < Key::new(8, 0, 0));
        let bytes = key.to_bytes();
        assert_eq!(Key::parse(&Fields::new("key", 0, &bytes), 0).unwrap(), key);
        assert!(is_file_tree(5) && is_file_tree(256) && !is_file_tree(7));
        assert!(!is_file_tree(id::TREE_LOG) && !is_file_tree(1 << 48));
    }
}
