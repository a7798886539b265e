//! Btrfs on one device.
//!
//! Everything is an item in a B-tree ([`block`], [`btree`], [`key`]); the trees lie in an address
//! space of their own, which chunks map to the device ([`chunk`], [`store`]). The superblock
//! ([`superblock`]) leads to the tree of tree roots ([`root`]), which leads to one tree for each
//! subvolume. There are inodes ([`inode`]), directory entries ([`directory`]), attributes
//! ([`xattr`]) and extents ([`extent`]), and beside them a tree with the checksums of all data
//! ([`data`]). Blocks are never overwritten, so what the superblock leads to is always whole; only
//! what was fsynced since the last commit lies apart, in a log that is replayed in memory
//! ([`log`]).
//!
//! The root directory is that of the default subvolume, as `mount` shows it. Other subvolumes are
//! directories where they are linked, and any of them can be opened as the root.

mod block;
mod btree;
mod checksum;
mod chunk;
mod compression;
mod data;
mod directory;
mod extent;
mod features;
mod file;
mod inode;
mod key;
mod log;
mod root;
mod store;
mod superblock;
#[cfg(test)]
mod tests;
mod xattr;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fathom_block::{Error, Problem, ReadAt, Result, read_vec};

use self::data::Data;
use self::file::File;
use self::key::{Key, id, kind};
use self::root::Roots;
use self::store::Store;
use crate::detect::Kind;
use crate::node::{
    DirEntry, FileType, Filesystem, Health, Info, Metadata, NodeId, Subvolume, Visit, Xattr,
};

/// The longest target of a symbolic link.
const MAX_LINK: u64 = 4096;

/// Nodes of directories that name a subvolume which is not there have this bit in `tree`, and a
/// number of our own beside it: the kernel gives them all the same inode number.
const PLACEHOLDER: u64 = 1 << 63;

/// The most such directories that are told apart.
const MAX_PLACEHOLDERS: usize = 1 << 16;

/// Whether the volume has a superblock of Btrfs, whole or damaged.
pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    superblock::has_first(volume)
}

/// Whether a mirror of a superblock is left on the volume, though the first is gone.
pub(crate) fn probe_mirrors(volume: &dyn ReadAt) -> Result<bool> {
    Ok(superblock::has_mirror(volume))
}

pub(crate) fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    let shared = Shared::open(volume)?;
    let default = shared.roots.default()?;
    Btrfs::rooted(shared, default)
}

/// What all views of one filesystem share.
struct Shared {
    store: Arc<Store>,
    roots: Roots,
    data: Arc<Data>,
    health: Health,
    problems: Vec<Problem>,
    placeholders: Mutex<Placeholders>,
}

/// The directories in which subvolumes are named that are not there.
#[derive(Default)]
struct Placeholders {
    /// In the order in which they were met.
    dirs: Vec<NodeId>,
    numbers: HashMap<NodeId, usize>,
}

/// A filesystem, seen from the root of one of its subvolumes.
struct Btrfs {
    shared: Arc<Shared>,
    root: NodeId,
}

impl Shared {
    fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<Self>> {
        let (superblock, mut problems) = superblock::find(&*volume)?;
        let store = Store::new(volume, superblock)?;
        let superblock = &store.superblock;
        let missing = store.chunks.missing();
        let devices = superblock.num_devices;
        if !missing.is_empty() {
            return Err(Error::unsupported(
                "Btrfs on several devices",
                format!(
                    "it has {devices} devices and this is number {}; bytes in profile {} are not, \
                     or not all, on it",
                    superblock.device.id,
                    missing.join(", ")
                ),
            ));
        }
        if devices > 1 {
            problems.push(Error::unsupported(
                "Btrfs on several devices",
                format!(
                    "it has {devices} devices; only the copies on number {} are read, and whether \
                     they are the newest is not known",
                    superblock.device.id
                ),
            ));
        }
        let length = store.volume.len();
        if superblock.device.total_bytes > length {
            let wanted = superblock.device.total_bytes;
            problems.push(Error::truncated("Btrfs device", length, wanted));
        }
        if superblock.is_dump {
            problems.push(Error::unsupported(
                "Btrfs metadata dump",
                "it was restored from a dump of metadata; the data of files is not in it",
            ));
        }
        let roots = Roots::new(&store);
        let replayed = log::replay(&store, &roots);
        let health = match (&replayed.health, superblock.has_errors) {
            (Health::Dirty, _) => Health::Dirty,
            (_, true) => Health::Errors,
            (health, false) => *health,
        };
        problems.extend(replayed.problems);
        let roots = roots.with_patches(replayed.patches);
        let sums = roots.other(id::CSUM_TREE);
        let data = Arc::new(Data::new(store.clone(), sums, replayed.sums));
        let placeholders = Mutex::default();
        Ok(Arc::new(Self { store, roots, data, health, problems, placeholders }))
    }

