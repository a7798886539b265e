//! Where databases are installed: generations side by side, and a link to the one that counts.
//!
//! ```text
//! lock                      held by whoever changes anything
//! current                   a link to generations/7
//! newest.json               the newest serial of each key that was ever installed
//! generations/7/            the files of a database, and what says where they are from
//! ```
//!
//! A generation is made beside the others under a name that nobody looks at, and gets its own when all
//! of it is on the disk; then the link is replaced. Files that did not change are hard links.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use fathom_advisory::segment::Segment;
use fathom_advisory::{CURRENT, Day, EXTENSION};
use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::files::{self, sync};
use crate::manifest::{File, Manifest};

const GENERATIONS: &str = "generations";

/// What says where the files of a generation are from.
const INSTALLED: &str = "installed.json";

/// What says which serials were ever installed.
const NEWEST: &str = "newest.json";

/// What the names of generations that are not complete end with.
const PART: &str = ".part";

/// Where the files of a generation are from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The serial of the manifest that it was installed from; 0 where it was built here.
    pub serial: u64,
    /// When that was made.
    pub created: String,
    /// The key that signed it.
    pub key: Option<String>,
}

/// A folder with databases, to be changed by nobody else meanwhile.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Held until it is closed.
    _lock: fs::File,
}

impl Store {
    /// The folder, which is made if it is not there.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join(GENERATIONS)).map_err(Error::host(folder))?;
        let path = folder.join("lock");
        let lock = fs::File::options()
            .create(true)
            .append(true)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&path)
            .map_err(Error::host(&path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Busy(folder.display().to_string())),
            Err(error) => Err(Error::Host(path.display().to_string(), error.into())),
        }
    }

    /// The generation that counts, if there is one.
    fn current(&self) -> Option<PathBuf> {
        fs::canonicalize(self.folder.join(CURRENT)).ok()
    }

    /// Where the files that count are from.
    pub fn installed(&self) -> Installed {
        let read = |path: PathBuf| fs::read(path.join(INSTALLED)).ok();
        let bytes = self.current().and_then(read);
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Begins a generation with the files of the one that counts.
    pub fn begin(&self) -> Result<Generation<'_>> {
        let mut generation = self.empty()?;
        if let Some(current) = self.current() {
            for name in names(&current)? {
                let (from, to) = (current.join(&name), generation.path.join(&name));
                fs::hard_link(&from, &to).map_err(Error::host(&to))?;
            }
            generation.before = Some(current);
        }
        Ok(generation)
    }

    /// Begins a generation without any file.
    pub fn empty(&self) -> Result<Generation<'_>> {
        let folder = self.folder.join(GENERATIONS);
        let mut last = 0;
        for entry in fs::read_dir(&folder).map_err(Error::host(&folder))? {
            let entry = entry.map_err(Error::host(&folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(PART) {
                // What somebody left behind who was interrupted: nobody else is at work.
                files::remove(&entry.path()).map_err(Error::host(&entry.path()))?;
            } else {
                last = last.max(name.parse::<u64>().unwrap_or(0));
            }
        }
        let number = last.checked_add(1).ok_or_else(|| {
            let shown = folder.join(last.to_string()).display().to_string();
            Error::Malformed(shown, "no generation can follow it: remove it".to_owned())
        })?;
        let path = folder.join(format!("{number}{PART}"));
        fs::create_dir(&path).map_err(Error::host(&path))?;
        Ok(Generation { store: self, number, path, before: None, is_done: false })
    }

    /// Removes all generations but that one and the one before, which somebody may be reading.
    fn forget(&self, kept: u64) {
        let listed = fs::read_dir(self.folder.join(GENERATIONS)).into_iter().flatten().flatten();
        for entry in listed {
            let number: Option<u64> = entry.file_name().to_string_lossy().parse().ok();
            if number.is_some_and(|number| number < kept.saturating_sub(1)) {
                // What cannot be removed takes space and does no harm.
                drop(fs::remove_dir_all(entry.path()));
            }
        }
    }
}

/// Removes generations that are not complete, where who is at work is about to end. One that becomes
/// complete at this moment stays: it has either its own name, or that by which it is removed.
pub fn discard(folder: &Path) {
    let listed = fs::read_dir(folder.join(GENERATIONS)).into_iter().flatten().flatten();
    for entry in listed.filter(|it| it.file_name().to_string_lossy().ends_with(PART)) {
        let gone = entry.path().with_extension(format!("gone{PART}"));
        if fs::rename(entry.path(), &gone).is_ok() {
            drop(files::remove(&gone));
        }
    }
}

