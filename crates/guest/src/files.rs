//! The files of one operating system, read so that what could not be read is never taken for what is
//! not there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fathom_block::{Error, ErrorKind, ReadAt, Result};
use fathom_filesystem::{FileType, Found, Tree};
use fathom_report::{Coverage, Fact, Listing, Problem, ProblemKind};

/// The longest text file that is read whole. Configuration is short; what is longer is damage, or
/// made to take our memory.
pub(crate) const MAX_TEXT: usize = 1 << 20;

/// What came of reading something.
pub(crate) enum Read<T> {
    /// It was read.
    There(T),
    /// It is not there.
    Absent,
    /// It could not be looked, and this is why. The reason has been noted as a problem.
    Unread(String),
}

impl<T> Read<T> {
    /// What was read.
    pub(crate) fn there(self) -> Option<T> {
        match self {
            Self::There(value) => Some(value),
            Self::Absent | Self::Unread(_) => None,
        }
    }

    /// The same outcome about what `change` makes of what was read.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Self::There(value) => Read::There(change(value)),
            Self::Absent => Read::Absent,
            Self::Unread(reason) => Read::Unread(reason),
        }
    }

    /// The statement that `value` finds in what was read at `place`; where it finds none, and where
    /// there is nothing to read, it is absent.
    pub(crate) fn fact<U>(self, place: &str, value: impl FnOnce(T) -> Option<U>) -> Fact<U> {
        match self {
            Self::There(read) => match value(read) {
                Some(value) => Fact::known(value, place),
                None => Fact::absent([place]),
            },
            Self::Absent => Fact::absent([place]),
            Self::Unread(reason) => Fact::unknown(reason),
        }
    }
}

impl<T> Read<Option<T>> {
    /// What is there, but is not what was looked for, is as good as absent.
    fn flatten(self) -> Read<T> {
        match self {
            Self::There(Some(value)) => Read::There(value),
            Self::There(None) | Self::Absent => Read::Absent,
            Self::Unread(reason) => Read::Unread(reason),
        }
    }
}

/// The files of one operating system, and what was wrong with them.
pub(crate) struct Files<'a> {
    tree: &'a Tree,
    noted: Mutex<Noted>,
}

/// What could not be read.
#[derive(Default)]
struct Noted {
    problems: Vec<Problem>,
    /// How often something could not be read, the same thing again counted again.
    times: usize,
    /// Why, the last time.
    last: String,
}

impl<'a> Files<'a> {
    pub(crate) fn new(tree: &'a Tree) -> Self {
        Self { tree, noted: Mutex::default() }
    }

