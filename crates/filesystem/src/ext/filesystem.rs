//! ext as a [`Filesystem`].

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, Problem, ReadAt, Result, read_vec};

use super::amendments::Amended;
use super::file::MappedFile;
use super::htree::{self, Found};
use super::inode::{I_BLOCK, I_BLOCK_SIZE, Inode};
use super::name_table::{MAX_DIRECTORY, NameTable};
use super::store::{ROOT_INODE, Store};
use super::{directory, inline, names, tree, xattr};
use crate::detect::Kind;
use crate::node::{DirEntry, FileType, Filesystem, Health, Info, Metadata, NodeId, Visit, Xattr};

const LINK: &str = "ext symbolic link";

/// How many bytes of names are kept for lookups.
const KEPT: usize = 8 << 20;

/// How many groups' free blocks are added up where the superblock's own count is out of date.
const COUNTED_GROUPS: u32 = 1 << 15;

/// An ext2, ext3 or ext4.
pub(super) struct Ext {
    store: Arc<Store>,
    health: Health,
    /// Of directories that have no index, by inode.
    tables: Decoded<u32, NameTable>,
}

impl Ext {
    pub(super) fn new(store: Store, health: Health) -> Self {
        Self { store: Arc::new(store), health, tables: Decoded::new(KEPT) }
    }

    fn inode(&self, node: NodeId) -> Result<Arc<Inode>> {
        match u32::try_from(node.inode) {
            Ok(number) if node.tree == 0 => self.store.inode(number),
            _ => Err(Error::invalid("ext inode", format!("there is no node {node:?}"))),
        }
    }

    fn directory(&self, node: NodeId) -> Result<Arc<Inode>> {
        let inode = self.inode(node)?;
        match inode.file_type {
            FileType::Directory => Ok(inode),
            _ => Err(Error::invalid("ext directory", format!("inode {} is none", inode.number))),
        }
    }

    /// Free bytes. A superblock that was not written at the end counts what was free long ago.
    fn free(&self) -> u64 {
        let superblock = &self.store.superblock;
        let stored = superblock.offset(superblock.free_blocks_count);
        if self.health == Health::Clean || superblock.groups > COUNTED_GROUPS {
            return stored;
        }
        let counted = (0..superblock.groups).try_fold(0_u64, |sum, group| {
            Ok::<_, Error>(sum.saturating_add(self.store.group(group)?.free))
        });
        counted
            .map_or(stored, |clusters| clusters.saturating_mul(u64::from(superblock.cluster_size)))
    }

    /// What the kernel counts after it has carried out fast commits: the blocks of the map, and
    /// nothing else.
    fn amended_blocks(&self, inode: &Inode) -> Result<u64> {
        let mut blocks = 0_u64;
        tree::visit(&self.store, inode, 0..tree::MAX_BLOCKS, &mut |run| {
            blocks = blocks.saturating_add(run.blocks);
            ControlFlow::Continue(())
        })?;
        Ok(self.store.superblock.offset(blocks))
    }

    /// Whether the target of the link lies in the inode.
    fn is_fast_link(&self, inode: &Inode) -> bool {
        if inode.size >= I_BLOCK_SIZE as u64 {
            return false;
        }
        // Attributes in inodes of their own are counted with the blocks, so that only the size
        // tells; before there were such, a short target could also be in a block.
        let superblock = &self.store.superblock;
        let attributes = if inode.file_acl == 0 { 0 } else { superblock.cluster_size };
        superblock.features.ea_inode() || inode.allocated <= u64::from(attributes)
    }
}

