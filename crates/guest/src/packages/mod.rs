//! What is installed. Every database looks alike: `read` gives what it holds, or nothing where the
//! system has no such database.

mod apk;
mod collection;
pub(crate) mod dpkg;
mod flatpak;
mod others;
pub(crate) mod package;
mod pacman;
mod portage;
mod rpm;
mod snap;

use fathom_report::{Listing, Package};

use crate::files::Files;

/// What the listing loses if a database cannot be read.
pub(crate) const HIDES: &str = "packages";

/// Everything that is installed by the system's own means.
pub(crate) fn all(files: &Files<'_>) -> Listing<Package> {
    let databases = [
        dpkg::read(files),
        rpm::read(files),
        apk::read(files),
        pacman::read(files),
        portage::read(files),
        snap::read(files),
        flatpak::read(files),
    ];
    let mut found = databases.into_iter().flatten();
    let Some(mut all) = found.next() else {
        return match others::instead(files) {
            Some(why) => Listing::unknown(why),
            None => Listing::empty("no package database is there", Vec::new()),
        };
    };
    found.for_each(|listing| all.join(listing));
    others::beside(files).into_iter().for_each(|why| all.hide(why));
    all
}

/// A package as tests of what is made of packages want one.
#[cfg(test)]
pub(crate) fn of_tests(kind: fathom_report::PackageKind, name: &str, version: &str) -> Package {
    let (epoch, version) = package::split_epoch(version);
    let mut package = Package::bare(kind, name.to_owned(), version.to_owned(), "/database");
    package.epoch = epoch;
    package
}
