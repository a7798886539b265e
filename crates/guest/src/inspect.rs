//! The door: from volumes to what the machine is and runs.

use std::time::SystemTime;

use fathom_block::{Error, Problem};
use fathom_filesystem::Tree;
use fathom_report::{self as report, Concern, Family, Listing, Storage, System, Undecided};
use fathom_volume::Discovery;

use crate::device::Places;
use crate::files::Files;
use crate::namespace::mount_all;
use crate::root::Roots;
use crate::walk::{self, Walked};
use crate::{
    applications, boot, concerns, containers, end_of_life, identity, languages, mounts, network,
    packages, security, services, storage, users, windows,
};

/// How closely to look.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether to walk over every file: packages of languages wherever they lie, set-id programs and
    /// certificates outside of the usual places.
    pub deep: bool,
    /// The moment that ends of life and of certificates are judged by.
    pub now: SystemTime,
}

impl Default for Options {
    fn default() -> Self {
        Self { deep: false, now: SystemTime::now() }
    }
}

/// What the disks tell of a machine.
pub struct Inspection {
    /// Its operating systems.
    pub systems: Vec<System>,
    /// What its disks are made of.
    pub storage: Storage,
    /// What stands in the way of moving it.
    pub concerns: Listing<Concern>,
    /// Concerns of which it could not be told whether there is one.
    pub undecided: Vec<Undecided>,
    /// What kept parts of the disks from being read.
    pub problems: Vec<Problem>,
    /// Why there is no operating system, where there is none.
    pub none: Option<Error>,
}

/// Looks at everything.
pub fn inspect(discovery: &Discovery, options: &Options) -> Inspection {
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
        systems.push(system(root.volume, &tree, &of_mounts, &places, options));
    }
    let (concerns, undecided) = concerns::of(&systems, &storage, options);
    Inspection { systems, storage, concerns, undecided, problems, none }
}

/// The parts of the report that are being collected.
pub(crate) struct Sections<'a> {
    tree: &'a Tree,
    problems: Vec<report::Problem>,
}

impl<'a> Sections<'a> {
    /// Nothing so far, of the tree.
    pub(crate) fn new(tree: &'a Tree) -> Self {
        Self { tree, problems: Vec::new() }
    }

    /// What could not be read for them all.
    pub(crate) fn into_problems(self) -> Vec<report::Problem> {
        self.problems
    }

    /// Collects one part. It has [`Files`] of its own, so that what could not be read for it counts
    /// against it and no other.
    pub(crate) fn collect<T>(&mut self, collect: impl FnOnce(&Files<'_>) -> T) -> T {
        let files = Files::new(self.tree);
        let part = collect(&files);
        for problem in files.into_problems() {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        part
    }
}

fn system(
    root: String,
    tree: &Tree,
    of_mounts: &[Error],
    places: &Places<'_>,
    options: &Options,
) -> System {
    let mut sections = Sections::new(tree);
    sections.collect(|files| {
        for error in of_mounts {
            files.note(error, "/etc/fstab", "everything on what is mounted there");
        }
        for mount in tree.mounts() {
            let path = String::from_utf8_lossy(&mount.path);
            for problem in mount.filesystem.problems() {
                files.note(&problem, &path, &format!("files beneath {path}"));
            }
        }
    });
    let mut system = match sections.collect(identity::family) {
        Family::Windows => windows::system(root, &mut sections, places, options),
        _ => unix(root, &mut sections, places, options),
    };
    system.identity.end_of_life = end_of_life::of(&system.identity);
    system.problems = sections.into_problems();
    system
}

/// What the one walk over every file found, for those who look further at it. Every list that rests
/// on it is to tell how far the walk came ([`Walked::tell`]).
#[derive(Default)]
pub(crate) struct Deep {
    /// How far it came; nothing if there was none.
    pub(crate) walked: Option<Walked>,
    /// What may hold packages of languages.
    pub(crate) languages: languages::Candidates,
}

impl Deep {
    pub(crate) fn walk(files: &Files<'_>) -> Self {
        let mut languages = languages::Candidates::default();
        let walked = walk::walk(files, &mut [&mut languages]);
        Self { walked: Some(walked), languages }
    }
}

/// What Linux and its kin say of themselves.
fn unix(
    root: String,
    sections: &mut Sections<'_>,
    places: &Places<'_>,
    options: &Options,
) -> System {
    let identity = sections.collect(identity::identify);
    let deep = if options.deep { sections.collect(Deep::walk) } else { Deep::default() };
    let mut packages = sections.collect(|files| files.listing(|| packages::all(files)));
    packages.join(sections.collect(|files| {
        files.listing(|| languages::all(files, deep.languages, deep.walked.as_ref()))
    }));
    let users = sections.collect(users::all);
    let services = sections.collect(|files| files.listing(|| services::all(files)));
    let (mounts, swap) = sections.collect(|files| mounts::of(files, places));
    System {
        boot: sections.collect(boot::of),
        network: sections.collect(network::of),
        applications: sections
            .collect(|files| files.listing(|| applications::all(files, &packages, &services))),
        containers: sections.collect(containers::of),
        security: sections.collect(|files| security::of(files, &services, options)),
        root,
        identity,
        packages,
        users,
        services,
        mounts,
        swap,
        problems: Vec::new(),
    }
}
