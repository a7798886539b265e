//! A directory of this machine that files are copied into, and never out of.
//!
//! The names come from an image that a stranger wrote. Every name is one plain component, every
//! directory on the way is opened without following symbolic links, and files are made anew: so no
//! name and no link that was copied a moment ago can lead outside.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use fathom_filesystem::{Metadata, Timestamp};
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, fchmod, futimens, linkat,
    mkdirat, openat, renameat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

/// A directory that is copied into. Paths within it are lists of plain names.
pub(super) struct Destination {
    top: OwnedFd,
    path: PathBuf,
    /// The directory that was last used, since most files lie beside the one before.
    last: Option<(Vec<Vec<u8>>, OwnedFd)>,
    force: bool,
    /// Directories whose times are set when everything is in them.
    directories: HashMap<Vec<Vec<u8>>, (u32, Timestamps)>,
    /// How many names of things under way have been given.
    given: u64,
}

/// A file that is being written; dropped before it is kept, it is removed again.
pub(super) struct NewFile {
    pub(super) file: File,
    way: Way,
}

/// How something new gets its name. What it is to replace stays until it is complete.
struct Way {
    parent: OwnedFd,
    /// The name that it goes by until then: its own, where nothing is to be replaced.
    now: OsString,
    name: OsString,
    done: bool,
}

impl Way {
    /// It is complete.
    fn finish(mut self) -> io::Result<()> {
        if self.now != self.name {
            renameat(&self.parent, &self.now, &self.parent, &self.name)?;
            // Two names of one file are not exchanged, and the first one stays.
            if let Err(errno) = unlinkat(&self.parent, &self.now, AtFlags::empty())
                && errno != Errno::NOENT
            {
                return Err(errno.into());
            }
        }
        self.done = true;
        Ok(())
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if !self.done {
            let _ = unlinkat(&self.parent, &self.now, AtFlags::empty());
        }
    }
}

const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY);

impl Destination {
    /// The existing directory `path`, as the user named it.
    pub(super) fn open(path: &Path, force: bool) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let top = openat(CWD, path, flags, Mode::empty())?;
        let path = path.to_owned();
        Ok(Self { top, path, last: None, force, directories: HashMap::new(), given: 0 })
    }

    /// How to call a path within it in messages.
    pub(super) fn shown(&self, path: &[Vec<u8>]) -> String {
        let inner: PathBuf = path.iter().map(|name| OsStr::from_bytes(name)).collect();
        crate::text::harmless(&self.path.join(inner).display().to_string())
    }

    /// The directory that `path` lies in, and its name there.
    fn parent<'a>(&mut self, path: &'a [Vec<u8>]) -> io::Result<(&OwnedFd, &'a [u8])> {
        let (name, directories) = path.split_last().ok_or(Errno::INVAL)?;
        for name in path {
            let plain = !name.is_empty()
                && name != b"."
                && name != b".."
                && !name.contains(&b'/')
                && !name.contains(&0);
            if !plain {
                return Err(io::Error::other("that is no name a file can have here"));
            }
        }
        if self.last.as_ref().is_none_or(|(last, _)| last != directories) {
            let mut at = rustix::io::fcntl_dupfd_cloexec(&self.top, 0)?;
            for directory in directories {
                at = openat(&at, OsStr::from_bytes(directory), DIRECTORY, Mode::empty())?;
            }
            self.last = Some((directories.to_vec(), at));
        }
        match &self.last {
            Some((_, directory)) => Ok((directory, name)),
            None => Err(Errno::INVAL.into()),
        }
    }

    /// Opens the way for something new, that `make` makes by the name it is given.
    fn make<T>(
        &mut self,
        path: &[Vec<u8>],
        make: impl FnOnce(&OwnedFd, &OsStr) -> io::Result<T>,
    ) -> io::Result<(T, Way)> {
        self.given += 1;
        let under_way = format!(".fathom-{}-{}.part", std::process::id(), self.given);
        let force = self.force;
        let (parent, name) = self.parent(path)?;
        let name = OsStr::from_bytes(name).to_owned();
        let now = if force { OsString::from(under_way) } else { name.clone() };
        let made = make(parent, &now)?;
        let parent = rustix::io::fcntl_dupfd_cloexec(parent, 0)?;
        Ok((made, Way { parent, now, name, done: false }))
    }

    /// Makes a directory, or takes one that is there.
    pub(super) fn directory(&mut self, path: &[Vec<u8>], metadata: &Metadata) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        let name = OsStr::from_bytes(name);
        match mkdirat(parent, name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                openat(parent, name, DIRECTORY, Mode::empty())?;
                return Ok(());
            }
            Err(errno) => return Err(errno.into()),
        }
        self.directories.insert(path.to_vec(), (metadata.mode & 0o1777, times(metadata)));
        Ok(())
    }

    /// Starts a new file. Set-id bits are left behind: what they grant was granted elsewhere.
    pub(super) fn file(&mut self, path: &[Vec<u8>]) -> io::Result<NewFile> {
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (file, way) = self.make(path, |parent, name| {
            Ok(File::from(openat(parent, name, flags, Mode::RUSR | Mode::WUSR)?))
        })?;
        Ok(NewFile { file, way })
    }

    /// Makes a symbolic link. Nothing here ever follows it.
    pub(super) fn symlink(
        &mut self,
        path: &[Vec<u8>],
        target: &[u8],
        metadata: &Metadata,
    ) -> io::Result<()> {
        let ((), way) = self.make(path, |parent, name| {
            symlinkat(OsStr::from_bytes(target), parent, name)?;
            Ok(utimensat(parent, name, &times(metadata), AtFlags::SYMLINK_NOFOLLOW)?)
        })?;
        way.finish()
    }

    /// Makes another name for a file that was copied before.
    pub(super) fn link(&mut self, from: &[Vec<u8>], to: &[Vec<u8>]) -> io::Result<()> {
        let (parent, name) = self.parent(from)?;
        let old = rustix::io::fcntl_dupfd_cloexec(parent, 0)?;
        let old_name = OsStr::from_bytes(name).to_owned();
        let ((), way) = self.make(to, |parent, name| {
            Ok(linkat(&old, &old_name, parent, name, AtFlags::empty())?)
        })?;
        way.finish()
    }

    /// Gives the directories their modes and times, the innermost first.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let mut directories: Vec<_> = std::mem::take(&mut self.directories).into_iter().collect();
        directories.sort_unstable_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        for (path, (mode, times)) in directories {
            let (parent, name) = self.parent(&path)?;
            let directory = openat(parent, OsStr::from_bytes(name), DIRECTORY, Mode::empty())?;
            // A directory that its owner could not enter would keep what is in it from everybody.
            fchmod(&directory, Mode::from_raw_mode(mode | 0o700))?;
            futimens(&directory, &times)?;
        }
        Ok(())
    }
}

impl NewFile {
    /// The file is complete: gives it its mode and times.
    pub(super) fn keep(self, metadata: &Metadata) -> io::Result<()> {
        fchmod(&self.file, Mode::from_raw_mode(metadata.mode & 0o777))?;
        futimens(&self.file, &times(metadata))?;
        self.way.finish()
    }
}

fn times(metadata: &Metadata) -> Timestamps {
    let spec = |time: Timestamp| Timespec { tv_sec: time.seconds, tv_nsec: time.nanos.into() };
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    Timestamps {
        last_access: metadata.accessed.map_or(omit, spec),
        last_modification: spec(metadata.modified),
    }
}
