//! Which filesystems are roots: those that an operating system starts from.

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
pub(crate) struct Root {
    /// The volume, and behind a colon the subvolume.
    pub(crate) volume: String,
    /// The kind of filesystem, as people call it.
    variant: String,
    pub(crate) tree: Tree,
    /// Its own fstab says that this is its root.
    confirmed: bool,
}

/// All the roots, and what kept others from being looked at.
pub(crate) struct Roots<'a> {
    pub(crate) found: Vec<Root>,
    /// Why filesystems could not be looked at; each may be a root. Those that lack a key come first.
    pub(crate) unsure: Vec<Error>,
    /// Some of them could not be opened at all.
    hides_some: bool,
    readable: Vec<(&'a Place<'a>, &'a Arc<dyn Filesystem>)>,
}

impl<'a> Roots<'a> {
    /// Looks at every filesystem.
    pub(crate) fn of(places: &'a Places<'a>) -> Self {
        let readable: Vec<_> = places
            .all
            .iter()
            .filter_map(|place| Some((place, place.holds.as_ref().ok()?)))
            .collect();
        let mut found = Vec::new();
        let mut unsure: Vec<Error> = Vec::new();
        for (place, filesystem) in &readable {
            match roots_of(place, filesystem) {
                Ok(roots) => found.extend(roots),
                Err(error) => unsure.push(of_volume(&error, &place.volume.id)),
            }
        }
        let hidden = places.hidden();
        let hides_some = !hidden.is_empty();
        unsure.extend(hidden.into_iter().cloned());
        Self { found, unsure, hides_some, readable }
    }

    /// The one that is the machine's root, where that can be told.
    pub(crate) fn choose(mut self, problems: &mut Vec<Problem>) -> Result<Tree> {
        if self.found.len() > 1 {
            let confirmed = self.found.iter().filter(|root| root.confirmed).count();
            self.found.retain(|root| confirmed != 1 || root.confirmed);
        }
        match (self.found.as_slice(), self.readable.as_slice(), self.hides_some) {
            ([only], _, _) => return Ok(only.tree.clone()),
            // What is damaged in it is said where it is met.
            ([], [(_, only)], false) => return Ok(Tree::new(Arc::clone(only))),
            ([], _, _) => return Err(self.none(problems)),
            _ => {}
        }
        problems.append(&mut self.unsure);
        let names: Vec<_> =
            self.found.iter().map(|root| format!("{} ({})", root.volume, root.variant)).collect();
        let why = format!("several look like one; choose with --volume among {}", names.join(", "));
        Err(Error::not_found("the machine's root", why))
    }

    /// Why there is none. What could not be looked at may well be the root: its reason is the answer.
    pub(crate) fn none(self, problems: &mut Vec<Problem>) -> Error {
        let mut unsure = self.unsure.into_iter();
        let Some(first) = unsure.next() else {
            return none(&self.readable);
        };
        problems.extend(unsure);
        match self.readable.as_slice() {
            [] => first,
            readable => {
                let (what, listed) = ("looks like the machine's root", listed(readable));
                first.within(format!("none of {listed} {what} (--volume chooses one), and"))
            }
        }
    }
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
    let variant = filesystem.info().variant;
    let tree = Tree::new(Arc::clone(filesystem));
    if looks_like_root(&tree)? {
        return Ok(vec![Root { volume: id.to_string(), variant, tree, confirmed: false }]);
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
            let volume = format!("{id}:{name}");
            roots.push(Root { volume, variant: variant.clone(), tree, confirmed });
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
