//! Which filesystems are roots: those that an operating system starts from.

use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Problem, Result};
use fathom_filesystem::{Filesystem, Kind, Tree};
use fathom_volume::{Content, Volume};

use crate::contents::{SubvolumeName, of_volume, open_subvolume};
use crate::device::{Place, Places};
use crate::fstab;
use crate::namespace::FSTAB;
use crate::ostree;
use crate::text::{self, Records};

/// The longest fstab that is believed.
const MAX_FSTAB: usize = 1 << 20;

/// Where distributions that use Btrfs keep their root; they do not always make it the default.
const ROOT_SUBVOLUMES: [&str; 3] = ["@", "root", "@rootfs"];

/// How many other subvolumes are looked into.
const MAX_SUBVOLUMES: usize = 1024;

/// What is wanted of the roots, which decides what can be done where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The files of one: a volume can be chosen.
    Files,
    /// What they all are.
    Systems,
}

/// A filesystem that an operating system starts from.
pub(crate) struct Root {
    /// The volume, and behind a colon the subvolume.
    pub(crate) volume: String,
    /// The kind of filesystem, as people call it.
    variant: String,
    pub(crate) tree: Tree,
    /// Its own fstab says that this is its root.
    confirmed: bool,
    /// What is not sure about it.
    pub(crate) problems: Vec<Error>,
}

/// All the roots, and what kept others from being looked at.
pub(crate) struct Roots<'a> {
    pub(crate) found: Vec<Root>,
    /// Why filesystems could not be looked at; each may be a root. Those that lack a key come first.
    pub(crate) unsure: Vec<Error>,
    /// Some of them could not be opened at all.
    hides_some: bool,
    readable: Vec<(&'a Place<'a>, &'a Arc<dyn Filesystem>)>,
    /// Volumes of which it is known what they are, with that.
    recognised: Vec<String>,
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
            match roots_of(places, place, filesystem) {
                Ok(roots) => found.extend(roots),
                Err(error) => unsure.push(of_volume(&error, &place.volume.id)),
            }
        }
        let hidden = places.hidden();
        let hides_some = !hidden.is_empty();
        unsure.extend(hidden.into_iter().cloned());
        let swap = |place: &Place<'_>| match &place.holds {
            Err((Some(Kind::Swap), _)) => Some(format!("{} (swap)", place.volume.id)),
            _ => None,
        };
        let of_volumes = places.discovery.volumes.iter().filter_map(recognised);
        let recognised = of_volumes.chain(places.all.iter().filter_map(swap)).collect();
        Self { found, unsure, hides_some, readable, recognised }
    }

    /// The one that is the machine's root, where that can be told.
    pub(crate) fn choose(mut self, problems: &mut Vec<Problem>) -> Result<Root> {
        if self.found.len() > 1 {
            let confirmed = self.found.iter().filter(|root| root.confirmed).count();
            self.found.retain(|root| confirmed != 1 || root.confirmed);
        }
        match (self.found.as_slice(), self.readable.as_slice(), self.hides_some) {
            ([_], _, _) => {
                if let Some(only) = self.found.pop() {
                    return Ok(only);
                }
            }
            // What is damaged in it is said where it is met.
            ([], [(place, only)], false) => {
                let (tree, variant) = (Tree::new(Arc::clone(only)), only.info().variant);
                return Ok(Root::new(place.volume.id.to_string(), &variant, tree, false));
            }
            ([], _, _) => return Err(self.none(Asked::Files, problems)),
            _ => {}
        }
        problems.append(&mut self.unsure);
        let names: Vec<_> =
            self.found.iter().map(|root| format!("{} ({})", root.volume, root.variant)).collect();
        let why = format!("several look like one; choose with --volume among {}", names.join(", "));
        Err(Error::not_found("the machine's root", why))
    }

    /// Why there is none. What could not be looked at may well be the root: its reason is the answer.
    pub(crate) fn none(self, asked: Asked, problems: &mut Vec<Problem>) -> Error {
        let mut unsure = self.unsure.into_iter();
        let Some(first) = unsure.next() else {
            return none(asked, &self.readable, &self.recognised);
        };
        problems.extend(unsure);
        match self.readable.as_slice() {
            [] => first,
            readable => {
                let (what, listed) = ("looks like the machine's root", listed(readable));
                let hint = match asked {
                    Asked::Files => " (--volume chooses one)",
                    Asked::Systems => "",
                };
                first.within(format!("none of {listed} {what}{hint}, and"))
            }
        }
    }
}

