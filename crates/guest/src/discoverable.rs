//! What systemd mounts by the types of partitions alone, where no fstab names it (the Discoverable
//! Partitions Specification, `systemd-gpt-auto-generator`).

use std::sync::Arc;

use fathom_filesystem::{Filesystem, Kind, Tree, Unavailable};
use fathom_report::{Mount, Swap};
use fathom_volume::{Layer, Table, VolumeId};

use crate::device::{Place, Places};
use crate::fstab::Entry;

/// What does it.
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/systemd-gpt-auto-generator",
    "/lib/systemd/system-generators/systemd-gpt-auto-generator",
];

/// Types of partitions, and where each is mounted; the second place where the first is taken.
const TYPES: [(&str, &[&str]); 9] = [
    ("8484680c-9521-48c6-9c11-b0720656f69e", &["/usr"]),
    ("75250d76-8cc6-458e-bd66-bd47cc81a812", &["/usr"]),
    ("b0e01050-ee5f-4390-949a-9101b17104e9", &["/usr"]),
    ("4d21b016-b534-45c2-a9fb-5c16e091fd2d", &["/var"]),
    ("7ec6f557-3bc5-4aca-b293-16ef5df639d1", &["/var/tmp"]),
    ("933ac7e1-2eb4-4f13-b844-0e14e2aef915", &["/home"]),
    ("3b8f8425-20e0-4f3b-907f-1a25a76f98e8", &["/srv"]),
    ("bc13c2ff-59e6-4262-a352-b275fd6f7172", &["/boot"]),
    ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", &["/efi", "/boot"]),
];

/// The type of a partition that is swapped to.
const SWAP: &str = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f";

/// What the system swaps to where its fstab names nothing: systemd then takes what has the type for it
/// on the disk of the root.
pub(crate) fn swaps(tree: &Tree, root: &str, places: &Places<'_>) -> Vec<Swap> {
    let Some(disk) = disk_of(root, places).filter(|_| has_generator(tree)) else {
        return Vec::new();
    };
    let is_swap = |place: &&Place<'_>| {
        is_on(place, disk, SWAP) && matches!(place.holds, Err((Some(Kind::Swap), _)))
    };
    let swap = |place: &Place<'_>| Swap {
        device: format!("PARTTYPE={SWAP}"),
        evidence: format!("partition type of {}", place.volume.id).into(),
    };
    places.all.iter().filter(is_swap).map(swap).collect()
}

fn has_generator(tree: &Tree) -> bool {
    GENERATORS.iter().any(|path| matches!(tree.exists(path.as_bytes()), Ok(true)))
}

/// Mounts what lies on the disk of the root on directories that are empty. What systemd would not
/// mount there does not hide anything then.
pub(crate) fn mount(
    tree: &mut Tree,
    root: &str,
    places: &Places<'_>,
    entries: &[Entry],
) -> Vec<Mount> {
    let mut mounts = Vec::new();
    let Some(disk) = disk_of(root, places) else {
        return mounts;
    };
    if !has_generator(tree) {
        // It may lie on a partition for /usr itself.
        if !matches!(is_empty(tree, "/usr"), Some(true)) {
            return mounts;
        }
    }
    for (kind, paths) in TYPES {
        let mut of_kind = places.all.iter().filter(|place| is_on(place, disk, kind));
        // Of several it would take the first that is newer by name; which one, is not sure.
        let (Some(place), None) = (of_kind.next(), of_kind.next()) else {
            continue;
        };
        let is_mounted = entries.iter().any(|entry| paths.contains(&entry.path.as_str()))
            || tree.mounts().iter().any(|mount| is_same(&mount.filesystem, place));
        let path = paths.iter().find(|path| is_empty(tree, path) == Some(true));
        let (false, Some(path)) = (is_mounted, path) else {
            continue;
        };
        let filesystem: Arc<dyn Filesystem> = match &place.holds {
            Ok(filesystem) => Arc::clone(filesystem),
            Err((kind, error)) => Arc::new(Unavailable::new(*kind, error.clone().within(path))),
        };
        let format = filesystem.info().variant;
        if tree.mount(path.as_bytes(), filesystem).is_ok() {
            mounts.push(Mount {
                path: (*path).to_owned(),
                device: format!("PARTTYPE={kind}"),
                kind: format,
                options: Vec::new(),
                volume: Some(place.volume.id.to_string()),
                evidence: format!("partition type of {}", place.volume.id).into(),
            });
        }
    }
    mounts
}

/// The disk with a GPT that the volume of the root, or what it is unlocked from, is a partition of.
fn disk_of<'p>(root: &str, places: &'p Places<'_>) -> Option<&'p VolumeId> {
    let id = root.split(':').next()?;
    let volumes = &places.discovery.volumes;
    let mut volume = volumes.iter().find(|volume| volume.id.as_str() == id)?;
    if let Layer::Luks { .. } = volume.layer {
        let parent = volume.parents.first()?;
        volume = volumes.iter().find(|volume| volume.id == *parent)?;
    }
    match volume.layer {
        Layer::Partition { table: Table::Gpt, .. } => volume.parents.first(),
        _ => None,
    }
}

fn is_on(place: &Place<'_>, disk: &VolumeId, wanted: &str) -> bool {
    matches!(&place.volume.layer, Layer::Partition { table: Table::Gpt, kind, .. } if kind == wanted)
        && place.volume.parents.contains(disk)
}

fn is_same(filesystem: &Arc<dyn Filesystem>, place: &Place<'_>) -> bool {
    place
        .holds
        .as_ref()
        .is_ok_and(|ours| std::ptr::addr_eq(Arc::as_ptr(ours), Arc::as_ptr(filesystem)))
}

/// Whether a directory is there with nothing in it; nothing where that cannot be told.
fn is_empty(tree: &Tree, path: &str) -> Option<bool> {
    let (children, problem) = tree.children(path.as_bytes()).ok()?;
    problem.is_none().then_some(children.is_empty())
}

#[cfg(test)]
mod tests {
    use fathom_block::Error;
    use fathom_volume::{Content, Discovery, Volume};

    use super::*;
    use crate::memory;

    fn partition(number: u32, kind: &str) -> Volume {
        let layer = Layer::Partition {
            table: Table::Gpt,
            number,
            start: 0,
            kind: kind.to_owned(),
            kind_name: None,
            name: None,
            uuid: None,
            bootable: false,
        };
        Volume {
            id: VolumeId::new(format!("disk0/p{number}")),
            parents: vec![VolumeId::new("disk0")],
            layer,
            content: Content::Unknown,
            size: 0,
            reader: None,
            problem: None,
        }
    }

    #[test]
    fn a_partition_for_it_is_swapped_to() {
        let volumes = vec![partition(1, ""), partition(2, SWAP), partition(3, SWAP)];
        let discovery = Discovery { volumes, problems: Vec::new() };
        let mut places = Places::of(&discovery);
        let holds = |volume: usize, kind: Option<Kind>| Place {
            volume: &discovery.volumes[volume],
            holds: Err((kind, Error::unsupported("x", "y"))),
        };
        places.all = vec![holds(1, Some(Kind::Swap)), holds(2, None)];
        let swaps_of = |files: &[(&str, &[u8])]| {
            let swaps = swaps(&memory::tree(files), "disk0/p1:@", &places);
            swaps.into_iter().map(|swap| swap.evidence.0).collect::<Vec<_>>()
        };
        assert_eq!(swaps_of(&[(GENERATORS[0], b"")]), ["partition type of disk0/p2"]);
        assert!(swaps_of(&[("/etc/x", b"")]).is_empty());
    }
}
