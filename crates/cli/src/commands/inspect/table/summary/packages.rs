//! What is installed, and what is started.

use std::collections::BTreeMap;

use fathom_report::{Enabled, Listing, Package, System};

use super::{Said, counted, counted_with};

/// How many packages there are of each kind.
pub(super) fn packages(packages: &Listing<Package>) -> Said {
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for package in &packages.items {
        *kinds.entry(package.kind).or_default() += 1;
    }
    match kinds.first_key_value() {
        None => counted(packages, ("package", "packages")),
        Some((kind, _)) if kinds.len() == 1 => counted(packages, (kind.name(), kind.name())),
        Some(_) => {
            let parts: Vec<_> =
                kinds.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
            counted_with(packages, ("package", "packages"), &parts.join(", "))
        }
    }
}

/// How many services there are, and how many of them are enabled.
pub(super) fn services(system: &System) -> Said {
    let services = &system.services;
    let enabled = services.items.iter().filter(|it| it.enabled.value() == Some(&Enabled::Enabled));
    let more = match enabled.count() {
        0 => String::new(),
        count => format!("{count} enabled"),
    };
    counted_with(services, ("service", "services"), &more)
}