fn none(
    asked: Asked,
    readable: &[(&Place<'_>, &Arc<dyn Filesystem>)],
    recognised: &[String],
) -> Error {
    let (what, why) = match (readable, recognised, asked) {
        ([], [], _) => ("filesystem", "nothing on these disks is recognised".to_owned()),
        ([], others, _) => ("filesystem", format!("there is none, but {}", others.join(", "))),
        (readable, _, Asked::Files) => {
            let listed = listed(readable);
            let why = format!("none of them looks like one; choose with --volume among {listed}");
            ("the machine's root", why)
        }
        (readable, _, Asked::Systems) => {
            ("operating system", format!("none of {} looks like the root of one", listed(readable)))
        }
    };
    Error::not_found(what, why)
}

/// What the volume is, where that is known and it is no filesystem: `disk0 (swap)`.
fn recognised(volume: &Volume) -> Option<String> {
    let what = match &volume.content {
        Content::Table(table) => format!("{} partition table", table.name()),
        Content::PhysicalVolume { .. } => "LVM physical volume".to_owned(),
        Content::Luks { version, .. } => format!("LUKS{version}"),
        Content::Recognised { name, .. } => (*name).to_owned(),
        _ => return None,
    };
    Some(format!("{} ({what})", volume.id))
}

fn listed(readable: &[(&Place<'_>, &Arc<dyn Filesystem>)]) -> String {
    let one = |(place, filesystem): &(&Place<'_>, &Arc<dyn Filesystem>)| {
        format!("{} ({})", place.volume.id, filesystem.info().variant)
    };
    readable.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Root {
    fn new(volume: String, variant: &str, tree: Tree, confirmed: bool) -> Self {
        Self { volume, variant: variant.to_owned(), tree, confirmed, problems: Vec::new() }
    }
}

/// The roots on the filesystem: itself, or else those of its subvolumes that are called so, or else
/// what other subvolumes are that are no snapshots.
fn roots_of(
    places: &Places<'_>,
    place: &Place<'_>,
    filesystem: &Arc<dyn Filesystem>,
) -> Result<Vec<Root>> {
    let id = place.volume.id.as_str();
    let variant = filesystem.info().variant;
    let tree = Tree::new(Arc::clone(filesystem));
    if let Some(root) = root_of(places, id.to_owned(), &variant, &tree, false)? {
        return Ok(vec![root]);
    }
    let mut roots = Vec::new();
    for name in ROOT_SUBVOLUMES {
        roots.extend(root_in(places, id, &variant, filesystem, name)?);
    }
    if roots.is_empty() {
        let others = other_subvolumes(filesystem)?;
        for name in others.iter().take(MAX_SUBVOLUMES) {
            roots.extend(root_in(places, id, &variant, filesystem, name)?);
        }
        if roots.is_empty() && others.len() > MAX_SUBVOLUMES {
            let why = format!("of {} subvolumes {MAX_SUBVOLUMES} were looked into", others.len());
            return Err(Error::unsupported(id, why));
        }
    }
    Ok(roots)
}

/// The root in the subvolume of that name.
fn root_in(
    places: &Places<'_>,
    id: &str,
    variant: &str,
    filesystem: &Arc<dyn Filesystem>,
    name: &str,
) -> Result<Option<Root>> {
    let path = SubvolumeName::Path { path: name.to_owned(), id: None };
    let tree = match open_subvolume(filesystem, &path) {
        Ok(subvolume) => Tree::new(subvolume),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let said = records_of(&tree, FSTAB)?.and_then(|lines| fstab::root_subvolume(&lines.text));
    let confirmed = matches!(
        said,
        Some(SubvolumeName::Path { path, .. }) if path.trim_matches('/') == name
    );
    root_of(places, format!("{id}:{name}"), variant, &tree, confirmed)
}

/// The root that the tree is, or that is deployed in it.
fn root_of(
    places: &Places<'_>,
    volume: String,
    variant: &str,
    tree: &Tree,
    confirmed: bool,
) -> Result<Option<Root>> {
    if let Some(deployment) = ostree::deployed(tree, places)? {
        let volume = match volume.contains(':') {
            true => format!("{volume}{}", deployment.path),
            false => format!("{volume}:{}", deployment.path),
        };
        let mut root = Root::new(volume, variant, deployment.tree, confirmed);
        root.problems = deployment.problems;
        return Ok(Some(root));
    }
    let is_root = looks_like_root(tree)?;
    Ok(is_root.then(|| Root::new(volume, variant, tree.clone(), confirmed)))
}

/// Subvolumes that are no snapshots of others, by their names: first those that lie in no others.
fn other_subvolumes(filesystem: &Arc<dyn Filesystem>) -> Result<Vec<String>> {
    let subvolumes = filesystem.subvolumes()?;
    let others = subvolumes.into_iter().filter(|one| one.snapshot_of.is_none() && !one.read_only);
    let names = others.filter_map(|one| String::from_utf8(one.path?).ok());
    let is_snapshot = |name: &String| {
        let name = name.to_ascii_lowercase();
        name.is_empty() || name.contains("snapshot") || name.contains("timeshift")
    };
    let mut names: Vec<String> = names.filter(|name| !is_snapshot(name)).collect();
    names.sort_by_cached_key(|name| (name.matches('/').count(), name.clone()));
    Ok(names)
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

/// The lines of a small file such as `/etc/fstab`, if there is one.
pub(crate) fn records_of(tree: &Tree, path: &str) -> Result<Option<Records>> {
    if !tree.exists(path.as_bytes())? {
        return Ok(None);
    }
    text::records(path, tree.read(path.as_bytes(), MAX_FSTAB)?).map(Some)
}
