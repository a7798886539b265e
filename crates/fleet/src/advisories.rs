//! The database of advisories, opened once for all who ask.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use fathom_advisory::{CURRENT, Database, Error, Kind};

/// What is known, in a folder in which it may be exchanged at any time. A generation is opened when it
/// is first asked for; whoever has begun goes on with the one that he has.
#[derive(Debug)]
pub struct Advisories {
    folder: PathBuf,
    opened: Mutex<Option<(Generation, Arc<Database>)>>,
}

/// What tells one generation from the next: where it lies, and when files in there were exchanged.
type Generation = (PathBuf, Option<SystemTime>);

/// Why there is no database.
#[derive(Debug)]
pub enum NoDatabase {
    /// There is none at this place.
    None(PathBuf),
    /// There is one that cannot be used.
    Unfit(Error),
}

impl fmt::Display for NoDatabase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(place) => write!(
                out,
                "{}: there is no database of advisories; `fathom db update` gets one of a mirror, and \
                 `fathom db build` makes one of feeds; scan.database says where it lies",
                place.display()
            ),
            Self::Unfit(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for NoDatabase {}

impl From<Error> for NoDatabase {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Missing => Self::None(error.path().to_owned()),
            _ => Self::Unfit(error),
        }
    }
}

impl Advisories {
    /// Those in this folder, whether there are any yet or not.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), opened: Mutex::default() }
    }

    /// Whether there are any now.
    pub fn is_there(&self) -> bool {
        self.open().is_ok()
    }

    /// The generation that counts now. It reads files: not for who must not wait.
    pub fn open(&self) -> Result<Arc<Database>, NoDatabase> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation();
        if let Some((known, database)) = &*opened
            && *known == generation
        {
            return Ok(Arc::clone(database));
        }
        let database = Database::open(&self.folder)?;
        if database.segments().is_empty() {
            return Err(NoDatabase::None(database.folder().to_owned()));
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
