//! Apps of the store: those that every user gets, and those of each user.

use std::collections::BTreeSet;

use fathom_report::{Listing, Package, PackageKind};

use super::super::registry::{Name, Node, Registry};
use super::super::users::profiles::Profile;
use super::{architecture, bare};
use crate::files::Read;

const ALL_USERS: &str = r"Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications";
const ONE_USER: &str =
    r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages";

/// All apps.
pub(super) fn all(registry: &Registry<'_>, profiles: &[Profile]) -> Listing<Package> {
    let mut all = Listing::complete(Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    match registry.key(Name::Software, ALL_USERS) {
        Read::There(apps) => list(&mut all, &apps, "machine", &mut seen),
        // Before Windows 8 there was no store, and nobody has apps of it.
        Read::Absent => return all,
        Read::Unread(why) => all.join(Listing::unknown(why)),
    }
    for profile in profiles {
        match profile.class_key(registry, ONE_USER) {
            Read::There(apps) => list(&mut all, &apps, profile.name(), &mut seen),
            Read::Absent => {}
            Read::Unread(why) => all.hide(why),
        }
    }
    all
}

fn list(all: &mut Listing<Package>, apps: &Node<'_>, scope: &str, seen: &mut BTreeSet<String>) {
    for key in apps.children() {
        // What all users have, each of them has too.
        if !seen.contains(key.name())
            && let Some(package) = app(&key, scope)
        {
            all.items.push(package);
        }
        if scope == "machine" {
            seen.insert(key.name().to_owned());
        }
    }
    all.evidence.push(apps.place().into());
}

/// `Microsoft.WindowsCalculator_10.1906.55.0_x64__8wekyb3d8bbwe`: name, version, architecture,
/// resource, publisher. What is of no architecture and a resource `~` is a bundle of apps.
fn app(key: &Node<'_>, scope: &str) -> Option<Package> {
    let parts: Vec<&str> = key.name().split('_').collect();
    let [name, version, hardware, _, publisher] = *parts.as_slice() else {
        return None;
    };
    let values = key.values();
    let location = ["PackageRootFolder", "Path"].iter().find_map(|it| values.text(it).there());
    Some(Package {
        architecture: architecture(hardware).or_else(|| Some(hardware.to_ascii_lowercase())),
        origin: Some(publisher.to_owned()),
        location,
        scope: Some(scope.to_owned()),
        ..bare(PackageKind::StoreApp, name.to_owned(), Some(version.to_owned()), key.place())
    })
}
