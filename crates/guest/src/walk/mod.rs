//! Every file of a system in one pass, for all that look at every file.
//!
//! The tree is walked level by level: the directories of a level are listed by several threads, and
//! what they hold is then shown to the [`Collector`]s by one, in the order of the names. So a
//! collector needs no locks, and the outcome is the same however many threads there were. What is
//! more than a glance at the metadata, such as opening a file, is no work for [`Collector::see`]: it
//! keeps the [`Entry`] there ([`Kept`]) and reads all of them afterwards by [`in_parallel`].
//!
//! A directory that several mounts show is walked once. The files of other systems, such as the
//! layers of containers, are passed over, which [`Walked::passed`] says.

mod foreign;
mod kept;
mod parallel;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fathom_block::{Error, ReadAt, Result};
use fathom_filesystem::{FileType, Found, Metadata, NodeId, Xattr, join};
use fathom_report::Listing;

use crate::files::Files;
pub(crate) use kept::Kept;
pub(crate) use parallel::in_parallel;

/// What is lost where the walk cannot go on.
const HIDES: &str = "files beneath it";

/// How deep a walk goes.
const MAX_DEPTH: usize = 512;

/// The longest path that is gone into; as in Linux.
const MAX_PATH: usize = 4096;

/// How many names are looked at in all. The largest file servers have some ten million.
const MAX_ENTRIES: usize = 1 << 24;

/// How many directories are gone into.
const MAX_DIRECTORIES: usize = 1 << 21;

/// How many names are looked at in one directory.
const MAX_CHILDREN: usize = 1 << 19;

/// How many bytes of paths may wait for the walk to come to them.
const MAX_WAITING: usize = 256 << 20;

/// How many directories are listed at a time.
const BATCH: usize = 512;

/// From how many names on no further directory is listed until these were shown.
const MAX_HELD: usize = 1 << 18;

/// How many problems are told one by one.
const MAX_PROBLEMS: usize = 32;

/// Something that the walk came to.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Its path, from the root.
    pub(crate) path: Vec<u8>,
    /// What is known of it.
    pub(crate) metadata: Metadata,
    found: Found,
}

impl Entry {
    /// An entry of what a path led to.
    pub(crate) fn new(path: Vec<u8>, found: Found) -> Result<Self> {
        let metadata = found.metadata()?;
        Ok(Self { path, metadata, found })
    }

    /// Its path as the report shows it.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }

    /// Whether it is an ordinary file.
    pub(crate) fn is_file(&self) -> bool {
        self.metadata.file_type == FileType::File
    }

    /// Its bytes.
    pub(crate) fn open(&self) -> Result<Arc<dyn ReadAt>> {
        self.found.open()
    }

    /// Its extended attributes.
    pub(crate) fn xattrs(&self) -> Result<Vec<Xattr>> {
        self.found.xattrs()
    }
}

/// Somebody who wants to see every file.
pub(crate) trait Collector {
    /// Glances at a file, a directory, a link or whatever else is there. The root is not shown.
    fn see(&mut self, entry: &Entry);
}

/// How far the walk came.
#[derive(Default)]
pub(crate) struct Walked {
    /// Why it did not come everywhere, if it did not.
    pub(crate) hidden: Option<String>,
    /// Where the files of other systems lie, and whose they are.
    pub(crate) passed: Vec<(String, &'static str)>,
    problems: usize,
}

impl Walked {
    /// Tells, in a list of what was found on the way, how far that was.
    pub(crate) fn tell<T>(&self, listing: &mut Listing<T>) {
        if let Some(why) = &self.hidden {
            listing.hide(format!("not every file was seen: {why}"));
        }
        for (place, whose) in &self.passed {
            let words = format!("what lies in {place} belongs to {whose} and was passed over");
            listing.reason = Some(match listing.reason.take() {
                Some(reason) => format!("{reason}; {words}"),
                None => words,
            });
        }
    }