    /// The files themselves, for what walks over all of them.
    pub(crate) fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// The list that `collect` makes. What could not be read meanwhile may be missing in it, so it is
    /// not complete even where the collector did not look further.
    pub(crate) fn listing<T>(&self, collect: impl FnOnce() -> Listing<T>) -> Listing<T> {
        let before = self.noted().times;
        let mut listing = collect();
        let noted = self.noted();
        if noted.times > before && listing.coverage == Coverage::Complete {
            listing.hide(noted.last.clone());
        }
        listing
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text of a file of configuration. Bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self, path: &str, hides: &str) -> Read<String> {
        let bytes = self.read(path, hides, || self.tree.read(path.as_bytes(), MAX_TEXT));
        bytes.map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// The bytes of a file that is expected to be small.
    pub(crate) fn bytes(&self, path: &str, hides: &str, most: usize) -> Read<Vec<u8>> {
        self.read(path, hides, || self.tree.read(path.as_bytes(), most))
    }

    /// The bytes of a file that is expected to be large, to be read piece by piece.
    pub(crate) fn open(&self, path: &str, hides: &str) -> Read<Arc<dyn ReadAt>> {
        self.read(path, hides, || self.tree.open(path.as_bytes()))
    }

    /// The names in a directory and what they lead to, sorted. Where only some could be read, these
    /// are given and the rest is noted.
    pub(crate) fn children(&self, path: &str, hides: &str) -> Read<Vec<(String, Found)>> {
        let directory = self.read(path, hides, || {
            let found = self.tree.resolve(path.as_bytes(), true)?;
            let is_directory = found.metadata()?.file_type == FileType::Directory;
            Ok(is_directory.then_some(found))
        });
        directory.flatten().map(|directory| {
            let (children, problem) = self.tree.children_of(&directory);
            if let Some(problem) = problem {
                self.note(&problem, path, hides);
            }
            let children = children.into_iter();
            children
                .map(|(name, found)| (String::from_utf8_lossy(&name).into_owned(), found))
                .collect()
        })
    }

    /// What is known of a file, symbolic links followed.
    pub(crate) fn found(&self, path: &str, hides: &str) -> Read<Found> {
        self.read(path, hides, || self.tree.resolve(path.as_bytes(), true))
    }

    /// Whether something is there. What cannot be looked at is noted, and is not there.
    pub(crate) fn exists(&self, path: &str, hides: &str) -> bool {
        self.found(path, hides).there().is_some()
    }

    /// Where a symbolic link leads; absent where there is something else.
    pub(crate) fn link(&self, path: &str, hides: &str) -> Read<String> {
        let target = self.read(path, hides, || {
            let found = self.tree.resolve(path.as_bytes(), false)?;
            match found.metadata()?.file_type {
                FileType::Symlink => Ok(Some(found.read_link()?)),
                _ => Ok(None),
            }
        });
        target.flatten().map(|target| String::from_utf8_lossy(&target).into_owned())
    }

    fn read<T>(&self, path: &str, hides: &str, read: impl FnOnce() -> Result<T>) -> Read<T> {
        match read() {
            Ok(value) => Read::There(value),
            Err(error) if error.kind() == ErrorKind::NotFound => Read::Absent,
            Err(error) => {
                self.note(&error, path, hides);
                Read::Unread(error.to_string())
            }
        }
    }

    /// Adds something that could not be read at `place`, and what that hides.
    pub(crate) fn note(&self, error: &Error, place: &str, hides: &str) {
        let place = Some(place.into());
        let problem = Problem { evidence: place, hides: Some(hides.into()), ..problem(error) };
        let mut noted = self.noted();
        noted.times += 1;
        noted.last.clone_from(&problem.message);
        if !noted.problems.contains(&problem) {
            noted.problems.push(problem);
        }
    }

    /// Adds what was wrong with files that lie beside the tree, on the volume `volume`.
    pub(crate) fn absorb(&self, theirs: Files<'_>, volume: &str) {
        let theirs = theirs.noted.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut noted = self.noted();
        noted.times += theirs.times;
        if theirs.times > 0 {
            noted.last.clone_from(&theirs.last);
        }
        for mut problem in theirs.problems {
            problem.evidence = problem.evidence.map(|it| format!("{volume}:{}", it.0).into());
            if !noted.problems.contains(&problem) {
                noted.problems.push(problem);
            }
        }
    }

    /// What was wrong, in the order in which it was met.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.noted.into_inner().unwrap_or_else(PoisonError::into_inner).problems
    }
}

/// The error as the report tells it.
pub fn problem(error: &Error) -> Problem {
    let kind = match error.kind() {
        ErrorKind::NotFound | ErrorKind::Missing => ProblemKind::NotFound,
        ErrorKind::Unsupported => ProblemKind::Unsupported,
        ErrorKind::Corrupt | ErrorKind::Invalid => ProblemKind::Corrupt,
        ErrorKind::Encrypted => ProblemKind::Encrypted,
        ErrorKind::Refused => ProblemKind::Refused,
        ErrorKind::Unreachable => ProblemKind::Unreachable,
        _ => ProblemKind::Io,
    };
    Problem { kind, message: error.to_string(), evidence: None, hides: None }
}
