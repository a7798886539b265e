//! Where the blocks of a fork lie: an extent list in the inode, or a B+tree of extents whose root
//! is in the inode.

use std::collections::HashSet;

use fathom_block::{Error, Fields, Result};

use super::blocks::{BTREE, Blocks};
use super::inode::{Fork, Format, Inode};
use super::remap;

/// The size of an extent record.
const RECORD: usize = 16;

/// `BMAP` and, with checksums, `BMA3`.
const MAGIC: [u8; 4] = *b"BMAP";
const MAGIC_V5: [u8; 4] = *b"BMA3";

/// The size of a block's header, without and with checksums.
const HEADER: usize = 24;
const HEADER_V5: usize = 72;

/// The tallest tree of extents there can be (`XFS_BM_MAXLEVELS`).
const MAX_LEVELS: u16 = 12;

/// How many extents of one fork are held in memory. A file in more pieces is refused.
const MAX_EXTENTS: usize = 4 << 20;

/// How many tree blocks are read in one call.
const BATCH: usize = 64;

/// A run of blocks of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// The block of the file.
    pub(super) start: u64,
    pub(super) count: u64,
    /// The block of the filesystem.
    pub(super) block: u64,
    /// Allocated, but never written: it reads as zeros.
    pub(super) unwritten: bool,
}

impl Mapping {
    /// `xfs_bmbt_rec`: a flag, 54 bits of file block, 52 of filesystem block, 21 of count.
    fn parse(fields: &Fields<'_>, at: usize) -> Result<Self> {
        let (upper, lower) = (fields.be_u64(at)?, fields.be_u64(at + 8)?);
        let mapping = Self {
            start: (upper >> 9) & ((1 << 54) - 1),
            count: lower & ((1 << 21) - 1),
            block: (upper & 0x1FF) << 43 | lower >> 21,
            unwritten: upper >> 63 != 0,
        };
        if mapping.count == 0 {
            return Err(fields.corrupt(at, "the extent is empty"));
        }
        Ok(mapping)
    }

    /// The block of the file after it.
    pub(super) fn end(&self) -> u64 {
        self.start + self.count
    }

    /// The mapping of a sorted list that holds the file's block.
    pub(super) fn find(map: &[Self], block: u64) -> Option<&Self> {
        let index = map.partition_point(|mapping| mapping.end() <= block);
        map.get(index).filter(|mapping| mapping.start <= block)
    }
}

/// The extents of the fork, sorted. A fork that is not there, or keeps its bytes itself, has none.
pub(super) fn map(blocks: &Blocks, inode: &Inode, fork: Fork) -> Result<Vec<Mapping>> {
    let map = stored(blocks, inode, fork)?;
    let Some(remaps) = blocks.remaps.get(&inode.number).filter(|_| fork == Fork::Data) else {
        return Ok(map);
    };
    let what = format!("extents of inode {}", inode.number);
    let map = remap::apply(&what, map, remaps)?;
    for mapping in &map {
        blocks.locate(&what, mapping.block, mapping.count)?;
    }
    Ok(map)
}

/// How many blocks the inode has, with what is yet to be done to its extents.
pub(super) fn blocks(blocks: &Blocks, inode: &Inode) -> Result<u64> {
    if !blocks.remaps.contains_key(&inode.number) {
        return Ok(inode.blocks());
    }
    let count = |map: Vec<Mapping>| map.iter().map(|mapping| mapping.count).sum::<u64>();
    let before = count(stored(blocks, inode, Fork::Data)?);
    let after = count(map(blocks, inode, Fork::Data)?);
    Ok(inode.blocks().saturating_add(after).saturating_sub(before))
}

/// The extents as they are on the disk.
fn stored(blocks: &Blocks, inode: &Inode, fork: Fork) -> Result<Vec<Mapping>> {
    let what = format!("extents of inode {}", inode.number);
    let Some((format, count)) = inode.fork(fork) else {
        return Ok(Vec::new());
    };
    let (at, bytes) = inode.fork_bytes(fork);
    let fields = Fields::new(&what, at, bytes);
    let map = match format {
        Format::Device | Format::Local => return Ok(Vec::new()),
        Format::Extents => {
            let room = (bytes.len() / RECORD) as u64;
            if count > room {
                let why = format!("{count} extents are claimed; there is room for {room}");
                return Err(fields.corrupt(0, why));
            }
            records(&fields, 0, count as usize)?
        }
        Format::Btree => {
            let map = Walk { blocks, what: &what, owner: inode.number }.all(&fields, count)?;
            if map.len() as u64 != count {
                let why = format!("it has {} extents, but {count} are claimed", map.len());
                return Err(fields.corrupt(0, why));
            }
            map
        }
    };
    for mapping in &map {
        blocks.locate(&what, mapping.block, mapping.count)?;
    }
    match map.windows(2).find(|pair| pair[0].end() > pair[1].start) {
        Some(pair) => {
            let why = format!("the extent of block {} is out of order", pair[1].start);
            Err(fields.corrupt(0, why))
        }
        None => Ok(map),
    }
}

