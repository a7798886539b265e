//! Which volume the guest means by a name such as `UUID=…` or `/dev/sda1`.

use std::sync::Arc;

use fathom_block::Error;
use fathom_filesystem::{Filesystem, Kind};
use fathom_volume::{Content, Discovery, Layer, Volume};

use crate::arrays::{Arrays, is_array};
use crate::contents::{Holds, contents, of_volume};
use crate::crypttab;

/// A volume that may be mounted: what lies on it, or why that cannot be read.
pub(crate) struct Place<'a> {
    pub(crate) volume: &'a Volume,
    pub(crate) holds: Result<Arc<dyn Filesystem>, (Option<Kind>, Error)>,
}

/// Everything that a name may lead to.
pub(crate) struct Places<'a> {
    /// The volumes themselves.
    pub(crate) discovery: &'a Discovery,
    pub(crate) all: Vec<Place<'a>>,
    /// Volumes on which nothing is recognised.
    blank: Vec<&'a Volume>,
    /// How many disks the machine was given.
    disks: usize,
}

/// What a system calls its devices.
pub(crate) struct Names<'t> {
    crypttab: &'t [crypttab::Entry],
    arrays: &'t Arrays,
    /// It names several disks by their place in the machine or their serial number, so that one disk
    /// cannot be all of them.
    ambiguous: bool,
}

impl<'t> Names<'t> {
    /// Of a system that names these devices.
    pub(crate) fn new<'d>(
        crypttab: &'t [crypttab::Entry],
        arrays: &'t Arrays,
        devices: impl Iterator<Item = &'d str>,
    ) -> Self {
        let mut disks: Vec<&str> = devices
            .filter(|device| is_by_hardware(device))
            .map(|device| device.rsplit_once("-part").map_or(device, |(disk, _)| disk))
            .collect();
        disks.sort_unstable();
        disks.dedup();
        let of = |kind: &str| disks.iter().filter(|disk| disk.contains(kind)).count();
        Self { crypttab, arrays, ambiguous: of("/by-path/") > 1 || of("/by-id/") > 1 }
    }
}

/// Whether a device is named by the place of its hardware, or by its serial number.
pub(crate) fn is_by_hardware(device: &str) -> bool {
    let name = tail(device, &["/dev/disk/by-path/", "/dev/disk/by-id/"]);
    name.is_some_and(|name| !["dm-", "lvm-", "md-"].iter().any(|start| name.starts_with(start)))
}

impl<'a> Places<'a> {
    /// All of the machine's.
    pub(crate) fn of(discovery: &'a Discovery) -> Self {
        let mut all = Vec::new();
        let mut blank = Vec::new();
        for (volume, holds) in contents(discovery) {
            let holds = match holds {
                Holds::Filesystem(filesystem) => Ok(filesystem),
                Holds::Unreadable(kind, error) => Err((Some(kind), of_volume(&error, &volume.id))),
                Holds::Unknown(error) => Err((None, of_volume(&error, &volume.id))),
                Holds::Nothing => match &volume.problem {
                    Some(problem) => Err((None, of_volume(problem, &volume.id))),
                    None => {
                        blank.push(volume);
                        continue;
                    }
                },
            };
            all.push(Place { volume, holds });
        }
        // Locked, or not read by this version.
        for volume in discovery.volumes.iter().filter(|one| one.content != Content::Unknown) {
            if let Some(problem) = &volume.problem {
                let why = of_volume(problem, &volume.id);
                all.push(Place { volume, holds: Err((None, why)) });
            }
        }
        let is_disk = |volume: &&Volume| matches!(volume.layer, Layer::Disk { .. });
        Self { discovery, all, blank, disks: discovery.volumes.iter().filter(is_disk).count() }
    }

