//! Getting a database from a mirror: a web server, or anything else that serves files by their names.
//!
//! ```text
//! manifest.json, manifest.sig
//! files/SHA-256             each file, by what is in it
//! ```
//!
//! What is there already is not fetched again, and what was fetched in part is continued: a file is
//! known by its checksum, so that neither can be the wrong one.

use std::fs;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use fathom_advisory::Day;
use fathom_block::{ErrorKind, ReadAt};

use crate::error::{Error, Result};
use crate::install::{Installed, Store, digest};
use crate::manifest::{File, LONGEST, MANIFEST, Manifest, SIGNATURE, Trust};

/// How much is asked for at once.
const PIECE: usize = 4 << 20;

/// Where files are that are not complete yet.
const PARTIAL: &str = "partial";

/// Opens what is at an address.
pub type Open<'o> = dyn Fn(&str) -> fathom_block::Result<Arc<dyn ReadAt>> + 'o;

/// What came of asking a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// What is installed now.
    pub manifest: Manifest,
    /// How many bytes were fetched.
    pub fetched: u64,
    /// Whether anything is other than it was.
    pub is_new: bool,
}

/// Installs what the mirror at `base` has. `told` hears how many bytes of how many are there.
pub fn update(
    store: &Store,
    base: &str,
    open: &Open<'_>,
    trust: &Trust,
    today: Day,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Updated> {
    let base = base.trim_end_matches('/');
    let text = |name: &str| small(open, &format!("{base}/{name}"));
    let bytes = text(MANIFEST)?.ok_or_else(|| {
        Error::Malformed(base.to_owned(), "is no mirror: it has no manifest.json".to_owned())
    })?;
    let signature = text(SIGNATURE)?.map(|it| String::from_utf8_lossy(&it).into_owned());
    let manifest = Manifest::of(&bytes, signature.as_deref(), trust, today)?;
    let key = trust.key();
    store.check_rollback(&manifest, key.as_deref())?;
    let installed = store.installed();
    let (serial, created) = (manifest.serial, manifest.created.clone());
    if installed.key == key && installed.serial == serial && installed.created == created {
        return Ok(Updated { manifest, fetched: 0, is_new: false });
    }
    let generation = store.empty()?;
    let all: u64 = manifest.files.iter().map(|file| file.size).sum();
    let (mut fetched, mut there) = (0, 0);
    for file in &manifest.files {
        let to = generation.folder().join(&file.name);
        if !store.link(file, &to)? {
            let partial = store.partial(file)?;
            let address = format!("{base}/files/{}", file.sha256);
            fetched += fetch(open, &address, file, &partial, &mut |more| {
                told(there + more, all);
            })?;
            fs::rename(&partial, &to).map_err(Error::host(&to))?;
        }
        there += file.size;
        told(there, all);
    }
    generation.commit(&Installed { serial, created, key })?;
    store.forget_partial(&manifest);
    Ok(Updated { manifest, fetched, is_new: true })
}

/// All of a small file; nothing where there is none.
fn small(open: &Open<'_>, address: &str) -> Result<Option<Vec<u8>>> {
    let reader = match open(address) {
        Ok(reader) => reader,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::Fetch(error)),
    };
    if reader.len() > LONGEST {
        return Err(Error::Malformed(address.to_owned(), "is larger than 1 MiB".to_owned()));
    }
    let mut bytes = vec![0; reader.len() as usize];
    reader.read_at(0, &mut bytes).map_err(Error::Fetch)?;
    Ok(Some(bytes))
}

/// Fetches what is missing of a file; how much that was.
fn fetch(
    open: &Open<'_>,
    address: &str,
    file: &File,
    partial: &Path,
    told: &mut dyn FnMut(u64),
) -> Result<u64> {
    let mut out = fs::File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(partial)
        .map_err(Error::host(partial))?;
    let mut at = out.metadata().map_err(Error::host(partial))?.len();
    if at > file.size {
        out.set_len(0).map_err(Error::host(partial))?;
        at = 0;
    }
    let start = at;
    let reader = open(address).map_err(Error::Fetch)?;
    if reader.len() != file.size {
        let why = format!("has {} bytes, and the manifest says {}", reader.len(), file.size);
        return Err(Error::Malformed(address.to_owned(), why));
    }
    out.seek(io::SeekFrom::Start(at)).map_err(Error::host(partial))?;
    let mut buffer = vec![0; PIECE];
    while at < file.size {
        let count = PIECE.min((file.size - at) as usize);
        reader.read_at(at, &mut buffer[..count]).map_err(Error::Fetch)?;
        out.write_all(&buffer[..count]).map_err(Error::host(partial))?;
        at += count as u64;
        told(at);
    }
    out.rewind().map_err(Error::host(partial))?;
    let (_, sha256) = digest(&mut out, &mut io::sink()).map_err(Error::host(partial))?;
    if sha256 != file.sha256 {
        // It would never become right by continuing.
        drop(fs::remove_file(partial));
        let why = "is not the file of the manifest: its checksum is another".to_owned();
        return Err(Error::Malformed(address.to_owned(), why));
    }
    out.sync_all().map_err(Error::host(partial))?;
    Ok(at - start)
}

impl Store {
    /// Puts a file there that the generation that counts has already; whether it has it.
    fn link(&self, file: &File, to: &Path) -> Result<bool> {
        let Ok(current) = self.files() else { return Ok(false) };
        let from = current.join(&file.name);
        if !fs::metadata(&from).is_ok_and(|it| it.len() == file.size) {
            return Ok(false);
        }
        let mut bytes = fs::File::open(&from).map_err(Error::host(&from))?;
        let (_, sha256) = digest(&mut bytes, &mut io::sink()).map_err(Error::host(&from))?;
        if sha256 == file.sha256 {
            fs::hard_link(&from, to).map_err(Error::host(to))?;
        }
        Ok(sha256 == file.sha256)
    }

    fn partial(&self, file: &File) -> Result<std::path::PathBuf> {
        let folder = self.folder().join(PARTIAL);
        fs::create_dir_all(&folder).map_err(Error::host(&folder))?;
        Ok(folder.join(&file.sha256))
    }

    /// Removes what was fetched in part of other databases.
    fn forget_partial(&self, manifest: &Manifest) {
        let listed = fs::read_dir(self.folder().join(PARTIAL)).into_iter().flatten().flatten();
        for entry in listed {
            let name = entry.file_name();
            if !manifest.files.iter().any(|file| *file.sha256 == *name.to_string_lossy()) {
                drop(fs::remove_file(entry.path()));
            }
        }
    }
}

/// Writes the database that counts into a folder as mirrors serve it.
pub fn publish(
    store: &Store,
    folder: &Path,
    key: Option<&crate::key::SecretKey>,
    manifest: &Manifest,
) -> Result<()> {
    let current = store.files()?;
    let to = folder.join("files");
    fs::create_dir_all(&to).map_err(Error::host(&to))?;
    for file in &manifest.files {
        let path = to.join(&file.sha256);
        if !path.exists() {
            let beside = to.join(format!("{}.part", file.sha256));
            fs::copy(current.join(&file.name), &beside).map_err(Error::host(&beside))?;
            fs::rename(&beside, &path).map_err(Error::host(&path))?;
        }
    }
    let bytes = manifest.to_bytes();
    // The files first, then what names them.
    if let Some(key) = key {
        crate::install::write(&folder.join(SIGNATURE), key.sign(&bytes).as_bytes())?;
    }
    crate::install::write(&folder.join(MANIFEST), &bytes)
}
