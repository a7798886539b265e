//! Everything there is to know of a tree of files, from the kernel's side and from ours.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use fathom_block::ReadAt;
use fathom_filesystem::{FileType, Timestamp, Tree};
use sha2::{Digest as _, Sha256};

/// What is compared of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) file_type: FileType,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    pub(crate) links: u64,
    pub(crate) device: Option<(u32, u32)>,
    pub(crate) modified: Timestamp,
    pub(crate) changed: Option<Timestamp>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) inode: u64,
    pub(crate) allocated: u64,
    pub(crate) target: Option<Vec<u8>>,
    pub(crate) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) sha256: Option<String>,
}

/// Every path of a tree, without the leading slash; the root is the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest(pub(crate) BTreeMap<Vec<u8>, Entry>);

/// What not to compare, where the other side cannot know it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ignore {
    pub(crate) owner_and_mode: bool,
    pub(crate) links: bool,
    pub(crate) changed: bool,
    pub(crate) created: bool,
    pub(crate) inode: bool,
    pub(crate) allocated: bool,
    pub(crate) directory_size: bool,
    pub(crate) directory_links: bool,
    pub(crate) xattrs: bool,
    pub(crate) directory_times: bool,
}

impl Manifest {
    /// What the kernel shows beneath a mounted directory.
    pub(crate) fn from_kernel(root: &Path) -> Result<Self> {
        let mut manifest = Self::default();
        manifest.add_kernel(root, Vec::new())?;
        Ok(manifest)
    }

