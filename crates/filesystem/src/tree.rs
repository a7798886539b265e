//! Paths over one or several filesystems, the way `std::fs` has them.
//!
//! A path is bytes; it starts at the guest's root whether it is written with a leading slash or
//! not. Symbolic links are followed inside the guest's root and nowhere else: `..` at the root
//! stays there, as the kernel does it.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, MAX_ALLOCATION, Problem, ReadAt, Result};

use crate::node::{DirEntry, FileType, Filesystem, Metadata, NodeId, Xattr};

/// How many symbolic links one path may lead through, as in Linux.
pub const MAX_SYMLINKS: usize = 40;

/// The longest path that is resolved, in bytes: sixteen times what Linux takes in one call, since
/// a walk builds paths that no single call would.
const MAX_PATH: usize = 64 << 10;

/// How deep a walk goes. A deeper tree is reported as a problem of that directory.
const MAX_DEPTH: usize = 2048;

/// The most mounts of a tree: binding the root beneath itself again and again doubles them each time.
const MAX_MOUNTS: usize = 10_000;

/// One filesystem of a [`Tree`] and where it is mounted.
#[derive(Clone)]
pub struct Mount {
    /// Where: `/`, `/boot/efi`.
    pub path: Vec<u8>,
    /// What.
    pub filesystem: Arc<dyn Filesystem>,
    /// The node of it that is seen there: its root, unless only a part of it is mounted.
    pub root: NodeId,
}

/// Files by path over one or several filesystems.
#[derive(Clone)]
pub struct Tree {
    mounts: Vec<Mount>,
    /// Directories that another filesystem covers: mount index and node, to the covering mount.
    covered: HashMap<(usize, NodeId), usize>,
    /// Of each mount the directory that was there before anything was mounted on it; nothing of the
    /// root. Where many lie over one another it leads to the uppermost at once.
    grounds: Vec<Option<(usize, NodeId)>>,
    doubt: Option<Error>,
}

/// What a directory holds: each name, and what it leads to.
pub type Children = Vec<(Vec<u8>, Found)>;

/// What a path led to.
#[derive(Clone)]
pub struct Found {
    /// The filesystem it lies on.
    pub filesystem: Arc<dyn Filesystem>,
    /// The node.
    pub node: NodeId,
    mount: usize,
}

impl Found {
    /// Which directory or file this is among all that the tree shows. What is mounted in two places
    /// is two.
    pub fn place(&self) -> (usize, NodeId) {
        (self.mount, self.node)
    }

    /// What is known of it.
    pub fn metadata(&self) -> Result<Metadata> {
        self.filesystem.metadata(self.node)
    }

    /// Its bytes.
    pub fn open(&self) -> Result<Arc<dyn ReadAt>> {
        self.filesystem.open(self.node)
    }

    /// Where the symbolic link leads.
    pub fn read_link(&self) -> Result<Vec<u8>> {
        self.filesystem.read_link(self.node)
    }

    /// Its extended attributes.
    pub fn xattrs(&self) -> Result<Vec<Xattr>> {
        self.filesystem.xattrs(self.node)
    }
}

impl Tree {
    /// A tree of one filesystem.
    pub fn new(root: Arc<dyn Filesystem>) -> Self {
        let (path, node) = (b"/".to_vec(), root.root());
        let mounts = vec![Mount { path, filesystem: root, root: node }];
        Self { mounts, covered: HashMap::new(), grounds: vec![None], doubt: None }
    }

    /// A tree whose root is a directory of the filesystem.
    pub fn within(filesystem: Arc<dyn Filesystem>, directory: NodeId) -> Self {
        let mounts = vec![Mount { path: b"/".to_vec(), filesystem, root: directory }];
        Self { mounts, covered: HashMap::new(), grounds: vec![None], doubt: None }
    }

    /// Mounts `filesystem` on the directory `path`, which must exist.
    pub fn mount(&mut self, path: &[u8], filesystem: Arc<dyn Filesystem>) -> Result<()> {
        let root = filesystem.root();
        self.mount_part(path, filesystem, root)
    }

