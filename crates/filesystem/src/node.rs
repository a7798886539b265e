//! What every filesystem speaks of: nodes, their metadata, and where their bytes are.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt, Result};

use crate::detect::Kind;
use crate::timestamp::Timestamp;

/// A file, directory or other object of one filesystem. What the numbers mean is the filesystem's
/// own affair: ext and XFS use `inode` alone, Btrfs keeps the subvolume in `tree`, NTFS the
/// sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId {
    /// Which tree of the filesystem; zero where there is one.
    pub tree: u64,
    /// Which object of the tree.
    pub inode: u64,
}

impl NodeId {
    /// The object `inode` of a filesystem with one tree.
    pub const fn new(inode: u64) -> Self {
        Self { tree: 0, inode }
    }
}

/// What kind of object a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// An ordinary file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// Something this filesystem marks in a way no other does, such as a reparse point that is not
    /// a link, or a whiteout.
    Other,
}

impl FileType {
    /// The type that the upper bits of a Unix mode say.
    pub fn from_mode(mode: u32) -> Option<Self> {
        Some(match mode & 0o170000 {
            0o100000 => Self::File,
            0o040000 => Self::Directory,
            0o120000 => Self::Symlink,
            0o020000 => Self::CharacterDevice,
            0o060000 => Self::BlockDevice,
            0o010000 => Self::Fifo,
            0o140000 => Self::Socket,
            _ => return None,
        })
    }

    /// The type that a directory entry of ext or Btrfs says; `None` where it says none, or one
    /// that the inode alone explains.
    pub(crate) fn from_directory(stored: u8) -> Option<Self> {
        Some(match stored {
            1 => Self::File,
            2 => Self::Directory,
            3 => Self::CharacterDevice,
            4 => Self::BlockDevice,
            5 => Self::Fifo,
            6 => Self::Socket,
            7 => Self::Symlink,
            _ => return None,
        })
    }

    /// The letter that `ls -l` shows.
    pub fn letter(self) -> char {
        match self {
            Self::File => '-',
            Self::Directory => 'd',
            Self::Symlink => 'l',
            Self::CharacterDevice => 'c',
            Self::BlockDevice => 'b',
            Self::Fifo => 'p',
            Self::Socket => 's',
            Self::Other => '?',
        }
    }
}

/// What is known of a node besides its name and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What kind of object it is.
    pub file_type: FileType,
    /// Permission bits, set-id bits and the sticky bit: the lower twelve of a Unix mode. Where the
    /// filesystem has none, what Linux shows by default.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The length in bytes. For a symbolic link the length of its target.
    pub size: u64,
    /// The bytes that are allocated to it, as `st_blocks` times 512 counts them.
    pub allocated: u64,
    /// How many names it has.
    pub links: u64,
    /// The device numbers (major, minor) of a device node.
    pub device: Option<(u32, u32)>,
    /// When its bytes last changed.
    pub modified: Timestamp,
    /// When it was last read, as far as the filesystem records it.
    pub accessed: Option<Timestamp>,
    /// When its metadata last changed.
    pub changed: Option<Timestamp>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// One name in a directory. `.` and `..` are never reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name: bytes, which need not be UTF-8. NTFS and FAT names are given in UTF-8, lone
    /// surrogates as WTF-8.
    pub name: Vec<u8>,
    /// What it names.
    pub node: NodeId,
    /// What kind of object that is, where the directory says so.
    pub file_type: Option<FileType>,
}

/// An extended attribute: its full name with the namespace (`user.`, `security.`, `trusted.`,
/// `system.`) and its value, as `getxattr` gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Xattr {
    /// The full name.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// A named run of bytes that a file has beside its own: an alternate data stream of NTFS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    /// The name, without the file's.
    pub name: Vec<u8>,
    /// The length in bytes.
    pub size: u64,
}

