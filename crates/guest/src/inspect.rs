//! The door: from volumes to what the machine is and runs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use fathom_block::{Disk, Error, ErrorKind, Problem};
use fathom_filesystem::Tree;
use fathom_report::{
    self as report, Concern, Family, Listing, Report, SCHEMA, Storage, System, Undecided,
};
use fathom_volume::Discovery;

use crate::boot::{Learned, Unpacking};
use crate::device::Places;
use crate::files::Files;
use crate::namespace::{Table, mount_all};
use crate::root::{Asked, Roots};
use crate::walk::{self, Walked};
use crate::{
    applications, boot, concerns, containers, end_of_life, hibernation, identity, languages,
    mounts, network, packages, secrets, security, services, storage, users, windows,
};

/// How closely to look.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether to walk over every file: packages of languages wherever they lie, set-id programs and
    /// certificates outside of the usual places.
    pub deep: bool,
    /// The moment that ends of life and of certificates are judged by.
    pub now: SystemTime,
    /// What was learned of other machines, for those who look at several.
    pub learned: Option<Arc<Learned>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { deep: false, now: SystemTime::now(), learned: None }
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
    /// What kept parts of the disks from being read, and with them perhaps a system.
    pub problems: Vec<Problem>,
    /// Why there is no operating system, where there is none.
    pub none: Option<Error>,
}

impl Inspection {
    /// The report of it: on these disks, each with the checksum of its file where there is one.
    /// `generator` is the program that makes it; `describe` tells what an error is and what caused it.
    pub fn into_report(
        self,
        disks: &[(Disk, Option<String>)],
        generator: &str,
        describe: &dyn Fn(&Error) -> String,
    ) -> Report {
        let problem = |error| report::Problem { message: describe(error), ..crate::problem(error) };
        let of_disks = disks.iter().flat_map(|(disk, _)| &disk.problems);
        let problems = of_disks.chain(&self.problems).map(problem).collect();
        let disk = |(disk, checksum): &(Disk, Option<String>)| report::Disk {
            name: disk.name.clone(),
            format: disk.layers.first().map_or("raw", |layer| layer.format.name()).to_owned(),
            virtual_size: disk.reader.len(),
            checksum: checksum.clone(),
        };
        Report {
            schema: SCHEMA.to_owned(),
            generator: generator.to_owned(),
            disks: disks.iter().map(disk).collect(),
            systems: self.systems,
            storage: self.storage,
            concerns: self.concerns,
            undecided: self.undecided,
            profiles: Vec::new(),
            problems,
        }
    }
}

/// Looks at everything.
pub fn inspect(discovery: &Discovery, options: &Options) -> Inspection {
    let places = Places::of(discovery);
    let storage = storage::of(discovery, &places);
    let mut problems = discovery.problems.clone();
    let mut roots = Roots::of(&places);
    let found = std::mem::take(&mut roots.found);
    let none = if found.is_empty() {
        Some(roots.none(Asked::Systems, &mut problems))
    } else {
        problems.extend(roots.unsure);
        None
    };
    let mut systems = Vec::new();
    for root in found {
        let mut tree = root.tree;
        let mut of_mounts = root.problems;
        let mut table = Table::of(&tree);
        // An fstab that cannot be read leaves the root by itself, and says so.
        of_mounts.extend(table.fstab.as_ref().err().cloned());
        mount_all(&mut tree, &root.volume, &mut table, &places, &mut of_mounts);
        systems.push(system(root.volume, &tree, &table, &of_mounts, &places, options));
    }
    // Where all was read and no system is there, there is none; else one may be hidden.
    let locked = none.as_ref().filter(|error| error.kind() != ErrorKind::NotFound);
    let hidden = locked.or(problems.first());
    let (concerns, undecided) = concerns::of(&systems, &storage, &problems, hidden, options);
    problems.extend(locked.cloned());
    Inspection { systems, storage, concerns, undecided, problems, none }
}

/// The parts of the report that are being collected.
pub(crate) struct Sections<'a> {
    tree: &'a Tree,
    problems: Vec<report::Problem>,
    /// The same, so that each is told once however many there are.
    told: HashSet<report::Problem>,
}

