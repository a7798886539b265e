//! A whole database in one file, for sites without a network: a tar archive that begins with the
//! manifest and its signature.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use fathom_advisory::Day;

use crate::error::{Error, Result};
use crate::install::{Installed, Store, digest};
use crate::key::SecretKey;
use crate::manifest::{LONGEST, MANIFEST, Manifest, SIGNATURE, Trust};

/// Writes the database that counts, which is the one of the manifest, to a file, signed if there is a
/// key.
pub fn export(
    store: &Store,
    path: &Path,
    key: Option<&SecretKey>,
    manifest: &Manifest,
) -> Result<()> {
    let folder = store.files()?;
    let bytes = manifest.to_bytes();
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = Path::new(&beside);
    let file = fs::File::create(beside).map_err(Error::host(beside))?;
    let write = || {
        let mut archive = tar::Builder::new(io::BufWriter::with_capacity(1 << 18, file));
        add(&mut archive, MANIFEST, bytes.len() as u64, bytes.as_slice())?;
        if let Some(key) = key {
            let signature = key.sign(&bytes);
            add(&mut archive, SIGNATURE, signature.len() as u64, signature.as_bytes())?;
        }
        for file in &manifest.files {
            add(&mut archive, &file.name, file.size, fs::File::open(folder.join(&file.name))?)?;
        }
        let file = archive.into_inner()?.into_inner().map_err(io::Error::other)?;
        file.sync_all()?;
        fs::rename(beside, path)
    };
    write().map_err(|error| {
        drop(fs::remove_file(beside));
        Error::host(path)(error)
    })
}

fn add(
    archive: &mut tar::Builder<impl io::Write>,
    name: &str,
    size: u64,
    content: impl io::Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content)
}

/// Installs the database in a file, if whoever is trusted has signed it, it has not expired, it is not
/// older than what is installed, and every file is the one that the manifest names.
pub fn import(store: &Store, path: &Path, trust: &Trust, today: Day) -> Result<Manifest> {
    let shown = path.display().to_string();
    let file = fs::File::open(path).map_err(Error::host(path))?;
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(1 << 18, file));
    let malformed = |why: &str| Error::Malformed(shown.clone(), why.to_owned());
    let mut entries = archive.entries().map_err(Error::host(path))?.peekable();
    let mut text = |wanted: &str| -> Result<Option<Vec<u8>>> {
        let is_it =
            matches!(entries.peek(), Some(Ok(entry)) if *entry.path_bytes() == *wanted.as_bytes());
        if !is_it {
            return Ok(None);
        }
        let Some(Ok(entry)) = entries.next() else { return Ok(None) };
        let mut bytes = Vec::new();
        entry.take(LONGEST).read_to_end(&mut bytes).map_err(Error::host(path))?;
        Ok(Some(bytes))
    };
    let bytes = text(MANIFEST)?.ok_or_else(|| malformed("does not begin with a manifest"))?;
    let signature = text(SIGNATURE)?.map(|it| String::from_utf8_lossy(&it).into_owned());
    let manifest = Manifest::of(&bytes, signature.as_deref(), trust, today)?;
    let key = trust.key();
    store.check_rollback(&manifest, key.as_deref())?;
    let generation = store.empty()?;
    for file in &manifest.files {
        let cut = || malformed(&format!("ends before {}: it was cut", file.name));
        let mut entry = entries.next().ok_or_else(cut)?.map_err(|_| cut())?;
        if *entry.path_bytes() != *file.name.as_bytes() {
            return Err(malformed(&format!("has something else where {} must be", file.name)));
        }
        let to = generation.folder().join(&file.name);
        let mut out = fs::File::create(&to).map_err(Error::host(&to))?;
        // What is too long need not be read to its end.
        let mut bounded = (&mut entry).take(file.size.saturating_add(1));
        let (size, sha256) =
            digest(&mut bounded, &mut out).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => cut(),
                _ => Error::host(&to)(error),
            })?;
        if size < file.size {
            return Err(cut());
        }
        if size != file.size || sha256 != file.sha256 {
            return Err(malformed(&format!(
                "has a {} that is not the one of the manifest",
                file.name
            )));
        }
        out.sync_all().map_err(Error::host(&to))?;
    }
    generation.commit(&Installed {
        serial: manifest.serial,
        created: manifest.created.clone(),
        key,
    })?;
    Ok(manifest)
}
