//! The machine's own view of its files: its root, with its other filesystems mounted as its
//! `/etc/fstab` says.

use std::sync::Arc;

use fathom_block::{Error, Problem};
use fathom_filesystem::{Filesystem, Kind, Tree, Unavailable};
use fathom_volume::{Layer, Volume};

use crate::exit::{self, Failure};
use crate::machine::{Holds, Machine, of_volume, open_subvolume};

/// The longest fstab that is believed.
const MAX_FSTAB: usize = 1 << 20;

/// One filesystem that was found, and the volume it lies on.
struct Candidate<'a> {
    volume: &'a Volume,
    filesystem: Result<Arc<dyn Filesystem>, (Kind, Error)>,
}

/// Puts the machine's filesystems together.
pub(crate) fn assemble(machine: &Machine) -> Result<Tree, Failure> {
    let mut candidates = Vec::new();
    let mut unknown: Vec<Problem> = Vec::new();
    for (volume, holds) in machine.contents() {
        match holds {
            Holds::Filesystem(filesystem) => {
                candidates.push(Candidate { volume, filesystem: Ok(filesystem) });
            }
            Holds::Unreadable(kind, error) => {
                let error = of_volume(&error, &volume.id);
                candidates.push(Candidate { volume, filesystem: Err((kind, error)) });
            }
            Holds::Unknown(error) => unknown.push(of_volume(&error, &volume.id)),
            Holds::Nothing => {}
        }
    }
    unknown.extend(locked(machine));
    let mut tree = root(&candidates, &unknown)?;
    match fstab(&tree) {
        Ok(entries) => {
            for entry in entries {
                mount(&mut tree, &candidates, &entry)?;
            }
        }
        // Nothing else could be mounted, and damage there must not hide what can be read.
        Err(error) if candidates.len() == 1 && unknown.is_empty() => exit::warn(&error),
        Err(error) => return Err(error.into()),
    }
    Ok(tree)
}

/// Why volumes that something lies on could not be opened: locked, or not supported.
fn locked(machine: &Machine) -> impl Iterator<Item = Problem> {
    machine
        .discovery
        .volumes
        .iter()
        .filter_map(|volume| Some(of_volume(volume.problem.as_ref()?, &volume.id)))
}

/// Chooses the filesystem that is the machine's root.
fn root(candidates: &[Candidate<'_>], unknown: &[Problem]) -> Result<Tree, Failure> {
    let readable: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| Some((candidate.volume, candidate.filesystem.as_ref().ok()?)))
        .filter(|(_, filesystem)| filesystem.info().kind != Kind::Swap)
        .collect();
    let roots: Vec<Tree> =
        readable.iter().filter_map(|(_, filesystem)| as_root(filesystem)).collect();
    if let [only] = roots.as_slice() {
        return Ok(only.clone());
    }
    let is_swap = |candidate: &&Candidate<'_>| matches!(candidate.filesystem, Err((Kind::Swap, _)));
    let alone = candidates.iter().filter(|candidate| !is_swap(candidate)).count() == 1;
    if let ([(_, only)], [], true) = (readable.as_slice(), unknown, alone) {
        return Ok(Tree::new(Arc::clone(only)));
    }
    if readable.is_empty() {
        // The most telling reason first: what is wrong with the one thing that is there.
        let reasons = candidates.iter().filter_map(|candidate| candidate.filesystem.as_ref().err());
        return Err(match reasons.map(|(_, error)| error).chain(unknown).next() {
            Some(error) => error.clone().into(),
            None => Error::not_found("filesystem", "nothing on these disks is recognised").into(),
        });
    }
    unknown.iter().for_each(exit::warn);
    let listed: Vec<_> = readable
        .iter()
        .map(|(volume, filesystem)| format!("{} ({})", volume.id, filesystem.info().variant))
        .collect();
    let found = if roots.is_empty() { "none of them looks like" } else { "several look like" };
    Err(Error::not_found(
        "the machine's root",
        format!("{found} one; choose with --volume among {}", listed.join(", ")),
    )
    .into())
}

