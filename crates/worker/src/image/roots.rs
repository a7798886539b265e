//! The folders that images are read from.
//!
//! A path in a request is a wish of a stranger, as a name in an image is. It is held to rules by its
//! text first, which need no disk: [`Roots::check`] is asked where a request comes in. A worker opens
//! it, and there the kernel resolves it beneath the folder, without ever leaving it
//! (`RESOLVE_BENEATH`): a link that leads out is refused whenever it was put there.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};

use fathom_block::{Gate as _, Location, Siblings, Wish};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, SeekFrom, fstatfs, openat, openat2, seek};
use rustix::io::Errno;

use super::address::Https;
use super::bucket::{Buckets, Object};
use super::failure::{Code, Refusal};

/// The longest path.
const MAX_PATH: usize = 4096;

/// The longest name in it.
const MAX_NAME: usize = 255;

/// What kernels show of themselves, by the numbers of the filesystems.
const OF_KERNEL: [i64; 9] = [
    0x9fa0,
    0x6265_6572,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11_u32 as i64,
    0x0027_e0eb,
    0x6367_7270,
    0x1cd1,
];

/// The folders that images are read from, and the servers.
#[derive(Debug, Default)]
pub struct Roots {
    folders: Vec<Folder>,
    https: Https,
    buckets: Buckets,
    /// Whether an image may name any file beneath the folders, not only of its own.
    shared: bool,
}

/// One folder. It is held open: what its name means later on does not matter.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    directory: OwnedFd,
}

/// What was opened, and what it goes by.
#[derive(Debug)]
pub(crate) enum Opened {
    /// A file or block device of this machine.
    Local(Local),
    /// An address that is fetched from.
    Remote(String),
    /// An object of a bucket.
    Object(Object),
}

/// A file or block device beneath a root.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) file: File,
    pub(crate) length: u64,
    /// As it was named.
    pub(crate) path: PathBuf,
}

impl Roots {
    /// Reads images beneath these folders. They must be there; neither the root of all files nor what
    /// the kernel shows can be one.
    pub fn new<T: AsRef<Path>>(folders: impl IntoIterator<Item = T>) -> Result<Self, Refusal> {
        let mut roots = Self::default();
        for folder in folders {
            let path = folder.as_ref();
            let refuse = |why: &str| {
                Refusal::new(Code::InvalidRequest, format!("root {}: {why}", path.display()))
            };
            let plain = path.is_absolute()
                && path.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
            if !plain || path.components().count() < 2 || is_of_kernel(path) {
                return Err(refuse("a root is an absolute path of a folder of its own"));
            }
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let directory = openat(CWD, path, flags, Mode::empty())
                .map_err(|errno| refuse(&std::io::Error::from(errno).to_string()))?;
            if is_shown_by_kernel(&directory) {
                return Err(refuse("it is of the kernel"));
            }
            // By components, so that one slash more or less means nothing.
            roots.folders.push(Folder { path: path.components().collect(), directory });
        }
        Ok(roots)
    }

    /// Fetches images from these servers too.
    #[must_use]
    pub fn https(mut self, https: Https) -> Self {
        self.https = https;
        self
    }

    /// Reads images in these buckets too.
    #[must_use]
    pub fn buckets(mut self, buckets: Buckets) -> Self {
        self.buckets = buckets;
        self
    }

