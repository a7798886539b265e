//! The hives of one Windows: opened when they are first asked for, once for all sections.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fathom_block::{Error, ErrorKind, Problem, ReadAt};
use fathom_filesystem::Tree;
use fathom_registry::Hive;

/// Where the hives of the machine lie.
const CONFIG: &str = "/Windows/System32/config";

/// The logs that may lie beside a hive.
const LOGS: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

/// A hive of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::windows) enum Name {
    System,
    Software,
    Sam,
    Default,
}

impl Name {
    fn file(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Software => "SOFTWARE",
            Self::Sam => "SAM",
            Self::Default => "DEFAULT",
        }
    }

    /// The key that Windows shows the hive's root as.
    pub(super) fn root(self) -> &'static str {
        match self {
            Self::System => r"HKLM\SYSTEM",
            Self::Software => r"HKLM\SOFTWARE",
            Self::Sam => r"HKLM\SAM",
            Self::Default => r"HKU\.DEFAULT",
        }
    }
}

/// A hive that was opened, or what came of trying.
pub(in crate::windows) struct Opened {
    /// Its file.
    pub(super) file: String,
    /// The key that its root is shown as.
    pub(super) root: String,
    /// Nothing where the file is not there.
    pub(super) hive: Result<Option<Hive>, Error>,
    /// Logs that could not be opened.
    pub(super) problems: Vec<Problem>,
}

impl Opened {
    /// Opens the hive in `file`, whose root is shown as `root`.
    pub(in crate::windows) fn open(tree: &Tree, file: String, root: String) -> Self {
        let mut problems = Vec::new();
        let hive = match tree.open(file.as_bytes()) {
            Ok(primary) => {
                let logs = logs(tree, &file, &mut problems);
                Hive::open(primary, &logs).map(Some).map_err(|error| error.within(&file))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        Self { file, root, hive, problems }
    }
}

fn logs(tree: &Tree, file: &str, problems: &mut Vec<Problem>) -> Vec<Arc<dyn ReadAt>> {
    let mut logs = Vec::new();
    for suffix in LOGS {
        let path = format!("{file}{suffix}");
        match tree.open(path.as_bytes()) {
            // Windows keeps logs that it does not use as empty files.
            Ok(log) if log.is_empty() => {}
            Ok(log) => logs.push(log),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => problems.push(error.within(path)),
        }
    }
    logs
}

/// All hives that were asked for so far.
#[derive(Default)]
pub(in crate::windows) struct Hives {
    system: OnceCell<Opened>,
    software: OnceCell<Opened>,
    sam: OnceCell<Opened>,
    default: OnceCell<Opened>,
    others: Mutex<BTreeMap<String, Arc<Opened>>>,
}

impl Hives {
    /// A hive of the machine.
    pub(super) fn machine(&self, tree: &Tree, name: Name) -> &Opened {
        let cell = match name {
            Name::System => &self.system,
            Name::Software => &self.software,
            Name::Sam => &self.sam,
            Name::Default => &self.default,
        };
        cell.get_or_init(|| {
            Opened::open(tree, format!("{CONFIG}/{}", name.file()), name.root().to_owned())
        })
    }

    /// A hive anywhere else, such as that of a user, shown as `root`.
    pub(super) fn other(&self, tree: &Tree, file: &str, root: &str) -> Arc<Opened> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || Arc::new(Opened::open(tree, file.to_owned(), root.to_owned()));
        Arc::clone(others.entry(file.to_owned()).or_insert_with(open))
    }
}
