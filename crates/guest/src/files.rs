//! The files of one operating system, read so that what could not be read is never taken for what is
//! not there.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fathom_block::{Error, ErrorKind, ReadAt, Result};
use fathom_filesystem::{FileType, Found, Tree};
use fathom_report::{Coverage, Fact, Listing, Problem, ProblemKind};

use crate::text::{self, Records};

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
    /// The same, so that each is told once however many there are.
    told: HashSet<Problem>,
    /// How often something could not be read, the same thing again counted again.
    times: usize,
    /// Why, the last time.
    last: String,
}

impl Noted {
    /// Adds the problem, unless it has been told.
    fn tell(&mut self, problem: Problem) {
        if self.told.insert(problem.clone()) {
            self.problems.push(problem);
        }
    }
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
        let (mut listing, why) = self.watched(collect);
        if let Some(why) = why.filter(|_| listing.coverage == Coverage::Complete) {
            listing.hide(why);
        }
        listing
    }

    /// What `look` gives, and why it may not be all: the last thing that could not be read meanwhile.
    pub(crate) fn watched<T>(&self, look: impl FnOnce() -> T) -> (T, Option<String>) {
        let before = self.noted().times;
        let outcome = look();
        let noted = self.noted();
        let why = (noted.times > before).then(|| noted.last.clone());
        (outcome, why)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text of a file of configuration. Bytes that are not UTF-8 are replaced. A text of which
    /// something was lost says nothing certain, and is not given.
    pub(crate) fn text(&self, path: &str, hides: &str) -> Read<String> {
        self.read(path, hides, || text::whole(path, self.tree.read(path.as_bytes(), MAX_TEXT)?))
    }

    /// The text of a file whose lines each stand by themselves: those that can be read are given even
    /// where others are lost.
    pub(crate) fn records(&self, path: &str, hides: &str) -> Read<Records> {
        let records = self
            .read(path, hides, || text::records(path, self.tree.read(path.as_bytes(), MAX_TEXT)?));
        if let Read::There(Records { damage: Some(error), .. }) = &records {
            self.note(error, path, hides);
        }
        records
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
        let directory = match directory.flatten() {
            Read::There(directory) => directory,
            Read::Absent => return Read::Absent,
            Read::Unread(why) => return Read::Unread(why),
        };
        let (children, problem) = self.tree.children_of(&directory);
        if let Some(problem) = &problem {
            self.note(problem, path, hides);
        } else if children.is_empty()
            && let Some(why) = self.doubt(path, hides)
        {
            return Read::Unread(why);
        }
        let children = children.into_iter();
        let named =
            children.map(|(name, found)| (String::from_utf8_lossy(&name).into_owned(), found));
        Read::There(named.collect())
    }

    /// What is known of a file, symbolic links followed.
    pub(crate) fn found(&self, path: &str, hides: &str) -> Read<Found> {
        self.read(path, hides, || self.tree.resolve(path.as_bytes(), true))
    }

    /// The path to the same without symbolic links and dots in it.
    pub(crate) fn real_path(&self, path: &str, hides: &str) -> Read<String> {
        let real = self.read(path, hides, || self.tree.real_path(path.as_bytes()));
        real.map(|real| String::from_utf8_lossy(&real).into_owned())
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
            Err(error) if error.kind() == ErrorKind::NotFound => match self.doubt(path, hides) {
                Some(why) => Read::Unread(why),
                None => Read::Absent,
            },
            // What leads to `/dev/null` is taken away, whether the disk has that device or not.
            Err(error) if error.kind() == ErrorKind::Invalid && self.leads_nowhere(path) => {
                Read::Absent
            }
            Err(error) => {
                self.note(&error, path, hides);
                Read::Unread(led(&error, path).to_string())
            }
        }
    }

    /// Why what is not found may yet be there.
    fn doubt(&self, path: &str, hides: &str) -> Option<String> {
        let why = self.tree.doubt(path.as_bytes())?;
        self.note(why, "/", hides);
        Some(why.to_string())
    }

    fn leads_nowhere(&self, path: &str) -> bool {
        let metadata = self.tree.metadata(path.as_bytes());
        metadata.is_ok_and(|metadata| metadata.device == Some((1, 3)))
    }

    /// Adds something that could not be read at `place`, and what that hides.
    pub(crate) fn note(&self, error: &Error, place: &str, hides: &str) {
        let evidence = Some(place.into());
        let error = led(error, place);
        let problem = Problem { evidence, hides: Some(hides.into()), ..problem(&error) };
        let mut noted = self.noted();
        noted.times += 1;
        noted.last.clone_from(&problem.message);
        noted.tell(problem);
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
            noted.tell(problem);
        }
    }

    /// What was wrong, in the order in which it was met.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.noted.into_inner().unwrap_or_else(PoisonError::into_inner).problems
    }
}

/// The error, led by the path that it is about unless it names a path already.
pub(crate) fn led(error: &Error, path: &str) -> Error {
    let shown = error.to_string();
    let names_one = shown.contains(path) || shown.contains(" /");
    let error = error.clone();
    if names_one { error } else { error.within(path) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn what_may_lie_on_what_is_not_mounted_is_not_absent() {
        let mut tree = memory::tree(&[
            ("/etc/passwd", b""),
            ("/lib -> usr/lib", b""),
            ("/gone -> /nowhere", b""),
            ("/usr/x -> /dev/null", b""),
            ("/var/x", b""),
        ]);
        let read = |tree: &Tree, path: &str| match Files::new(tree).text(path, "x") {
            Read::There(_) => "there",
            Read::Absent => "absent",
            Read::Unread(why) => {
                assert!(why.contains("fstab"), "{why}");
                "unread"
            }
        };
        assert_eq!(read(&tree, "/gone"), "absent");
        tree.set_doubt(Error::corrupt("/etc/fstab", 0, "it is damaged"));
        for (path, expected) in [
            ("/etc/passwd", "there"),
            ("/etc/shadow", "absent"),
            ("/etc/a/b", "absent"),
            ("/boot/grub/grub.cfg", "absent"),
            ("/lib/y", "unread"),
            ("/gone", "unread"),
        ] {
            assert_eq!(read(&tree, path), expected, "{path}");
        }
    }

    #[test]
    fn problems_are_led_by_the_path_and_told_once() {
        let tree =
            memory::tree(&[("/etc/hostname", &[0; 8]), ("/etc/long", &vec![b'#'; MAX_TEXT + 1])]);
        let files = Files::new(&tree);
        for _ in 0..2 {
            let why = match files.text("/etc/hostname", "the name") {
                Read::Unread(why) => why,
                Read::There(_) | Read::Absent => String::new(),
            };
            assert!(why.starts_with("corrupt: /etc/hostname at byte 0: 8 zero bytes"), "{why}");
        }
        assert!(matches!(files.text("/etc/long", "x"), Read::Unread(_)));
        files.note(&Error::past_end(0, 64, 1), "/sbin/init", "x");
        files.note(&Error::not_found("/dev/sdb1 (mounted at /data)", "why"), "/etc/fstab", "x");
        let problems = files.into_problems();
        let kinds: Vec<_> = problems.iter().map(|problem| problem.kind).collect();
        use ProblemKind::{Corrupt, NotFound, Unsupported};
        assert_eq!(kinds, [Corrupt, Unsupported, Corrupt, NotFound]);
        assert!(problems[2].message.starts_with("corrupt: /sbin/init: read"), "{problems:?}");
        assert!(problems[3].message.starts_with("not found: /dev/sdb1"), "{problems:?}");
    }
}