    /// The tree of files that the node lies in.
    fn files(&self, node: NodeId) -> Result<Arc<Option<root::FileTree>>> {
        let files = self.roots.files(node.tree)?;
        if files.is_none() {
            let why = "there is no such subvolume";
            return Err(Error::not_found(format!("Btrfs subvolume {}", node.tree), why));
        }
        Ok(files)
    }

    /// Calls `with` with the tree of files that the node lies in.
    fn within<T>(
        &self,
        node: NodeId,
        with: impl FnOnce(&root::FileTree) -> Result<T>,
    ) -> Result<T> {
        match self.files(node)?.as_ref() {
            Some(files) => with(files),
            None => Err(Error::not_found("Btrfs subvolume", node.tree.to_string())),
        }
    }

    /// The node that the directory `dir` names by `location`.
    fn node(&self, dir: NodeId, name: &[u8], location: Key) -> Result<NodeId> {
        match location.kind {
            kind::INODE_ITEM => Ok(NodeId { tree: dir.tree, inode: location.objectid }),
            kind::ROOT_ITEM => {
                let child = location.objectid;
                if self.roots.is_linked(dir.tree, child, dir.inode, name)?
                    && let Some(files) = self.roots.files(child)?.as_ref()
                {
                    return Ok(NodeId { tree: child, inode: files.item.root_dirid });
                }
                self.placeholder(dir)
            }
            other => Err(Error::corrupt(
                "Btrfs directory",
                0,
                format!(
                    "{:?} in directory {} leads to an item of type {other}",
                    name.escape_ascii().to_string(),
                    dir.inode
                ),
            )),
        }
    }

    /// The node of an empty directory in the place of a subvolume that `dir` names.
    fn placeholder(&self, dir: NodeId) -> Result<NodeId> {
        let mut known = self.placeholders.lock().unwrap_or_else(PoisonError::into_inner);
        let next = known.dirs.len();
        let index = match known.numbers.get(&dir) {
            Some(index) => *index,
            None if next < MAX_PLACEHOLDERS => {
                known.dirs.push(dir);
                known.numbers.insert(dir, next);
                next
            }
            None => {
                let why = format!("more than {MAX_PLACEHOLDERS} name subvolumes that are gone");
                return Err(Error::unsupported("Btrfs directories", why));
            }
        };
        Ok(NodeId { tree: PLACEHOLDER | index as u64, inode: id::EMPTY_SUBVOL_DIR })
    }

    /// What the kernel shows of such a directory. It has no times of its own; those of the
    /// directory it lies in are given.
    fn placeholder_metadata(&self, node: NodeId) -> Result<Metadata> {
        let index = (node.tree & !PLACEHOLDER) as usize;
        let known = self.placeholders.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = known.dirs.get(index).copied();
        drop(known);
        let dir = dir.ok_or_else(|| Error::not_found("Btrfs subvolume", "it is linked nowhere"))?;
        let above = self.within(dir, |files| files.inode(dir.inode))?;
        Ok(Metadata {
            file_type: FileType::Directory,
            mode: 0o755,
            uid: above.uid,
            gid: above.gid,
            size: 0,
            allocated: 0,
            links: 1,
            device: None,
            modified: above.mtime,
            accessed: None,
            changed: None,
            created: None,
        })
    }
}

fn is_placeholder(node: NodeId) -> bool {
    node.tree & PLACEHOLDER != 0
}