    /// Why places could not be read, those that lack a key first. Swap is no such place.
    pub(crate) fn hidden(&self) -> Vec<&Error> {
        let mut hidden: Vec<&Error> = self
            .all
            .iter()
            .filter_map(|place| place.holds.as_ref().err())
            .filter(|(kind, _)| *kind != Some(Kind::Swap))
            .map(|(_, error)| error)
            .collect();
        hidden.sort_by_key(|error| error.kind() != fathom_block::ErrorKind::Encrypted);
        hidden
    }

    /// Whether there is an array of software RAID.
    pub(crate) fn has_arrays(&self) -> bool {
        self.discovery.volumes.iter().any(|volume| matches!(volume.layer, Layer::Array { .. }))
    }

    /// All volumes that something may lie on.
    pub(crate) fn volumes(&self) -> impl Iterator<Item = &'a Volume> {
        self.all.iter().map(|place| place.volume).chain(self.blank.iter().copied())
    }

    /// The places that go by the name.
    pub(crate) fn named(&self, device: &str, names: &Names<'_>) -> Vec<&Place<'a>> {
        if names.ambiguous && is_by_hardware(device) {
            return Vec::new();
        }
        self.all.iter().filter(|place| self.is_named(place, device, names)).collect()
    }

    /// The volume of that name on which nothing is recognised.
    pub(crate) fn blank(&self, device: &str, names: &Names<'_>) -> Option<&'a Volume> {
        self.blank.iter().copied().find(|volume| self.is_device(volume, device, names))
    }

    fn is_named(&self, place: &Place<'_>, device: &str, names: &Names<'_>) -> bool {
        let volume = place.volume;
        if let Some(mapped) = device.strip_prefix("/dev/mapper/")
            && let Some(luks) = luks_uuid(volume)
        {
            let named = mapped.strip_prefix("luks-").is_some_and(|uuid| same(luks, uuid));
            let listed = names.crypttab.iter().filter(|entry| entry.name == mapped);
            return named
                || listed
                    .into_iter()
                    .any(|entry| self.is_beneath(volume, luks, &entry.device, names));
        }
        let info = || place.holds.as_ref().ok().map(|filesystem| filesystem.info());
        if let Some(uuid) = tail(device, &["UUID=", "/dev/disk/by-uuid/"]) {
            return info().and_then(|info| info.uuid).is_some_and(|ours| same(&ours, uuid));
        }
        if let Some(label) = tail(device, &["LABEL=", "/dev/disk/by-label/"]) {
            return info().and_then(|info| info.label).is_some_and(|ours| ours == unhex(label));
        }
        self.is_device(volume, device, names)
    }

    /// Whether the volume itself, not what lies on it, goes by the name.
    fn is_device(&self, volume: &Volume, device: &str, names: &Names<'_>) -> bool {
        if is_array(device) {
            return names.arrays.is_named(self.discovery, volume, device);
        }
        if let Some(wanted) = tail(device, &["PARTUUID=", "/dev/disk/by-partuuid/"]) {
            return matches!(&volume.layer, Layer::Partition { uuid: Some(uuid), .. } if same(uuid, wanted));
        }
        if let Some(wanted) = tail(device, &["PARTLABEL=", "/dev/disk/by-partlabel/"]) {
            return matches!(&volume.layer, Layer::Partition { name: Some(name), .. } if *name == unhex(wanted));
        }
        if let Some(id) = linux_name(device).or_else(|| self.hardware_name(device)) {
            return volume.id.as_str() == id;
        }
        volume.goes_by(device)
    }

    /// Whether the LUKS volume of this UUID, or the clear side of it, is what `device` names.
    fn is_beneath(&self, volume: &Volume, luks: &str, device: &str, names: &Names<'_>) -> bool {
        if let Some(uuid) = tail(device, &["UUID=", "/dev/disk/by-uuid/"]) {
            return same(luks, uuid);
        }
        let locked = matches!(volume.content, Content::Luks { .. });
        if let Some(wanted) = tail(device, &["LABEL=", "/dev/disk/by-label/"]) {
            return matches!(&volume.content, Content::Luks { label: Some(label), .. } if label == wanted);
        }
        if locked {
            return self.is_device(volume, device, names);
        }
        // The clear side is called after the volume that it lies on.
        if is_array(device) {
            let parents =
                self.discovery.volumes.iter().filter(|it| volume.parents.contains(&it.id));
            return parents.into_iter().any(|parent| self.is_device(parent, device, names));
        }
        let id = linux_name(device).or_else(|| self.hardware_name(device));
        volume.parents.iter().any(|parent| id.as_deref() == Some(parent.as_str()))
    }

    /// A name by the place of the hardware, or by its serial number. Images tell neither, so the
    /// disk must be the only one.
    fn hardware_name(&self, device: &str) -> Option<String> {
        let name = tail(device, &["/dev/disk/by-path/", "/dev/disk/by-id/"])?;
        if self.disks != 1 || !is_by_hardware(device) {
            return None;
        }
        match name.rsplit_once("-part") {
            Some((_, number)) => Some(format!("disk0/p{}", number.parse::<u32>().ok()?)),
            None => Some("disk0".to_owned()),
        }
    }
}

/// The UUID of the LUKS volume that this is, or is the clear side of.
fn luks_uuid(volume: &Volume) -> Option<&str> {
    match (&volume.layer, &volume.content) {
        (_, Content::Luks { uuid, .. }) | (Layer::Luks { uuid, .. }, _) => Some(uuid),
        _ => None,
    }
}

fn same(ours: &str, theirs: &str) -> bool {
    ours.eq_ignore_ascii_case(theirs)
}

fn tail<'a>(device: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    prefixes.iter().find_map(|prefix| device.strip_prefix(prefix))
}