    /// Mounts a directory of `filesystem` on the directory `path`, which must exist.
    pub fn mount_part(
        &mut self,
        path: &[u8],
        filesystem: Arc<dyn Filesystem>,
        root: NodeId,
    ) -> Result<()> {
        let found = self.resolve(path, true)?;
        if found.metadata()?.file_type != FileType::Directory {
            return Err(not_a_directory(path));
        }
        self.has_room()?;
        let new = self.mounts.len();
        self.push(Mount { path: path.to_vec(), filesystem, root });
        self.cover(found.place(), new);
        Ok(())
    }

    /// Shows what is at `source` at `path` too; with what is mounted beneath it if `recursive`.
    pub fn bind(&mut self, source: &[u8], path: &[u8], recursive: bool) -> Result<()> {
        let from = self.resolve(source, true)?;
        let at = self.resolve(path, true)?;
        let is_directory = |found: &Found| -> Result<bool> {
            Ok(found.metadata()?.file_type == FileType::Directory)
        };
        if is_directory(&from)? != is_directory(&at)? {
            return Err(not_a_directory(path));
        }
        self.has_room()?;
        let new = self.mounts.len();
        let filesystem = Arc::clone(&from.filesystem);
        self.push(Mount { path: path.to_vec(), filesystem, root: from.node });
        let outcome = match recursive {
            true => self.copy_mounts(from.mount, new, source, path),
            false => Ok(()),
        };
        self.cover(at.place(), new);
        outcome
    }

    /// Adds a mount, which covers nothing yet.
    fn push(&mut self, mount: Mount) {
        self.mounts.push(mount);
        self.grounds.push(None);
    }

    /// Lets the mount `new` cover what is at the place.
    fn cover(&mut self, at: (usize, NodeId), new: usize) {
        let (mount, node) = at;
        self.covered.insert(at, new);
        let is_root = self.mounts[mount].root == node;
        let ground = self.grounds[mount].filter(|_| is_root);
        if let Some(ground) = ground {
            self.covered.insert(ground, new);
        }
        self.grounds[new] = Some(ground.unwrap_or(at));
    }

    /// An error where there are as many mounts as there may be.
    fn has_room(&self) -> Result<()> {
        if self.mounts.len() < MAX_MOUNTS {
            return Ok(());
        }
        let why = format!("there are more than {MAX_MOUNTS}; the rest is not shown there");
        Err(Error::unsupported("mounts", why))
    }

    /// Covers `new` with copies of all that covers `old`, as the kernel does: each is a mount of its
    /// own, so that what it shows in two places is no directory in two places.
    fn copy_mounts(&mut self, old: usize, new: usize, source: &[u8], path: &[u8]) -> Result<()> {
        let mut todo = vec![(old, new)];
        while let Some((old, new)) = todo.pop() {
            let covered = self.covered.iter().filter(|((mount, _), _)| *mount == old);
            let mut covered: Vec<_> = covered.map(|((_, node), over)| (*node, *over)).collect();
            covered.sort_unstable();
            for (node, over) in covered {
                self.has_room()?;
                let copy = self.mounts.len();
                let mut mount = self.mounts[over].clone();
                if let Some(rest) =
                    mount.path.strip_prefix(source.strip_suffix(b"/").unwrap_or(source))
                {
                    mount.path = [path, rest].concat();
                }
                self.push(mount);
                self.cover((new, node), copy);
                todo.push((over, copy));
            }
        }
        Ok(())
    }

    /// What is mounted where, the root first.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// What was wrong with the filesystems.
    pub fn problems(&self) -> Vec<Problem> {
        self.mounts.iter().flat_map(|mount| mount.filesystem.problems()).collect()
    }

    fn found(&self, mount: usize, node: NodeId) -> Found {
        Found { filesystem: self.mounts[mount].filesystem.clone(), node, mount }
    }

    /// The mount and node at the top.
    fn top(&self) -> (usize, NodeId) {
        self.uncovered(0, self.mounts[0].root)
    }

    /// What is seen at the node: the root of what is mounted there, if anything is.
    fn uncovered(&self, mut mount: usize, mut node: NodeId) -> (usize, NodeId) {
        for _ in &self.mounts {
            let Some(&over) = self.covered.get(&(mount, node)) else {
                break;
            };
            mount = over;
            node = self.mounts[over].root;
        }
        (mount, node)
    }

    /// What `path` leads to. A symbolic link as the last part is followed if `follow` says so.
    pub fn resolve(&self, path: &[u8], follow: bool) -> Result<Found> {
        self.way(path, follow).map(|(found, _)| found)
    }

