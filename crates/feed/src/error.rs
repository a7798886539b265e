//! What can go wrong with a feed as a whole.

use std::fmt;
use std::io;

/// Why a feed could not be read, or not be kept.
#[derive(Debug)]
pub enum Error {
    /// The file could not be read, or what it is packed in is damaged.
    Read(String, io::Error),
    /// The file does not hold what it must.
    Malformed(String, String),
    /// The database could not be written.
    Database(fathom_advisory::Error),
}

/// What comes of reading a feed.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The file of this name could not be read.
    pub(crate) fn reading(name: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Read(name.to_string(), error)
    }
}

impl From<fathom_advisory::Error> for Error {
    fn from(error: fathom_advisory::Error) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(name, _) => write!(out, "{name}: cannot be read"),
            Self::Malformed(name, why) => write!(out, "{name}: {why}"),
            Self::Database(_) => out.write_str("the database cannot be made"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(_, error) => Some(error),
            Self::Malformed(..) => None,
            Self::Database(error) => Some(error),
        }
    }
}