    fn problem(&mut self, files: &Files<'_>, error: &Error, path: &[u8]) {
        let place = String::from_utf8_lossy(path);
        self.problems += 1;
        if self.problems <= MAX_PROBLEMS {
            files.note(error, &place, HIDES);
        }
        self.hidden.get_or_insert_with(|| error.to_string());
    }
}

/// A directory that waits for being listed.
struct Directory {
    path: Vec<u8>,
    found: Found,
}

/// What a directory holds, as far as that could be read.
struct Listed {
    children: Vec<(Vec<u8>, Found, Result<Metadata>)>,
    problem: Option<Error>,
}

/// Shows everything there is to the collectors, and says how far that was.
pub(crate) fn walk(files: &Files<'_>, collectors: &mut [&mut dyn Collector]) -> Walked {
    let mut walk = Walk { files, walked: Walked::default(), entered: HashMap::new(), entries: 0 };
    let mut level = match files.tree().resolve(b"/", true) {
        Ok(found) => walk.enter(b"/".to_vec(), found, &mut 0).into_iter().collect(),
        Err(error) => {
            walk.walked.problem(files, &error, b"/");
            Vec::new()
        }
    };
    for depth in 0.. {
        let Some(first) = level.first() else { break };
        if depth >= MAX_DEPTH {
            let why = format!("it is nested deeper than {MAX_DEPTH}");
            walk.walked.problem(files, &Error::unsupported("directory", why), &first.path);
            break;
        }
        level = walk.level(&level, collectors);
    }
    walk.walked
}

struct Walk<'a, 'b> {
    files: &'a Files<'b>,
    walked: Walked,
    /// The directories that were gone into, each by which mount.
    entered: HashMap<(usize, NodeId), usize>,
    entries: usize,
}

impl Walk<'_, '_> {
    /// Shows what these directories hold; gives those among it.
    fn level(
        &mut self,
        level: &[Directory],
        collectors: &mut [&mut dyn Collector],
    ) -> Vec<Directory> {
        let (mut beneath, mut waiting) = (Vec::new(), 0);
        let mut done = 0;
        while done < level.len() {
            let batch = &level[done..level.len().min(done + BATCH)];
            let held = AtomicUsize::new(0);
            let listed = in_parallel(batch, |index, directory| {
                // The first is always listed, so that it goes on.
                if index > 0 && held.load(Ordering::Relaxed) > MAX_HELD {
                    return None;
                }
                let listed = self.list(&directory.found);
                held.fetch_add(listed.children.len(), Ordering::Relaxed);
                Some(listed)
            });
            for (directory, listed) in batch.iter().zip(listed) {
                let Some(listed) = listed else { break };
                done += 1;
                if let Some(error) = listed.problem {
                    self.walked.problem(self.files, &error, &directory.path);
                }
                for (name, found, metadata) in listed.children {
                    self.entries += 1;
                    if self.entries > MAX_ENTRIES {
                        let why = format!("there are more than {MAX_ENTRIES}");
                        let error = Error::unsupported("files", why);
                        self.walked.problem(self.files, &error, &directory.path);
                        return Vec::new();
                    }
                    let path = join(&directory.path, &name);
                    let metadata = match metadata {
                        Ok(metadata) => metadata,
                        Err(error) => {
                            self.walked.problem(self.files, &error, &path);
                            continue;
                        }
                    };
                    let entry = Entry { path, metadata, found };
                    collectors.iter_mut().for_each(|collector| collector.see(&entry));
                    if entry.metadata.file_type == FileType::Directory {
                        beneath.extend(self.enter(entry.path, entry.found, &mut waiting));
                    }
                }
            }
        }
        beneath
    }

    fn list(&self, directory: &Found) -> Listed {
        let (children, more, problem) = self.files.tree().some_children_of(directory, MAX_CHILDREN);
        let children = children.into_iter().map(|(name, found)| {
            let metadata = found.metadata();
            (name, found, metadata)
        });
        let too_many = || {
            let why = format!("it holds more than {MAX_CHILDREN} names");
            Error::unsupported("directory", why)
        };
        Listed { children: children.collect(), problem: problem.or(more.then(too_many)) }
    }

    /// The directory, unless it must not or need not be gone into.
    fn enter(&mut self, path: Vec<u8>, found: Found, waiting: &mut usize) -> Option<Directory> {
        if let Some(whose) = foreign::owner(&path) {
            self.walked.passed.push((String::from_utf8_lossy(&path).into_owned(), whose));
            return None;
        }
        // The same filesystem that is mounted twice is one and the same value.
        let filesystem = Arc::as_ptr(&found.filesystem).cast::<()>() as usize;
        let (mount, node) = found.place();
        let error = match self.entered.get(&(filesystem, node)) {
            // Another mount shows it as well.
            Some(&other) if other != mount => return None,
            Some(_) => Error::corrupt("directory", 0, "it contains itself, or is in two places"),
            None if path.len() > MAX_PATH => {
                Error::unsupported("directory", format!("its path is longer than {MAX_PATH} bytes"))
            }
            None if self.entered.len() >= MAX_DIRECTORIES || *waiting > MAX_WAITING => {
                Error::unsupported("directories", "there are more than are gone into")
            }
            None => {
                self.entered.insert((filesystem, node), mount);
                *waiting += path.len();
                return Some(Directory { path, found });
            }
        };
        self.walked.problem(self.files, &error, &path);
        None
    }
}
