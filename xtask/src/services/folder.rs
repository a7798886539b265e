//! Where the servers keep their data: a folder that goes away with us.
//!
//! It lies with the temporary files and not in the cache, since servers that refuse to be root
//! cannot reach beneath root's home. Who is alive holds a lock on a file beside the folder.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const PREFIX: &str = "fathom-services-";

/// A folder that is removed when this is dropped.
pub(crate) struct Folder {
    path: PathBuf,
    /// Held for as long as we live.
    lock: File,
}

impl Folder {
    /// Makes a folder, and takes away those of runs that were killed.
    pub(crate) fn make() -> Result<Folder> {
        let base = std::env::temp_dir();
        sweep(&base);
        let path = base.join(format!("{PREFIX}{}", std::process::id()));
        let lock = File::create(lock_of(&path))
            .with_context(|| format!("{} cannot be made", lock_of(&path).display()))?;
        lock.lock()?;
        fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        // Servers that run as somebody else pass through it; each closes its own folder.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711))?;
        Ok(Folder { path, lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder for one server.
    pub(crate) fn sub(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(lock_of(&self.path));
        let _ = self.lock.unlock();
    }
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

/// Removes the folders of which nobody holds the lock.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_str().is_some_and(|name| {
            name.strip_prefix(PREFIX)
                .and_then(|name| name.strip_suffix(".lock"))
                .is_some_and(|id| id.parse::<u32>().is_ok())
        });
        if ours && File::open(&path).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(path.with_extension(""));
            let _ = fs::remove_file(&path);
        }
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A password that nobody knows.
pub(crate) fn password() -> Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 12];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
