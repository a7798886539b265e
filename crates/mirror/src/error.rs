//! Why a database was not installed.

use std::fmt;
use std::io;
use std::path::Path;

/// What went wrong.
#[derive(Debug)]
pub enum Error {
    /// The host failed to read or write.
    Host(String, io::Error),
    /// What was given is not what it must be.
    Malformed(String, String),
    /// What was given may be what it says, and is not to be trusted.
    Refused(String),
    /// It could not be fetched.
    Fetch(fathom_block::Error),
    /// Another process is at work on the database.
    Busy(String),
}

/// What comes of it.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err`: with what the host failed.
    pub(crate) fn host(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let shown = path.display().to_string();
        move |error| Self::Host(shown, error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(what, _) => write!(out, "{what}: cannot be read or written"),
            Self::Malformed(what, why) => write!(out, "{what}: {why}"),
            Self::Fetch(error) => error.fmt(out),
            Self::Refused(why) => out.write_str(why),
            Self::Busy(what) => write!(out, "{what}: another process is at work on it"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Host(_, error) => Some(error),
            _ => None,
        }
    }
}
