//! Who is alive, and what the others have left.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::io;
use super::place::{self, Place};
use crate::{Error, Kind, Result};

const LOCK: &str = ".lock";

/// That we are alive: a lock that the kernel takes away when we are not.
pub(super) struct Held {
    _lock: File,
}

impl Held {
    pub(super) fn new(place: &Place, consumer: &str) -> Result<Held> {
        let folder = place.taken(consumer);
        loop {
            fs::create_dir_all(&folder).map_err(|error| io("made", &folder, error))?;
            match lock(&folder, true)? {
                Some(file) => return Ok(Held { _lock: file }),
                // Whoever takes back what we have left holds it for a moment.
                None if is_held(&folder) => {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    if is_held(&folder) {
                        return Err(Error::new(
                            Kind::Invalid,
                            format!("another consumer of the folder is called {consumer}"),
                        ));
                    }
                }
                None => {}
            }
        }
    }
}

fn is_held(folder: &Path) -> bool {
    File::open(folder.join(LOCK))
        .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Locks a consumer's folder, unless it is locked, or was removed at the same time.
fn lock(folder: &Path, create: bool) -> Result<Option<File>> {
    let path = folder.join(LOCK);
    let file = match File::options().write(true).create(create).truncate(false).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("opened", &path, error)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(io("locked", &path, error)),
    }
    // The file that we hold has to be the one that others find.
    let (ours, theirs) = (file.metadata(), fs::symlink_metadata(&path));
    Ok(match (ours, theirs) {
        (Ok(ours), Ok(theirs)) if ours.ino() == theirs.ino() => Some(file),
        _ => None,
    })
}

/// Puts back what dead consumers held.
pub(super) fn take_back(place: &Place, ourselves: &str) -> Result<()> {
    for consumer in place::list(&place.consumers())? {
        let folder = place.taken(&consumer);
        if consumer == ourselves || !folder.is_dir() {
            continue;
        }
        // A consumer whose folder has no lock yet is just beginning.
        let Some(_lock) = lock(&folder, false)? else { continue };
        for name in place::list(&folder)? {
            place::rename(&folder.join(&name), &place.queue().join(&name))?;
        }
        place::remove(&folder.join(LOCK))?;
        let _ = fs::remove_dir(&folder);
    }
    Ok(())
}