/// The tree of the filesystem if an operating system starts from it. Distributions that use Btrfs
/// keep their root in a subvolume of one of a few names, and do not always make it the default.
fn as_root(filesystem: &Arc<dyn Filesystem>) -> Option<Tree> {
    let tree = Tree::new(filesystem.clone());
    if looks_like_root(&tree) {
        return Some(tree);
    }
    ["@", "root", "@rootfs"].iter().find_map(|name| {
        let tree = Tree::new(open_subvolume(filesystem, name).ok()?);
        looks_like_root(&tree).then_some(tree)
    })
}

fn looks_like_root(tree: &Tree) -> bool {
    let has = |path: &str| tree.exists(path.as_bytes()).unwrap_or(false);
    has("/etc/os-release")
        || has("/usr/lib/os-release")
        || has("/etc/fstab")
        || has("/Windows/System32")
        || (has("/etc") && has("/usr") && has("/var"))
}

/// A line of `/etc/fstab` that mounts a filesystem of these disks.
struct Entry {
    device: String,
    path: String,
    subvolume: Option<String>,
    optional: bool,
}

/// The filesystems that the guest mounts at start, outer ones first.
fn fstab(tree: &Tree) -> fathom_block::Result<Vec<Entry>> {
    if !tree.exists(b"/etc/fstab")? {
        return Ok(Vec::new());
    }
    let text = tree.read(b"/etc/fstab", MAX_FSTAB)?;
    let text = String::from_utf8_lossy(&text);
    let mut entries: Vec<_> = text.lines().filter_map(parse_line).collect();
    entries.sort_by_key(|entry| entry.path.matches('/').count());
    Ok(entries)
}

fn parse_line(line: &str) -> Option<Entry> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_whitespace();
    let (device, path, kind) = (fields.next()?, fields.next()?, fields.next()?);
    let options: Vec<_> = fields.next().unwrap_or("defaults").split(',').collect();
    let on_disk = ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "/dev/"]
        .iter()
        .any(|prefix| device.starts_with(prefix));
    let ours = on_disk
        && path.starts_with('/')
        && path != "/"
        && !matches!(kind, "swap" | "iso9660" | "udf")
        && !options.contains(&"noauto")
        && !options.contains(&"bind");
    let subvolume = options.iter().find_map(|option| {
        option.strip_prefix("subvol=").or_else(|| option.strip_prefix("subvolid="))
    });
    ours.then(|| Entry {
        device: device.replace('"', ""),
        path: unescape(path),
        subvolume: subvolume.map(unescape),
        optional: options.contains(&"nofail"),
    })
}

/// fstab writes blanks in paths as octal: `\040`.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

