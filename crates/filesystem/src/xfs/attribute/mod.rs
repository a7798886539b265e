//! Extended attributes, in all the forms that they grow through.
//!
//! A few small ones lie in the inode ([`short`]); more in one leaf block, and then in a B+tree of
//! leaves ([`leaf`]); a value that is too long for a leaf lies in blocks of its own ([`remote`]).
//! Access control lists are attributes too, and shown in the form that the kernel gives them
//! ([`acl`]).

mod acl;
mod leaf;
mod remote;
mod short;

use fathom_block::{Error, Result};

use super::blocks::Blocks;
use super::bmap;
use super::inode::{Fork, Format, Inode};
use crate::node::Xattr;

/// The longest value of one attribute (`XFS_XATTR_SIZE_MAX`).
const MAX_VALUE: usize = 64 << 10;

/// The most bytes of names and values of one inode that are held in memory.
const MAX_TOTAL: usize = 32 << 20;

/// Flags of an attribute.
const ROOT: u8 = 0x02;
const SECURE: u8 = 0x04;
/// The name and inode of a parent directory; no attribute that anyone set.
const PARENT: u8 = 0x08;
/// Half written when the machine stopped, or half removed.
const INCOMPLETE: u8 = 0x80;

/// All attributes of the inode, sorted by name.
pub(super) fn list(blocks: &Blocks, inode: &Inode) -> Result<Vec<Xattr>> {
    let what = format!("attributes of inode {}", inode.number);
    let mut found = Found { what: &what, xattrs: Vec::new(), total: 0 };
    match inode.fork(Fork::Attributes) {
        None => {}
        Some((Format::Local, _)) => short::all(inode, &mut found)?,
        Some(_) => {
            let map = bmap::map(blocks, inode, Fork::Attributes)?;
            if !map.is_empty() {
                leaf::all(blocks, inode, &map, &mut found)?;
            }
        }
    }
    found.xattrs.sort_unstable();
    Ok(found.xattrs)
}

/// The attributes found so far.
struct Found<'a> {
    what: &'a str,
    xattrs: Vec<Xattr>,
    total: usize,
}

impl Found<'_> {
    /// Whether an attribute with these flags is shown to anyone.
    fn is_shown(flags: u8) -> bool {
        flags & (PARENT | INCOMPLETE) == 0
    }

    /// Adds an attribute under the names that the kernel lists it by.
    fn add(&mut self, at: u64, flags: u8, name: &[u8], value: &[u8]) -> Result<()> {
        let corrupt = |why: &str| Err(Error::corrupt(self.what, at, why));
        if name.is_empty() || name.contains(&0) {
            return corrupt("the name of an attribute is empty or holds a zero");
        }
        let namespace: &[u8] = match flags & (ROOT | SECURE) {
            0 => b"user.",
            ROOT => b"trusted.",
            SECURE => b"security.",
            _ => return corrupt("an attribute is in two namespaces at once"),
        };
        self.total += namespace.len() + name.len() + value.len() + size_of::<Xattr>();
        if self.total > MAX_TOTAL {
            let why = format!("more than {MAX_TOTAL} bytes of attributes");
            return Err(Error::unsupported(self.what, why).at(at));
        }
        let system: Option<&[u8]> = match (flags & ROOT, name) {
            (0, _) => None,
            (_, b"SGI_ACL_FILE") => Some(b"system.posix_acl_access"),
            (_, b"SGI_ACL_DEFAULT") => Some(b"system.posix_acl_default"),
            _ => None,
        };
        if let Some(system) = system {
            let value = acl::from_disk(self.what, at, value)?;
            self.xattrs.push(Xattr { name: system.to_vec(), value });
        }
        let name = [namespace, name].concat();
        self.xattrs.push(Xattr { name, value: value.to_vec() });
        Ok(())
    }
}