    /// Lets an image name any file beneath the roots, such as a backing file in another folder. Then
    /// whoever can write an image can have read, as a part of it, every other image there is.
    #[must_use]
    pub fn share_between_images(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    /// Refuses what is neither a path beneath a root nor an address that is allowed, by its text alone. A worker that opens it checks again.
    pub fn check(&self, source: &str) -> Result<(), Refusal> {
        if source.starts_with("https://") {
            return self.https.check(source);
        }
        match source.starts_with("s3://") {
            true => self.buckets.object(source).map(drop),
            false => self.inner(source).map(drop),
        }
    }

    pub(crate) fn https_of(&self) -> &Https {
        &self.https
    }

    /// Opens what a request names.
    pub(crate) fn open(&self, source: &str) -> Result<Opened, Refusal> {
        if source.starts_with("https://") {
            self.https.check(source)?;
            return Ok(Opened::Remote(source.to_owned()));
        }
        if source.starts_with("s3://") {
            return self.buckets.object(source).map(Opened::Object);
        }
        let (folder, inner) = self.inner(source)?;
        let path = folder.path.join(&inner);
        open_beneath(folder.directory.as_fd(), &inner, path).map(Opened::Local)
    }

    /// Opens what an image asks for that was opened itself: `role` says what it calls it. A refusal says
    /// why, and not what it is that was asked for.
    pub(crate) fn admit(&self, from: &Opened, asked: &str, role: &str) -> Result<Opened, Refusal> {
        match from {
            Opened::Local(image) => self.beside(&image.path, asked),
            Opened::Object(object) => {
                object.beside(asked).and_then(|address| self.open(&address)).map_err(referred)
            }
            Opened::Remote(url) => {
                let from = Location::Url(url.clone());
                let wish = Wish { from: &from, asked, role };
                match Siblings::default().admit(&wish) {
                    Ok(fathom_block::Admitted::Url(url)) => self.open(&url).map_err(referred),
                    Ok(_) => Err(refused("that is no neighbour of it")),
                    Err(error) => Err(Refusal::new(Code::ReferenceRefused, error.to_string())),
                }
            }
        }
    }

    /// Opens what lies beneath the folder of an image, or where it is shared, beneath any root.
    fn beside(&self, image: &Path, asked: &str) -> Result<Opened, Refusal> {
        if asked.is_empty() || asked.contains('\0') || asked.len() > MAX_PATH {
            return Err(refused("that is not the name of a file"));
        }
        if asked.contains("://") || has_scheme(asked) {
            return Err(refused("an image may not name a source by its scheme"));
        }
        let asked_path = Path::new(asked);
        if is_of_kernel(asked_path) {
            return Err(refused("kernel files are never opened for an image"));
        }
        let own = image.parent().unwrap_or(Path::new("/"));
        let target = normalized(&own.join(asked_path));
        let upwards = asked_path.components().any(|part| part == Component::ParentDir);
        let found = self.folders.iter().find_map(|folder| {
            let inner = target.strip_prefix(&folder.path).ok()?;
            Some((folder, inner.to_owned()))
        });
        let Some((folder, inner)) = found else {
            return Err(refused("it lies outside the roots"));
        };
        if self.shared {
            return open_beneath(folder.directory.as_fd(), &inner, target)
                .map(Opened::Local)
                .map_err(referred);
        }
        let Some(beneath) = target.strip_prefix(own).ok().filter(|_| !upwards) else {
            return Err(refused("it lies outside the image's own folder"));
        };
        // The folder of the image first, and then from there: a link may not lead out of it.
        let own = own.strip_prefix(&folder.path).unwrap_or(Path::new(""));
        let own = if own.as_os_str().is_empty() { Path::new(".") } else { own };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat2(&folder.directory, own, flags, Mode::empty(), WITHIN)
            .map_err(|errno| referred(failed(&target, errno)))?;
        open_beneath(directory.as_fd(), beneath, target.clone())
            .map(Opened::Local)
            .map_err(referred)
    }

    /// The folder that a path lies beneath, and where in it, by its text.
    fn inner(&self, source: &str) -> Result<(&Folder, PathBuf), Refusal> {
        let shown: String = source.chars().take(200).collect();
        let refuse = |why: &str| Err(Refusal::path(format!("{shown:?}"), why));
        if source.is_empty() || source.len() > MAX_PATH {
            return refuse("that is no path");
        }
        if source.chars().any(is_strange) || source.trim() != source {
            return refuse("a path has no control characters, and none that look like others");
        }
        if !source.starts_with('/') {
            return match has_scheme(source) || source.contains("://") {
                true => refuse("of addresses, only https:// and s3:// ones are fetched"),
                false => refuse("a path is absolute"),
            };
        }
        if is_encoded(source) {
            return refuse("a path is not percent-encoded");
        }
        let parts = || source.split('/').skip(1);
        if parts().any(|part| matches!(part, "" | "." | "..")) {
            return refuse("a path has no empty parts, and none that lead elsewhere");
        }
        if parts().any(|part| part.len() > MAX_NAME) {
            return refuse("a name in it is too long");
        }
        let path = Path::new(source);
        if is_of_kernel(path) {
            return refuse("kernel files are never opened as images");
        }
        let found = self.folders.iter().find_map(|folder| {
            let inner = path.strip_prefix(&folder.path).ok()?;
            (!inner.as_os_str().is_empty()).then(|| (folder, inner.to_owned()))
        });
        match found {
            Some(found) => Ok(found),
            None => refuse("it lies beneath none of the roots that images are read from"),
        }
    }
}

const WITHIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// Opens a regular file or block device beneath a folder. What it is is asked before it is opened to
/// be read, since for some devices that alone does something.
fn open_beneath(
    directory: std::os::fd::BorrowedFd<'_>,
    inner: &Path,
    path: PathBuf,
) -> Result<Local, Refusal> {
    let look = OFlags::PATH | OFlags::CLOEXEC;
    let looked = openat2(directory, inner, look, Mode::empty(), WITHIN)
        .map_err(|errno| failed(&path, errno))?;
    if is_shown_by_kernel(&looked) {
        return Err(Refusal::path(path.display(), "kernel files are never opened as images"));
    }
    let seen = File::from(looked).metadata().map_err(|error| unread(&path, &error))?;
    let kind = seen.file_type();
    if !kind.is_file() && !kind.is_block_device() {
        return Err(Refusal::path(path.display(), "it is neither a file nor a block device"));
    }
    let read = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = openat2(directory, inner, read, Mode::empty(), WITHIN)
        .map_err(|errno| failed(&path, errno))?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(|error| unread(&path, &error))?;
    if (metadata.dev(), metadata.ino()) != (seen.dev(), seen.ino()) {
        return Err(Refusal::path(path.display(), "it was exchanged while it was opened"));
    }
    let length = match kind.is_file() {
        true => metadata.len(),
        false => seek(&file, SeekFrom::End(0)).map_err(|errno| unread(&path, &errno.into()))?,
    };
    Ok(Local { file, length, path })
}

fn failed(path: &Path, errno: Errno) -> Refusal {
    match errno {
        Errno::XDEV | Errno::LOOP => {
            Refusal::path(path.display(), "a link in it leads out of where images are read from")
        }
        Errno::NOENT | Errno::NOTDIR => {
            let why = format!("{}: there is no such file", path.display());
            Refusal::new(Code::ImageNotFound, why)
        }
        Errno::NXIO | Errno::NODEV => {
            Refusal::path(path.display(), "it is neither a file nor a block device")
        }
        errno => unread(path, &errno.into()),
    }
}

fn unread(path: &Path, error: &std::io::Error) -> Refusal {
    Refusal::new(Code::ReadFailed, format!("{}: {error}", path.display()))
}

/// The same refusal where an image asked, not a request.
fn referred(refusal: Refusal) -> Refusal {
    let code = match refusal.code {
        Code::PathRefused => Code::ReferenceRefused,
        Code::ImageNotFound => Code::NotFound,
        code => code,
    };
    Refusal { code, ..refusal }
}

pub(super) fn refused(why: &str) -> Refusal {
    Refusal::new(Code::ReferenceRefused, why)
}

/// Whether a path is of the kernel, by its text.
fn is_of_kernel(path: &Path) -> bool {
    ["/proc", "/sys", "/dev"].iter().any(|kernel| path.starts_with(kernel))
}

/// Whether what is open is shown by the kernel, wherever it was mounted.
fn is_shown_by_kernel(file: impl AsFd) -> bool {
    // Its type differs between architectures.
    #[allow(clippy::unnecessary_cast)]
    fstatfs(file).map_or(true, |there| OF_KERNEL.contains(&(there.f_type as i64)))
}

/// `json:`, `nbd:`, `file:`: what others read a scheme in.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// Characters that nobody names an image with, and that are read as something else: by a terminal, by
/// another system, or by a person.
pub(super) fn is_strange(c: char) -> bool {
    c.is_control()
        || matches!(c, '\\' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fffd}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        // What looks like a dot or a slash, and becomes one when texts are normalised.
        || matches!(c, '\u{2024}'..='\u{2026}' | '\u{2044}' | '\u{2215}' | '\u{2216}' | '\u{29f5}')
        || matches!(c, '\u{29f8}' | '\u{29f9}' | '\u{fe52}' | '\u{fe68}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3c}')
}

/// Whether there is a `%` with two hexadecimal digits behind it, or a `%u`.
fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| {
        let mut next = rest.bytes();
        let (first, second) = (next.next(), next.next());
        let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        (hex(first) && hex(second)) || first.is_some_and(|first| first.eq_ignore_ascii_case(&b'u'))
    })
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
