//! Scheduled tasks: a tree of keys that names them, and beside it a file for each that says what it
//! does.

use fathom_block::Error;
use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::super::registry::{Name, Node, Registry};
use super::task::{self, Task};
use crate::files::{MAX_TEXT, Read};

const TREE: &str = r"Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tree";
const FOLDER: &str = "/Windows/System32/Tasks";

/// Where the scheduler before Vista kept its tasks, each in a file of this ending.
const OLD: &str = "/Windows/Tasks";
const OLD_ENDING: &str = ".job";

/// Tasks lie no deeper beneath the tree, and there are not so many.
const MAX_DEPTH: usize = 16;
const MAX_TASKS: usize = 10_000;

/// Every task that the system knows.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Service> {
    let mut all = in_tree(registry);
    let files = registry.files.children(OLD, super::HIDES).there().unwrap_or_default();
    if let Some((file, _)) = files.iter().find(|(name, _)| is_old(name)) {
        let error = Error::unsupported(file, "tasks of the scheduler before Vista are not read");
        registry.note(&error, OLD);
        all.hide(error.to_string());
    }
    all
}

fn is_old(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(OLD_ENDING)
}

/// Those of the tree.
fn in_tree(registry: &Registry<'_>) -> Listing<Service> {
    let tree = match registry.key(Name::Software, TREE) {
        Read::There(tree) => tree,
        Read::Absent => {
            let place = format!(r"HKLM\SOFTWARE\{TREE}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let evidence = vec![tree.place().into()];
    let mut tasks = Vec::new();
    let mut folders = vec![(String::new(), tree)];
    while let Some((path, folder)) = folders.pop() {
        let deep = path.matches('/').count() >= MAX_DEPTH;
        for key in folder.children() {
            let path = format!("{path}/{}", key.name());
            if tasks.len() >= MAX_TASKS || deep {
                let why = "there are more tasks, or they lie deeper, than on any real system";
                registry.note(&Error::unsupported(key.place(), why), key.place());
                return partial(tasks, evidence, why);
            }
            // A folder has no identifier.
            if let Read::There(()) = key.values().has("Id") {
                tasks.push(service(registry, &path, &key));
            }
            folders.push((path, key));
        }
    }
    tasks.sort_by(|one, other| one.name.cmp(&other.name));
    Listing::complete(tasks, evidence)
}

fn partial(
    tasks: Vec<Service>,
    evidence: Vec<fathom_report::Evidence>,
    why: &str,
) -> Listing<Service> {
    let mut listing = Listing::complete(tasks, evidence);
    listing.hide(why);
    listing
}

/// The task at the path beneath the tree. What its file says, where that can be read.
fn service(registry: &Registry<'_>, path: &str, key: &Node<'_>) -> Service {
    let file = format!("{FOLDER}{path}");
    let (enabled, task) = match load(registry, &file) {
        Read::There(task) => {
            let enabled = if task.enabled { Enabled::Enabled } else { Enabled::Disabled };
            (Fact::known(enabled, file.as_str()), task)
        }
        Read::Absent => {
            (Fact::unknown(format!("there is no {file}, which would say it")), Task::default())
        }
        Read::Unread(why) => (Fact::unknown(why), Task::default()),
    };
    Service {
        kind: ServiceKind::ScheduledTask,
        name: path.replace('/', "\\"),
        enabled,
        description: task.description,
        commands: task.commands,
        further_commands: Vec::new(),
        user: task.user,
        triggers: task.triggers,
        start: None,
        evidence: vec![key.place().into(), file.into()],
    }
}

fn load(registry: &Registry<'_>, file: &str) -> Read<Task> {
    let bytes = match registry.files.bytes(file, super::HIDES, MAX_TEXT) {
        Read::There(bytes) => bytes,
        Read::Absent => return Read::Absent,
        Read::Unread(why) => return Read::Unread(why),
    };
    match task::read(&task::text(&bytes)) {
        Ok(task) => Read::There(task),
        Err(error) => {
            let error = error.within(file);
            registry.note(&error, file);
            Read::Unread(error.to_string())
        }
    }
}
