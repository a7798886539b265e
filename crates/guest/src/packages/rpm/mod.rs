//! The database of rpm: one header for each package, in one of three containers.
//!
//! Which container, and in which folder, is a matter of rpm's configuration, as is the answer where
//! there are several: after a change of container that was never finished the old one is still
//! there. rpm takes the container that `%_db_backend` names if it is in the folder `%_dbpath`;
//! otherwise the first that it finds there, in the order of [`CONTAINERS`]. We do the same, and where
//! that folder has none look into the others that distributions use, the one that rpm is built for
//! first.

mod bdb;
mod header;
mod macros;
mod ndb;
mod repositories;
mod signature;
mod sqlite;

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};
use fathom_report::{Listing, Package};

use self::repositories::Repositories;
use super::HIDES;
use super::collection::Collection;
use crate::files::{Files, Read};

/// Where the database may be: as rpm itself has it, as Fedora and SUSE do, as rpm-ostree does.
const FOLDERS: [&str; 3] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"];

/// The containers by what rpm calls them, and the file of each, in the order in which rpm tries
/// them.
const CONTAINERS: [(&str, &str, Container); 3] = [
    ("sqlite", "rpmdb.sqlite", Container::Sqlite),
    ("ndb", "Packages.db", Container::Ndb),
    ("bdb", "Packages", Container::Bdb),
];

/// What lies beside a container and is of no use without it: indexes of what it holds, and logs.
const TRACES: [&str; 8] = [
    "Basenames",
    "Name",
    "Providename",
    "Installtid",
    "Sha1header",
    "Index.db",
    "rpmdb.sqlite-wal",
    "rpmdb.sqlite-shm",
];

/// The longest header that is read; of a package with a hundred thousand files it has some ten
/// mebibytes.
const MAX_HEADER: u64 = 64 << 20;

#[derive(Clone, Copy)]
enum Container {
    Sqlite,
    Ndb,
    Bdb,
}

/// Takes a header, or why one or many could not be read.
type Visit<'a> = &'a mut dyn FnMut(Result<&[u8]>) -> ControlFlow<()>;

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "rpm");
    if let Some((path, container, reader)) = find(files, &mut collection) {
        collection.at(&path);
        let repositories = Repositories::read(files);
        let mut visit =
            |blob: Result<&[u8]>| match blob.and_then(|blob| header::package(blob, &path)) {
                Ok(mut package) => {
                    repositories.tell(&mut package);
                    collection.add(package)
                }
                Err(error) => collection.problem(error, &path),
            };
        let read = match container {
            Container::Sqlite => sqlite::read(files, &path, reader, &mut visit),
            Container::Ndb => ndb::read(&*reader, &mut visit),
            Container::Bdb => bdb::read(&*reader, &mut visit),
        };
        if let Err(error) = read {
            let _ = collection.problem(error, &path);
        }
    }
    collection.finish()
}

/// The database that rpm would open.
fn find(
    files: &Files<'_>,
    collection: &mut Collection<'_, '_>,
) -> Option<(String, Container, Arc<dyn ReadAt>)> {
    let configured = macros::read(files);
    let mut folders: Vec<&str> = configured.folder.as_deref().into_iter().collect();
    folders.extend(FOLDERS);
    let mut containers = CONTAINERS;
    // Sorting keeps the order of the rest.
    containers.sort_by_key(|(name, _, _)| Some(*name) != configured.container.as_deref());
    for folder in &folders {
        for (_, name, container) in containers {
            let path = format!("{folder}/{name}");
            match files.open(&path, HIDES) {
                Read::There(reader) => return Some((path, container, reader)),
                Read::Absent => {}
                Read::Unread(why) => collection.unread(why),
            }
        }
    }
    for folder in folders {
        let trace = TRACES.iter().find(|name| files.exists(&format!("{folder}/{name}"), HIDES));
        if let Some(name) = trace {
            let why = format!("the database is not there, but {name}, which goes with it, is");
            let _ = collection.problem(Error::corrupt("folder", 0, why), folder);
            break;
        }
    }
    None
}

/// Reads a header piece by piece: what the disk claims to be long takes memory only as far as it can
/// be read.
fn take(reader: &dyn ReadAt, at: u64, length: u64) -> Result<Vec<u8>> {
    const PORTION: u64 = 1 << 20;
    if length > MAX_HEADER {
        return Err(too_long(at, length));
    }
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        let had = bytes.len();
        let portion = (length - had as u64).min(PORTION);
        bytes.resize(had + portion as usize, 0);
        reader.read_at(at.saturating_add(had as u64), &mut bytes[had..])?;
    }
    Ok(bytes)
}

fn too_long(at: u64, length: u64) -> Error {
    let why = format!("a header of {length} bytes; at most {MAX_HEADER} are read");
    Error::corrupt("header", at, why)
}

#[cfg(test)]
mod tests;
