//! A folder. What is half written has a name that no key has, and the right one only when the disk has
//! all of it.

use std::ffi::CString;
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, mkdirat, openat, openat2,
    renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;

use crate::error::{Error, Kind, Result};
use crate::key::Key;
use crate::{Entry, MAX_LISTED, Put, Replaced};

/// Beneath the folder, and by no link of the kernel's.
const WITHIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
/// Held by who lets a document take its place.
const LOCK: &str = ".fathom.lock";
/// How long somebody waits for it.
const TURN: Duration = Duration::from_secs(30);
/// Of how many earlier tries what was left half written is taken away.
const EARLIER: i64 = 64;
/// How deep folders are listed.
const DEPTH: usize = 32;

/// A folder, held open: what its name means later on does not matter.
#[derive(Clone)]
pub(crate) struct Folder {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    directory: OwnedFd,
    /// Tells temporary names of this process apart.
    count: AtomicU64,
}

impl Folder {
    /// Makes the folder for its owner alone, where it is not there.
    pub(crate) fn make(path: &Path) -> Result<()> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| local(path, "it cannot be made", &error))
    }

    pub(crate) fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| local(path, "it cannot be opened", &errno.into()))?;
        let path = path.to_owned();
        Ok(Self { inner: Arc::new(Inner { path, directory, count: AtomicU64::new(0) }) })
    }

    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<Put> {
        let key = key.clone();
        self.blocking(move |inner| {
            let place = inner.place(&key, true)?;
            let number = inner.count.fetch_add(1, Ordering::Relaxed);
            let half = place.write(&format!("{}-{number}", std::process::id()), &bytes)?;
            match renameat_with(
                &place.folder,
                &half.name,
                &place.folder,
                place.name,
                RenameFlags::NOREPLACE,
            ) {
                Ok(()) => {
                    half.done();
                    place.sync()?;
                    Ok(Put::New)
                }
                Err(Errno::EXIST) => match inner.get(&key, bytes.len() as u64) {
                    Ok(there) if there == bytes => Ok(Put::There),
                    Ok(_) => Err(other(place.shown())),
                    Err(error) if error.kind() == Kind::TooLarge => Err(other(place.shown())),
                    Err(error) => Err(error),
                },
                Err(errno) => Err(place.failed("it cannot be put in its place", errno)),
            }
        })
        .await
    }

    /// Who writes what others may write too does so in this order:
    ///
    /// 1. The bytes go to the disk under a name that bears the fence. Who is killed here leaves that
    ///    name; the next try takes it away.
    /// 2. The lock of the folder is taken, which ends with whoever holds it.
    /// 3. `still` is asked. Whoever has lost the right leaves everything as it is. Had it been asked
    ///    before the lock, somebody who is stopped in between could go on later and put old bytes in
    ///    place of newer ones; behind the lock nobody newer has been let in yet.
    /// 4. One rename lets the new bytes take the place of the old. Who is killed before it has changed
    ///    nothing; behind it, the next try writes the same name again, never a second one.
    ///
    /// Somebody who is stopped between 3 and 4 holds the lock meanwhile: others wait for their turn,
    /// and try again later.
    pub(crate) async fn replace<F, W>(
        &self,
        key: &Key,
        bytes: Bytes,
        fence: i64,
        still: F,
    ) -> Result<Replaced>
    where
        F: Fn() -> W + Send + Sync,
        W: Future<Output = Result<bool>> + Send,
    {
        let of = key.clone();
        let half = self
            .blocking(move |inner| {
                let place = inner.place(&of, true)?;
                let half = place.write(&fence.to_string(), &bytes)?;
                Ok(half)
            })
            .await?;
        let lock = self.lock().await?;
        if !still().await? {
            return Ok(Replaced::No);
        }
        let of = key.clone();
        self.blocking(move |inner| {
            let place = inner.place(&of, true)?;
            renameat(&half.folder, &half.name, &place.folder, place.name)
                .map_err(|errno| place.failed("it cannot be put in its place", errno))?;
            half.done();
            place.sync()?;
            for earlier in fence.saturating_sub(EARLIER).max(0)..fence {
                let name = partial(place.name, &earlier.to_string());
                // Most of them never were.
                let _ = unlinkat(&place.folder, name.as_str(), AtFlags::empty());
            }
            drop(lock);
            Ok(Replaced::Yes)
        })
        .await
    }

    pub(crate) async fn get(&self, key: &Key, most: u64) -> Result<Bytes> {
        let key = key.clone();
        self.blocking(move |inner| inner.get(&key, most)).await
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<()> {
        let key = key.clone();
        self.blocking(move |inner| {
            let place = match inner.place(&key, false) {
                Ok(place) => place,
                Err(error) if error.kind() == Kind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            match unlinkat(&place.folder, place.name, AtFlags::empty()) {
                Ok(()) => place.sync(),
                Err(Errno::NOENT) => Ok(()),
                Err(errno) => Err(place.failed("it cannot be taken away", errno)),
            }
        })
        .await
    }

    pub(crate) async fn list(
        &self,
        prefix: Option<&Key>,
        after: Option<&Key>,
        most: usize,
    ) -> Result<Vec<Entry>> {
        let prefix = prefix.map_or(String::new(), |key| key.as_str().to_owned());
        let after = after.cloned();
        self.blocking(move |inner| {
            let mut found = Vec::new();
            inner.walk(&prefix, DEPTH, &mut found)?;
            found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            if let Some(after) = after {
                found.retain(|entry| entry.key.as_str() > after.as_str());
            }
            found.truncate(most);
            Ok(found)
        })
        .await
    }

    /// The lock, which is let go when it is dropped.
    async fn lock(&self) -> Result<File> {
        let file = self
            .blocking(|inner| {
                let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
                let within = WITHIN | ResolveFlags::NO_SYMLINKS;
                let file = openat2(&inner.directory, LOCK, flags, Mode::RUSR | Mode::WUSR, within)
                    .map_err(|errno| local(&inner.path.join(LOCK), "no lock", &errno.into()))?;
                Ok(File::from(file))
            })
            .await?;
        let until = Instant::now() + TURN;
        let mut pause = Duration::from_millis(2);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::WouldBlock) if Instant::now() < until => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(100));
                }
                Err(std::fs::TryLockError::WouldBlock) => {
                    let why = "somebody else holds it for too long; it is tried again later";
                    let lock = self.inner.path.join(LOCK);
                    return Err(Error::new(Kind::Unreachable, lock.display().to_string(), why));
                }
                Err(std::fs::TryLockError::Error(error)) => {
                    return Err(local(&self.inner.path.join(LOCK), "no lock", &error));
                }
            }
        }
    }

    /// Has something done where waiting for a disk holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.unwrap_or_else(|_| {
            let place = self.inner.path.display().to_string();
            Err(Error::new(Kind::Unreachable, place, "a bug ended what was being done"))
        })
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.path.display().fmt(f)
    }
}

