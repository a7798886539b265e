//! The tree of tree roots: which subvolumes there are, where each is linked, which is the default.
//!
//! Every subvolume and snapshot is a tree of files of its own with its own inode numbers. It shows
//! up as a directory where another subvolume links it, and that link counts only if the root tree
//! confirms it: a snapshot copies the directory entries of the subvolumes inside the original, but
//! not those subvolumes, and then an empty directory is seen in their place.

use std::collections::HashMap;
use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, Fields, Result};

use super::btree::{Btree, Patch};
use super::directory;
use super::inode::{self, Inode};
use super::key::{Key, id, is_file_tree, kind};
use super::store::Store;
use super::superblock::Top;
use crate::node::Subvolume;
use crate::timestamp::Timestamp;

/// How many subvolumes are remembered.
const CACHED: usize = 4096;

/// The most directories that the path of a subvolume may lead through.
const MAX_DEPTH: usize = 512;

/// The most subvolumes that are listed.
const MAX_SUBVOLUMES: usize = 1 << 20;

/// Bits of `flags`.
const READ_ONLY: u64 = 1 << 0;

/// What is used of a root item (`btrfs_root_item`).
#[derive(Clone, Debug)]
pub(super) struct RootItem {
    pub(super) top: Top,
    /// The inode number of its root directory.
    pub(super) root_dirid: u64,
    pub(super) flags: u64,
    /// How many links it has; without any it is being deleted.
    pub(super) refs: u32,
    uuid: [u8; 16],
    parent_uuid: [u8; 16],
    received_uuid: [u8; 16],
    created: Timestamp,
}

impl RootItem {
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self> {
        let top = Top {
            generation: fields.le_u64(160)?,
            bytenr: fields.le_u64(176)?,
            level: fields.u8(238)?,
        };
        // What follows was added later, and counts only where both generations agree.
        let extended = fields.len() >= 439 && fields.le_u64(239)? == top.generation;
        let uuid = |at: usize| if extended { fields.array(at) } else { Ok([0; 16]) };
        Ok(Self {
            top,
            root_dirid: fields.le_u64(168)?,
            flags: fields.le_u64(208)?,
            refs: fields.le_u32(216)?,
            uuid: uuid(247)?,
            parent_uuid: uuid(263)?,
            received_uuid: uuid(279)?,
            created: if extended { inode::timestamp(fields, 339)? } else { Timestamp::default() },
        })
    }
}

/// A tree of files.
pub(super) struct FileTree {
    pub(super) tree: Btree,
    pub(super) item: RootItem,
}

/// The tree of tree roots.
pub(super) struct Roots {
    store: Arc<Store>,
    tree: Btree,
    /// What log replay changed in the trees of files.
    patches: HashMap<u64, Arc<Patch>>,
    trees: Decoded<u64, Option<FileTree>>,
}

impl Roots {
    pub(super) fn new(store: &Arc<Store>) -> Self {
        let tree = Btree::new(store.clone(), store.superblock.root, id::ROOT_TREE);
        let trees = Decoded::new(CACHED);
        Self { store: store.clone(), tree, patches: HashMap::new(), trees }
    }

    /// The same with what log replay changed.
    pub(super) fn with_patches(self, patches: HashMap<u64, Arc<Patch>>) -> Self {
        Self { patches, trees: Decoded::new(CACHED), ..self }
    }

    /// The root item of the tree `tree`. A snapshot has the generation it was made in as the
    /// offset of its key.
    pub(super) fn item(&self, tree: u64) -> Result<Option<RootItem>> {
        let last = Key::new(tree, kind::ROOT_ITEM, u64::MAX);
        match self.tree.last(&last)?.filter(|item| item.key.is(tree, kind::ROOT_ITEM)) {
            Some(item) => RootItem::parse(&item.fields("Btrfs root item")).map(Some),
            None => Ok(None),
        }
    }

    /// A tree that holds no files, such as that of the checksums.
    pub(super) fn other(&self, tree: u64) -> Result<Option<Btree>> {
        Ok(self.item(tree)?.map(|item| Btree::new(self.store.clone(), item.top, tree)))
    }

    /// The subvolume `tree`; none where there is none, or where it is being deleted.
    pub(super) fn files(&self, tree: u64) -> Result<Arc<Option<FileTree>>> {
        self.trees.get_or(
            &tree,
            |_| 1,
            || {
                let item = match is_file_tree(tree) {
                    true => self.item(tree)?.filter(|item| item.refs > 0),
                    false => None,
                };
                Ok(item.map(|item| {
                    let files = Btree::new(self.store.clone(), item.top, tree);
                    let files = match self.patches.get(&tree) {
                        Some(patch) => files.patched(patch.clone()),
                        None => files,
                    };
                    FileTree { tree: files, item }
                }))
            },
        )
    }