/// Mounts what the entry names, or, where it cannot be read, that fact.
fn mount(tree: &mut Tree, candidates: &[Candidate<'_>], entry: &Entry) -> Result<(), Failure> {
    let path = entry.path.as_bytes();
    let found = candidates.iter().find(|candidate| candidate.is_named(&entry.device));
    let filesystem: Arc<dyn Filesystem> = match found {
        Some(Candidate { filesystem: Ok(filesystem), .. }) => match &entry.subvolume {
            None => filesystem.clone(),
            Some(name) => open_subvolume(filesystem, name).unwrap_or_else(|error| {
                Arc::new(Unavailable::new(None, error.within(&entry.path)))
            }),
        },
        Some(Candidate { filesystem: Err((kind, error)), .. }) => {
            Arc::new(Unavailable::new(Some(*kind), error.clone().within(&entry.path)))
        }
        None if entry.optional => return Ok(()),
        None => Arc::new(Unavailable::new(
            None,
            Error::not_found(
                format!("{} (mounted at {})", entry.device, entry.path),
                "no volume on the disks given goes by that name; \
                 if the machine has another disk, add it with --disk",
            ),
        )),
    };
    match tree.mount(path, filesystem) {
        Ok(()) => Ok(()),
        // The guest could not mount it either.
        Err(error) => {
            exit::warn(&error.within(format!("mount point {}", entry.path)));
            Ok(())
        }
    }
}

impl Candidate<'_> {
    /// Whether this is what fstab calls `device`.
    fn is_named(&self, device: &str) -> bool {
        let info = || self.filesystem.as_ref().ok().map(|filesystem| filesystem.info());
        let same = |ours: Option<&str>, theirs: &str| {
            ours.is_some_and(|ours| ours.eq_ignore_ascii_case(theirs))
        };
        if let Some(uuid) = tail(device, &["UUID=", "/dev/disk/by-uuid/"]) {
            return info().is_some_and(|info| same(info.uuid.as_deref(), uuid));
        }
        if let Some(label) = tail(device, &["LABEL=", "/dev/disk/by-label/"]) {
            return info().is_some_and(|info| info.label.as_deref() == Some(label));
        }
        if let Layer::Partition { uuid, name, .. } = &self.volume.layer {
            if let Some(wanted) = tail(device, &["PARTUUID=", "/dev/disk/by-partuuid/"]) {
                return same(uuid.as_deref(), wanted);
            }
            if let Some(wanted) = tail(device, &["PARTLABEL=", "/dev/disk/by-partlabel/"]) {
                return name.as_deref() == Some(wanted);
            }
            return linux_partition_name(device).is_some_and(|id| self.volume.id.as_str() == id);
        }
        let mut one = fathom_volume::Discovery::default();
        one.volumes.push(self.volume.clone());
        one.find(device).is_some()
    }
}

fn tail<'a>(device: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    prefixes.iter().find_map(|prefix| device.strip_prefix(prefix))
}

/// The id of the volume that Linux would call `/dev/sda1`, `/dev/vdb2` or `/dev/nvme0n1p3`, if the
/// disks were given in the order in which it counts them.
fn linux_partition_name(device: &str) -> Option<String> {
    let name = device.strip_prefix("/dev/")?;
    let lettered = ["sd", "vd", "xvd", "hd"].iter().find_map(|prefix| name.strip_prefix(prefix));
    if let Some(rest) = lettered {
        let letter = rest.chars().next().filter(char::is_ascii_lowercase)?;
        let number: u32 = rest[1..].parse().ok()?;
        return Some(format!("disk{}/p{number}", letter as u32 - 'a' as u32));
    }
    let (disk, number) = name.strip_prefix("nvme")?.split_once("n1p")?;
    Some(format!("disk{}/p{}", disk.parse::<u32>().ok()?, number.parse::<u32>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fstab_lines() {
        let entry =
            parse_line("UUID=\"ab-cd\"  /srv/my\\040data  ext4 defaults,nofail 0 2").unwrap();
        assert_eq!(
            (&*entry.device, &*entry.path, entry.optional),
            ("UUID=ab-cd", "/srv/my data", true)
        );
        for line in [
            "# /dev/sda1 /boot ext4",
            "",
            "tmpfs /tmp tmpfs",
            "/dev/sda1 / ext4",
            "/dev/sda2 none swap sw",
            "server:/x /y nfs",
            "/dev/sr0 /media udf,iso9660 noauto",
        ] {
            assert!(parse_line(line).is_none(), "{line}");
        }
    }

    #[test]
    fn linux_names() {
        for (device, id) in [
            ("/dev/sda1", Some("disk0/p1")),
            ("/dev/vdc12", Some("disk2/p12")),
            ("/dev/nvme1n1p2", Some("disk1/p2")),
            ("/dev/mapper/vg-root", None),
            ("/dev/sd", None),
            ("/dev/sdé", None),
        ] {
            assert_eq!(linux_partition_name(device).as_deref(), id, "{device}");
        }
    }
}
