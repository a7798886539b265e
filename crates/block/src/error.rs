//! One error for everything that reads a disk.
//!
//! An error has a small stable [`ErrorKind`] for control flow, and three facts for the person who
//! reads it: *what* was being read, *where* (a byte offset, where there is one), and *why* it
//! failed. It is cheap to clone, because one failed read may have several waiters.

use std::fmt;
use std::io;
use std::sync::Arc;

/// The result of anything that reads a disk.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller may branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The reader beneath failed: an operating-system error.
    Io,
    /// A server could not be reached, or did not answer as one that serves disks must.
    Unreachable,
    /// The image, file, volume or snapshot asked for does not exist.
    NotFound,
    /// What it would lie on was not given, or is not there as it should be: whether it exists cannot
    /// be told.
    Missing,
    /// The request does not fit the object, such as reading a directory as a file.
    Invalid,
    /// Our limit: the data may well be fine, but this reader does not know the feature.
    Unsupported,
    /// Their data: it contradicts its own format.
    Corrupt,
    /// It is encrypted, and no key that was given opens it.
    Encrypted,
    /// Policy refused it: the image asked to open something that it may not.
    Refused,
}

impl ErrorKind {
    fn lead(self) -> &'static str {
        match self {
            Self::Io => "cannot read",
            Self::Unreachable => "unreachable",
            Self::NotFound | Self::Missing => "not found",
            Self::Invalid => "invalid request",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::Encrypted => "encrypted",
            Self::Refused => "refused",
        }
    }
}

/// Why something could not be read. See the [module](self) for its parts.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    what: String,
    at: Option<u64>,
    why: String,
    /// `what` begins with the image that the error is about.
    placed: bool,
    source: Option<io::Error>,
}

impl Error {
    fn new(kind: ErrorKind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            what: what.into(),
            at: None,
            why: why.into(),
            placed: false,
            source: None,
        }))
    }

    /// The reader beneath failed while it was doing `what`.
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self(Arc::new(Inner {
            kind,
            what: what.into(),
            at: None,
            why: String::new(),
            placed: false,
            source: Some(source),
        }))
    }

    /// A server could not be reached or does not behave.
    pub fn unreachable(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unreachable, what, why)
    }

    /// What was asked for does not exist.
    pub fn not_found(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, what, why)
    }

    /// The same error as it is of everything beneath what was not found: of that it cannot be told
    /// whether it exists.
    #[must_use]
    pub fn for_all_beneath(self) -> Self {
        match self.kind() {
            ErrorKind::NotFound => self.rebuilt(|inner| inner.kind = ErrorKind::Missing),
            _ => self,
        }
    }

    /// The request does not fit the object.
    pub fn invalid(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, what, why)
    }

    /// A feature this reader does not know.
    pub fn unsupported(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what, why)
    }

    /// Data that contradicts its own format, found at the byte offset `at` of its source.
    pub fn corrupt(what: impl Into<String>, at: u64, why: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind: ErrorKind::Corrupt,
            what: what.into(),
            at: Some(at),
            why: why.into(),
            placed: false,
            source: None,
        }))
    }

    /// Data that contradicts its own format, at no one place of it.
    pub fn malformed(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, what, why)
    }

    /// Encrypted, and not opened by any key given.
    pub fn encrypted(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::Encrypted, what, why)
    }

    /// Refused by policy.
    pub fn refused(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, what, why)
    }

    /// A read of `length` bytes at `offset` of something that ends at `end`.
    pub fn past_end(offset: u64, length: u64, end: u64) -> Self {
        Self::corrupt(
            "read",
            offset,
            format!("{length} bytes are wanted there, but the data ends at byte {end}: truncated?"),
        )
    }

    /// Something that ends at byte `end`, and by what it says of itself should reach byte `wanted`:
    /// the place of the error is the end, where the rest should be.
    pub fn truncated(what: impl Into<String>, end: u64, wanted: u64) -> Self {
        let why = format!("it ends there, but should reach byte {wanted}: truncated?");
        Self::corrupt(what, end, why)
    }

    /// The same error, with the byte offset `at` where it has none yet.
    #[must_use]
    pub fn at(self, at: u64) -> Self {
        if self.0.at.is_some() { self } else { self.rebuilt(|inner| inner.at = Some(at)) }
    }

    /// The same error, its subject led by `context`: `context: what`.
    #[must_use]
    pub fn within(self, context: impl fmt::Display) -> Self {
        self.rebuilt(|inner| inner.what = format!("{context}: {}", inner.what))
    }

    /// The same error, led by the image it is about, unless it already names one: of a chain of
    /// images, the one at fault is the one to name.
    #[must_use]
    pub(crate) fn of_image(self, image: impl fmt::Display) -> Self {
        if self.0.placed { self } else { self.within(image).placed() }
    }

    /// The same error, whose text already says which image it is about.
    #[must_use]
    pub(crate) fn placed(self) -> Self {
        self.rebuilt(|inner| inner.placed = true)
    }

    fn rebuilt(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = match Arc::try_unwrap(self.0) {
            Ok(inner) => inner,
            Err(shared) => Inner {
                kind: shared.kind,
                what: shared.what.clone(),
                at: shared.at,
                why: shared.why.clone(),
                placed: shared.placed,
                source: shared.source.as_ref().map(duplicate),
            },
        };
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// What a caller may branch on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The byte offset the error is about, where there is one.
    pub fn offset(&self) -> Option<u64> {
        self.0.at
    }
}

/// `io::Error` is not `Clone`; the code and the text are what matters of it.
fn duplicate(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}: {}", inner.kind.lead(), inner.what)?;
        if let Some(at) = inner.at {
            write!(f, " at byte {at}")?;
        }
        if !inner.why.is_empty() {
            write!(f, ": {}", inner.why)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

/// Something that was wrong but did not stop the reading. Results and problems travel together, so
/// that "could not look" is never shown as "nothing there".
pub type Problem = Error;