impl<'a> Sections<'a> {
    /// Nothing so far, of the tree.
    pub(crate) fn new(tree: &'a Tree) -> Self {
        Self { tree, problems: Vec::new(), told: HashSet::new() }
    }

    /// What could not be read for them all.
    pub(crate) fn into_problems(self) -> Vec<report::Problem> {
        self.problems
    }

    /// Collects one part. It has [`Files`] of its own, so that what could not be read for it counts
    /// against it and no other.
    pub(crate) fn collect<T>(&mut self, collect: impl FnOnce(&Files<'_>) -> T) -> T {
        let part = apart(self.tree, collect);
        self.add(part)
    }

    /// Takes a part that was collected elsewhere.
    fn add<T>(&mut self, (part, problems): (T, Vec<report::Problem>)) -> T {
        for problem in problems {
            if self.told.insert(problem.clone()) {
                self.problems.push(problem);
            }
        }
        part
    }
}

/// Collects a part by itself, and what could not be read for it.
fn apart<T>(tree: &Tree, collect: impl FnOnce(&Files<'_>) -> T) -> (T, Vec<report::Problem>) {
    let files = Files::new(tree);
    let part = collect(&files);
    (part, files.into_problems())
}

fn system(
    root: String,
    tree: &Tree,
    table: &Table,
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
        Family::Windows => {
            let mut system = windows::system(root, &mut sections, places, options);
            system.security.settings.join(sections.collect(hibernation::of));
            system
        }
        _ => unix(root, &mut sections, table, places, options),
    };
    system.identity.end_of_life = end_of_life::of(&system.identity);
    system.problems = sections.into_problems();
    secrets::mask_problems(&mut system.problems);
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
    /// What says how the system is guarded.
    pub(crate) security: security::Candidates,
}

impl Deep {
    pub(crate) fn walk(files: &Files<'_>) -> Self {
        let mut languages = languages::Candidates::default();
        let mut security = security::Candidates::default();
        let walked = walk::walk(files, &mut [&mut languages, &mut security]);
        Self { walked: Some(walked), languages, security }
    }
}

/// What Linux and its kin say of themselves.
pub(crate) fn unix(
    root: String,
    sections: &mut Sections<'_>,
    table: &Table,
    places: &Places<'_>,
    options: &Options,
) -> System {
    let tree = sections.tree;
    let unpacking = Unpacking { patient: options.deep, learned: options.learned.as_deref() };
    let collect_boot = || apart(tree, |files| boot::of(files, places, unpacking));
    std::thread::scope(|scope| {
        // Unpacking an initial filesystem may take longer than everything else.
        let boot = std::thread::Builder::new().spawn_scoped(scope, collect_boot);
        let identity = sections.collect(identity::identify);
        let deep = if options.deep { sections.collect(Deep::walk) } else { Deep::default() };
        let mut packages = sections.collect(|files| files.listing(|| packages::all(files)));
        packages.join(sections.collect(|files| {
            files.listing(|| languages::all(files, deep.languages, deep.walked.as_ref()))
        }));
        let services = sections.collect(|files| files.listing(|| services::all(files)));
        let users = sections.collect(|files| users::all(files, &packages, &services, options.now));
        let (mounts, swap) = mounts::of(table, places);
        let network = sections.collect(|files| network::of(files, &services));
        let applications = sections
            .collect(|files| files.listing(|| applications::all(files, &packages, &services)));
        let containers = sections.collect(containers::of);
        let boot = match boot.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(boot)) => boot,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // There are no more threads to be had.
            Err(_) => collect_boot(),
        };
        let boot = sections.add(boot);
        let security = sections.collect(|files| {
            let known = security::Known {
                packages: &packages,
                boot: &boot,
                services: &services,
                users: &users,
                mounts: &mounts,
            };
            security::of(files, &known, deep.security, deep.walked.as_ref())
        });
        let mut system = System {
            boot,
            network,
            applications,
            containers,
            security,
            root,
            identity,
            packages,
            users,
            services,
            mounts,
            swap,
            problems: Vec::new(),
        };
        secrets::mask(&mut system);
        system
    })
}