    /// The path to what `path` leads to without symbolic links, `.` and `..` in it.
    pub fn real_path(&self, path: &[u8]) -> Result<Vec<u8>> {
        let (_, parts) = self.way(path, true)?;
        let real = parts.iter().flat_map(|part| [b"/", part.as_slice()].concat());
        let real: Vec<u8> = real.collect();
        Ok(if real.is_empty() { b"/".to_vec() } else { real })
    }

    /// What `path` leads to, and the names on the way there.
    fn way(&self, path: &[u8], follow: bool) -> Result<(Found, Vec<Vec<u8>>)> {
        // The parts still to go, the next one last; and the directories gone through, so that `..`
        // leads back the way it came.
        let mut todo: Vec<Vec<u8>> = Vec::new();
        push_parts(&mut todo, path)?;
        let mut trail: Vec<(usize, NodeId)> = Vec::new();
        let mut names: Vec<Vec<u8>> = Vec::new();
        let (mut mount, mut node) = self.top();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    (mount, node) = trail.pop().unwrap_or_else(|| self.top());
                    names.pop();
                    continue;
                }
                _ => {}
            }
            let filesystem = &self.mounts[mount].filesystem;
            let child = match filesystem.lookup(node, &part) {
                Ok(Some(child)) => child,
                Ok(None) => return Err(no_such(path)),
                Err(error) => return Err(error.within(shown(path))),
            };
            let (child_mount, child) = self.uncovered(mount, child);
            let last = todo.iter().all(|part| part.is_empty());
            // A trailing slash asks for a directory, and so for what a link leads to.
            let follow = follow || !todo.is_empty();
            let kind = self.mounts[child_mount]
                .filesystem
                .metadata(child)
                .map_err(|error| error.within(shown(path)))?
                .file_type;
            if kind == FileType::Symlink && follow {
                links += 1;
                if links > MAX_SYMLINKS {
                    return Err(Error::invalid(
                        shown(path),
                        format!("it leads through more than {MAX_SYMLINKS} symbolic links"),
                    ));
                }
                let target = self.mounts[child_mount].filesystem.read_link(child)?;
                if target.starts_with(b"/") {
                    trail.clear();
                    names.clear();
                    (mount, node) = self.top();
                }
                push_parts(&mut todo, &target)?;
                continue;
            }
            // Nothing can be beneath it, and that is as sure as that there is no such name.
            if !last && kind != FileType::Directory {
                let why = "it leads through something that is not a directory";
                return Err(Error::not_found(shown(path), why));
            }
            if last && !todo.is_empty() && kind != FileType::Directory {
                return Err(not_a_directory(path));
            }
            trail.push((mount, node));
            names.push(part);
            (mount, node) = (child_mount, child);
        }
        Ok((self.found(mount, node), names))
    }

    /// What is known of what `path` leads to, symbolic links followed.
    pub fn metadata(&self, path: &[u8]) -> Result<Metadata> {
        self.resolve(path, true)?.metadata()
    }

    /// Says why more may be mounted than is here.
    pub fn set_doubt(&mut self, why: Error) {
        self.doubt = Some(why);
    }

    /// Why what is not found at `path` may yet be there: more may be mounted than is here, and the way
    /// to the path ends in a directory that is empty, as those are that something is mounted on.
    pub fn doubt(&self, path: &[u8]) -> Option<&Error> {
        let why = self.doubt.as_ref()?;
        let mut way = path;
        loop {
            match self.resolve(way, true) {
                Ok(found) => {
                    let (children, more, problem) = self.some_children_of(&found, 1);
                    let is_empty = children.is_empty() && !more && problem.is_none();
                    let is_directory =
                        found.metadata().is_ok_and(|it| it.file_type == FileType::Directory);
                    return (is_directory && is_empty).then_some(why);
                }
                // A link that leads to what is not there may lead to what is mounted.
                Err(_) if self.symlink_metadata(way).is_ok() => return Some(why),
                Err(_) => {}
            }
            let end = way.iter().rposition(|byte| *byte == b'/')?;
            way = if end == 0 && way.len() > 1 { b"/" } else { &way[..end] };
        }
    }

    /// What is known of `path` itself.
    pub fn symlink_metadata(&self, path: &[u8]) -> Result<Metadata> {
        self.resolve(path, false)?.metadata()
    }

    /// Whether `path` leads to something. Anything but "not found" is an error: it could not be
    /// looked.
    pub fn exists(&self, path: &[u8]) -> Result<bool> {
        match self.resolve(path, true) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == fathom_block::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where the symbolic link `path` leads.
    pub fn read_link(&self, path: &[u8]) -> Result<Vec<u8>> {
        self.resolve(path, false)?.read_link()
    }

    /// The bytes of the file.
    pub fn open(&self, path: &[u8]) -> Result<Arc<dyn ReadAt>> {
        let found = self.resolve(path, true)?;
        match found.metadata()?.file_type {
            FileType::File => found.open(),
            FileType::Directory => Err(Error::invalid(shown(path), "it is a directory")),
            _ => Err(Error::invalid(shown(path), "it is not a regular file")),
        }
    }

    /// The whole file, if it has at most `limit` bytes.
    pub fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>> {
        let file = self.open(path)?;
        if file.len() > limit as u64 {
            let length = file.len();
            let why = format!("it has {length} bytes; a file of its kind is read up to {limit}");
            return Err(Error::unsupported(shown(path), why));
        }
        // What the disk claims to be long is believed only as far as it can be read.
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < file.len() {
            let at = bytes.len();
            let portion = (file.len() - at as u64).min(MAX_ALLOCATION as u64) as usize;
            bytes.resize(at + portion, 0);
            file.read_at(at as u64, &mut bytes[at..])?;
        }
        Ok(bytes)
    }

    /// The names in the directory, sorted, symbolic links to it followed.
    pub fn read_dir(&self, path: &[u8]) -> Result<Vec<DirEntry>> {
        let found = self.resolve(path, true)?;
        if found.metadata()?.file_type != FileType::Directory {
            return Err(not_a_directory(path));
        }
        let (entries, problem) = self.entries(&found);
        problem.map_or(Ok(entries), Err)
    }

    /// What is in the directory, and what kept the rest from being read.
    fn entries(&self, directory: &Found) -> (Vec<DirEntry>, Option<Error>) {
        let mut entries = Vec::new();
        let outcome = directory.filesystem.read_dir(directory.node, &mut |entry| {
            entries.push(entry);
            ControlFlow::Continue(())
        });
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        (entries, outcome.err())
    }

    /// What the directory holds, sorted by name, and what kept the rest from being read. Symbolic
    /// links to it are followed.
    pub fn children(&self, path: &[u8]) -> Result<(Children, Option<Problem>)> {
        let found = self.resolve(path, true)?;
        if found.metadata()?.file_type != FileType::Directory {
            return Err(not_a_directory(path));
        }
        let (children, problem) = self.children_of(&found);
        Ok((children, problem.map(|problem| problem.within(shown(path)))))
    }

    /// Like [`Tree::children`], of a directory that is already found.
    pub fn children_of(&self, directory: &Found) -> (Children, Option<Problem>) {
        let (entries, problem) = self.entries(directory);
        let children = entries.into_iter().map(|entry| {
            let (mount, node) = self.uncovered(directory.mount, entry.node);
            (entry.name, self.found(mount, node))
        });
        (children.collect(), problem)
    }

    /// Like [`Tree::children_of`], of at most `limit` children: whether there are more is told too.
    pub fn some_children_of(
        &self,
        directory: &Found,
        limit: usize,
    ) -> (Children, bool, Option<Problem>) {
        let (mut children, mut more) = (Vec::new(), false);
        let outcome = directory.filesystem.read_dir(directory.node, &mut |entry| {
            more = children.len() >= limit;
            if more {
                return ControlFlow::Break(());
            }
            let (mount, node) = self.uncovered(directory.mount, entry.node);
            children.push((entry.name, self.found(mount, node)));
            ControlFlow::Continue(())
        });
        children.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        (children, more, outcome.err())
    }

    /// Everything at and beneath `path`, directories before what they hold. Symbolic links are
    /// reported, never followed.
    pub fn walk(&self, path: &[u8]) -> Result<Walk<'_>> {
        let start = self.resolve(path, false)?;
        Ok(Walk {
            tree: self,
            todo: vec![(path.to_vec(), start)],
            above: Vec::new(),
            entered: Entered::to_depth(MAX_DEPTH),
            max_depth: MAX_DEPTH,
        })
    }
}

