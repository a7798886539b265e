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
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use fathom_advisory::Day;
use fathom_block::ErrorKind;

use crate::error::{Error, Result};
use crate::files;
use crate::install::{Installed, Store, digest};
use crate::manifest::{File, LONGEST, MANIFEST, Manifest, SIGNATURE, Trust};
use crate::place::Mirror;

/// Where files are that are not complete yet.
const PARTIAL: &str = "partial";

/// When a manifest is asked for again whose signature does not fit it: somebody may be publishing.
const PAUSE: Duration = Duration::from_secs(1);

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

/// Installs what the mirror has. `told` hears how many bytes of how many are there.
pub fn update(
    store: &Store,
    mirror: &dyn Mirror,
    trust: &Trust,
    today: Day,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Updated> {
    let manifest = manifest(mirror, trust, today)?;
    let key = trust.key();
    store.check_rollback(&manifest, key.as_deref())?;
    let installed = store.installed();
    let (serial, created) = (manifest.serial, manifest.created.clone());
    let is_same =
        installed.key == key && installed.serial == serial && installed.created == created;
    let installed_files = manifest.files.iter().map(|file| store.installed_file(file));
    let found: Vec<_> = installed_files.collect::<Result<_>>()?;
    if is_same && found.iter().all(Option::is_some) {
        return Ok(Updated { manifest, fetched: 0, is_new: false });
    }
    let all = manifest.size();
    let (mut fetched, mut there) = (0, 0);
    // What is fetched is kept, whatever comes between; a generation is begun when everything is there.
    let mut all_found = Vec::with_capacity(found.len());
    for (file, found) in manifest.files.iter().zip(found) {
        all_found.push(match found {
            Some(path) => Found::Installed(path),
            None => {
                let partial = store.partial(file)?;
                fetched += fetch(mirror, file, &partial, &mut |more| told(there + more, all))?;
                Found::Fetched(partial)
            }
        });
        there += file.size;
        told(there, all);
    }
    let generation = store.empty()?;
    for (file, found) in manifest.files.iter().zip(all_found) {
        let to = generation.folder().join(&file.name);
        match found {
            Found::Installed(from) => fs::hard_link(from, &to),
            Found::Fetched(from) => fs::rename(from, &to),
        }
        .map_err(Error::host(&to))?;
    }
    generation.commit(&Installed { serial, created, key })?;
    store.forget_partial(&manifest);
    Ok(Updated { manifest, fetched, is_new: true })
}

/// Where a file is that the manifest names.
enum Found {
    /// In the generation that counts.
    Installed(PathBuf),
    /// Among what was fetched.
    Fetched(PathBuf),
}

/// The manifest, if it is to be trusted.
fn manifest(mirror: &dyn Mirror, trust: &Trust, today: Day) -> Result<Manifest> {
    let (mut bytes, mut signature) = signed(mirror)?;
    if trust.is_denied(&bytes, signature.as_deref()) {
        // The two are two files: one may be of a moment before the other.
        thread::sleep(PAUSE);
        (bytes, signature) = signed(mirror)?;
    }
    Manifest::of(&bytes, signature.as_deref(), trust, today)
}

/// The manifest's bytes, and its signature.
fn signed(mirror: &dyn Mirror) -> Result<(Vec<u8>, Option<String>)> {
    let small = |name: &str| match mirror.document(name, LONGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Fetch(error)),
    };
    let bytes = small(MANIFEST)?.ok_or_else(|| {
        Error::Malformed(mirror.shown(), "is no mirror: it has no manifest.json".to_owned())
    })?;
    let signature = small(SIGNATURE)?.map(|it| String::from_utf8_lossy(&it).into_owned());
    Ok((bytes, signature))
}

/// Fetches what is missing of a file; how much that was.
fn fetch(
    mirror: &dyn Mirror,
    file: &File,
    partial: &Path,
    told: &mut dyn FnMut(u64),
) -> Result<u64> {
    let mut out = files::open_or_create(partial)?;
    let mut at = out.metadata().map_err(Error::host(partial))?.len();
    if at > file.size {
        out.set_len(0).map_err(Error::host(partial))?;
        at = 0;
    }
    let start = at;
    out.seek(io::SeekFrom::Start(at)).map_err(Error::host(partial))?;
    let name = format!("files/{}", file.sha256);
    let mut failed = None;
    let fetched = mirror.rest(&name, at..file.size, &mut |piece| {
        out.write_all(piece).map_err(|error| {
            let kind = error.kind();
            failed = Some(error);
            io::Error::from(kind)
        })?;
        at += piece.len() as u64;
        told(at);
        Ok(())
    });
    if let Some(error) = failed {
        return Err(Error::host(partial)(error));
    }
    fetched.map_err(Error::Fetch)?;
    out.rewind().map_err(Error::host(partial))?;
    let (_, sha256) = digest(&mut out, &mut io::sink()).map_err(Error::host(partial))?;
    if sha256 != file.sha256 {
        // It would never become right by continuing.
        drop(fs::remove_file(partial));
        let why = format!("{name} is not the file of the manifest: its checksum is another");
        return Err(Error::Malformed(mirror.shown(), why));
    }
    out.sync_all().map_err(Error::host(partial))?;
    Ok(at - start)
}

impl Store {
    /// Where the file lies, if the generation that counts has it already.
    fn installed_file(&self, file: &File) -> Result<Option<PathBuf>> {
        let Ok(current) = self.files() else { return Ok(None) };
        let path = current.join(&file.name);
        Ok(is_file(&path, file)?.then_some(path))
    }

    fn partial(&self, file: &File) -> Result<PathBuf> {
        let folder = self.folder().join(PARTIAL);
        files::create_folder(&folder)?;
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

/// Whether what lies there is the file that the manifest names.
fn is_file(path: &Path, file: &File) -> Result<bool> {
    if !fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.len() == file.size) {
        return Ok(false);
    }
    let mut bytes = files::open(path)?;
    let (_, sha256) = digest(&mut bytes, &mut io::sink()).map_err(Error::host(path))?;
    Ok(sha256 == file.sha256)
}

/// Writes the database that counts into a folder as mirrors serve it. A file that is there already is
/// looked at, and mended where it is damaged.
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
        if !is_file(&path, file)? {
            let beside = to.join(format!("{}.part", file.sha256));
            let mut out = files::create(&beside)?;
            let mut from = files::open(&current.join(&file.name))?;
            io::copy(&mut from, &mut out).map_err(Error::host(&beside))?;
            out.sync_all().map_err(Error::host(&beside))?;
            fs::rename(&beside, &path).map_err(Error::host(&path))?;
        }
    }
    // The files first, then what names them. Who reads between the two asks again.
    let bytes = manifest.to_bytes();
    let (signature, named) = (folder.join(SIGNATURE), folder.join(MANIFEST));
    let beside = |name: &str| folder.join(format!("{name}.part"));
    files::write(&beside(MANIFEST), &bytes)?;
    match key {
        Some(key) => {
            files::replace(&signature, &beside(SIGNATURE), key.sign(&bytes).as_bytes())?;
        }
        // One of another manifest would look like that of somebody else.
        None => files::remove(&signature).map_err(Error::host(&signature))?,
    }
    fs::rename(beside(MANIFEST), &named).map_err(Error::host(&named))
}
