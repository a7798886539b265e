//! Why a document is not read.

use std::fmt;

/// The result of reading.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// It is none of the documents that are read.
    Foreign,
    /// It is a document of a kind or of a size that is not read.
    Unsupported,
    /// It contradicts its own format.
    Malformed,
}

/// Why a document is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    why: String,
}

impl Error {
    pub(crate) fn foreign(why: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Foreign, why: why.into() }
    }

    pub(crate) fn unsupported(why: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Unsupported, why: why.into() }
    }

    pub(crate) fn malformed(why: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Malformed, why: why.into() }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.why)
    }
}

impl std::error::Error for Error {}
