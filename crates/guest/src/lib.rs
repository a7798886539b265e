//! From files to a machine.
//!
//! [`contents()`] says what lies on each volume. [`assemble`] finds the machine's root among them and
//! mounts the rest where its own `/etc/fstab` does, so that paths mean what they mean inside the
//! guest. A filesystem that is mounted there but cannot be read, or may be on a disk that was not
//! given, is mounted too, as the reason why: nothing beneath it ever reads as "not there".
//!
//! This crate knows nothing of vulnerabilities, networks, the writing of documents or asynchronous
//! runtimes.

#![forbid(unsafe_code)]

mod applications;
mod arrays;
mod autofs;
mod bolt;
mod boot;
mod concerns;
mod containers;
mod contents;
mod crypttab;
mod damage;
mod device;
mod discoverable;
mod end_of_life;
mod files;
mod fstab;
mod hibernation;
mod homes;
mod identity;
mod inspect;
mod languages;
mod lines;
#[cfg(test)]
mod memory;
mod mount_units;
mod mounts;
mod namespace;
mod network;
mod ostree;
mod packages;
mod pe;
mod root;
mod secrets;
mod sections;
mod security;
mod services;
mod shell;
mod sqlite;
mod storage;
mod text;
mod unread;
mod users;
mod walk;
mod windows;

pub use boot::Learned;
pub use contents::{Holds, SubvolumeName, contents, holds, of_volume, open_subvolume};
pub use end_of_life::of as end_of_life;
/// The words that the lists are written in.
pub use fathom_report as report;
pub use files::problem;
pub use inspect::{Inspection, Options, inspect};
pub use namespace::{Assembled, assemble};

use std::time::SystemTime;

use fathom_filesystem::Tree;
use fathom_report::{
    Boot, Containers, Fact, Listing, Network, Package, Problem, Security, Service, System,
};
use fathom_volume::Discovery;

/// What the databases of packages on the tree say is installed, and what could not be read of them.
pub fn packages(tree: &Tree) -> (Listing<Package>, Vec<Problem>) {
    let files = files::Files::new(tree);
    let listing = packages::all(&files);
    (listing, files.into_problems())
}

/// What languages keep of packages anywhere on the tree, and what could not be read of it.
pub fn languages(tree: &Tree) -> (Listing<Package>, Vec<Problem>) {
    let files = files::Files::new(tree);
    let listing = files.listing(|| {
        let deep = inspect::Deep::walk(&files);
        languages::all(&files, deep.languages, deep.walked.as_ref())
    });
    (listing, files.into_problems())
}

/// The images and containers that engines keep on the tree, and what could not be read of them.
pub fn containers(tree: &Tree) -> (Containers, Vec<Problem>) {
    let files = files::Files::new(tree);
    let found = containers::of(&files);
    (found, files.into_problems())
}

/// What the files on the tree start and how they connect the system, and what could not be read of
/// them.
pub fn network(tree: &Tree) -> (Listing<Service>, Network, Vec<Problem>) {
    let files = files::Files::new(tree);
    let services = files.listing(|| services::all(&files));
    let network = network::of(&files, &services);
    (services, network, files.into_problems())
}

/// What a system with these files starts with, as far as the files alone tell, and what could not be
/// read of them. Everything is unpacked, however long that takes.
pub fn boot(tree: &Tree) -> (Boot, Vec<Problem>) {
    let files = files::Files::new(tree);
    let discovery = Discovery::default();
    let unpacking = boot::Unpacking { patient: true, learned: None };
    let boot = boot::of(&files, &device::Places::of(&discovery), unpacking);
    (boot, files.into_problems())
}

/// How what lies on the tree is guarded, without what its boot loader and its fstab say, and what could
/// not be read of it.
pub fn security(tree: &Tree) -> (Security, Vec<Problem>) {
    let files = files::Files::new(tree);
    let why = "it is not looked at";
    let services = services::all(&files);
    let packages = packages::all(&files);
    let known = security::Known {
        packages: &packages,
        boot: &Boot {
            kernels: Listing::unknown(why),
            default: Fact::unknown(why),
            firmware: Listing::unknown(why),
            drivers: Listing::unknown(why),
        },
        services: &services,
        users: &users::all(&files, &packages, &services, SystemTime::now()),
        mounts: &Listing::unknown(why),
    };
    let deep = inspect::Deep::walk(&files);
    let security = security::of(&files, &known, deep.security, deep.walked.as_ref());
    (security, files.into_problems())
}

/// What the Linux on the tree says of itself, without what lies beside its root.
pub fn linux(tree: &Tree, options: &Options) -> System {
    let discovery = Discovery::default();
    let places = device::Places::of(&discovery);
    let table = namespace::Table::of(tree);
    let mut sections = inspect::Sections::new(tree);
    let mut system = inspect::unix(String::new(), &mut sections, &table, &places, options);
    system.problems = sections.into_problems();
    system
}

/// What the Windows on the tree says of itself, its boot menu too where it lies on the same tree.
pub fn windows(tree: &Tree) -> System {
    let discovery = fathom_volume::Discovery::default();
    let places = device::Places::of(&discovery);
    let mut sections = inspect::Sections::new(tree);
    let mut system = windows::system(String::new(), &mut sections, &places, &Options::default());
    system.problems = sections.into_problems();
    system
}
