//! The machine's own view of its files: its root, with its other filesystems mounted as its
//! `/etc/fstab` says.

use std::collections::HashSet;
use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Problem, Result};
use fathom_filesystem::{Filesystem, Mount, Tree, Unavailable};
use fathom_volume::Discovery;

use crate::arrays::{Arrays, is_array};
use crate::autofs;
use crate::contents::{SubvolumeName, open_subvolume};
use crate::crypttab;
use crate::device::{Names, Place, Places, is_by_hardware};
use crate::discoverable;
use crate::fstab::{self, Entry, What};
use crate::mount_units::{self, Unit};
use crate::root::{Roots, records_of};

/// Where a system says what it mounts.
pub(crate) const FSTAB: &str = "/etc/fstab";

/// Where it says what it calls its unlocked volumes.
const CRYPTTAB: &str = "/etc/crypttab";

/// How many mounts that fail are told one by one.
const MAX_FAILURES: usize = 256;

/// What a system says of its mounts: read once, before they are there.
pub(crate) struct Table {
    /// The text of its fstab, if it has one.
    pub(crate) fstab: Result<Option<String>>,
    crypttab: Result<Vec<crypttab::Entry>>,
    arrays: Arrays,
    /// What was lost of both.
    pub(crate) damage: Vec<Error>,
    /// Units of systemd that mount something, and are started.
    pub(crate) units: Vec<Unit>,
    /// Why there may be more of them.
    pub(crate) units_hidden: Option<Error>,
    /// What nothing names and systemd mounts by the types of partitions.
    pub(crate) discovered: Vec<fathom_report::Mount>,
    /// What it swaps to in the same way.
    pub(crate) swaps: Vec<fathom_report::Swap>,
}

impl Table {
    /// What the tree, which so far is the root alone, says.
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut damage = Vec::new();
        let mut lines = |path| -> Result<Option<String>> {
            let records = records_of(tree, path)?;
            Ok(records.map(|records| {
                damage.extend(records.damage);
                records.text
            }))
        };
        let (fstab, crypttab) = (lines(FSTAB), lines(CRYPTTAB));
        let (units, units_hidden) = mount_units::started(tree);
        let mut table = Self {
            fstab,
            crypttab: crypttab.map(|text| crypttab::parse(&text.unwrap_or_default())),
            arrays: Arrays::default(),
            damage,
            units,
            units_hidden,
            discovered: Vec::new(),
            swaps: Vec::new(),
        };
        let listed: HashSet<String> = table.lines().map(|line| line.path).collect();
        table.units.retain(|unit| !unit.yields || !listed.contains(&unit.line.path));
        if table.devices().iter().any(|device| is_array(device)) {
            table.arrays = Arrays::of(tree);
        }
        table
    }

    /// Why it may mount more than is known.
    fn doubt(&self) -> Option<Error> {
        let why =
            self.fstab.as_ref().err().or(self.damage.first()).or(self.units_hidden.as_ref())?;
        Some(why.clone().within("what else is mounted is not known"))
    }

    /// The lines of its fstab.
    fn lines(&self) -> impl Iterator<Item = fstab::Line> {
        let text = self.fstab.as_ref().ok().and_then(Option::as_deref).unwrap_or_default();
        fstab::lines(text)
    }

    /// What it names as devices.
    fn devices(&self) -> Vec<String> {
        let crypttab = self.crypttab.as_deref().unwrap_or_default();
        self.lines()
            .map(|line| line.device)
            .chain(self.units.iter().map(|unit| unit.line.device.clone()))
            .chain(crypttab.iter().map(|entry| entry.device.clone()))
            .collect()
    }

    /// The names that it has for devices.
    pub(crate) fn names(&self) -> Names<'_> {
        let crypttab = self.crypttab.as_deref().unwrap_or_default();
        let devices = self.devices();
        Names::new(crypttab, &self.arrays, devices.iter().map(String::as_str))
    }

    /// What it mounts at start. A unit takes the place of a line for the same path.
    fn entries(&self) -> Vec<Entry> {
        let text = self.fstab.as_ref().ok().and_then(Option::as_deref).unwrap_or_default();
        let units: Vec<_> = self.units.iter().map(|unit| unit.line.clone()).collect();
        fstab::mounts(text, &units)
    }
}

/// Puts the machine's filesystems together. What is wrong without stopping that is added to
/// `problems`; what cannot be read of what the guest mounts is mounted as an error.
pub fn assemble(discovery: &Discovery, problems: &mut Vec<Problem>) -> Result<Assembled> {
    let places = Places::of(discovery);
    let mut root = Roots::of(&places).choose(problems)?;
    problems.append(&mut root.problems);
    let mut table = Table::of(&root.tree);
    if let Err(error) = &table.fstab {
        // Nothing else could be mounted, and damage there must not hide what can be read.
        if places.all.len() > 1 {
            return Err(error.clone());
        }
        problems.push(error.clone());
    }
    let mut unmounted = mount_all(&mut root.tree, &root.volume, &mut table, &places, problems);
    if table.doubt().is_some() {
        unmounted.push("/".to_owned());
    }
    Ok(Assembled { tree: root.tree, unmounted })
}

/// The files of a machine, put together.
pub struct Assembled {
    /// All that could be mounted.
    pub tree: Tree,
    /// Where the machine mounts something that is not in the tree: what lies there, or beneath it, is
    /// not what the machine sees. What is in the tree as an error is not named here.
    pub unmounted: Vec<String>,
}

