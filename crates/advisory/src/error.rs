//! What can go wrong with a database.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The host failed to read or write.
    Io,
    /// It is not there.
    Missing,
    /// The file does not hold what it must.
    Corrupt,
    /// It was made by another version of this program.
    Unsupported,
}

/// What went wrong, with which file, and why.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    path: PathBuf,
    why: String,
    source: Option<io::Error>,
}

/// What comes of work with a database.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The file does not hold what it must.
    pub(crate) fn corrupt(path: &Path, why: impl Into<String>) -> Self {
        Self { kind: Kind::Corrupt, path: path.to_owned(), why: why.into(), source: None }
    }

    /// The file is of another version.
    pub(crate) fn unsupported(path: &Path, why: impl Into<String>) -> Self {
        Self { kind: Kind::Unsupported, path: path.to_owned(), why: why.into(), source: None }
    }

    /// Makes an error of one of the host's, with what was tried.
    pub(crate) fn io(path: &Path, tried: &str) -> impl FnOnce(io::Error) -> Self {
        let (path, why) = (path.to_owned(), tried.to_owned());
        move |source| {
            let kind = match source.kind() {
                io::ErrorKind::NotFound => Kind::Missing,
                _ => Kind::Io,
            };
            Self { kind, path, why, source: Some(source) }
        }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The file or the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why, without the file.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What the host said.
    pub fn into_source(self) -> io::Error {
        self.source.unwrap_or_else(|| io::Error::other(self.why))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|it| it as _)
    }
}
