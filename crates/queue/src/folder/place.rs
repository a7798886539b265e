//! The folders of a pool, and what is done to files.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags};

use super::name::now;
use crate::settings::check_name;
use crate::{DEFAULT_POOL, Error, Kind, Result, Settings};

/// What no pool may be called, since the default pool has folders of these names.
const OURS: [&str; 5] = ["queue", "later", "taken", "done", "failed"];

/// The folder of a pool.
pub(super) struct Place {
    pub(super) pool: String,
    root: PathBuf,
}

impl Place {
    /// The place of this pool, made where it is not there.
    pub(super) fn of(settings: &Settings, pool: &str) -> Result<Place> {
        check_name("pool", pool)?;
        // Nor may it look like a job.
        if OURS.contains(&pool) || pool.ends_with(".json") {
            return Err(Error::new(
                Kind::Invalid,
                format!("a pool of a folder cannot be called {pool:?}"),
            ));
        }
        let root = match pool {
            DEFAULT_POOL => settings.folder.clone(),
            _ => settings.folder.join(pool),
        };
        let place = Place { pool: pool.to_owned(), root };
        for name in OURS {
            let path = place.root.join(name);
            if !path.is_dir() {
                fs::create_dir_all(&path).map_err(|error| super::io("made", &path, error))?;
            }
        }
        Ok(place)
    }

    /// Where others put files.
    pub(super) fn incoming(&self) -> &Path {
        &self.root
    }

    pub(super) fn queue(&self) -> PathBuf {
        self.root.join("queue")
    }

    pub(super) fn later(&self) -> PathBuf {
        self.root.join("later")
    }

    pub(super) fn consumers(&self) -> PathBuf {
        self.root.join("taken")
    }

    pub(super) fn taken(&self, consumer: &str) -> PathBuf {
        self.consumers().join(consumer)
    }

    pub(super) fn done(&self) -> PathBuf {
        self.root.join("done")
    }

    pub(super) fn failed(&self) -> PathBuf {
        self.root.join("failed")
    }

    /// Whether we may write there, and whether a file can be renamed from each folder to each.
    pub(super) fn check(&self) -> Result<()> {
        let device = |path: &Path| {
            fs::metadata(path).map(|it| it.dev()).map_err(|error| super::io("read", path, error))
        };
        let here = device(&self.root)?;
        for name in OURS {
            let path = self.root.join(name);
            if device(&path)? != here {
                return Err(Error::new(
                    Kind::Protocol,
                    format!("{} is on another filesystem", path.display()),
                ));
            }
            let probe = path.join(format!(".{}.tmp", std::process::id()));
            write(&probe, b"", false)?;
            remove(&probe)?;
        }
        Ok(())
    }

    /// Keeps so many of the files that are done with, the newest.
    pub(super) fn forget_done(&self, length: u64) -> Result<()> {
        let names = list(&self.done())?;
        let Some(surplus) = (names.len() as u64).checked_sub(length).filter(|count| *count > 0)
        else {
            return Ok(());
        };
        let mut dated: Vec<_> = names
            .into_iter()
            .map(|name| self.done().join(name))
            // A rename leaves the time of the content, but not this one.
            .map(|path| {
                (
                    fs::symlink_metadata(&path).map_or((0, 0), |it| (it.ctime(), it.ctime_nsec())),
                    path,
                )
            })
            .collect();
        dated.sort();
        dated.iter().take(surplus as usize).try_for_each(|(_, path)| remove(path))
    }
}

/// The names in a folder, but for hidden ones.
pub(super) fn list(folder: &Path) -> Result<Vec<String>> {
    let failed = |error| super::io("listed", folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        // A name of ours is text.
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Renames, unless it is gone, or something has the new name already; says whether it has.
pub(super) fn rename(from: &Path, to: &Path) -> Result<bool> {
    match rename_new(from, to) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {
            Ok(false)
        }
        Err(error) => Err(super::io("moved", from, error)),
    }
}

fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Filesystems that do not know the flag; our names are unique but for what others call theirs.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if to.symlink_metadata().is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        other => other.map_err(io::Error::from),
    }
}

/// Renames into a folder, under this name or one like it that is free; says which.
pub(super) fn rename_beside(from: &Path, folder: &Path, name: &str) -> Result<Option<String>> {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) => (stem, format!(".{extension}")),
        None => (name, String::new()),
    };
    let mut name = name.to_owned();
    loop {
        match rename_new(from, &folder.join(&name)) {
            Ok(()) => return Ok(Some(name)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                name = format!("{stem}.{}{extension}", now());
            }
            Err(error) => return Err(super::io("moved", from, error)),
        }
    }
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(super::io("removed", path, error)),
        _ => Ok(()),
    }
}

/// Writes a new file.
pub(super) fn write(path: &Path, bytes: &[u8], sync: bool) -> Result<()> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        if sync { file.sync_all() } else { Ok(()) }
    });
    written.map_err(|error| super::io("written", path, error))
}

/// Reads a file that somebody else has put there, or says why it is not taken.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = fs::symlink_metadata(path).and_then(|metadata| {
        // To open some kinds of files does something to them.
        if !metadata.is_file() {
            return Ok(None);
        }
        let file =
            File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then_some((file, metadata.len())))
    });
    let (file, length) = match opened {
        Ok(Some(opened)) => opened,
        Ok(None) => return Err("it is not a regular file".to_owned()),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    if length > limit {
        return Err(format!("{length} bytes are more than {limit}"));
    }
    let mut bytes = Vec::new();
    match file.take(limit + 1).read_to_end(&mut bytes) {
        Ok(count) if count as u64 > limit => Err(format!("it has more than {limit} bytes")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

/// Has the names in a folder written to the disk.
pub(super) fn sync(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| super::io("written", folder, error))
}

/// Has all of a filesystem written to the disk.
pub(super) fn sync_all(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| rustix::fs::syncfs(folder).map_err(io::Error::from))
        .map_err(|error| super::io("written", folder, error))
}

pub(super) fn failed(what: String, error: io::Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Kind::Refused,
        ErrorKind::NotADirectory | ErrorKind::InvalidFilename => Kind::Invalid,
        _ => Kind::Unreachable,
    };
    Error::with(kind, what, error)
}