    /// Whether the directory `dir` of subvolume `parent` really holds `child` under that name.
    pub(super) fn is_linked(&self, parent: u64, child: u64, dir: u64, name: &[u8]) -> Result<bool> {
        let Some(item) = self.tree.get(&Key::new(parent, kind::ROOT_REF, child))? else {
            return Ok(false);
        };
        let link = Link::parse(&item.fields("Btrfs root reference"))?;
        Ok(link.dir == dir && link.name == name)
    }

    /// The subvolume that is mounted where none is asked for.
    pub(super) fn default(&self) -> Result<u64> {
        let dir = self.store.superblock.root_dir;
        let entry = directory::find(&self.tree, dir, b"default")?;
        Ok(entry.filter(|key| key.kind == kind::ROOT_ITEM).map_or(id::FS_TREE, |key| key.objectid))
    }

    /// All subvolumes that are not being deleted, the top-level one first.
    pub(super) fn list(&self) -> Result<Vec<Subvolume>> {
        let default = self.default()?;
        let mut found: Vec<Subvolume> = Vec::new();
        let mut cursor = self.tree.cursor(Key::first(id::FS_TREE, kind::ROOT_ITEM));
        while let Some(item) = cursor.next()? {
            let Key { objectid: tree, kind, .. } = item.key;
            if tree as i64 >= 0 && !is_file_tree(tree) {
                continue;
            }
            if (tree as i64) < 0 {
                break;
            }
            if kind != kind::ROOT_ITEM {
                continue;
            }
            let root = RootItem::parse(&item.fields("Btrfs root item"))?;
            if root.refs == 0 {
                continue;
            }
            if found.len() >= MAX_SUBVOLUMES {
                let why = format!("more than {MAX_SUBVOLUMES} subvolumes");
                return Err(Error::unsupported("Btrfs", why));
            }
            let some = |uuid: [u8; 16]| (uuid != [0; 16]).then(|| inode::uuid(&uuid));
            found.push(Subvolume {
                id: tree,
                parent: self.backref(tree)?.map(|(parent, _)| parent),
                path: self.path(tree)?,
                uuid: some(root.uuid),
                snapshot_of: some(root.parent_uuid),
                received_from: some(root.received_uuid),
                created: root.created,
                read_only: root.flags & READ_ONLY != 0,
                is_default: tree == default,
            });
        }
        Ok(found)
    }

    /// Which subvolume links `child`, and where.
    fn backref(&self, child: u64) -> Result<Option<(u64, Link)>> {
        let last = Key::new(child, kind::ROOT_BACKREF, u64::MAX);
        match self.tree.last(&last)?.filter(|item| item.key.is(child, kind::ROOT_BACKREF)) {
            Some(item) => {
                let link = Link::parse(&item.fields("Btrfs root back reference"))?;
                Ok(Some((item.key.offset, link)))
            }
            None => Ok(None),
        }
    }

    /// The path of a subvolume from the top-level one; none where it is linked nowhere.
    fn path(&self, tree: u64) -> Result<Option<Vec<u8>>> {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        let mut below = tree;
        while below != id::FS_TREE {
            let Some((above, link)) = self.backref(below)? else {
                return Ok(None);
            };
            parts.push(link.name);
            let files = self.files(above)?;
            let Some(files) = files.as_ref() else {
                return Ok(None);
            };
            let mut dir = link.dir;
            while dir != files.item.root_dirid {
                let Some((parent, name)) = inode::parent(&files.tree, dir)? else {
                    return Ok(None);
                };
                parts.push(name);
                dir = parent;
                if parts.len() > MAX_DEPTH {
                    return Ok(None);
                }
            }
            below = above;
            if parts.len() > MAX_DEPTH {
                return Ok(None);
            }
        }
        parts.reverse();
        Ok(Some(parts.join(&b'/')))
    }
}

impl FileTree {
    /// The inode `number`.
    pub(super) fn inode(&self, number: u64) -> Result<Inode> {
        inode::read(&self.tree, number)?.ok_or_else(|| {
            Error::corrupt(
                "Btrfs inode",
                self.item.top.bytenr,
                format!("inode {number} is named, but it is not in the tree that starts here"),
            )
        })
    }
}

/// Where a subvolume is linked (`btrfs_root_ref`).
struct Link {
    dir: u64,
    name: Vec<u8>,
}

impl Link {
    fn parse(fields: &Fields<'_>) -> Result<Self> {
        let length = usize::from(fields.le_u16(16)?);
        Ok(Self { dir: fields.le_u64(0)?, name: fields.bytes(18, length)?.to_vec() })
    }
}
