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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeId;
    use crate::xfs::blocks::{DA3, REMOTE};
    use crate::xfs::testing::{BLOCK, Image, Node, extent};

    fn read(image: &Image, node: &Node) -> Result<Vec<(String, usize)>> {
        let mut image = image.clone();
        image.inode(65, node);
        let xattrs = image.open()?.xattrs(NodeId::new(65))?;
        let named =
            |xattr: Xattr| (String::from_utf8_lossy(&xattr.name).into_owned(), xattr.value.len());
        Ok(xattrs.into_iter().map(named).collect())
    }

    fn short_form(entries: &[(u8, &[u8], &[u8])]) -> Node {
        let mut attributes = vec![0, 0, entries.len() as u8, 0];
        for (flags, name, value) in entries {
            attributes.extend([name.len() as u8, value.len() as u8, *flags]);
            attributes.extend_from_slice(name);
            attributes.extend_from_slice(value);
        }
        attributes[1] = attributes.len() as u8;
        Node { fork_offset: 15, attribute_format: 1, attributes, ..Node::default() }
    }

    #[test]
    fn the_short_form_is_read() {
        let image = Image::new(true);
        let acl = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 6, 0, 0];
        let node = short_form(&[
            (0, b"plain", b"value"),
            (SECURE, b"selinux", b"label"),
            (ROOT, b"SGI_ACL_FILE", &acl),
            (PARENT, b"name", b"parent"),
            (INCOMPLETE, b"half", b""),
        ]);
        let wanted = [
            ("security.selinux", 5),
            ("system.posix_acl_access", 12),
            ("trusted.SGI_ACL_FILE", 16),
            ("user.plain", 5),
        ];
        assert_eq!(read(&image, &node).unwrap(), wanted.map(|(name, size)| (name.into(), size)));
        assert_eq!(read(&image, &Node::default()).unwrap(), []);
        assert!(read(&image, &short_form(&[(ROOT | SECURE, b"x", b"")])).is_err());
        assert!(read(&image, &short_form(&[(0, b"", b"x")])).is_err());
        assert!(read(&image, &short_form(&[(0, b"a\0b", b"x")])).is_err());
        assert!(read(&image, &short_form(&[(ROOT, b"SGI_ACL_DEFAULT", b"bad")])).is_err());
        let mut cut = node.clone();
        cut.attributes[1] -= 1;
        assert!(read(&image, &cut).is_err());
        cut.attributes[0] = 9;
        assert!(read(&image, &cut).is_err());
        let empty = Node { fork_offset: 15, ..Node::default() };
        assert_eq!(read(&image, &empty).unwrap(), []);
    }

    /// A leaf with a local attribute, and one with a value of 5000 bytes at block 2 of the fork.
    fn leaf(v5: bool) -> (Image, Node) {
        let mut image = Image::new(v5);
        let (counts, start) = if v5 { (56, 80) } else { (12, 32) };
        let mut block = vec![0; BLOCK];
        block[8..10].copy_from_slice(if v5 { &[0x3B, 0xEE] } else { &[0xFB, 0xEE] });
        block[counts + 1] = 3;
        let entry = |index: usize, at: u16, flags: u8| {
            (start + index * 8 + 4, [(at >> 8) as u8, at as u8, flags])
        };
        for (at, bytes) in [entry(0, 4000, 1), entry(1, 3900, 0), entry(2, 4000, 0x81)] {
            block[at..at + 3].copy_from_slice(&bytes);
        }
        block[4000..4011].copy_from_slice(b"\0\x05\x03keyvalue");
        block[4011 - 8..4011].copy_from_slice(b"keyvalue");
        block[3900..3909].copy_from_slice(&[0, 0, 0, 2, 0, 0, 0x13, 0x88, 3]);
        block[3909..3912].copy_from_slice(b"big");
        image.block(40, &block, DA3, 65);
        let mut offset = 0u32;
        for at in [42, 43] {
            let room = if v5 { BLOCK - 56 } else { BLOCK };
            let held = room.min(5000 - offset as usize);
            let mut block = Vec::new();
            if v5 {
                block.extend(b"XARM");
                block.extend(offset.to_be_bytes());
                block.extend((held as u32).to_be_bytes());
                block.resize(56, 0);
            }
            block.extend(vec![b'v'; held]);
            image.block(at, &block, REMOTE, 65);
            offset += held as u32;
        }
        let attributes = [extent(0, 40, 1, false), extent(2, 42, 2, false)].concat();
        let node = Node { fork_offset: 15, attribute_extents: 2, attributes, ..Node::default() };
        (image, node)
    }

    #[test]
    fn leaves_and_remote_values_are_read() {
        for v5 in [false, true] {
            let (image, node) = leaf(v5);
            let wanted = [("user.big".to_string(), 5000), ("user.key".to_string(), 5)];
            assert_eq!(read(&image, &node).unwrap(), wanted);
            let fails = |place: usize, bytes: &[u8]| {
                let mut image = image.clone();
                image.put(40 * BLOCK + place, bytes);
                image.identify(40 * BLOCK, BLOCK, DA3, 65);
                let error = read(&image, &node).err().map(|error| error.to_string());
                error.unwrap_or_else(|| panic!("{place}: {bytes:?}"))
            };
            let (counts, start) = if v5 { (56, 80) } else { (12, 32) };
            assert!(fails(counts, &[9]).contains("do not fit"));
            assert!(fails(start + 4, &[0, 40]).contains("among the entries"));
            assert!(fails(start + 4, &[0xFF, 0xFF]).contains("wanted"));
            assert!(fails(3900, &[1]).contains("hole"));
            assert!(fails(3904, &[9]).contains("a value of"));
            assert!(fails(0, &[0, 0, 0, 2]).contains("magic"), "the next leaf is no leaf");
            assert!(fails(8, &[1]).contains("magic"));
        }
    }

    #[test]
    fn remote_values_are_verified() {
        let (image, node) = leaf(true);
        for (place, bytes) in [(0, [b'Y']), (7, [1]), (100, [0])] {
            let mut image = image.clone();
            image.put(43 * BLOCK + place, &bytes);
            if place == 7 {
                image.identify(43 * BLOCK, BLOCK, REMOTE, 65);
            }
            assert!(read(&image, &node).is_err(), "{place}");
        }
        // A leaf that names itself as the next, by way of another.
        let mut image = image.clone();
        image.bytes.copy_within(40 * BLOCK..41 * BLOCK, 41 * BLOCK);
        image.be32(40 * BLOCK, 1);
        image.be32(41 * BLOCK, 1);
        for at in [40, 41] {
            image.identify(at * BLOCK, BLOCK, DA3, 65);
        }
        let attributes = [extent(0, 40, 4, false)].concat();
        let node = Node { attribute_extents: 1, attributes, ..node };
        assert!(read(&image, &node).unwrap_err().to_string().contains("circle"));
    }
}