/// The directories that a listing has gone into. A directory has one place; one that is its own
/// ancestor, or that several directories hold, is damage, and a few of those would make a listing
/// without end.
pub struct Entered {
    places: HashSet<(usize, NodeId)>,
    max_depth: usize,
}

impl Entered {
    /// None yet, and none so deep.
    pub fn to_depth(max_depth: usize) -> Self {
        Self { places: HashSet::new(), max_depth }
    }

    /// Goes into the directory, which lies so many levels down, unless that would lead nowhere.
    pub fn enter(&mut self, directory: &Found, depth: usize) -> Result<()> {
        if depth >= self.max_depth {
            let why = format!("it is nested deeper than {}", self.max_depth);
            return Err(Error::unsupported("directory", why));
        }
        if !self.places.insert(directory.place()) {
            return Err(Error::corrupt("directory", 0, "it contains itself, or is in two places"));
        }
        Ok(())
    }
}

/// One step of a [`Walk`].
pub struct Step {
    /// The full path.
    pub path: Vec<u8>,
    /// What is there.
    pub found: Found,
    /// What is known of it.
    pub metadata: Result<Metadata>,
    /// What kept some of what the directory holds from being listed.
    pub problem: Option<Problem>,
}

/// The walk that [`Tree::walk`] starts.
pub struct Walk<'a> {
    tree: &'a Tree,
    todo: Vec<(Vec<u8>, Found)>,
    /// For each of the directories above the one that is being read, the number of entries that are
    /// left to do when it is done.
    above: Vec<usize>,
    /// The directories that were read.
    entered: Entered,
    max_depth: usize,
}