/// udev writes what may not stand in a file's name in hexadecimal: `\x20`.
fn unhex(label: &str) -> String {
    let mut parts = label.split("\\x");
    let mut clean = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                clean.push(byte);
                clean.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => clean.extend_from_slice(&[b"\\x", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&clean).into_owned()
}

/// The id of the volume that Linux would call `/dev/sda`, `/dev/vdb2` or `/dev/nvme0n1p3`, if the
/// disks were given in the order in which it counts them.
fn linux_name(device: &str) -> Option<String> {
    let name = device.strip_prefix("/dev/")?;
    let id = |disk: u32, partition: &str| {
        if partition.is_empty() {
            return Some(format!("disk{disk}"));
        }
        Some(format!("disk{disk}/p{}", partition.parse::<u32>().ok()?))
    };
    let lettered = ["sd", "vd", "xvd", "hd"].iter().find_map(|prefix| name.strip_prefix(prefix));
    if let Some(rest) = lettered {
        let letter = rest.bytes().next().filter(u8::is_ascii_lowercase)?;
        return id(u32::from(letter - b'a'), rest.get(1..)?);
    }
    let numbered = |prefix: &str, suffix: &str| {
        let rest = name.strip_prefix(prefix)?;
        let (disk, partition) =
            rest.split_once('p').map_or((rest, ""), |(disk, partition)| (disk, partition));
        id(disk.strip_suffix(suffix)?.parse().ok()?, partition)
    };
    numbered("nvme", "n1").or_else(|| numbered("mmcblk", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_names() {
        for (device, id) in [
            ("/dev/sda1", Some("disk0/p1")),
            ("/dev/vdc12", Some("disk2/p12")),
            ("/dev/vdb", Some("disk1")),
            ("/dev/nvme1n1p2", Some("disk1/p2")),
            ("/dev/nvme0n1", Some("disk0")),
            ("/dev/mmcblk1p1", Some("disk1/p1")),
            ("/dev/mapper/vg-root", None),
            ("/dev/sd", None),
            ("/dev/sdé", None),
            ("/dev/sdab", None),
        ] {
            assert_eq!(linux_name(device).as_deref(), id, "{device}");
        }
    }

    #[test]
    fn labels_of_udev() {
        assert_eq!(unhex("my\\x20disk"), "my disk");
        assert_eq!(unhex("a\\xzz"), "a\\xzz");
        assert_eq!(unhex("plain"), "plain");
    }
}