/// Where a document lies: the folder, and its name in there.
struct Place<'a> {
    folder: Arc<OwnedFd>,
    name: &'a str,
    path: PathBuf,
}

/// Something half written, which is taken away unless it is done.
struct Half {
    folder: Arc<OwnedFd>,
    name: String,
    done: bool,
}

impl Half {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        if !self.done {
            let _ = unlinkat(&self.folder, self.name.as_str(), AtFlags::empty());
        }
    }
}

/// The name of what is half written.
fn partial(name: &str, whose: &str) -> String {
    format!(".{name}.{whose}.partial")
}

impl Inner {
    /// Where this key lies, with the folders on the way made where they are to be.
    fn place<'k>(&self, key: &'k Key, made: bool) -> Result<Place<'k>> {
        let (folder, name) = key.split();
        let path = self.path.join(key.as_str());
        let failed = |errno: Errno| reached(&path, errno);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = |path: &str| openat2(&self.directory, path, flags, Mode::empty(), WITHIN);
        if folder.is_empty() {
            let folder = Arc::new(open(".").map_err(failed)?);
            return Ok(Place { folder, name, path });
        }
        let folder = match open(folder) {
            Err(Errno::NOENT) if made => {
                let mut above = open(".").map_err(failed)?;
                let mut end = 0;
                for part in folder.split('/') {
                    end += part.len();
                    let until = folder.get(..end).unwrap_or(folder);
                    end += 1;
                    above = match open(until) {
                        Err(Errno::NOENT) => {
                            // Somebody else may make it too.
                            match mkdirat(&above, part, Mode::RWXU) {
                                Ok(()) | Err(Errno::EXIST) => open(until).map_err(failed)?,
                                Err(errno) => return Err(failed(errno)),
                            }
                        }
                        opened => opened.map_err(failed)?,
                    };
                }
                above
            }
            opened => opened.map_err(failed)?,
        };
        Ok(Place { folder: Arc::new(folder), name, path })
    }

    fn get(&self, key: &Key, most: u64) -> Result<Bytes> {
        let path = self.path.join(key.as_str());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = openat2(&self.directory, key.as_str(), flags, Mode::empty(), WITHIN)
            .map_err(|errno| reached(&path, errno))?;
        let file = File::from(file);
        let unread = |error: std::io::Error| local(&path, "it cannot be read", &error);
        let metadata = file.metadata().map_err(unread)?;
        let shown = || path.display().to_string();
        if !metadata.is_file() {
            return Err(Error::new(Kind::NotFound, shown(), "it is no file"));
        }
        let mut bytes = Vec::with_capacity(metadata.len().min(most).min(1 << 24) as usize);
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > most {
            return Err(Error::new(
                Kind::TooLarge,
                shown(),
                format!("it has more than {most} bytes"),
            ));
        }
        Ok(bytes.into())
    }

    /// Notes what lies beneath a folder. What is no key was put there by others.
    fn walk(&self, folder: &str, depth: usize, found: &mut Vec<Entry>) -> Result<()> {
        let path = self.path.join(folder);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let at = if folder.is_empty() { "." } else { folder };
        let directory = match openat2(&self.directory, at, flags, Mode::empty(), WITHIN) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(errno) => return Err(reached(&path, errno)),
        };
        let failed = |errno: Errno| local(&path, "it cannot be listed", &errno.into());
        for entry in Dir::read_from(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let name = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if Key::new(name.as_str()).is_err() {
                continue;
            }
            let Ok(file) = CString::from(entry.file_name()).into_string() else { continue };
            let stat =
                rustix::fs::statat(directory.as_fd(), file.as_str(), AtFlags::SYMLINK_NOFOLLOW);
            let Ok(stat) = stat else { continue };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if depth > 0 => self.walk(&name, depth - 1, found)?,
                FileType::RegularFile => {
                    let length = u64::try_from(stat.st_size).unwrap_or(0);
                    found.push(Entry { key: name, length });
                }
                _ => {}
            }
            if found.len() > MAX_LISTED {
                let why =
                    format!("more than {MAX_LISTED} documents lie in it; list it by prefixes");
                return Err(Error::new(Kind::TooLarge, path.display().to_string(), why));
            }
        }
        Ok(())
    }
}