impl Walk<'_> {
    /// Goes at most this many levels down: none lists the start alone.
    #[must_use]
    pub fn max_depth(mut self, levels: usize) -> Self {
        self.max_depth = levels.min(MAX_DEPTH);
        self
    }

    /// Queues what the directory holds, last name first.
    fn enter(&mut self, path: &[u8], directory: &Found) -> Result<()> {
        while self.above.last().is_some_and(|left| *left > self.todo.len()) {
            self.above.pop();
        }
        if self.above.len() >= self.max_depth && self.max_depth < MAX_DEPTH {
            return Ok(());
        }
        if path.len() > MAX_PATH {
            let why = format!("its path is longer than {MAX_PATH} bytes");
            return Err(Error::unsupported("directory", why));
        }
        self.entered.enter(directory, self.above.len())?;
        let (entries, problem) = self.tree.entries(directory);
        self.above.push(self.todo.len());
        for entry in entries.into_iter().rev() {
            let (mount, node) = self.tree.uncovered(directory.mount, entry.node);
            self.todo.push((join(path, &entry.name), self.tree.found(mount, node)));
        }
        problem.map_or(Ok(()), Err)
    }
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let (path, found) = self.todo.pop()?;
        let metadata = found.metadata().map_err(|error| error.within(shown(&path)));
        let problem = match &metadata {
            Ok(metadata) if metadata.file_type == FileType::Directory => {
                self.enter(&path, &found).err().map(|error| error.within(shown(&path)))
            }
            _ => None,
        };
        Some(Step { path, found, metadata, problem })
    }
}

/// The path of `name` in the directory `path`.
pub fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(path.len() + 1 + name.len());
    joined.extend_from_slice(path);
    if !joined.ends_with(b"/") {
        joined.push(b'/');
    }
    joined.extend_from_slice(name);
    joined
}

/// Queues the parts of `path` so that the first is popped first.
fn push_parts(todo: &mut Vec<Vec<u8>>, path: &[u8]) -> Result<()> {
    let pending: usize = todo.iter().map(|part| part.len() + 1).sum();
    if pending + path.len() > MAX_PATH {
        return Err(Error::invalid(
            shown(&path[..path.len().min(200)]),
            format!("the path is longer than {MAX_PATH} bytes"),
        ));
    }
    todo.extend(path.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec));
    Ok(())
}

fn shown(path: &[u8]) -> String {
    format!("{}", path.escape_ascii())
}

fn no_such(path: &[u8]) -> Error {
    Error::not_found(shown(path), "there is no such file or directory")
}

