//! Extended attributes: items in the form of directory entries, found by the hash of their name,
//! with the value behind it. Names are whole (`user.`, `system.posix_acl_access`, …) and values as
//! `getxattr` gives them, access control lists included.

use fathom_block::Result;

use super::btree::Btree;
use super::directory;
use super::key::{Key, kind};
use crate::node::Xattr;

/// All attributes of the inode `number`, sorted by name.
pub(super) fn read(tree: &Btree, number: u64) -> Result<Vec<Xattr>> {
    let mut xattrs = Vec::new();
    let mut cursor = tree.cursor(Key::first(number, kind::XATTR_ITEM));
    while let Some(item) = cursor.next()? {
        if !item.key.is(number, kind::XATTR_ITEM) {
            break;
        }
        let fields = item.fields("Btrfs extended attribute");
        for entry in directory::entries(&fields)? {
            if entry.kind != directory::ATTRIBUTE {
                return Err(fields.corrupt(29, format!("an attribute of type {}", entry.kind)));
            }
            xattrs.push(Xattr { name: entry.name.to_vec(), value: entry.data.to_vec() });
        }
    }
    xattrs.sort_unstable();
    Ok(xattrs)
}
