//! What packages bring.

use std::collections::HashMap;

use fathom_report::{Fact, Listing, Package, PackageKind};

use super::found::Found;
use super::known::Known;
use super::pattern::matched;

/// The packages of the system by their names.
pub(super) struct Installed<'a> {
    by_name: HashMap<&'a str, Vec<&'a Package>>,
}

/// What the databases are called in the tables.
fn prefix(kind: PackageKind) -> Option<&'static str> {
    Some(match kind {
        PackageKind::Deb => "deb",
        PackageKind::Rpm => "rpm",
        PackageKind::Apk => "apk",
        PackageKind::Pacman => "pacman",
        PackageKind::Portage => "portage",
        PackageKind::Snap => "snap",
        _ => return None,
    })
}

impl<'a> Installed<'a> {
    pub(super) fn new(packages: &'a Listing<Package>) -> Self {
        let mut by_name: HashMap<&str, Vec<&Package>> = HashMap::new();
        for package in &packages.items {
            // Of one that was removed, but for its configuration, nothing can run.
            let is_there =
                !matches!(package.state.as_deref(), Some("config-files" | "half-installed"));
            if is_there && prefix(package.kind).is_some() {
                by_name.entry(&package.name).or_default().push(package);
            }
        }
        Self { by_name }
    }

    /// What the packages bring of this: one for each version that they are installed in side by side.
    pub(super) fn of(&self, known: &'static Known) -> Vec<Found> {
        let mut found: Vec<(PackageKind, Found)> = Vec::new();
        for pattern in known.packages {
            let (of, name) = match pattern.split_once(':') {
                Some((of, name)) => (Some(of), name),
                None => (None, *pattern),
            };
            if name.contains(['#', '*']) {
                let mut fitting: Vec<_> = self
                    .by_name
                    .iter()
                    .filter_map(|(package, packages)| Some((matched(name, package)?, packages)))
                    .collect();
                fitting.sort_by_key(|(series, _)| *series);
                for (series, packages) in fitting {
                    add(&mut found, known, of, series, packages);
                }
            } else if let Some(packages) = self.by_name.get(name) {
                add(&mut found, known, of, None, packages);
            }
        }
        found.into_iter().map(|(_, found)| found).collect()
    }
}

fn add(
    found: &mut Vec<(PackageKind, Found)>,
    known: &'static Known,
    of: Option<&str>,
    series: Option<&str>,
    packages: &[&Package],
) {
    for package in packages {
        let own = prefix(package.kind);
        if !(own == of || (of.is_none() && package.kind != PackageKind::Snap)) {
            continue;
        }
        let same = found.iter_mut().find(|(kind, it)| {
            *kind == package.kind
                && (it.series.as_deref() == series || it.packages.contains(&package.name))
        });
        match same {
            Some((_, it)) if it.packages.contains(&package.name) => {}
            Some((_, it)) => it.packages.push(package.name.clone()),
            None => {
                let version = Fact::known(package.full_version(), package.evidence.clone());
                let mut it = Found::new(known, version);
                it.series = series.map(str::to_owned);
                it.packages.push(package.name.clone());
                it.location.clone_from(&package.location);
                it.rests_on(package.evidence.clone());
                found.push((package.kind, it));
            }
        }
    }
}
