//! Containers on the disk: what Docker, Podman, CRI-O and containerd have fetched and made.
//!
//! Every engine keeps its state in files of its own, and none of them is asked: what it would list is
//! read from those. Where an engine keeps its files somewhere else than is usual, its configuration
//! says so; a place that only its command line names is not found.
//!
//! The environment of a container mostly holds its secrets, so it is not even parsed.

mod containerd;
mod docker;
mod manifest;
mod moment;
mod settings;
mod source;
mod spec;
mod storage;

use std::collections::HashSet;

use fathom_report::{Containers, Evidence, Listing};

use self::source::Source;
use crate::files::{Files, Read};
use crate::homes::{self, Home};
use crate::unread::{self, Other};

/// What the report loses if a file cannot be read.
const HIDES: &str = "containers";

/// Engines that are not read, and where their containers are.
const OTHERS: &[Other] = &[
    ("LXC", "/var/lib/lxc"),
    ("LXD", "/var/lib/lxd/containers"),
    ("LXD", "/var/snap/lxd/common/lxd/containers"),
    ("Incus", "/var/lib/incus/containers"),
    ("systemd-nspawn", "/var/lib/machines"),
    ("rkt", "/var/lib/rkt/pods/run"),
    ("OpenVZ", "/vz/private"),
];

/// Images and containers of every engine.
pub(crate) fn of(files: &Files<'_>) -> Containers {
    let source = Source::new(files);
    let mut all = Containers {
        images: Listing::complete(Vec::new(), Vec::new()),
        containers: Listing::complete(Vec::new(), Vec::new()),
    };
    let mut homes = Vec::new();
    let of_homes = files.listing(|| {
        homes = homes::of(files, HIDES);
        Listing::<()>::complete(Vec::new(), Vec::new())
    });
    if let Some(why) = of_homes.reason {
        hide(&mut all, &why);
    }
    let of_docker = docker::read(&source, &homes, &mut all);
    storage::read(&source, &homes, &mut all);
    containerd::read(&source, &homes, of_docker, &mut all);
    if let Some(why) = unread::note(files, OTHERS, false, HIDES) {
        hide(&mut all, &why);
    }
    if all.images.items.is_empty() && all.images.reason.is_none() {
        all.images.reason = Some("no engine keeps images here".to_owned());
    }
    if all.containers.items.is_empty() && all.containers.reason.is_none() {
        all.containers.reason = Some("no engine keeps containers here".to_owned());
    }
    all
}

/// Says that there may be more, and why.
fn hide(all: &mut Containers, why: &str) {
    all.images.hide(why);
    all.containers.hide(why);
}

/// A folder that an engine keeps its files in.
struct Root {
    path: String,
    /// Whose engine it is, where it runs without root.
    user: Option<String>,
}

/// Those of the folders that are there, each once. What cannot be looked at hides what it may hold.
fn present(
    source: &Source<'_, '_>,
    all: &mut Containers,
    candidates: impl IntoIterator<Item = (String, Option<String>)>,
) -> Vec<Root> {
    let mut seen = HashSet::new();
    let mut roots = Vec::new();
    for (path, user) in candidates {
        match source.files.found(&path, HIDES) {
            Read::There(found) => {
                if seen.insert(found.place()) {
                    roots.push(Root { path, user });
                }
            }
            Read::Absent => {}
            Read::Unread(why) => hide(all, &why),
        }
    }
    roots
}

/// Adds what `collect` finds at `place` to the list; it is complete only if nothing went wrong.
fn add<T>(
    source: &Source<'_, '_>,
    list: &mut Listing<T>,
    place: impl Into<Evidence>,
    collect: impl FnOnce(&mut Vec<T>),
) {
    let found = source.files.listing(|| {
        let mut items = Vec::new();
        collect(&mut items);
        Listing::complete(items, vec![place.into()])
    });
    list.join(found);
}

/// Where engines without root keep their files: `beneath` in the home of every person.
fn of_people<'a>(
    homes: &'a [Home],
    beneath: &'a str,
) -> impl Iterator<Item = (String, Option<String>)> + 'a {
    homes.iter().map(move |home| (format!("{}/{beneath}", home.path), Some(home.user.clone())))
}

#[cfg(test)]
mod tests;
