//! What is installed.

use std::collections::BTreeMap;

use fathom_report::{ChangeKind, Package, PackageKind, Part, System};

use crate::context::Context;
use crate::keyed::{Item, Known, Names, lists};
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

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let names = Names { part: Part::Packages, list: "packages", item: "package" };
    let first = context.changes.len();
    lists(
        names,
        (&before.packages, &after.packages),
        |package| {
            let fields = vec![
                ("version", Known::Is(package.full_version())),
                ("state", Known::maybe(package.state.as_deref())),
                ("checksum", Known::maybe(package.checksum.as_deref())),
                ("scope", Known::maybe(package.scope.as_deref())),
            ];
            (name(package), Item { fields, evidence: vec![package.evidence.clone()] })
        },
        context,
    );
    let kinds: BTreeMap<String, PackageKind> =
        after.packages.items.iter().map(|package| (name(package), package.kind)).collect();
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
