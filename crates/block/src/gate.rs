//! The gate that every implicit open passes.
//!
//! An image may name other files: its backing file, its data file, its extents, its parent. The
//! image was written by a stranger, so the name is a wish and not an order. A [`Gate`] decides.
//! The default, [`Siblings`], admits what lies beneath the image's own directory, resolved by the
//! kernel without ever leaving it, and refuses the rest by name.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::location::Location;
use crate::read::ReadAt;

/// An image's wish to open something else.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The image that asks.
    pub from: &'a Location,
    /// What it asks for, exactly as the image spells it.
    pub asked: &'a str,
    /// What the image calls it: `backing file`, `data file`, `extent`, `parent`.
    pub role: &'a str,
}

impl Wish<'_> {
    /// The refusal of this wish.
    pub fn refuse(&self, why: &str) -> Error {
        Error::refused(format!("{} {:?} of {}", self.role, self.asked, self.from), why).placed()
    }
}

impl Wish<'_> {
    fn failed(&self, errno: Errno) -> Error {
        Error::io(format!("{} {:?} of {}", self.role, self.asked, self.from), errno.into()).placed()
    }
}

/// What a gate let through.
pub enum Admitted {
    /// An open file, and the path it goes by in messages.
    File(File, PathBuf),
    /// An address to fetch from.
    Url(String),
    /// Bytes that the gate has the reading of, and what they go by: who may open nothing is handed
    /// them by who may.
    Reader(Arc<dyn ReadAt>, Location),
}

/// Decides what an image may open.
pub trait Gate: Send + Sync {
    /// Opens what is wished for, or refuses.
    fn admit(&self, wish: &Wish<'_>) -> Result<Admitted>;
}

/// Admits what lies beneath the image's own directory, and beneath the directories that the user
/// named.
#[derive(Clone, Debug, Default)]
pub struct Siblings {
    allowed: Vec<PathBuf>,
}

impl Siblings {
    /// Beneath the image's own directory, or beneath one of `allowed`.
    pub fn with_allowed(allowed: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { allowed: allowed.into_iter().collect() }
    }

    fn admit_path(&self, wish: &Wish<'_>, image: &Path) -> Result<Admitted> {
        let asked = Path::new(wish.asked);
        if asked.starts_with("/proc") || asked.starts_with("/sys") || asked.starts_with("/dev") {
            return Err(wish.refuse("kernel files are never opened for an image"));
        }
        let directory = match image.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if asked.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return match open_beneath(directory, asked) {
                Ok(file) => regular(wish, file, image.with_file_name(asked)),
                Err(Errno::XDEV | Errno::LOOP) => {
                    // A symbolic link leads out; the user may have allowed where it leads.
                    let target = std::fs::canonicalize(directory.join(asked));
                    target.ok().and_then(|target| self.open_allowed(wish, &target)).unwrap_or_else(
                        || {
                            Err(wish.refuse(
                                "it is a symbolic link out of the image's directory; \
                                 allow the directory it leads to with --allow-path",
                            ))
                        },
                    )
                }
                Err(errno) => Err(wish.failed(errno)),
            };
        }
        let absolute = std::path::absolute(directory.join(asked))
            .map_err(|error| Error::io(format!("{} {:?}", wish.role, wish.asked), error))?;
        self.open_allowed(wish, &normalized(&absolute)).unwrap_or_else(|| {
            Err(wish.refuse(
                "it lies outside the image's own directory; \
                 if you trust the image, allow the place with --allow-path DIR",
            ))
        })
    }

