//! What can go wrong with a feed as a whole.

use std::fmt;
use std::io;

/// Why a feed could not be read, or not be kept.
#[derive(Debug)]
pub enum Error {
    /// The host could not read the file.
    Read(String, io::Error),
    /// The file does not hold what it must, or what it is packed in is damaged.
    Malformed(String, String),
    /// The database could not be written.
    Database(fathom_advisory::Error),
}

/// What comes of reading a feed.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The file of this name could not be read. What the host does not give has a code of its own;
    /// all else is what unpacks it, and then it is the file that is not right.
    pub(crate) fn reading(name: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let name = name.to_string();
            match error.kind() {
                _ if error.raw_os_error().is_some() => Self::Read(name, error),
                io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput => {
                    Self::Malformed(name, error.to_string())
                }
                _ => {
                    let why = format!("is cut or damaged ({error}): fetch it again");
                    Self::Malformed(name, why)
                }
            }
        }
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
