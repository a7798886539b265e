//! Where a symbolic link leads: in the inode, or in blocks of its own.

use fathom_block::{Error, Fields, Result};

use super::blocks::{Blocks, REMOTE};
use super::bmap::Mapping;
use super::inode::{Fork, Format, Inode};
use crate::node::FileType;

/// The longest target (`XFS_SYMLINK_MAXLEN`).
const MAX_LENGTH: u64 = 1024;

/// The size of the header that each extent of a version 5 target starts with (`xfs_dsymlink_hdr`).
const HEADER: usize = 56;

/// Reads the target of the link whose data fork lies as `map` says.
pub(super) fn target(blocks: &Blocks, inode: &Inode, map: &[Mapping]) -> Result<Vec<u8>> {
    let what = format!("symbolic link {}", inode.number);
    if inode.file_type() != FileType::Symlink {
        return Err(Error::invalid(what, "it is not a symbolic link"));
    }
    if inode.size() == 0 || inode.size() > MAX_LENGTH {
        let why = format!("its target has {} bytes; 1 to {MAX_LENGTH} are possible", inode.size());
        return Err(Error::corrupt(what, inode.at, why));
    }
    let length = inode.size() as usize;
    let target = match inode.fork(Fork::Data) {
        Some((Format::Local, _)) => inode.local(&what)?.1.to_vec(),
        _ => remote(blocks, inode, map, &what, length)?,
    };
    if target.contains(&0) {
        return Err(Error::corrupt(what, inode.at, "its target holds a zero"));
    }
    Ok(target)
}

fn remote(
    blocks: &Blocks,
    inode: &Inode,
    map: &[Mapping],
    what: &str,
    length: usize,
) -> Result<Vec<u8>> {
    let block_log = blocks.superblock.block_log;
    let mut target: Vec<u8> = Vec::with_capacity(length);
    let mut next = 0;
    while target.len() < length {
        let mapping = Mapping::find(map, next)
            .filter(|mapping| mapping.start == next && !mapping.unwritten)
            .ok_or_else(|| Error::corrupt(what, inode.at, "its target has a hole"))?;
        // One extent is one buffer with one header, however many blocks it has; a target never
        // needs more than three of the smallest.
        let count = mapping.count.min(((MAX_LENGTH as usize + HEADER) >> block_log) as u64 + 1);
        let (at, bytes) = blocks.read(what, mapping.block, count)?;
        let fields = Fields::new(what, at, &bytes);
        let header = if blocks.crc() { HEADER } else { 0 };
        let wanted = (bytes.len() - header).min(length - target.len());
        if blocks.crc() {
            if fields.bytes(0, 4)? != b"XSLM" {
                return Err(fields.corrupt(0, "the magic is not that of a link's block"));
            }
            blocks.verify(what, at, &bytes, REMOTE, inode.number)?;
            let (offset, held) = (fields.be_u32(4)? as usize, fields.be_u32(8)? as usize);
            if offset != target.len() || held != wanted {
                let why = format!("it holds {held} bytes from {offset} of the target");
                return Err(fields.corrupt(4, why));
            }
        }
        target.extend_from_slice(fields.bytes(header, wanted)?);
        next += mapping.count;
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeId;
    use crate::xfs::testing::{BLOCK, Image, Node, extent};

    fn read(image: &Image, node: &Node) -> Result<Vec<u8>> {
        let mut image = image.clone();
        image.inode(65, &Node { mode: 0o120777, ..node.clone() });
        image.open()?.read_link(NodeId::new(65))
    }

    #[test]
    fn targets_in_the_inode_and_in_blocks_are_read() {
        for v5 in [false, true] {
            let mut image = Image::new(v5);
            let local = Node { format: 1, size: 4, data: b"away".to_vec(), ..Node::default() };
            assert_eq!(read(&image, &local).unwrap(), b"away");
            assert!(read(&image, &Node { size: 5, ..local.clone() }).is_err(), "a zero");
            assert!(read(&image, &Node { size: 900, ..local.clone() }).is_err());
            assert!(read(&image, &Node { size: 0, ..local.clone() }).is_err());
            assert!(read(&image, &Node { size: 1025, ..local }).is_err());

            let target = vec![b't'; 1000];
            let mut block = if v5 { b"XSLM".to_vec() } else { Vec::new() };
            if v5 {
                block.extend([0, 0, 0, 0, 0, 0, 3, 232]);
                block.resize(HEADER, 0);
            }
            block.extend(&target);
            image.block(40, &block, REMOTE, 65);
            let data = extent(0, 40, 1, false).to_vec();
            let node = Node { size: 1000, extents: 1, data, ..Node::default() };
            assert_eq!(read(&image, &node).unwrap(), target);
            let hole = Node { data: extent(1, 40, 1, false).to_vec(), ..node.clone() };
            assert!(read(&image, &hole).is_err());
            if v5 {
                assert!(read(&image, &Node { size: 999, ..node.clone() }).is_err());
                image.put(40 * BLOCK, b"X");
                image.put(40 * BLOCK + 3, b"?");
                assert!(read(&image, &node).unwrap_err().to_string().contains("magic"));
            }
        }
    }
}
