//! What goes wrong with documents elsewhere.

use std::fmt;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// What was asked for, or set, makes no sense.
    Invalid,
    /// There is no such document, folder or bucket.
    NotFound,
    /// Something else is there.
    Exists,
    /// Whoever keeps it does not let us.
    Refused,
    /// The document is larger than it may be.
    TooLarge,
    /// Whoever keeps it does not answer, or has no place; it may well be over later.
    Unreachable,
}

/// What was being done, to what, and why it did not succeed.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    place: String,
    why: String,
}

/// What is answered about documents.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error about `place`, as it may be shown.
    pub fn new(kind: Kind, place: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kind, place: place.into(), why: why.into() }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same may well succeed later.
    pub fn is_passing(&self) -> bool {
        self.kind == Kind::Unreachable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl std::error::Error for Error {}
