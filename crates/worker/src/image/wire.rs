//! What a parent and its child say to each other. Both are the same program.

use fathom_block::{Error, ErrorKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::failure::{Failure, Phase};
use super::request::Key;

/// The longest question of a child.
pub(crate) const MAX_ASK: usize = 1 << 20;

/// The most bytes that a child is sent at once.
pub(crate) const MAX_READ: usize = 8 << 20;

/// The most ranges of one read.
pub(crate) const MAX_RANGES: usize = 4096;

/// The longest answer to a child.
pub(crate) const MAX_ANSWER: usize = MAX_READ + (1 << 20);

/// What a child is there for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) task: Task,
    pub(crate) disks: Vec<DiskOrder>,
    pub(crate) keys: Vec<Key>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Make a report, as of a moment in seconds and nanoseconds since 1970.
    Inspect { deep: bool, now: (u64, u32), largest_disk: Option<u64> },
    /// Compute the checksums of what the guest sees.
    Hash,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DiskOrder {
    pub(crate) format: Option<String>,
    pub(crate) snapshot: Option<String>,
    /// As the report has it.
    pub(crate) checksum: Option<String>,
    pub(crate) source: Source,
}

/// Something that the child may read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Source {
    /// What it goes by in questions.
    pub(crate) id: u32,
    pub(crate) place: Place,
    pub(crate) length: u64,
    /// The child is sent a descriptor; otherwise it asks for what it reads.
    pub(crate) descriptor: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    Path(String),
    Url(String),
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// The image `from` wants to open something. Answered by [`Answer::Source`].
    Admit { from: u32, asked: String, role: String },
    /// Bytes. Answered by them behind a nought, or by a one and an [`Refused`].
    Read { id: u32, ranges: Vec<(u64, u32)> },
    /// Needs the descriptor of a disk that it was told of. Answered as `Admit`.
    Disk { index: u32 },
    /// What it does now, and how much of it is done.
    Doing { phase: Phase, done: u64, total: Option<u64> },
    /// What follows is the result, in a message of its own.
    Done { spent: Spent, none: Option<Failure> },
    /// There is no result.
    Failed(Failure),
}

/// What was read, as the reader counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    pub(crate) bytes: u64,
    pub(crate) requests: u64,
    pub(crate) rounds: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Source(Source),
    Refused(Refused),
}

/// An error on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refused {
    kind: Kind,
    what: String,
    why: String,
    at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Io,
    Unreachable,
    NotFound,
    Missing,
    Invalid,
    Unsupported,
    Corrupt,
    Encrypted,
    Refused,
}

impl Refused {
    pub(crate) fn new(kind: Kind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kind, what: what.into(), why: why.into(), at: None }
    }

    /// What `error` was, in `what`.
    pub(crate) fn of(error: &Error, what: &str) -> Self {
        let kind = match error.kind() {
            ErrorKind::Unreachable => Kind::Unreachable,
            ErrorKind::NotFound => Kind::NotFound,
            ErrorKind::Missing => Kind::Missing,
            ErrorKind::Invalid => Kind::Invalid,
            ErrorKind::Unsupported => Kind::Unsupported,
            ErrorKind::Corrupt => Kind::Corrupt,
            ErrorKind::Encrypted => Kind::Encrypted,
            ErrorKind::Refused => Kind::Refused,
            _ => Kind::Io,
        };
        let text = super::failure::describe(error);
        // The kind is said by the error that is made of this.
        let why = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest).to_owned();
        Self { kind, what: what.to_owned(), why, at: error.offset() }
    }

    pub(crate) fn into_error(self) -> Error {
        let Self { kind, what, why, at } = self;
        let error = match kind {
            Kind::Unreachable => Error::unreachable(what, why),
            Kind::NotFound => Error::not_found(what, why),
            Kind::Missing => Error::not_found(what, why).for_all_beneath(),
            Kind::Invalid => Error::invalid(what, why),
            Kind::Unsupported => Error::unsupported(what, why),
            Kind::Corrupt => Error::malformed(what, why),
            Kind::Encrypted => Error::encrypted(what, why),
            Kind::Refused => Error::refused(what, why),
            Kind::Io => Error::io(what, std::io::Error::other(why)),
        };
        match at {
            Some(at) => error.at(at),
            None => error,
        }
    }
}

pub(crate) fn encode(message: &impl Serialize) -> Vec<u8> {
    // These types have no maps and nothing that fails.
    serde_json::to_vec(message).unwrap_or_default()
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}
