//! The machine's own view of its files: its root, with its other filesystems mounted as its
//! `/etc/fstab` says.

use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Problem, Result};
use fathom_filesystem::{Filesystem, Tree, Unavailable};
use fathom_volume::Discovery;

use crate::contents::{SubvolumeName, open_subvolume};
use crate::crypttab;
use crate::device::{Place, Places};
use crate::fstab::{self, Entry, What};
use crate::root::{Roots, fstab_of, text_of};

/// Puts the machine's filesystems together. What is wrong without stopping that is added to
/// `problems`; what cannot be read of what the guest mounts is mounted as an error.
pub fn assemble(discovery: &Discovery, problems: &mut Vec<Problem>) -> Result<Tree> {
    let places = Places::of(discovery);
    let mut tree = Roots::of(&places).choose(problems)?;
    mount_all(&mut tree, &places, problems)?;
    Ok(tree)
}

/// Mounts what the guest's fstab says on the tree, which so far is its root.
pub(crate) fn mount_all(
    tree: &mut Tree,
    places: &Places<'_>,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let entries = match fstab_of(tree) {
        Ok(text) => fstab::mounts(&text.unwrap_or_default()),
        // Nothing else could be mounted, and damage there must not hide what can be read.
        Err(error) if places.all.len() == 1 => {
            problems.push(error);
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let crypttab = match text_of(tree, b"/etc/crypttab") {
        Ok(text) => crypttab::parse(&text.unwrap_or_default()),
        Err(error) => {
            problems.push(error);
            Vec::new()
        }
    };
    for entry in &entries {
        let outcome = match &entry.what {
            What::Bind { recursive } => bind(tree, entry, *recursive),
            What::Disk { subvolume } => {
                let filesystem = disk(places, &crypttab, entry, subvolume.as_ref());
                tree.mount(entry.path.as_bytes(), filesystem)
            }
            What::Elsewhere(kind) => {
                let why = format!("it is not on these disks, but a mount of {kind}");
                let error = Error::unsupported(shown(entry), why);
                tree.mount(entry.path.as_bytes(), Arc::new(Unavailable::new(None, error)))
            }
        };
        // Where that fails, the guest could not mount it either.
        problems
            .extend(outcome.err().map(|error| error.within(format!("mount point {}", entry.path))));
    }
    Ok(())
}

/// Shows a part of the tree at another place too. What cannot be read there is shown as the reason
/// why; where there is nothing, the guest could not show it either.
fn bind(tree: &mut Tree, entry: &Entry, recursive: bool) -> Result<()> {
    let (source, path) = (entry.device.as_bytes(), entry.path.as_bytes());
    match tree.resolve(source, true) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let error = error.within(shown(entry));
            tree.mount(path, Arc::new(Unavailable::new(None, error)))
        }
        _ => tree.bind(source, path, recursive),
    }
}

/// The filesystem that the entry names; where it cannot be read, one that says why.
fn disk(
    places: &Places<'_>,
    crypttab: &[crypttab::Entry],
    entry: &Entry,
    subvolume: Option<&SubvolumeName>,
) -> Arc<dyn Filesystem> {
    let unavailable = |kind, why| Arc::new(Unavailable::new(kind, why));
    match places.named(&entry.device, crypttab).as_slice() {
        [Place { holds: Ok(filesystem), .. }] => match subvolume {
            None => Arc::clone(filesystem),
            Some(name) => open_subvolume(filesystem, name)
                .unwrap_or_else(|error| unavailable(None, error.within(&entry.path))),
        },
        [Place { holds: Err((kind, error)), .. }] => {
            unavailable(*kind, error.clone().within(&entry.path))
        }
        [] => unavailable(None, missing(places, entry)),
        several => {
            let ids: Vec<_> = several.iter().map(|place| place.volume.id.as_str()).collect();
            let why = format!("several volumes go by that name: {}", ids.join(", "));
            unavailable(None, Error::not_found(shown(entry), why))
        }
    }
}

/// Why no volume goes by the name. If some could not be looked into, it may be one of those.
fn missing(places: &Places<'_>, entry: &Entry) -> Error {
    if let Some(blank) = places.blank(&entry.device) {
        let why = format!("that is {}, and nothing on it is recognised", blank.id);
        return Error::unsupported(shown(entry), why);
    }
    match places.hidden().first() {
        Some(hidden) => {
            let why = format!("{} is on nothing that could be read, and perhaps on", shown(entry));
            (*hidden).clone().within(why)
        }
        None => Error::not_found(
            shown(entry),
            "no volume on the disks given goes by that name; \
             if the machine has another disk, add it with --disk",
        ),
    }
}

fn shown(entry: &Entry) -> String {
    format!("{} (mounted at {})", entry.device, entry.path)
}
