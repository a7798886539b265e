//! Which filesystem is the machine's root.

use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Problem, Result};
use fathom_filesystem::{Filesystem, Tree};

use crate::contents::{SubvolumeName, of_volume, open_subvolume};
use crate::device::{Place, Places};
use crate::fstab;

/// The longest fstab that is believed.
const MAX_FSTAB: usize = 1 << 20;

/// Where distributions that use Btrfs keep their root; they do not always make it the default.
const ROOT_SUBVOLUMES: [&str; 3] = ["@", "root", "@rootfs"];

/// A filesystem that an operating system starts from.
struct Root {
    /// The volume, and behind a colon the subvolume.
    name: String,
    tree: Tree,
    /// Its own fstab says that this is its root.
    confirmed: bool,
}

/// Chooses the filesystem that is the machine's root.
pub(crate) fn root(places: &Places<'_>, problems: &mut Vec<Problem>) -> Result<Tree> {
    let mut roots = Vec::new();
    let mut unsure: Vec<Error> = Vec::new();
    let readable: Vec<(&Place<'_>, &Arc<dyn Filesystem>)> =
        places.all.iter().filter_map(|place| Some((place, place.holds.as_ref().ok()?))).collect();
    for (place, filesystem) in &readable {
        match roots_of(place, filesystem) {
            Ok(found) => roots.extend(found),
            Err(error) => unsure.push(of_volume(&error, &place.volume.id)),
        }
    }
    if roots.len() > 1 {
        let confirmed = roots.iter().filter(|root| root.confirmed).count();
        roots.retain(|root| confirmed != 1 || root.confirmed);
    }
    let mut hidden: Vec<Error> = places.hidden().into_iter().cloned().collect();
    if let [only] = roots.as_slice() {
        return Ok(only.tree.clone());
    }
    if let ([(_, only)], [], []) = (readable.as_slice(), roots.as_slice(), hidden.as_slice()) {
        return Ok(Tree::new(Arc::clone(only)));
    }
    unsure.append(&mut hidden);
    if roots.is_empty() {
        // What could not be looked at may well be the root: its reason is the answer.
        let mut unsure = unsure.into_iter();
        let Some(first) = unsure.next() else {
            return Err(none(&readable));
        };
        problems.extend(unsure);
        return Err(match readable.as_slice() {
            [] => first,
            readable => {
                let (what, listed) = ("looks like the machine's root", listed(readable));
                first.within(format!("none of {listed} {what} (--volume chooses one), and"))
            }
        });
    }
    problems.append(&mut unsure);
    let names: Vec<&str> = roots.iter().map(|root| root.name.as_str()).collect();
    let why = format!("several look like one; choose with --volume among {}", names.join(", "));
    Err(Error::not_found("the machine's root", why))
}

fn none(readable: &[(&Place<'_>, &Arc<dyn Filesystem>)]) -> Error {
    match readable {
        [] => Error::not_found("filesystem", "nothing on these disks is recognised"),
        readable => {
            let listed = listed(readable);
            let why = format!("none of them looks like one; choose with --volume among {listed}");
            Error::not_found("the machine's root", why)
        }
    }
}

fn listed(readable: &[(&Place<'_>, &Arc<dyn Filesystem>)]) -> String {
    let one = |(place, filesystem): &(&Place<'_>, &Arc<dyn Filesystem>)| {
        format!("{} ({})", place.volume.id, filesystem.info().variant)
    };
    readable.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The roots on the filesystem: itself, or else those of its subvolumes that are called so.
fn roots_of(place: &Place<'_>, filesystem: &Arc<dyn Filesystem>) -> Result<Vec<Root>> {
    let id = &place.volume.id;
    let tree = Tree::new(Arc::clone(filesystem));
    if looks_like_root(&tree)? {
        let name = format!("{id} ({})", filesystem.info().variant);
        return Ok(vec![Root { name, tree, confirmed: false }]);
    }
    let mut roots = Vec::new();
    for name in ROOT_SUBVOLUMES {
        let path = SubvolumeName::Path { path: name.to_owned(), id: None };
        let tree = match open_subvolume(filesystem, &path) {
            Ok(subvolume) => Tree::new(subvolume),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if looks_like_root(&tree)? {
            let said = fstab_of(&tree)?.and_then(|text| fstab::root_subvolume(&text));
            let confirmed = matches!(
                said,
                Some(SubvolumeName::Path { path, .. }) if path.trim_matches('/') == name
            );
            roots.push(Root { name: format!("{id}:{name}"), tree, confirmed });
        }
    }
    Ok(roots)
}

/// Whether an operating system starts from it. What cannot be looked at is an error only where
/// nothing else answers.
fn looks_like_root(tree: &Tree) -> Result<bool> {
    let mut unsure = None;
    let mut has = |path: &str| match tree.exists(path.as_bytes()) {
        Ok(there) => there,
        Err(error) => {
            unsure.get_or_insert(error);
            false
        }
    };
    let is_root = has("/etc/os-release")
        || has("/usr/lib/os-release")
        || has("/etc/fstab")
        || has("/Windows/System32")
        || (has("/etc") && has("/usr") && has("/var"));
    match unsure {
        Some(error) if !is_root => Err(error),
        _ => Ok(is_root),
    }
}

/// The text of `/etc/fstab`, if there is one.
pub(crate) fn fstab_of(tree: &Tree) -> Result<Option<String>> {
    text_of(tree, b"/etc/fstab")
}

/// The text of a small file, if there is one.
pub(crate) fn text_of(tree: &Tree, path: &[u8]) -> Result<Option<String>> {
    if !tree.exists(path)? {
        return Ok(None);
    }
    let bytes = tree.read(path, MAX_FSTAB)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
