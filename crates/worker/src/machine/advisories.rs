//! The database of advisories, opened once for all jobs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use fathom_advisory::{CURRENT, Database, Error, Kind};

use crate::handler::Trouble;

/// What is known, in a folder in which it may be exchanged at any time. A generation is opened when it
/// is first asked for; jobs that have begun go on with the one that they have.
#[derive(Debug)]
pub struct Advisories {
    folder: PathBuf,
    opened: Mutex<Option<(Generation, Arc<Database>)>>,
}

/// What tells one generation from the next: where it lies, and when files in there were exchanged.
type Generation = (PathBuf, Option<SystemTime>);

impl Advisories {
    /// Those in this folder, whether there are any yet or not.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), opened: Mutex::default() }
    }

    /// Whether there are any now.
    pub fn is_there(&self) -> bool {
        self.open().is_ok()
    }

    /// The generation that counts now.
    pub(super) fn open(&self) -> Result<Arc<Database>, Trouble> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation();
        if let Some((known, database)) = &*opened
            && *known == generation
        {
            return Ok(Arc::clone(database));
        }
        let database = Database::open(&self.folder).map_err(failed)?;
        if database.segments().is_empty() {
            return Err(none(&database.folder().display().to_string()));
        }
        let database = Arc::new(database);
        *opened = Some((generation, Arc::clone(&database)));
        Ok(database)
    }

    fn generation(&self) -> Generation {
        let current = std::fs::canonicalize(self.folder.join(CURRENT));
        let folder = current.unwrap_or_else(|_| self.folder.clone());
        let changed = std::fs::metadata(&folder).and_then(|it| it.modified()).ok();
        (folder, changed)
    }
}

fn none(place: &str) -> Trouble {
    let what = format!(
        "{place}: there is no database of advisories; `fathom db update` gets one of a mirror, and \
         `fathom db build` makes one of feeds; scan.database says where it lies"
    );
    Trouble { recoverable: true, ..Trouble::lasting("NO_DATABASE", what) }
}

/// Where nobody is to scan.
pub(super) fn switched_off() -> Trouble {
    Trouble::lasting("NO_DATABASE", "this worker does not look for flaws: scan.enabled is false")
}

/// An error of the database as trouble of a job.
pub(super) fn failed(error: Error) -> Trouble {
    let text = error.to_string();
    match error.kind() {
        Kind::Missing => none(&error.path().display().to_string()),
        Kind::Corrupt => Trouble::lasting("DATABASE_CORRUPT", text),
        Kind::Unsupported => Trouble::lasting("DATABASE_UNSUPPORTED", text),
        Kind::Io => Trouble::passing("DATABASE_UNREAD", text),
    }
}
