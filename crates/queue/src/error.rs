//! What can go wrong between us and what distributes.

use std::error::Error as StdError;
use std::fmt;

/// What kind of thing went wrong, for who decides what to do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// Nobody answers: try again later.
    Unreachable,
    /// Somebody answers and does not let us: a person has to act.
    Refused,
    /// The settings make no sense: a person has to act.
    Invalid,
    /// The connection was lost on the way: what was asked for may or may not have been done.
    Lost,
    /// The answer is none that we understand, or what is set up there is not what we need.
    Protocol,
}

/// An error of a transport. It never shows a password, and never repeats its source.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    what: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a transport answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that rests on nothing else.
    pub fn new(kind: Kind, what: impl Into<String>) -> Error {
        Error { kind, what: what.into(), source: None }
    }

    /// An error that rests on another, whose text shows no password.
    pub fn with(
        kind: Kind,
        what: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Error {
        Error { kind, what: what.into(), source: Some(source.into()) }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether another connection may make it good.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Lost)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
