//! What is installed on Windows: programs, updates, features and apps of the store.

mod apps;
mod features;
mod programs;
mod updates;

use fathom_report::{Listing, Package, PackageKind};

use super::registry::Registry;
use super::users::profiles::{self, Profile};
use crate::files::Read;

/// What the report loses if something cannot be read.
pub(super) const HIDES: &str = "packages";

/// Everything that is installed. `architecture` is that of the system.
pub(super) fn all(registry: &Registry<'_>, architecture: Option<&str>) -> Listing<Package> {
    // The lists rest on who has a profile.
    registry.listing(|| everything(registry, architecture))
}

fn everything(registry: &Registry<'_>, architecture: Option<&str>) -> Listing<Package> {
    let profiles = match profiles::all(registry) {
        Read::There(profiles) => profiles,
        Read::Absent | Read::Unread(_) => Vec::new(),
    };
    let profiles: Vec<Profile> = profiles.into_iter().filter(Profile::is_of_a_person).collect();
    let mut all = registry.listing(|| programs::all(registry, architecture, &profiles));
    all.join(registry.listing(|| updates::all(registry)));
    all.join(registry.listing(|| features::all(registry)));
    all.join(registry.listing(|| apps::all(registry, &profiles)));
    all
}

/// The architecture as the rest of the report calls it.
fn architecture(name: &str) -> Option<String> {
    let name = match name.to_ascii_lowercase().as_str() {
        "amd64" | "x64" => "x86_64",
        "x86" | "wow64" => "i686",
        "arm64" => "aarch64",
        "arm" => "arm",
        _ => return None,
    };
    Some(name.to_owned())
}

/// A package of which only this is known.
fn bare(kind: PackageKind, name: String, version: Option<String>, place: &str) -> Package {
    Package::bare(kind, name, version.unwrap_or_default(), place)
}
