//! What is recognised, and by what: tables, one for each field.
//!
//! To add something, add a line to the table of its field:
//!
//! - **packages** that bring it. `deb:`, `rpm:`, `apk:`, `pacman:`, `portage:` and `snap:` in front
//!   say whose name it is; without, it is the name in all databases but those of snaps. Of several
//!   that are installed, the first in the line gives the version. `#` stands for a version: what is
//!   installed in several versions is told once for each.
//! - **units** that start it, without `.service`; with `#` they belong to the version that it stands
//!   for, with an `@` at the end they are any instance.
//! - **traces**: places where it lies if no package brings it, and what states its version there. The
//!   part before the colon is where it lies, the part behind what it is recognised by. Only a place
//!   with `#` or `*` is looked for in a folder; no trace leads to a walk.

mod agents;
mod databases;
mod management;
mod runtimes;
mod security;
mod servers;
mod web;

use fathom_report::ApplicationKind;

pub(super) use self::databases::{ORACLE, POSTGRESQL};

/// Something that is recognised.
pub(super) struct Known {
    pub(super) kind: ApplicationKind,
    pub(super) name: &'static str,
    pub(super) packages: &'static [&'static str],
    pub(super) units: &'static [&'static str],
    pub(super) traces: &'static [Trace],
    /// Where it keeps its data, if it keeps any.
    pub(super) data: Option<&'static str>,
}

/// A place, and what states the version there.
pub(super) struct Trace {
    pub(super) path: &'static str,
    pub(super) states: States,
}

/// What states a version. Files are named from the place on; the one without a name is what the place
/// is recognised by.
#[derive(Clone, Copy)]
pub(super) enum States {
    /// Nothing does.
    Nothing,
    /// What the last version in the path stands for, or without one the last wild card.
    Name,
    /// The first line of this file in the place.
    Line(&'static str),
    /// The word behind this text in this file.
    After(&'static str, &'static str),
    /// The variable in this file, which is written as a shell's.
    Variable(&'static str, &'static str),
    /// The macros in this header of C, with dots between them.
    Macros(&'static str, &'static [&'static str]),
}

const fn known(
    kind: ApplicationKind,
    name: &'static str,
    packages: &'static [&'static str],
    units: &'static [&'static str],
) -> Known {
    Known { kind, name, packages, units, traces: &[], data: None }
}

impl Known {
    const fn at(mut self, traces: &'static [Trace]) -> Self {
        self.traces = traces;
        self
    }

    const fn keeps(mut self, data: &'static str) -> Self {
        self.data = Some(data);
        self
    }
}

/// A place where nothing states the version.
const fn trace(path: &'static str) -> Trace {
    Trace { path, states: States::Nothing }
}

const fn states(path: &'static str, states: States) -> Trace {
    Trace { path, states }
}

/// A place whose name has the version in it.
const fn named(path: &'static str) -> Trace {
    states(path, States::Name)
}

/// Everything.
pub(super) fn all() -> impl Iterator<Item = &'static Known> {
    let tables: [&'static [Known]; 9] = [
        databases::ALL,
        web::SERVERS,
        web::APPLICATION_SERVERS,
        runtimes::RUNTIMES,
        runtimes::CONTAINERS,
        servers::ALL,
        agents::ALL,
        security::ALL,
        management::ALL,
    ];
    tables.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_tables_are_well_formed() {
        let mut names = HashSet::new();
        let mut packages = HashSet::new();
        for known in all() {
            assert!(names.insert(known.name), "{} is there twice", known.name);
            assert!(!known.packages.is_empty() || !known.traces.is_empty(), "{}", known.name);
            for package in known.packages {
                assert!(packages.insert(*package), "{package} brings two");
                let prefix = package.split_once(':').map_or("", |(prefix, _)| prefix);
                let prefixes = ["", "deb", "rpm", "apk", "pacman", "portage", "snap"];
                assert!(prefixes.contains(&prefix), "{package}");
            }
            for trace in known.traces {
                let (place, file) = trace.path.split_once(':').unwrap_or((trace.path, ""));
                assert!(place.starts_with('/') && !file.starts_with('/'), "{}", trace.path);
                if matches!(trace.states, States::Name) {
                    assert!(trace.path.contains(['#', '*']), "{}", trace.path);
                }
            }
            assert!(known.units.iter().all(|unit| !unit.ends_with(".service")), "{}", known.name);
        }
    }
}
