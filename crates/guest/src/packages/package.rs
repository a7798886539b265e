//! What the databases have in common: a package of which little is known yet, and epochs.

use fathom_report::{Package, PackageKind};

/// A package of which only this is known.
pub(super) fn package(kind: PackageKind, name: String, version: String, place: &str) -> Package {
    Package {
        kind,
        name,
        version,
        epoch: None,
        release: None,
        architecture: None,
        source: None,
        source_version: None,
        licence: None,
        vendor: None,
        origin: None,
        module: None,
        signature: None,
        installed: None,
        size: None,
        state: None,
        checksum: None,
        location: None,
        evidence: place.into(),
    }
}

/// `1:2.3-4` as 1 and `2.3-4`.
pub(super) fn split_epoch(version: &str) -> (Option<u32>, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) if epoch.parse::<u32>().is_ok() => (epoch.parse().ok(), rest),
        _ => (None, version),
    }
}