fn records(fields: &Fields<'_>, at: usize, count: usize) -> Result<Vec<Mapping>> {
    (0..count).map(|index| Mapping::parse(fields, at + index * RECORD)).collect()
}

/// The walk of one tree, level by level, so that each level is a few large reads.
struct Walk<'a> {
    blocks: &'a Blocks,
    what: &'a str,
    owner: u64,
}

impl Walk<'_> {
    fn all(&self, root: &Fields<'_>, claimed: u64) -> Result<Vec<Mapping>> {
        let level = root.be_u16(0)?;
        let count = usize::from(root.be_u16(2)?);
        // The root in the inode has room for as many keys as pointers, and the pointers start
        // behind the room of the keys.
        let room = root.len().saturating_sub(4) / RECORD;
        if level == 0 || level > MAX_LEVELS || count > room {
            let why = format!("its root has level {level} and {count} of {room} records");
            return Err(root.corrupt(0, why));
        }
        if claimed > MAX_EXTENTS as u64 {
            let why = format!("{claimed} extents; at most {MAX_EXTENTS} are read");
            return Err(Error::unsupported(self.what, why));
        }
        let pointer = |index| root.be_u64(4 + room * 8 + index * 8);
        let mut level_blocks: Vec<u64> = (0..count).map(pointer).collect::<Result<_>>()?;
        let mut seen: HashSet<u64> = HashSet::new();
        let mut map = Vec::new();
        for level in (0..level).rev() {
            let mut below = Vec::new();
            if let Some(again) = level_blocks.iter().find(|block| !seen.insert(**block)) {
                let why = format!("block {again:#x} is in the tree twice");
                return Err(root.corrupt(0, why));
            }
            for batch in level_blocks.chunks(BATCH) {
                for (at, bytes) in self.read(batch)? {
                    self.node(at, &bytes, level, &mut below, &mut map)?;
                }
                if map.len().max(below.len()) as u64 > claimed {
                    let why = format!("the tree holds more than the {claimed} extents claimed");
                    return Err(root.corrupt(0, why));
                }
            }
            level_blocks = below;
        }
        Ok(map)
    }

    /// Reads several blocks at once.
    fn read(&self, batch: &[u64]) -> Result<Vec<(u64, Vec<u8>)>> {
        let size = self.blocks.superblock.block_size() as usize;
        let mut read = Vec::with_capacity(batch.len());
        for block in batch {
            read.push((self.blocks.locate(self.what, *block, 1)?, vec![0; size]));
        }
        let mut reads: Vec<_> =
            read.iter_mut().map(|(at, bytes)| (*at, bytes.as_mut_slice())).collect();
        self.blocks.volume.read_many(&mut reads).map_err(|error| error.within(self.what))?;
        Ok(read)
    }

    /// Adds what one block holds: extents, or the blocks of the level below.
    fn node(
        &self,
        at: u64,
        bytes: &[u8],
        level: u16,
        below: &mut Vec<u64>,
        map: &mut Vec<Mapping>,
    ) -> Result<()> {
        let fields = Fields::new(self.what, at, bytes);
        let (magic, header) =
            if self.blocks.crc() { (MAGIC_V5, HEADER_V5) } else { (MAGIC, HEADER) };
        if fields.array::<4>(0)? != magic {
            return Err(fields.corrupt(0, "the magic is not that of an extent tree block"));
        }
        if self.blocks.crc() {
            let swapped = self.blocks.swapped.contains(&self.owner);
            let owner = if swapped { fields.be_u64(56)? } else { self.owner };
            self.blocks.verify(self.what, at, bytes, BTREE, owner)?;
        }
        let room = (bytes.len() - header) / RECORD;
        let (found, count) = (fields.be_u16(4)?, usize::from(fields.be_u16(6)?));
        if found != level || count > room {
            let why = format!("its level is {found} of {level}, its records {count} of {room}");
            return Err(fields.corrupt(4, why));
        }
        if level == 0 {
            map.extend(records(&fields, header, count)?);
            return Ok(());
        }
        for index in 0..count {
            below.push(fields.be_u64(header + room * 8 + index * 8)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fathom_block::ErrorKind;

    use super::*;
    use crate::node::NodeId;
    use crate::xfs::testing::{BLOCK, Image, Node, extent};

    fn mapped(image: &Image, node: &Node) -> Result<Vec<Mapping>> {
        let mut image = image.clone();
        image.inode(65, node);
        let blocks = image.blocks();
        map(&blocks, &Inode::read(&blocks, 65).unwrap(), Fork::Data)
    }

    fn listed(extents: &[[u8; 16]]) -> Node {
        Node { extents: extents.len() as u32, data: extents.concat(), ..Node::default() }
    }

    #[test]
    fn lists_are_read_and_checked() {
        let image = Image::new(true);
        let node = listed(&[extent(0, 30, 2, false), extent(7, 600, 1, true)]);
        let map = mapped(&image, &node).unwrap();
        assert_eq!(map.len(), 2);
        assert_eq!(map[1], Mapping { start: 7, count: 1, block: 600, unwritten: true });
        assert_eq!(Mapping::find(&map, 1), Some(&map[0]));
        assert_eq!(Mapping::find(&map, 2), None);
        let wrong = [
            listed(&[extent(0, 30, 0, false)]),
            listed(&[extent(0, 511, 2, false)]),
            listed(&[extent(0, 1 << 40, 1, false)]),
            listed(&[extent(5, 30, 2, false), extent(6, 40, 1, false)]),
            Node { extents: 1000, ..Node::default() },
        ];
        for node in wrong {
            assert_eq!(mapped(&image, &node).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn files_have_holes_and_unwritten_parts() {
        let mut image = Image::new(true);
        image.bytes[30 * BLOCK..31 * BLOCK].fill(b'a');
        image.bytes[31 * BLOCK..32 * BLOCK].fill(b'b');
        let extents = [extent(0, 30, 1, false), extent(2, 31, 1, true), extent(3, 31, 1, false)];
        image.inode(65, &Node { size: 3 * BLOCK as u64 + 10, ..listed(&extents) });
        let file = image.open().unwrap().open(NodeId::new(65)).unwrap();
        let mut bytes = vec![1; file.len() as usize];
        file.read_at(0, &mut bytes).unwrap();
        assert!(bytes[..BLOCK].iter().all(|byte| *byte == b'a'));
        assert!(bytes[BLOCK..3 * BLOCK].iter().all(|byte| *byte == 0));
        assert_eq!(&bytes[3 * BLOCK..], b"bbbbbbbbbb");
        assert_eq!(file.next_data(BLOCK as u64), Some(3 * BLOCK as u64..3 * BLOCK as u64 + 10));
        image.inode(65, &Node { size: 1, ..listed(&[extent((1 << 54) - 1, 30, 1, false)]) });
        assert!(image.open().unwrap().open(NodeId::new(65)).is_ok());
    }

    /// A tree of one leaf at block 40 with these extents, beneath a root of level 1 that names the
    /// blocks `children`.
    fn tree(v5: bool, extents: &[[u8; 16]], children: &[u64]) -> (Image, Node) {
        let mut image = Image::new(v5);
        let mut leaf = if v5 { b"BMA3".to_vec() } else { b"BMAP".to_vec() };
        leaf.extend([0, 0]);
        leaf.extend((extents.len() as u16).to_be_bytes());
        leaf.resize(if v5 { 72 } else { 24 }, 0);
        leaf.extend(extents.concat());
        image.block(40, &leaf, BTREE, 65);
        let room = (512 - if v5 { 176 } else { 100 } - 4) / 16;
        let mut root = vec![0, 1, 0, children.len() as u8];
        root.resize(4 + room * 8, 0);
        children.iter().for_each(|child| root.extend(child.to_be_bytes()));
        let count = extents.len() as u32;
        (image, Node { format: 3, extents: count, data: root, ..Node::default() })
    }

    #[test]
    fn trees_are_walked_and_bounded() {
        let extents: Vec<_> = (0..100).map(|at| extent(at * 2, 50 + at, 1, false)).collect();
        for v5 in [false, true] {
            let (image, node) = tree(v5, &extents, &[40]);
            assert_eq!(mapped(&image, &node).unwrap().len(), 100);
            let fails = |image: &Image, node: &Node, wanted: &str| {
                let error = mapped(image, node).unwrap_err().to_string();
                assert!(error.contains(wanted), "{error}");
            };
            fails(&image, &Node { extents: 99, ..node.clone() }, "more than the 99");
            fails(&image, &Node { extents: 101, ..node.clone() }, "101 are claimed");
            fails(&image, &Node { extents: 1 << 30, ..node.clone() }, "at most");
            fails(&tree(v5, &extents, &[40, 40]).0, &tree(v5, &extents, &[40, 40]).1, "twice");
            fails(&image, &tree(v5, &extents, &[9]).1, "magic");
            fails(&image, &tree(v5, &extents, &[5000]).1, "do not lie");
            let mut deep = node.clone();
            deep.data[1] = 2;
            fails(&image, &deep, "level");
            deep.data[1] = 200;
            fails(&image, &deep, "root");
            // A node that names itself is found by the level that it has to have.
            let mut own = image.clone();
            own.put(40 * BLOCK + 4, &[0, 1]);
            own.identify(40 * BLOCK, BLOCK, BTREE, 65);
            fails(&own, &node, "level");
        }
    }

    #[test]
    fn blocks_of_swapped_files_may_name_the_other() {
        let (mut image, node) = tree(true, &[extent(0, 50, 1, false)], &[40]);
        image.identify(40 * BLOCK, BLOCK, BTREE, 66);
        assert!(mapped(&image, &node).unwrap_err().to_string().contains("inode 66"));
        image.inode(65, &node);
        let mut blocks = image.blocks();
        blocks.swapped.insert(65);
        let inode = Inode::read(&blocks, 65).unwrap();
        assert_eq!(map(&blocks, &inode, Fork::Data).unwrap().len(), 1);
    }
}