    /// Opens `target` beneath the first allowed directory that holds it.
    fn open_allowed(&self, wish: &Wish<'_>, target: &Path) -> Option<Result<Admitted>> {
        self.allowed.iter().find_map(|allowed| {
            let root = std::fs::canonicalize(allowed).ok()?;
            let spelled = std::path::absolute(allowed).ok()?;
            let inner =
                target.strip_prefix(&root).or_else(|_| target.strip_prefix(&spelled)).ok()?;
            let opened = if inner.as_os_str().is_empty() {
                openat(CWD, &root, FLAGS, Mode::empty())
            } else {
                open_beneath(&root, inner)
            };
            Some(match opened {
                Ok(file) => regular(wish, file, target.to_owned()),
                Err(Errno::XDEV | Errno::LOOP) => {
                    Err(wish.refuse("it is a symbolic link out of the allowed directory"))
                }
                Err(errno) => Err(wish.failed(errno)),
            })
        })
    }
}

/// Never a terminal of ours, never waiting for the other end of a pipe.
const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOCTTY).union(OFlags::NONBLOCK);

/// Opens `inner` beneath `directory` and nowhere else, whatever links lie on the way.
fn open_beneath(directory: &Path, inner: &Path) -> std::result::Result<OwnedFd, Errno> {
    let base =
        openat(CWD, directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match openat2(&base, inner, FLAGS, Mode::empty(), within) {
        // Kernels before 5.6 and some sandboxes have no openat2. There, no link at all is followed.
        Err(Errno::NOSYS | Errno::PERM) => open_without_links(base, inner),
        other => other,
    }
}

fn open_without_links(base: OwnedFd, inner: &Path) -> std::result::Result<OwnedFd, Errno> {
    let mut at = base;
    let parts: Vec<_> = inner
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let (last, directories) = parts.split_last().ok_or(Errno::INVAL)?;
    for name in directories {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        at = openat(&at, *name, flags, Mode::empty())?;
    }
    openat(&at, *last, FLAGS | OFlags::NOFOLLOW, Mode::empty())
}

fn regular(wish: &Wish<'_>, file: OwnedFd, path: PathBuf) -> Result<Admitted> {
    let file = File::from(file);
    let metadata = file
        .metadata()
        .map_err(|error| Error::io(format!("{} {:?}", wish.role, wish.asked), error))?;
    if metadata.is_file() {
        Ok(Admitted::File(file, path))
    } else {
        Err(wish.refuse("it is not a regular file"))
    }
}

/// `path` without `.` and `..`, by its text alone: the kernel judges links when it is opened.
fn normalized(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

impl Gate for Siblings {
    fn admit(&self, wish: &Wish<'_>) -> Result<Admitted> {
        if wish.asked.is_empty() || wish.asked.contains('\0') {
            return Err(wish.refuse("that is not the name of a file"));
        }
        if let Some(scheme) = scheme(wish.asked) {
            return Err(wish.refuse(&format!(
                "an image may not name a {scheme}: source; give that disk yourself, or rebase the image"
            )));
        }
        match wish.from {
            Location::Path(image) => self.admit_path(wish, image),
            Location::Url(url) => sibling_url(wish, url),
        }
    }
}

/// The scheme that a reference starts with, as qemu and others read one: `json:`, `nbd:`, `https:`.
fn scheme(asked: &str) -> Option<&str> {
    let (scheme, _) = asked.split_once(':')?;
    let plausible = scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'));
    plausible.then_some(scheme)
}

/// A neighbour of the image on the same server: one plain name, no other directory.
fn sibling_url(wish: &Wish<'_>, url: &str) -> Result<Admitted> {
    let plain = wish.asked.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && !wish.asked.contains('\\');
    if !plain {
        return Err(wish.refuse("only files beneath the image's own address are fetched"));
    }
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (url, None),
    };
    let path = path.split('#').next().unwrap_or(path);
    let host_end = path.find("://").map_or(0, |at| at + 3);
    let directory = match path[host_end..].rfind('/') {
        Some(at) => &path[..=host_end + at],
        None => return Err(wish.refuse("the image's own address has no directory")),
    };
    let mut address = String::from(directory);
    for byte in wish.asked.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => address.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => address.push(byte as char),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    // A signed query belongs to one file; a shared access token belongs to the directory. Either
    // way the server decides.
    if let Some(query) = query {
        address.push('?');
        address.push_str(query);
    }
    Ok(Admitted::Url(address))
}
