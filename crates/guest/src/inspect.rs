//! The door: from volumes to what the machine is and runs.

use fathom_block::{Error, Problem};
use fathom_filesystem::Tree;
use fathom_report::{Storage, System};
use fathom_volume::Discovery;

use crate::device::Places;
use crate::files::Files;
use crate::namespace::mount_all;
use crate::root::Roots;
use crate::{identity, mounts, packages, services, storage, users};

/// What the disks tell of a machine.
pub struct Inspection {
    /// Its operating systems.
    pub systems: Vec<System>,
    /// What its disks are made of.
    pub storage: Storage,
    /// What kept parts of the disks from being read.
    pub problems: Vec<Problem>,
    /// Why there is no operating system, where there is none.
    pub none: Option<Error>,
}

/// Looks at everything.
pub fn inspect(discovery: &Discovery) -> Inspection {
    let places = Places::of(discovery);
    let storage = storage::of(discovery, &places);
    let mut problems = discovery.problems.clone();
    let mut roots = Roots::of(&places);
    let found = std::mem::take(&mut roots.found);
    let none = if found.is_empty() {
        Some(roots.none(&mut problems))
    } else {
        problems.extend(roots.unsure);
        None
    };
    let mut systems = Vec::new();
    for root in found {
        let mut tree = root.tree;
        let mut of_mounts = Vec::new();
        // An fstab that cannot be read leaves the root by itself, and says so.
        if let Err(error) = mount_all(&mut tree, &places, &mut of_mounts) {
            of_mounts.push(error);
        }
        systems.push(system(root.volume, &tree, &of_mounts, &places));
    }
    Inspection { systems, storage, problems, none }
}

fn system(root: String, tree: &Tree, of_mounts: &[Error], places: &Places<'_>) -> System {
    let files = Files::new(tree);
    for error in of_mounts {
        files.note(error, "/etc/fstab", "everything on what is mounted there");
    }
    for mount in tree.mounts() {
        let path = String::from_utf8_lossy(&mount.path);
        for problem in mount.filesystem.problems() {
            files.note(&problem, &path, &format!("files beneath {path}"));
        }
    }
    let identity = identity::identify(&files);
    let packages = packages::all(&files);
    let users = users::all(&files);
    let services = services::all(&files);
    let (mounts, swap) = mounts::of(&files, places);
    System {
        root,
        identity,
        packages,
        users,
        services,
        mounts,
        swap,
        problems: files.into_problems(),
    }
}
