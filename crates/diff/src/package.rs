//! What is installed.

use std::collections::{BTreeMap, BTreeSet};

use fathom_report::{
    ChangeKind, Coverage, Listing, Package, PackageKind, Part, System, USUAL_PLACES_ALONE,
};

use crate::context::Context;
use crate::keyed::{Item, Known, Names, hides, lists, parts};
use crate::version::direction;

/// What a package is known by. Several versions of it may be installed beside each other.
fn name(package: &Package) -> String {
    match &package.architecture {
        Some(architecture) => {
            format!("{} ({} {architecture})", package.name, package.kind.name())
        }
        None => format!("{} ({})", package.name, package.kind.name()),
    }
}

/// What is compared of a package.
fn item(package: &Package) -> (String, Item) {
    let fields = vec![
        ("version", Known::Is(package.full_version())),
        ("state", Known::maybe(package.state.as_deref())),
        ("checksum", Known::maybe(package.checksum.as_deref())),
        ("scope", Known::maybe(package.scope.as_deref())),
    ];
    (name(package), Item { fields, evidence: vec![package.evidence.clone()] })
}

/// Why packages of languages may be missing, where only the usual places were looked at.
fn shallow(listing: &Listing<Package>) -> Option<String> {
    let reason = listing.reason.as_deref()?;
    let is = listing.coverage != Coverage::Unknown && reason.contains(USUAL_PLACES_ALONE);
    is.then(|| reason.to_owned())
}

/// Compares the lists. Where one side looked further for packages of languages than the other, these
/// are compared by themselves: what only the further look found may be in the other too.
fn packages(before: &System, after: &System, context: &mut Context) {
    let names = Names { part: Part::Packages, list: "packages", item: "package" };
    let both = (&before.packages, &after.packages);
    let (was, is) = (shallow(both.0), shallow(both.1));
    if was.is_some() == is.is_some() {
        return lists(names, both, item, context);
    }
    let hidden = (hides(both.0), hides(both.1));
    let of_languages = (hidden.0.clone().or(was), hidden.1.clone().or(is));
    parts(names, both, |package| !package.kind.is_of_language(), hidden, item, context);
    let names = Names { list: "packages of languages", ..names };
    parts(names, both, |package| package.kind.is_of_language(), of_languages, item, context);
}

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let first = context.changes.len();
    packages(before, after, context);
    let found = context.changes.iter().skip(first);
    let changed: BTreeSet<String> = found
        .filter(|change| change.kind == ChangeKind::Changed)
        .map(|change| change.name.clone())
        .collect();
    let kinds: BTreeMap<String, PackageKind> = after
        .packages
        .items
        .iter()
        .map(|package| (name(package), package.kind))
        .filter(|(name, _)| changed.contains(name))
        .collect();
    for change in context.changes.iter_mut().skip(first) {
        let version = change.fields.iter().find(|field| field.name == "version");
        let (Some(version), ChangeKind::Changed) = (version, change.kind) else { continue };
        if let (Some(kind), Some(was), Some(is)) =
            (kinds.get(&change.name), &version.before, &version.after)
        {
            change.direction = direction(*kind, was, is);
        }
    }
}
