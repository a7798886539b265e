//! A whole database in one file, for sites without a network: a tar archive that begins with the
//! manifest and its signature.

use std::io::{self, Read as _};
use std::path::Path;

use fathom_advisory::Day;

use crate::error::{Error, Result};
use crate::files;
use crate::install::{Installed, Store, digest};
use crate::key::SecretKey;
use crate::manifest::{LONGEST, MANIFEST, Manifest, SIGNATURE, Trust};

/// Writes the database that counts, which is the one of the manifest, signed if there is a key.
pub fn export(
    store: &Store,
    out: &mut dyn io::Write,
    key: Option<&SecretKey>,
    manifest: &Manifest,
) -> Result<()> {
    let folder = store.files()?;
    let bytes = manifest.to_bytes();
    let failed = |error| Error::host(&folder)(error);
    let mut archive = tar::Builder::new(out);
    add(&mut archive, MANIFEST, bytes.len() as u64, bytes.as_slice()).map_err(failed)?;
    if let Some(key) = key {
        let signature = key.sign(&bytes);
        add(&mut archive, SIGNATURE, signature.len() as u64, signature.as_bytes())
            .map_err(failed)?;
    }
    for file in &manifest.files {
        let path = folder.join(&file.name);
        add(&mut archive, &file.name, file.size, files::open(&path)?).map_err(failed)?;
    }
    archive.into_inner().map_err(failed)?.flush().map_err(failed)
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

/// Whether the entry is the file of this name.
fn is_of(entry: &tar::Entry<'_, impl io::Read>, name: &str) -> bool {
    entry.header().entry_type().is_file() && *entry.path_bytes() == *name.as_bytes()
}

/// Installs the database in a file, if whoever is trusted has signed it, it has not expired, it is not
/// older than what is installed, and every file is the one that the manifest names.
pub fn import(store: &Store, path: &Path, trust: &Trust, today: Day) -> Result<Manifest> {
    let shown = path.display().to_string();
    let file = files::open(path)?;
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(1 << 18, file));
    let malformed = |why: &str| Error::Malformed(shown.clone(), why.to_owned());
    // As they are: the library would read what stands before an entry into memory whatever length it
    // has, and before anybody has looked at the signature. What is written here needs none of that.
    let mut entries = archive.entries().map_err(Error::host(path))?.raw(true).peekable();
    let mut text = |wanted: &str| -> Result<Option<Vec<u8>>> {
        if !matches!(entries.peek(), Some(Ok(entry)) if is_of(entry, wanted)) {
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
        if !is_of(&entry, &file.name) {
            return Err(malformed(&format!("has something else where {} must be", file.name)));
        }
        let to = generation.folder().join(&file.name);
        let mut out = files::create(&to)?;
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