impl Place<'_> {
    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, what: &str, errno: Errno) -> Error {
        local(&self.path, what, &errno.into())
    }

    /// Brings the bytes to the disk under a temporary name.
    fn write(&self, whose: &str, bytes: &[u8]) -> Result<Half> {
        let name = partial(self.name, whose);
        // What somebody left who was killed with the same name.
        let _ = unlinkat(&self.folder, name.as_str(), AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat2(&self.folder, name.as_str(), flags, mode, WITHIN)
            .map_err(|errno| self.failed("it cannot be made", errno))?;
        let half = Half { folder: Arc::clone(&self.folder), name, done: false };
        let mut file = File::from(file);
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| local(&self.path, "it cannot be written", &error))?;
        Ok(half)
    }

    /// Lets the disk know of a name.
    fn sync(&self) -> Result<()> {
        rustix::fs::fsync(&self.folder).map_err(|errno| self.failed("it cannot be kept", errno))
    }
}

/// Another content lies where one was to be made.
pub(crate) fn other(place: String) -> Error {
    Error::new(Kind::Exists, place, "something else lies there, and is left as it is")
}

fn reached(path: &Path, errno: Errno) -> Error {
    match errno {
        Errno::XDEV | Errno::LOOP => {
            let why = "a link in it leads out of the folder";
            Error::new(Kind::Refused, path.display().to_string(), why)
        }
        Errno::NOENT | Errno::NOTDIR => {
            Error::new(Kind::NotFound, path.display().to_string(), "there is no such file")
        }
        errno => local(path, "it cannot be opened", &errno.into()),
    }
}

/// An error of this machine.
fn local(path: &Path, what: &str, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let kind = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Kind::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Kind::Refused,
        ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty => Kind::Exists,
        _ => Kind::Unreachable,
    };
    Error::new(kind, path.display().to_string(), format!("{what}: {error}"))
}