fn not_a_directory(path: &[u8]) -> Error {
    Error::invalid(shown(path), "it is not a directory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Health, Info, Kind, Timestamp, Unavailable, Visit};

    /// A root with the directory `usr`, the file `usr/bin`, and `link`, which leads to `usr`.
    struct Small;

    const USR: u64 = 2;
    const LINK: u64 = 3;
    const BIN: u64 = 4;

    impl Filesystem for Small {
        fn info(&self) -> Info {
            Info {
                kind: Kind::Unknown,
                variant: String::new(),
                label: None,
                uuid: None,
                block_size: 512,
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
            NodeId::new(1)
        }

        fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>> {
            let inode = match (dir.inode, name) {
                (1, b"usr") => USR,
                (1, b"link") => LINK,
                (USR, b"bin") => BIN,
                _ => return Ok(None),
            };
            Ok(Some(NodeId::new(inode)))
        }

        fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()> {
            for name in [b"usr".as_slice(), b"link", b"bin"] {
                if let Some(node) = self.lookup(dir, name)? {
                    let _ = visit(DirEntry { name: name.to_vec(), node, file_type: None });
                }
            }
            Ok(())
        }

        fn metadata(&self, node: NodeId) -> Result<Metadata> {
            let file_type = match node.inode {
                LINK => FileType::Symlink,
                BIN => FileType::File,
                _ => FileType::Directory,
            };
            Ok(Metadata {
                file_type,
                mode: 0o755,
                uid: 0,
                gid: 0,
                size: 0,
                allocated: 0,
                links: 1,
                device: None,
                modified: Timestamp::new(0, 0),
                accessed: None,
                changed: None,
                created: None,
            })
        }

        fn read_link(&self, _: NodeId) -> Result<Vec<u8>> {
            Ok(b"/usr".to_vec())
        }

        fn xattrs(&self, _: NodeId) -> Result<Vec<crate::Xattr>> {
            Ok(Vec::new())
        }

        fn open(&self, _: NodeId) -> Result<Arc<dyn ReadAt>> {
            Err(Error::unsupported("file", "it has no bytes"))
        }
    }

    #[test]
    fn many_mounts_over_one_another_are_one_step() {
        let mut tree = Tree::new(Arc::new(Small));
        for _ in 1..MAX_MOUNTS {
            tree.bind(b"/usr", b"/usr", false).unwrap();
        }
        let first = (0, NodeId::new(USR));
        assert_eq!(tree.covered[&first], MAX_MOUNTS - 1);
        assert_eq!(tree.resolve(b"/usr/bin", true).unwrap().mount, MAX_MOUNTS - 1);
        let error = tree.bind(b"/usr", b"/usr", false).unwrap_err();
        assert!(error.to_string().contains("the rest is not shown"), "{error}");
        assert!(tree.mount(b"/usr", Arc::new(Small)).is_err());
    }

    #[test]
    fn a_trailing_slash_asks_for_the_directory_that_a_link_leads_to() {
        let tree = Tree::new(Arc::new(Small));
        let inode = |path: &str| tree.resolve(path.as_bytes(), false).map(|found| found.node.inode);
        assert_eq!(inode("/link").unwrap(), LINK);
        for path in ["/link/", "/link//", "/link/.", "/usr/"] {
            assert_eq!(inode(path).unwrap(), USR, "{path}");
        }
        assert_eq!(inode("/link/bin").unwrap(), BIN);
        assert_eq!(inode("/usr/bin/").unwrap_err().kind(), fathom_block::ErrorKind::Invalid);
        let walked = |path: &str| tree.walk(path.as_bytes()).unwrap().count();
        assert_eq!((walked("/link"), walked("/link/"), walked("/")), (1, 2, 4));
    }

    #[test]
    fn beneath_what_is_missing_nothing_is_known_to_be_absent() {
        let mut tree = Tree::new(Arc::new(Small));
        assert!(!tree.exists(b"/usr/sbin").unwrap());
        let why = Error::not_found("/dev/vdb1", "there is no such disk");
        tree.mount(b"/usr", Arc::new(Unavailable::new(None, why))).unwrap();
        for path in [&b"/usr/sbin"[..], b"/usr/bin", b"/link/bin"] {
            let error = tree.exists(path).unwrap_err();
            assert_eq!(error.kind(), fathom_block::ErrorKind::Missing, "{error}");
        }
        assert!(!tree.exists(b"/var").unwrap());
    }
}