impl Btrfs {
    fn rooted(shared: Arc<Shared>, subvolume: u64) -> Result<Arc<dyn Filesystem>> {
        let top = NodeId { tree: subvolume, inode: id::FIRST_FREE };
        let inode = shared.within(top, |files| {
            let inode = files.item.root_dirid;
            match files.inode(inode)?.file_type()? {
                FileType::Directory => Ok(inode),
                _ => Err(Error::corrupt(
                    "Btrfs subvolume",
                    files.item.top.bytenr,
                    format!("inode {inode}, its root, is no directory"),
                )),
            }
        })?;
        let root = NodeId { tree: subvolume, inode };
        Ok(Arc::new(Self { shared, root }))
    }
}

impl Filesystem for Btrfs {
    fn info(&self) -> Info {
        let superblock = &self.shared.store.superblock;
        let device = &superblock.device;
        // Space that no chunk has yet, and what is left within chunks.
        let unallocated = device.total_bytes.saturating_sub(device.bytes_used);
        let in_chunks = self.shared.store.chunks.total().saturating_sub(superblock.bytes_used);
        Info {
            kind: Kind::Btrfs,
            variant: format!("Btrfs ({})", superblock.checksum.name()),
            label: Some(superblock.label.clone()).filter(|label| !label.is_empty()),
            uuid: Some(inode::uuid(&superblock.fsid)),
            block_size: superblock.sector_size,
            size: device.total_bytes,
            free: Some(unallocated.saturating_add(in_chunks)),
            health: self.shared.health,
            features: features::names(superblock.incompat, superblock.compat_ro),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.shared.problems.clone();
        problems.extend(self.shared.store.problems());
        problems
    }

    fn root(&self) -> NodeId {
        self.root
    }

    fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>> {
        if is_placeholder(dir) {
            return Ok(None);
        }
        let found = self.shared.within(dir, |files| directory::find(&files.tree, dir.inode, name));
        found?.map(|location| self.shared.node(dir, name, location)).transpose()
    }

    fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()> {
        if is_placeholder(dir) {
            return Ok(());
        }
        self.shared.within(dir, |files| {
            directory::list(&files.tree, dir.inode, &mut |entry| {
                let node = self.shared.node(dir, entry.name, entry.location)?;
                let file_type = entry.file_type();
                Ok(visit(DirEntry { name: entry.name.to_vec(), node, file_type }))
            })
        })
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata> {
        if is_placeholder(node) {
            return self.shared.placeholder_metadata(node);
        }
        let inode = self.shared.within(node, |files| files.inode(node.inode))?;
        inode.metadata(self.shared.store.superblock.sector_size)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>> {
        match self.metadata(node)?.file_type {
            FileType::Symlink => {}
            _ => return Err(Error::invalid("inode", "it is not a symbolic link")),
        }
        let file = self.open(node)?;
        if file.len() > MAX_LINK {
            let why = format!("a symbolic link of {} bytes", file.len());
            return Err(Error::corrupt("Btrfs inode", 0, why));
        }
        read_vec(&*file, "symbolic link", 0, file.len())
    }

    fn xattrs(&self, node: NodeId) -> Result<Vec<Xattr>> {
        if is_placeholder(node) {
            return Ok(Vec::new());
        }
        self.shared.within(node, |files| xattr::read(&files.tree, node.inode))
    }

    fn open(&self, node: NodeId) -> Result<Arc<dyn ReadAt>> {
        if is_placeholder(node) {
            return Err(Error::invalid("inode", "it is a directory"));
        }
        self.shared.within(node, |files| {
            let inode = files.inode(node.inode)?;
            match inode.file_type()? {
                FileType::File | FileType::Symlink => {}
                _ => return Err(Error::invalid("inode", "it is not a regular file")),
            }
            Ok(Arc::new(File {
                data: self.shared.data.clone(),
                tree: files.tree.clone(),
                number: node.inode,
                size: inode.size,
                checked: inode.has_checksums(),
            }) as Arc<dyn ReadAt>)
        })
    }

    fn subvolumes(&self) -> Result<Vec<Subvolume>> {
        self.shared.roots.list()
    }

    fn open_subvolume(&self, id: u64) -> Result<Arc<dyn Filesystem>> {
        Self::rooted(self.shared.clone(), id)
    }
}