    fn add_kernel(&mut self, path: &Path, name: Vec<u8>) -> Result<()> {
        let metadata = fs::symlink_metadata(path).with_context(|| path.display().to_string())?;
        let file_type = FileType::from_mode(metadata.mode()).context("file type")?;
        let is_device = matches!(file_type, FileType::CharacterDevice | FileType::BlockDevice);
        let entry = Entry {
            file_type,
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            size: metadata.size(),
            links: metadata.nlink(),
            device: is_device
                .then(|| (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()))),
            modified: Timestamp::new(metadata.mtime(), metadata.mtime_nsec() as u32),
            changed: Some(Timestamp::new(metadata.ctime(), metadata.ctime_nsec() as u32)),
            created: kernel_birth(path)?,
            inode: metadata.ino(),
            allocated: metadata.blocks() * 512,
            target: match file_type {
                FileType::Symlink => Some(fs::read_link(path)?.into_os_string().into_vec()),
                _ => None,
            },
            xattrs: kernel_xattrs(path)?,
            sha256: match file_type {
                FileType::File => Some(hash_file(path)?),
                _ => None,
            },
        };
        self.0.insert(name.clone(), entry);
        if file_type == FileType::Directory {
            for child in fs::read_dir(path)? {
                let child = child?;
                let mut inner = name.clone();
                if !inner.is_empty() {
                    inner.push(b'/');
                }
                inner.extend_from_slice(child.file_name().as_bytes());
                self.add_kernel(&child.path(), inner)?;
            }
        }
        Ok(())
    }

    /// What we show of a tree. Any problem on the way is an error: golden images are healthy.
    pub(crate) fn from_tree(tree: &Tree) -> Result<Self> {
        let mut manifest = Self::default();
        for step in tree.walk(b"/")? {
            let metadata = step.metadata?;
            if let Some(problem) = step.problem {
                return Err(problem.into());
            }
            let name = step.path.strip_prefix(b"/").unwrap_or(&step.path).to_vec();
            let shown = name.escape_ascii().to_string();
            let entry = Entry {
                file_type: metadata.file_type,
                mode: metadata.mode,
                uid: metadata.uid,
                gid: metadata.gid,
                size: metadata.size,
                links: metadata.links,
                device: metadata.device,
                modified: metadata.modified,
                changed: metadata.changed,
                created: metadata.created,
                inode: step.found.node.inode,
                allocated: metadata.allocated,
                target: match metadata.file_type {
                    FileType::Symlink => Some(step.found.read_link().context(shown.clone())?),
                    _ => None,
                },
                xattrs: step
                    .found
                    .xattrs()
                    .context(shown.clone())?
                    .into_iter()
                    .map(|xattr| (xattr.name, xattr.value))
                    .collect(),
                sha256: match metadata.file_type {
                    FileType::File => {
                        let file = step.found.open().context(shown.clone())?;
                        if file.len() != metadata.size {
                            bail!(
                                "{shown}: opens with {} bytes, has {}",
                                file.len(),
                                metadata.size
                            );
                        }
                        Some(hash_reader(&*file).context(shown.clone())?)
                    }
                    _ => None,
                },
            };
            if manifest.0.insert(name, entry).is_some() {
                bail!("{shown}: the path is listed twice");
            }
        }
        Ok(manifest)
    }

    /// Fails with every difference (the first forty in words) unless `ours` equals this manifest
    /// in all that is not ignored.
    pub(crate) fn check(&self, ours: &Self, ignore: Ignore) -> Result<()> {
        let mut differences = Vec::new();
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(ours.0.keys()).collect();
        for path in paths {
            let shown = format!("/{}", path.escape_ascii());
            match (self.0.get(path), ours.0.get(path)) {
                (Some(_), None) => differences.push(format!("{shown}: missing")),
                (None, Some(_)) => {
                    differences.push(format!("{shown}: is not there, but we list it"))
                }
                (Some(theirs), Some(ours)) => {
                    let difference = theirs.difference(ours, ignore);
                    if !difference.is_empty() {
                        differences.push(format!("{shown}:{difference}"));
                    }
                }
                (None, None) => {}
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        let total = differences.len();
        differences.truncate(40);
        bail!("{total} of {} paths differ:\n  {}", self.0.len(), differences.join("\n  "))
    }

    /// How many paths there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Entry {
    fn difference(&self, ours: &Self, ignore: Ignore) -> String {
        let mut text = String::new();
        macro_rules! compare {
            ($field:ident unless $ignored:expr) => {
                if !$ignored && self.$field != ours.$field {
                    let _ = write!(
                        text,
                        " {} is {:?}, we say {:?};",
                        stringify!($field),
                        self.$field,
                        ours.$field
                    );
                }
            };
        }
        let directory = self.file_type == FileType::Directory;
        let times = directory && ignore.directory_times;
        compare!(file_type unless false);
        compare!(mode unless ignore.owner_and_mode);
        compare!(uid unless ignore.owner_and_mode);
        compare!(gid unless ignore.owner_and_mode);
        compare!(size unless directory && ignore.directory_size);
        compare!(links unless ignore.links || directory && ignore.directory_links);
        compare!(device unless false);
        compare!(modified unless times);
        compare!(changed unless ignore.changed || times);
        compare!(created unless ignore.created || times);
        compare!(inode unless ignore.inode);
        compare!(allocated unless ignore.allocated || directory && ignore.directory_size);
        compare!(target unless false);
        compare!(xattrs unless ignore.xattrs);
        compare!(sha256 unless false);
        text
    }
}

fn kernel_birth(path: &Path) -> Result<Option<Timestamp>> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let stat = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BTIME)?;
    let known = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    Ok(known.then(|| Timestamp::new(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec)))
}

fn kernel_xattrs(path: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut names = vec![0; 64 << 10];
    let length = match rustix::fs::llistxattr(path, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error).context(format!("xattrs of {}", path.display())),
    };
    let mut xattrs = BTreeMap::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 128 << 10];
        let text = std::ffi::OsStr::from_bytes(name);
        let length = rustix::fs::lgetxattr(path, text, &mut value[..])?;
        value.truncate(length);
        xattrs.insert(name.to_vec(), value);
    }
    Ok(xattrs)
}

fn hash_file(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).with_context(|| path.display().to_string())? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// The SHA-256 of all bytes of a reader.
pub(crate) fn hash_reader(reader: &dyn ReadAt) -> fathom_block::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut offset = 0;
    while offset < reader.len() {
        let length = buffer.len().min((reader.len() - offset) as usize);
        reader.read_at(offset, &mut buffer[..length])?;
        hasher.update(&buffer[..length]);
        offset += length as u64;
    }
    Ok(hex(&hasher.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
