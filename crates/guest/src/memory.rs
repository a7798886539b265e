//! A filesystem in memory, for tests: paths and what lies there.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt, Result};
use fathom_filesystem::{
    DirEntry, FileType, Filesystem, Health, Info, Kind, Metadata, NodeId, Timestamp, Tree, Visit,
    Xattr,
};

enum Node {
    Directory(BTreeMap<Vec<u8>, u64>, u32, u32),
    File(Arc<dyn ReadAt>, u32, u32),
    Link(Vec<u8>),
}

struct Memory(Vec<Node>);

/// A tree of these files, their directories made as they are needed. A path that ends in ` -> TARGET`
/// is a symbolic link, one that ends in `*` a program, in `*w` a file that
/// everybody may write, in `*o` one that belongs to another than root, in `*p` one that only root may
/// read. `*w` and `*o` behind the name of a directory mean the same of it, where it is named first.
pub(crate) fn tree(files: &[(&str, &[u8])]) -> Tree {
    readers(files.iter().map(|(path, bytes)| {
        let reader: Arc<dyn ReadAt> = Arc::new(bytes.to_vec());
        (*path, reader)
    }))
}

/// The same, of bytes from anywhere.
pub(crate) fn readers<'a>(files: impl Iterator<Item = (&'a str, Arc<dyn ReadAt>)>) -> Tree {
    let mut nodes = vec![Node::Directory(BTreeMap::new(), 0o755, 0)];
    for (path, reader) in files {
        let (path, node) = match path.split_once(" -> ") {
            Some((path, target)) => (path, Node::Link(target.as_bytes().to_vec())),
            None => {
                let kinds = [
                    ("*", 0o755, 0),
                    ("*w", 0o666, 0),
                    ("*o", 0o644, 1000),
                    ("*p", 0o600, 0),
                    ("", 0o644, 0),
                ];
                let mut kinds = kinds
                    .into_iter()
                    .filter_map(|(end, mode, owner)| Some((path.strip_suffix(end)?, mode, owner)));
                let Some((path, mode, owner)) = kinds.next() else { continue };
                (path, Node::File(reader, mode, owner))
            }
        };
        let mut at = 0;
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let Some((name, parents)) = parts.split_last() else { continue };
        for part in parents {
            let (part, mode, owner) = match part.split_once('*') {
                Some((part, "w")) => (part, 0o777, 0),
                Some((part, "o")) => (part, 0o755, 1000),
                _ => (*part, 0o755, 0),
            };
            let new = nodes.len() as u64;
            let next = match &mut nodes[at] {
                Node::Directory(names, ..) => *names.entry(part.as_bytes().to_vec()).or_insert(new),
                _ => break,
            };
            if next == new {
                nodes.push(Node::Directory(BTreeMap::new(), mode, owner));
            }
            at = next as usize;
        }
        let new = nodes.len() as u64;
        if let Node::Directory(names, ..) = &mut nodes[at] {
            names.insert(name.as_bytes().to_vec(), new);
            nodes.push(node);
        }
    }
    Tree::new(Arc::new(Memory(nodes)))
}

impl Memory {
    fn node(&self, node: NodeId) -> Result<&Node> {
        self.0.get(node.inode as usize).ok_or_else(|| Error::not_found("node", "there is none"))
    }
}

impl Filesystem for Memory {
    fn info(&self) -> Info {
        Info {
            kind: Kind::Unknown,
            variant: String::new(),
            label: None,
            uuid: None,
            block_size: 0,
            size: 0,
            free: None,
            health: Health::Clean,
            features: Vec::new(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    fn root(&self) -> NodeId {
        NodeId::new(0)
    }

    fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>> {
        match self.node(dir)? {
            Node::Directory(names, ..) => Ok(names.get(name).copied().map(NodeId::new)),
            _ => Ok(None),
        }
    }

    fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()> {
        if let Node::Directory(names, ..) = self.node(dir)? {
            for (name, node) in names {
                let entry =
                    DirEntry { name: name.clone(), node: NodeId::new(*node), file_type: None };
                if let ControlFlow::Break(()) = visit(entry) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata> {
        let (file_type, size, mode, uid) = match self.node(node)? {
            Node::Directory(_, mode, owner) => (FileType::Directory, 0, *mode, *owner),
            Node::File(reader, mode, owner) => (FileType::File, reader.len(), *mode, *owner),
            Node::Link(target) => (FileType::Symlink, target.len() as u64, 0o644, 0),
        };
        Ok(Metadata {
            file_type,
            mode,
            uid,
            gid: 0,
            size,
            allocated: size,
            links: 1,
            device: None,
            modified: Timestamp::default(),
            accessed: None,
            changed: None,
            created: None,
        })
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>> {
        match self.node(node)? {
            Node::Link(target) => Ok(target.clone()),
            _ => Err(Error::invalid("node", "it is not a symbolic link")),
        }
    }

    fn xattrs(&self, _: NodeId) -> Result<Vec<Xattr>> {
        Ok(Vec::new())
    }

    fn open(&self, node: NodeId) -> Result<Arc<dyn ReadAt>> {
        match self.node(node)? {
            Node::File(reader, ..) => Ok(Arc::clone(reader)),
            _ => Err(Error::invalid("node", "it is not a file")),
        }
    }
}