impl Filesystem for Ext {
    fn info(&self) -> Info {
        let superblock = &self.store.superblock;
        let name = &superblock.volume_name;
        Info {
            kind: Kind::Ext,
            variant: superblock.features.variant().to_owned(),
            label: (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned()),
            uuid: (superblock.uuid != [0; 16]).then(|| names::uuid(&superblock.uuid)),
            block_size: superblock.block_size,
            size: superblock.offset(superblock.blocks_count),
            free: Some(self.free()),
            health: self.health,
            features: superblock.features.names(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        self.store.problems()
    }

    fn root(&self) -> NodeId {
        NodeId::new(u64::from(ROOT_INODE))
    }

    fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>> {
        let store = &*self.store;
        let directory = self.directory(dir)?;
        let node = |inode: u32| Some(NodeId::new(u64::from(inode)));
        let amended = store.amendments.of(directory.number);
        if let Some(change) = amended.and_then(|amended| amended.name(name)) {
            return Ok(change.and_then(node));
        }
        let plain = !directory.is_encrypted() && !directory.is_casefolded();
        let several = directory.size > u64::from(store.superblock.block_size);
        if plain
            && several
            && directory.is_indexed()
            && store.superblock.features.dir_index()
            && !directory.has_inline_data()
            && !amended.is_some_and(Amended::is_fresh)
        {
            match htree::lookup(store, &directory, name) {
                Ok(Found::Inode(inode)) => return Ok(node(inode)),
                Ok(Found::Nothing) => return Ok(None),
                // The names themselves may well be fine.
                Ok(Found::Unusable) | Err(_) => {}
            }
        }
        if plain && several && directory.size <= MAX_DIRECTORY {
            let read = || Ok(NameTable::read(store, &directory));
            let table = self.tables.get_or(&directory.number, NameTable::weight, read)?;
            return Ok(table.find(name)?.and_then(node));
        }
        let mut found = None;
        let mut alike = None;
        let outcome = directory::scan(store, &directory, &mut |entry| {
            let encoded = directory.is_encrypted().then(|| names::encode(entry.name));
            let shown = encoded.as_deref().map_or(entry.name, str::as_bytes);
            if shown == name {
                found = node(entry.inode);
                return ControlFlow::Break(());
            }
            if directory.is_casefolded() && alike.is_none() && names::alike(shown, name) {
                alike = node(entry.inode);
            }
            ControlFlow::Continue(())
        });
        match (found.or(alike), outcome) {
            (Some(inode), _) => Ok(Some(inode)),
            (None, Err(damage)) => Err(damage),
            (None, Ok(())) if directory.is_casefolded() && !name.is_ascii() => {
                Err(Error::unsupported(
                    "ext casefold",
                    "a name that is not ASCII can only be found in the spelling it was made with",
                ))
            }
            (None, Ok(())) => Ok(None),
        }
    }

    fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()> {
        let directory = self.directory(dir)?;
        directory::scan(&self.store, &directory, &mut |entry| {
            let name = match directory.is_encrypted() {
                true => names::encode(entry.name).into_bytes(),
                false => entry.name.to_vec(),
            };
            let node = NodeId::new(u64::from(entry.inode));
            visit(DirEntry { name, node, file_type: entry.file_type })
        })
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata> {
        let inode = self.inode(node)?;
        let mut metadata = inode.metadata()?;
        let amended = self.store.amendments.of(inode.number);
        if amended.is_some_and(Amended::has_inode) && inode.has_extents() {
            metadata.allocated = match inode.file_type {
                FileType::File | FileType::Directory => self.amended_blocks(&inode)?,
                _ => metadata.allocated,
            };
        }
        // The kernel counts the inline bytes of files as if they were in blocks.
        if inode.has_inline_data() && inode.file_type == FileType::File {
            let inline = inode.size.div_ceil(512).saturating_mul(512);
            metadata.allocated = metadata.allocated.saturating_add(inline);
        }
        Ok(metadata)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>> {
        let inode = self.inode(node)?;
        if inode.file_type != FileType::Symlink {
            return Err(Error::invalid(LINK, format!("inode {} is none", inode.number)));
        }
        if inode.is_encrypted() {
            return Err(encrypted(&inode));
        }
        if inode.size == 0 || inode.size > u64::from(self.store.superblock.block_size) {
            return Err(inode.corrupt(4, format!("a link's target has {} bytes", inode.size)));
        }
        let size = inode.size;
        let mut target = if inode.has_inline_data() {
            inline::bytes(&inode)?
        } else if self.is_fast_link(&inode) {
            inode.i_block()?.bytes(0, size as usize)?.to_vec()
        } else if tree::find(&self.store, &inode, 0)?.is_some() {
            read_vec(&MappedFile::new(self.store.clone(), inode.clone()), LINK, 0, size)?
        } else {
            return Err(inode.corrupt(4, "the link's target is not written"));
        };
        // A target that claims to be longer than it is ends where the kernel stops.
        if let Some(end) = target.iter().position(|byte| *byte == 0) {
            target.truncate(end);
        }
        match target.is_empty() {
            true => Err(inode.corrupt(I_BLOCK, "the link's target is empty")),
            false => Ok(target),
        }
    }

    fn xattrs(&self, node: NodeId) -> Result<Vec<Xattr>> {
        xattr::list(&self.store, &*self.inode(node)?)
    }

    fn open(&self, node: NodeId) -> Result<Arc<dyn ReadAt>> {
        let inode = self.inode(node)?;
        if inode.file_type != FileType::File {
            let why = format!("inode {} is not a regular file", inode.number);
            return Err(Error::invalid("ext file", why));
        }
        if inode.is_encrypted() {
            return Err(encrypted(&inode));
        }
        if inode.has_inline_data() {
            return Ok(Arc::new(inline::bytes(&inode)?));
        }
        Ok(Arc::new(MappedFile::new(self.store.clone(), inode)))
    }
}

fn encrypted(inode: &Inode) -> Error {
    let why = "it is encrypted by its directory's key (fscrypt), which nobody gave";
    Error::encrypted(format!("ext inode {}", inode.number), why)
}
