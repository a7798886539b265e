//! What is installed, and what is started.

use std::collections::BTreeMap;

use fathom_report::{Enabled, Listing, Package, System};

use super::{Said, counted_of, counted_with};

/// How many packages there are of each kind.
pub(super) fn packages(packages: &Listing<Package>) -> Said {
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for package in packages.items.iter().filter(|package| package.is_installed()) {
        *kinds.entry(package.kind).or_default() += 1;
    }
    let installed: usize = kinds.values().sum();
    let mut said = match kinds.first_key_value() {
        None => counted_of(installed, packages, ("package", "packages"), ""),
        Some((kind, _)) if kinds.len() == 1 => {
            counted_of(installed, packages, (kind.name(), kind.name()), "")
        }
        Some(_) => {
            let parts: Vec<_> =
                kinds.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
            counted_of(installed, packages, ("package", "packages"), &parts.join(", "))
        }
    };
    let removed = packages.items.len().saturating_sub(installed);
    if removed > 0 {
        said.text = format!("{}; {removed} removed, not all of it", said.text);
    }
    said
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
