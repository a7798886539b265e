//! A hive: the door, and what all its keys share.

use std::sync::{Arc, Mutex, PoisonError};

use fathom_block::{Problem, ReadAt, Result};

use crate::cell::Cells;
use crate::filetime::Filetime;
use crate::key::Key;
use crate::log;
use crate::patched::Patched;

/// The most problems that are remembered.
const MAX_PROBLEMS: usize = 1000;

/// How the hive was left, and what is shown of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It was written completely. What logs say is older and was not looked at.
    Clean,
    /// It was not, and its logs were replayed: what is shown is what Windows would show.
    Recovered,
    /// It was not, and no log could be replayed: the latest changes are missing or halfway.
    Dirty,
}

/// A registry hive.
pub struct Hive {
    shared: Arc<Shared>,
    last_written: Filetime,
    minor: u32,
    state: State,
}

/// What all keys of a hive share.
pub(crate) struct Shared {
    pub(crate) cells: Cells<Patched>,
    pub(crate) root: u32,
    problems: Mutex<Vec<Problem>>,
}

impl Shared {
    /// Remembers what was wrong but did not stop the reading; the same once.
    pub(crate) fn report(&self, problem: Problem) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let said = problem.to_string();
        if problems.len() < MAX_PROBLEMS && problems.iter().all(|other| other.to_string() != said) {
            problems.push(problem);
        }
    }
}

impl Hive {
    /// Opens a hive with its transaction logs, as many as there are (`.LOG`, `.LOG1` and `.LOG2`),
    /// in that order. Logs of a hive that was written completely are not looked at.
    pub fn open(primary: Arc<dyn ReadAt>, logs: &[Arc<dyn ReadAt>]) -> Result<Self> {
        let recovered = log::recover(primary, logs)?;
        let base = recovered.base;
        let shared = Shared {
            cells: Cells::new(recovered.hive, base.minor),
            root: base.root,
            problems: Mutex::new(recovered.problems),
        };
        Ok(Self {
            shared: Arc::new(shared),
            last_written: base.last_written,
            minor: base.minor,
            state: recovered.state,
        })
    }

    /// The root key.
    pub fn root(&self) -> Result<Key> {
        Key::root(&self.shared, self.shared.root)
    }

    /// The key at a path beneath the root, `A\B\C`; see [`Key::lookup`].
    pub fn lookup(&self, path: &str) -> Result<Option<Key>> {
        self.root()?.lookup(path)
    }

    /// What was wrong but did not stop the reading, as far as was read.
    pub fn problems(&self) -> Vec<Problem> {
        self.shared.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the hive was left.
    pub fn state(&self) -> State {
        self.state
    }

    /// The version of the format: 1 and this.
    pub fn minor_version(&self) -> u32 {
        self.minor
    }

    /// When the hive was last written.
    pub fn last_written(&self) -> Filetime {
        self.last_written
    }
}