/// What a filesystem says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Which filesystem it is.
    pub kind: Kind,
    /// The exact variant where that says more: `ext3`, `XFS v4`, `FAT32`.
    pub variant: String,
    /// Its label, if it has one.
    pub label: Option<String>,
    /// Its UUID or serial number, as `blkid` spells it.
    pub uuid: Option<String>,
    /// The size of its allocation unit.
    pub block_size: u32,
    /// How many bytes it manages.
    pub size: u64,
    /// How many of them are free, where it says so.
    pub free: Option<u64>,
    /// The state it was left in.
    pub health: Health,
    /// The features that are switched on, by the names its own tools use.
    pub features: Vec<String>,
}

/// The state a filesystem was left in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// Unmounted in order.
    Clean,
    /// In use when the image was taken; its journal was replayed in memory.
    Replayed,
    /// In use when the image was taken, and what its journal promises is not, or not all, shown.
    Dirty,
    /// The filesystem itself has recorded errors, or what describes it as a whole is damaged.
    Errors,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Clean => "clean",
            Self::Replayed => "journal replayed",
            Self::Dirty => "dirty",
            Self::Errors => "errors",
        })
    }
}

/// A tree of files of its own within a filesystem, such as a subvolume or snapshot of Btrfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subvolume {
    /// Its number, as `mount -o subvolid=` takes it.
    pub id: u64,
    /// The subvolume it is linked in; none for the top-level one.
    pub parent: Option<u64>,
    /// Its path from the top-level one, without a leading slash, as `mount -o subvol=` takes it;
    /// empty for the top-level one itself, none where it is linked nowhere.
    pub path: Option<Vec<u8>>,
    /// Its UUID.
    pub uuid: Option<String>,
    /// The UUID of the subvolume that it is a snapshot of.
    pub snapshot_of: Option<String>,
    /// The UUID, where it was sent from, of the subvolume that it was received as.
    pub received_from: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Nothing in it can be changed.
    pub read_only: bool,
    /// It is what is mounted where none is asked for.
    pub is_default: bool,
}

/// What [`Filesystem::read_dir`] calls for every entry; `Break` ends the walk early.
pub type Visit<'a> = &'a mut dyn FnMut(DirEntry) -> ControlFlow<()>;

/// One filesystem. All methods may be called by any number of threads at once.
pub trait Filesystem: Send + Sync {
    /// What it says of itself.
    fn info(&self) -> Info;

    /// What was wrong when it was opened without stopping that, and what has been found since.
    fn problems(&self) -> Vec<Problem>;

    /// Its root directory.
    fn root(&self) -> NodeId;

    /// What `name` is in the directory `dir`; `None` where there is no such name.
    fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>>;

    /// Hands every entry of the directory to `visit`, in the order of the disk. What can be read
    /// of a damaged directory is handed over before the error is returned.
    fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()>;

    /// What is known of the node.
    fn metadata(&self, node: NodeId) -> Result<Metadata>;

    /// Where the symbolic link leads.
    fn read_link(&self, node: NodeId) -> Result<Vec<u8>>;

    /// Its extended attributes, sorted by name.
    fn xattrs(&self, node: NodeId) -> Result<Vec<Xattr>>;

    /// The bytes of the file.
    fn open(&self, node: NodeId) -> Result<Arc<dyn ReadAt>>;

    /// The named streams of the file or directory. Most filesystems have none.
    fn streams(&self, _node: NodeId) -> Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    /// The bytes of the stream that [`Filesystem::streams`] calls `name`; `None` where there is no
    /// such stream.
    fn open_stream(&self, _node: NodeId, _name: &[u8]) -> Result<Option<Arc<dyn ReadAt>>> {
        Ok(None)
    }

    /// The subvolumes it holds, itself included; none where the filesystem knows no such thing.
    fn subvolumes(&self) -> Result<Vec<Subvolume>> {
        Ok(Vec::new())
    }

    /// The same filesystem, seen from the root of the subvolume `id`.
    fn open_subvolume(&self, id: u64) -> Result<Arc<dyn Filesystem>> {
        let kind = self.info().kind;
        Err(Error::not_found(format!("subvolume {id}"), format!("{kind} has no subvolumes")))
    }
}