/// Mounts what the system says on the tree, which so far is its root. Hands back where that failed.
pub(crate) fn mount_all(
    tree: &mut Tree,
    root: &str,
    table: &mut Table,
    places: &Places<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut unmounted = Vec::new();
    problems.extend(table.crypttab.as_ref().err().cloned());
    problems.extend(table.damage.iter().cloned());
    let mut failures = HashSet::new();
    let names = table.names();
    let entries = table.entries();
    for entry in &entries {
        let outcome = match &entry.what {
            What::Bind { recursive } => bind(tree, entry, *recursive),
            What::Disk { subvolume } => {
                let filesystem = disk(places, &names, tree, entry, subvolume.as_ref());
                tree.mount(entry.path.as_bytes(), filesystem)
            }
            // Where there is nothing, the daemon makes the place itself.
            What::Elsewhere(kind)
                if kind == autofs::KIND
                    && matches!(tree.exists(entry.path.as_bytes()), Ok(false)) =>
            {
                Ok(())
            }
            What::Elsewhere(kind) => {
                let why = format!("it is not on these disks, but a mount of {kind}");
                let error = Error::unsupported(shown(entry), why);
                tree.mount(entry.path.as_bytes(), Arc::new(Unavailable::new(None, error)))
            }
        };
        // Where that fails, the guest could not mount it either.
        let Err(error) = outcome else { continue };
        let error = error.within(format!("mount point {}", entry.path));
        // The same again is no other failure.
        if failures.insert(error.to_string()) && failures.len() <= MAX_FAILURES {
            problems.push(error);
        }
        unmounted.push(entry.path.clone());
    }
    if failures.len() > MAX_FAILURES {
        let failures = failures.len();
        let why = format!("{failures} could not be followed; the first {MAX_FAILURES} are told");
        problems.push(Error::unsupported("mount points", why));
    }
    if let Some(why) = table.doubt() {
        tree.set_doubt(why);
    }
    if table.fstab.is_ok() {
        table.discovered = discoverable::mount(tree, root, places, &entries);
        // One line of fstab is enough for systemd to look for nothing else; a unit may be of the same.
        let units = table.units.iter().map(|unit| unit.line.clone());
        if !table.lines().chain(units).any(|line| line.kind == "swap") {
            table.swaps = discoverable::swaps(tree, root, places);
        }
    }
    unmounted
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
    names: &Names<'_>,
    tree: &Tree,
    entry: &Entry,
    subvolume: Option<&SubvolumeName>,
) -> Arc<dyn Filesystem> {
    let unavailable = |kind, why| Arc::new(Unavailable::new(kind, why));
    match places.named(&entry.device, names).as_slice() {
        // The only disk there is may yet be another one than the name means.
        [Place { holds: Ok(filesystem), .. }]
            if is_by_hardware(&entry.device) && is_taken(tree, filesystem, subvolume) =>
        {
            let why = "what has that place on the only disk given is mounted elsewhere already; \
                       if the machine has another disk, add it with --disk";
            unavailable(None, Error::not_found(shown(entry), why))
        }
        [Place { holds: Ok(filesystem), .. }] => match subvolume {
            None => Arc::clone(filesystem),
            Some(name) => open_subvolume(filesystem, name)
                .unwrap_or_else(|error| unavailable(None, error.within(&entry.path))),
        },
        [Place { holds: Err((kind, error)), .. }] => {
            unavailable(*kind, error.clone().within(&entry.path))
        }
        [] => unavailable(None, missing(places, names, entry)),
        several => {
            let ids: Vec<_> = several.iter().map(|place| place.volume.id.as_str()).collect();
            let why = format!("several volumes go by that name: {}", ids.join(", "));
            unavailable(None, Error::not_found(shown(entry), why))
        }
    }
}

/// Why no volume goes by the name. If some could not be looked into, it may be one of those.
fn missing(places: &Places<'_>, names: &Names<'_>, entry: &Entry) -> Error {
    if let Some(blank) = places.blank(&entry.device, names) {
        let why = format!("that is {}, and nothing on it is recognised", blank.id);
        return Error::unsupported(shown(entry), why);
    }
    if is_by_hardware(&entry.device) {
        let why = "that names a disk by its place in the machine or its serial number, which no \
                   image tells; it is not sure which of the disks it is";
        return Error::not_found(shown(entry), why);
    }
    if is_array(&entry.device) && places.has_arrays() {
        let why = "neither mdadm.conf nor the metadata of the arrays on the disks given says which \
                   of them that is; if the machine has another disk, add it with --disk";
        return Error::not_found(shown(entry), why);
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

/// Whether the filesystem is mounted already. Of Btrfs different parts may be.
fn is_taken(
    tree: &Tree,
    filesystem: &Arc<dyn Filesystem>,
    subvolume: Option<&SubvolumeName>,
) -> bool {
    let same =
        |mount: &Mount| std::ptr::addr_eq(Arc::as_ptr(&mount.filesystem), Arc::as_ptr(filesystem));
    subvolume.is_none() && tree.mounts().iter().any(same)
}

fn shown(entry: &Entry) -> String {
    format!("{} (mounted at {})", entry.device, entry.path)
}
