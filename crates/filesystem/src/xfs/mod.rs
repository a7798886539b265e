//! XFS, versions 4 and 5.
//!
//! Everything is found by arithmetic: an inode number holds the allocation group, the block in it
//! and the place in the block ([`superblock`]). An inode ([`inode`]) has two forks, one for its
//! data and one for its extended attributes; a fork keeps its bytes itself, or a list or tree of
//! extents ([`bmap`]). Directories ([`directory`]) and large attribute forks ([`attribute`]) are
//! themselves files of blocks, indexed by a tree over hash values ([`tree`]).
//!
//! A filesystem that was in use has changes in its log that are nowhere else yet. They are replayed
//! in memory ([`log`]) before anything is read, in the order and under the rules of the kernel.

mod attribute;
mod blocks;
mod bmap;
mod directory;
mod features;
mod inode;
mod log;
mod remap;
mod superblock;
mod symlink;
#[cfg(test)]
mod testing;
mod tree;

use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, Problem, ReadAt, Result, read_array};

use self::blocks::Blocks;
use self::bmap::Mapping;
use self::directory::Directory;
use self::inode::{Fork, Inode};
use self::superblock::Superblock;
use crate::detect::Kind;
use crate::extent::{Extent, ExtentFile};
use crate::node::{FileType, Filesystem, Health, Info, Metadata, NodeId, Visit, Xattr};

/// How many bytes of decoded inodes, and of extent lists of directories, are kept.
const INODES: usize = 4 << 20;
const MAPS: usize = 4 << 20;

pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= 512 && read_array::<4>(volume, "XFS superblock", 0)? == *b"XFSB")
}

pub(crate) fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    let (superblock, problem) = Superblock::find(&*volume)?;
    let mut problems: Vec<Problem> = problem.into_iter().collect();
    if superblock.size() > volume.len() {
        problems.push(Error::truncated("XFS volume", volume.len(), superblock.size()));
    }
    let recovery = log::recover(&volume, &superblock);
    problems.extend(recovery.problems);
    let mut health = recovery.health;
    // The log may hold a later superblock, such as that of a filesystem that has just grown.
    let superblock = match Superblock::read(&*recovery.volume, 0) {
        Ok(replayed) if health != Health::Clean && replayed.root == superblock.root => replayed,
        _ => superblock,
    };
    if superblock.features.needs_repair {
        let why = "it is marked as needing xfs_repair: what is shown may contradict itself";
        problems.push(Error::corrupt("XFS superblock", 216, why));
        health = Health::Errors;
    }
    let blocks = Blocks::new(recovery.volume, superblock, recovery.swapped, recovery.remaps);
    Ok(Arc::new(Xfs {
        blocks,
        health,
        problems,
        inodes: Decoded::new(INODES),
        maps: Decoded::new(MAPS),
    }))
}

/// An open filesystem.
struct Xfs {
    blocks: Blocks,
    health: Health,
    problems: Vec<Problem>,
    inodes: Decoded<u64, Inode>,
    /// The extents of directories, by inode.
    maps: Decoded<u64, Vec<Mapping>>,
}

impl Xfs {
    fn inode(&self, node: NodeId) -> Result<Arc<Inode>> {
        let weight = |_: &Inode| usize::from(self.blocks.superblock.inode_size) + 256;
        self.inodes.get_or(&node.inode, weight, || Inode::read(&self.blocks, node.inode))
    }

    /// The extents of the data fork, remembered.
    fn map(&self, inode: &Inode) -> Result<Arc<Vec<Mapping>>> {
        let weight = |map: &Vec<Mapping>| map.len() * size_of::<Mapping>() + 64;
        self.maps.get_or(&inode.number, weight, || bmap::map(&self.blocks, inode, Fork::Data))
    }
}

impl Filesystem for Xfs {
    fn info(&self) -> Info {
        let superblock = &self.blocks.superblock;
        let label = String::from_utf8_lossy(&superblock.label).into_owned();
        let hex = |range: std::ops::Range<usize>| -> String {
            superblock.uuid[range].iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let uuid = [0..4, 4..6, 6..8, 8..10, 10..16].map(hex).join("-");
        Info {
            kind: Kind::Xfs,
            variant: format!("XFS v{}", if superblock.features.crc { 5 } else { 4 }),
            label: (!label.is_empty()).then_some(label),
            uuid: Some(uuid),
            block_size: superblock.block_size(),
            size: superblock.size(),
            // The count in the superblock is brought up to date when the filesystem is unmounted.
            free: match self.health {
                Health::Clean => superblock.free_blocks.checked_mul(superblock.block_size().into()),
                _ => None,
            },
            health: self.health,
            features: superblock.features.names.iter().map(ToString::to_string).collect(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        self.problems.clone()
    }

    fn root(&self) -> NodeId {
        NodeId::new(self.blocks.superblock.root)
    }

    fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>> {
        let inode = self.inode(dir)?;
        let map = self.map(&inode)?;
        Ok(Directory::new(&self.blocks, &inode, &map)?.lookup(name)?.map(NodeId::new))
    }

    fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()> {
        let inode = self.inode(dir)?;
        let map = self.map(&inode)?;
        Directory::new(&self.blocks, &inode, &map)?.list(visit)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata> {
        let inode = self.inode(node)?;
        let block_log = self.blocks.superblock.block_log;
        let allocated = bmap::blocks(&self.blocks, &inode)?.saturating_mul(1 << block_log);
        Ok(Metadata { allocated, ..inode.metadata(block_log) })
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>> {
        let inode = self.inode(node)?;
        symlink::target(&self.blocks, &inode, &bmap::map(&self.blocks, &inode, Fork::Data)?)
    }

    fn xattrs(&self, node: NodeId) -> Result<Vec<Xattr>> {
        attribute::list(&self.blocks, &*self.inode(node)?)
    }

    fn open(&self, node: NodeId) -> Result<Arc<dyn ReadAt>> {
        let inode = self.inode(node)?;
        if inode.file_type() != FileType::File {
            let what = format!("inode {}", inode.number);
            return Err(Error::invalid(what, "it is not a regular file"));
        }
        inode.refuse_realtime()?;
        let map = bmap::map(&self.blocks, &inode, Fork::Data)?;
        let block_log = self.blocks.superblock.block_log;
        let mut extents = Vec::with_capacity(map.len());
        for mapping in map.iter().filter(|mapping| !mapping.unwritten) {
            // The kernel may allocate beyond the end of a file; nothing is to be seen there.
            if mapping.start >= inode.size().div_ceil(1 << block_log) {
                break;
            }
            let logical = mapping.start << block_log;
            let length = (mapping.count << block_log).min(inode.size() - logical);
            let at = self.blocks.locate("file", mapping.block, mapping.count)?;
            extents.push(Extent { logical, length, physical: Some(at) });
        }
        let volume = Arc::clone(&self.blocks.volume);
        Ok(Arc::new(ExtentFile::new(volume, extents, inode.size())?))
    }
}