/// The names of the files of a database in a folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::host(folder))? {
        let entry = entry.map_err(Error::host(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().is_ok_and(|it| it.is_file());
        if is_file && Path::new(&name).extension().is_some_and(|it| it == EXTENSION) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A database that is being put together.
#[derive(Debug)]
pub struct Generation<'s> {
    store: &'s Store,
    number: u64,
    path: PathBuf,
    /// The generation whose files it began with.
    before: Option<PathBuf>,
    is_done: bool,
}

impl Generation<'_> {
    /// Where its files are put.
    pub fn folder(&self) -> &Path {
        &self.path
    }

    /// Makes it the one that counts.
    pub fn commit(mut self, installed: &Installed) -> Result<()> {
        for name in names(&self.path)? {
            Segment::open(&self.path.join(&name))
                .and_then(|segment| segment.check())
                .map_err(|error| self.damaged(&name, error.why()))?;
        }
        let said = self.path.join(INSTALLED);
        let bytes = serde_json::to_vec_pretty(installed).unwrap_or_default();
        files::write(&said, &bytes)?;
        sync(&self.path)?;
        let generations = self.store.folder.join(GENERATIONS);
        self.store.remember(installed)?;
        let path = generations.join(self.number.to_string());
        fs::rename(&self.path, &path).map_err(Error::host(&path))?;
        self.is_done = true;
        sync(&generations)?;
        let link = self.store.folder.join(CURRENT);
        let beside = self.store.folder.join("current.part");
        drop(fs::remove_file(&beside));
        let target = Path::new(GENERATIONS).join(self.number.to_string());
        std::os::unix::fs::symlink(target, &beside).map_err(Error::host(&beside))?;
        fs::rename(&beside, &link).map_err(Error::host(&link))?;
        sync(&self.store.folder)?;
        self.store.forget(self.number);
        Ok(())
    }

    /// Why a file cannot be of a database: what was there before may be mended.
    fn damaged(&self, name: &str, why: &str) -> Error {
        let provider = name.strip_suffix(EXTENSION).unwrap_or(name).trim_end_matches('.');
        match &self.before {
            Some(before) => Error::Malformed(
                before.join(name).display().to_string(),
                format!(
                    "what is there of {provider} is damaged ({why}): name the feed of {provider} \
                     too, or remove the file"
                ),
            ),
            None => Error::Malformed(name.to_owned(), format!("is no file of a database: {why}")),
        }
    }
}

impl Drop for Generation<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// The manifest of the files in a folder.
fn manifest(folder: &Path, serial: u64, created: &str, expires: Day) -> Result<Manifest> {
    let mut listed = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        // Nobody signs what is not what was written.
        Segment::open(&path).and_then(|segment| segment.check()).map_err(|error| {
            Error::Malformed(path.display().to_string(), error.why().to_owned())
        })?;
        let mut file = files::open(&path)?;
        let (size, sha256) = digest(&mut file, &mut io::sink()).map_err(Error::host(&path))?;
        listed.push(File { name, size, sha256 });
    }
    if listed.is_empty() {
        return Err(Error::Refused(format!("{}: there is no database", folder.display())));
    }
    Ok(Manifest {
        schema: crate::manifest::SCHEMA.to_owned(),
        serial,
        created: created.to_owned(),
        expires: if expires.is_known() { expires.to_string() } else { String::new() },
        files: listed,
    })
}

/// Copies all bytes; how many there were, and their SHA-256.
pub(crate) fn digest(from: &mut dyn io::Read, to: &mut dyn io::Write) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
        size += count as u64;
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((size, hex))
}

impl Store {
    /// Refuses a manifest that is older than what is installed by the same hand.
    pub(crate) fn check_rollback(&self, manifest: &Manifest, key: Option<&str>) -> Result<()> {
        let Some(key) = key else { return Ok(()) };
        let newest = self.newest()?.get(key).copied();
        match newest {
            Some(newest) if manifest.serial < newest => {
                let why = format!(
                    "the manifest has the serial {}, and {newest} was installed: somebody gives you an \
                     old one",
                    manifest.serial,
                );
                Err(Error::Refused(why))
            }
            _ => Ok(()),
        }
    }

    /// The newest serials that were ever installed, by the keys that signed them: what is built here
    /// meanwhile does not make older ones right.
    fn newest(&self) -> Result<BTreeMap<String, u64>> {
        let path = self.folder.join(NEWEST);
        let mut newest: BTreeMap<String, u64> = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let why = format!(
                    "it says which databases were installed, so that no old one comes back, and is \
                     damaged ({error}): put it right, or remove it to take any"
                );
                Error::Malformed(path.display().to_string(), why)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::host(&path)(error)),
        };
        let Installed { serial, key, .. } = self.installed();
        if let Some(key) = key {
            let known = newest.entry(key).or_default();
            *known = serial.max(*known);
        }
        Ok(newest)
    }

    /// Remembers the serial of what is about to be installed.
    fn remember(&self, installed: &Installed) -> Result<()> {
        let Some(key) = &installed.key else { return Ok(()) };
        let mut newest = self.newest()?;
        let known = newest.entry(key.clone()).or_default();
        *known = installed.serial.max(*known);
        let path = self.folder.join(NEWEST);
        let beside = self.folder.join("newest.part");
        let bytes = serde_json::to_vec(&newest)
            .map_err(|error| Error::Host(path.display().to_string(), error.into()))?;
        files::replace(&path, &beside, &bytes)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the database that counts is made of.
    pub fn manifest(&self, serial: u64, created: &str, expires: Day) -> Result<Manifest> {
        manifest(&self.files()?, serial, created, expires)
    }

    /// The folder of the files that count.
    pub fn files(&self) -> Result<PathBuf> {
        let none = || Error::Refused(format!("{}: there is no database", self.folder.display()));
        self.current().ok_or_else(none)
    }
}
