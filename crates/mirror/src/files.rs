//! Files of this machine, read and written with care.
//!
//! Others may write to the folder of a database too. What is written is made anew, so that a link that
//! lies in its place leads nowhere; and what is no file is not waited for.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::{Error, Result};

/// Opens a file to read it. Pipes, devices and folders are none.
pub(crate) fn open(path: &Path) -> Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
        .open(path)
        .map_err(Error::host(path))?;
    match file.metadata().map_err(Error::host(path))?.is_file() {
        true => Ok(file),
        false => Err(Error::Malformed(path.display().to_string(), "is no file".to_owned())),
    }
}

/// Makes a file anew, whatever lies in its place.
pub(crate) fn create(path: &Path) -> Result<File> {
    let make = || {
        remove(path)?;
        File::options().write(true).create_new(true).open(path)
    };
    make().map_err(Error::host(path))
}

/// Opens a file to add to it, if it is one, or makes it.
pub(crate) fn open_or_create(path: &Path) -> Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let there = File::options().read(true).write(true).custom_flags(flags).open(path);
    if let Ok(file) = there
        && file.metadata().is_ok_and(|it| it.is_file())
    {
        return Ok(file);
    }
    let make = || {
        remove(path)?;
        File::options().read(true).write(true).create_new(true).open(path)
    };
    make().map_err(Error::host(path))
}

/// Removes what is there, be it a folder; links are not followed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file, all of which is on the disk when this returns.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes).map_err(Error::host(path))?;
    file.sync_all().map_err(Error::host(path))
}

/// Gives a file its content at once: nobody sees a part of it. `beside` is where it lies until then.
pub(crate) fn replace(path: &Path, beside: &Path, bytes: &[u8]) -> Result<()> {
    write(beside, bytes)?;
    fs::rename(beside, path).map_err(Error::host(path))
}

/// Makes a folder, if it is not there: one that is a link is another's.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|it| !it.is_dir()) {
        fs::remove_file(path).map_err(Error::host(path))?;
    }
    fs::create_dir_all(path).map_err(Error::host(path))
}

pub(crate) fn sync(folder: &Path) -> Result<()> {
    let file = File::open(folder).map_err(Error::host(folder))?;
    file.sync_all().map_err(Error::host(folder))
}
