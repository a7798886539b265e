//! Where boot loaders find their files: the system's own tree, and the partitions for them that it
//! does not mount.

use std::sync::Arc;

use fathom_filesystem::{Filesystem, Kind, Tree};
use fathom_volume::{Layer, VolumeId};

use crate::device::{Place, Places};
use crate::files::{Files, Read};

/// The type of a partition that UEFI starts from, of a GPT and of an MBR.
const ESP: [&str; 2] = ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef"];

/// The type of a partition for kernels beside it.
const XBOOTLDR: &str = "bc13c2ff-59e6-4262-a352-b275fd6f7172";

/// How many partitions for boot loaders are looked at. A machine has one, or two.
const MAX_AREAS: usize = 8;

/// What a partition is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Esp,
    Extended,
}

/// A partition for boot loaders.
pub(super) struct Area<'a> {
    pub(super) role: Role,
    /// The files that it is read through.
    pub(super) files: &'a Files<'a>,
    /// Where it is mounted in them; empty where they are its own.
    base: String,
    /// What stands before a path on it when it is told.
    shown: String,
}

impl Area<'_> {
    /// A path on it, as its files take it.
    pub(super) fn path(&self, inside: &str) -> String {
        format!("{}/{}", self.base, inside.trim_start_matches('/'))
    }

    /// A path of its files, as it is told.
    pub(super) fn shown(&self, path: &str) -> String {
        format!("{}{path}", self.shown)
    }
}

/// A partition for boot loaders that no path of the system leads to.
pub(super) struct Unmounted {
    role: Role,
    volume: VolumeId,
    filesystem: Arc<dyn Filesystem>,
    tree: Tree,
}

/// The partitions for boot loaders that the system does not mount.
pub(super) fn unmounted(tree: &Tree, places: &Places<'_>) -> Vec<Unmounted> {
    let mounted = |filesystem: &Arc<dyn Filesystem>| {
        tree.mounts().iter().any(|mount| is_same(&mount.filesystem, filesystem))
    };
    let found = partitions(places).filter(|(_, _, filesystem)| !mounted(filesystem));
    found
        .map(|(role, volume, filesystem)| Unmounted {
            role,
            volume: volume.clone(),
            filesystem: Arc::clone(filesystem),
            tree: Tree::new(Arc::clone(filesystem)),
        })
        .collect()
}

fn partitions<'a>(
    places: &'a Places<'_>,
) -> impl Iterator<Item = (Role, &'a VolumeId, &'a Arc<dyn Filesystem>)> {
    let readable = places
        .all
        .iter()
        .filter_map(|place| Some((role(place)?, &place.volume.id, place.holds.as_ref().ok()?)));
    readable.take(MAX_AREAS)
}

fn role(place: &Place<'_>) -> Option<Role> {
    let Layer::Partition { kind, .. } = &place.volume.layer else { return None };
    match kind.to_ascii_lowercase().as_str() {
        kind if ESP.contains(&kind) => Some(Role::Esp),
        XBOOTLDR => Some(Role::Extended),
        _ => None,
    }
}

/// Why partitions that UEFI starts from cannot be read.
pub(super) fn unreadable(places: &Places<'_>) -> Vec<String> {
    let esps = places.all.iter().filter(|place| role(place) == Some(Role::Esp));
    esps.filter_map(|place| Some(place.holds.as_ref().err()?.1.to_string())).collect()
}

fn is_same(one: &Arc<dyn Filesystem>, other: &Arc<dyn Filesystem>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

impl Unmounted {
    /// What its volume goes by.
    pub(super) fn id(&self) -> &str {
        self.volume.as_str()
    }

    /// Its files.
    pub(super) fn files(&self) -> Files<'_> {
        Files::new(&self.tree)
    }
}

/// Everything that boot loaders read.
pub(super) struct Ground<'a> {
    /// The system's own files.
    pub(super) files: &'a Files<'a>,
    pub(super) areas: Vec<Area<'a>>,
    /// The UUIDs of filesystems that the system does not mount, by the place among the areas.
    unmounted: Vec<(String, usize)>,
    /// What GRUB may call each filesystem, what that is labelled, and its UUID.
    known: Vec<Known>,
}

struct Known {
    /// `hd0,2` for a partition; of GRUB's names only the numbers count.
    disk: Option<String>,
    volume: fathom_volume::Volume,
    label: Option<String>,
    uuid: String,
}

/// What a boot loader means by a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Located {
    /// A file of the system.
    Here(String),
    /// A file on a partition that the system does not mount: which area, and the path on it.
    Area(usize, String),
    /// It is there, if anywhere, where this system does not reach: as the loader writes it.
    Elsewhere(String),
}

impl Located {
    /// As the report tells it.
    pub(super) fn shown(&self, ground: &Ground<'_>) -> String {
        match self {
            Self::Here(path) | Self::Elsewhere(path) => path.clone(),
            Self::Area(area, path) => ground.areas[*area].shown(path),
        }
    }
}

impl<'a> Ground<'a> {
    pub(super) fn of(
        files: &'a Files<'a>,
        places: &Places<'_>,
        unmounted: &[Unmounted],
        theirs: &'a [Files<'a>],
    ) -> Self {
        let mut areas = Vec::new();
        for (role, _, filesystem) in partitions(places) {
            let mounts = files.tree().mounts().iter();
            let mount = mounts.rev().find(|mount| is_same(&mount.filesystem, filesystem));
            if let Some(mount) = mount {
                let base = String::from_utf8_lossy(&mount.path).trim_end_matches('/').to_owned();
                areas.push(Area { role, files, base, shown: String::new() });
            }
        }
        // An MBR may call it by another type; what is mounted there is what it is.
        for path in ["/boot/efi", "/efi"] {
            let is_known = areas.iter().any(|area| area.base == path);
            let mounts = &mut files.tree().mounts().iter();
            let is_fat = mounts.any(|mount| {
                mount.path == path.as_bytes() && mount.filesystem.info().kind == Kind::Fat
            });
            if is_fat && !is_known {
                let (base, shown) = (path.to_owned(), String::new());
                areas.push(Area { role: Role::Esp, files, base, shown });
            }
        }
        let mut uuids = Vec::new();
        for (one, theirs) in unmounted.iter().zip(theirs) {
            if let Some(uuid) = one.filesystem.info().uuid {
                uuids.push((uuid, areas.len()));
            }
            let (base, shown) = (String::new(), format!("{}:", one.volume));
            areas.push(Area { role: one.role, files: theirs, base, shown });
        }
        let known = places.all.iter().filter_map(|place| {
            let info = place.holds.as_ref().ok()?.info();
            let disk = place.volume.id.as_str().strip_prefix("disk");
            let disk = disk.and_then(|rest| rest.split_once("/p"));
            Some(Known {
                disk: disk.map(|(disk, partition)| format!("hd{disk},{partition}")),
                volume: place.volume.clone(),
                label: info.label,
                uuid: info.uuid?,
            })
        });
        Self { files, areas, unmounted: uuids, known: known.collect() }
    }

    /// Why a place where boot loaders keep their files cannot be looked into, if one cannot: its disk
    /// may not be there.
    pub(super) fn hidden(&self) -> Option<String> {
        ["/boot", "/boot/efi", "/efi"].iter().find_map(|folder| {
            match self.files.children(folder, super::HIDES) {
                Read::Unread(why) => Some(why),
                Read::There(_) | Read::Absent => None,
            }
        })
    }

    /// The UUID of the filesystem on what GRUB calls so: `hd0,gpt2`, `lvm/group-name`.
    pub(super) fn device(&self, name: &str) -> Option<String> {
        let name = name.replace("gpt", "").replace("msdos", "");
        let mapped = name.strip_prefix("lvm/").map(|name| format!("/dev/mapper/{name}"));
        let by_id = name.strip_prefix("lvmid/").and_then(|ids| ids.split_once('/'));
        let found = self.known.iter().find(|known| {
            known.disk.as_deref() == Some(&name)
                || mapped.as_deref().is_some_and(|mapped| known.volume.goes_by(mapped))
                || by_id.is_some_and(|(_, id)| known.volume.goes_by(id))
        });
        found.map(|known| known.uuid.clone())
    }

    /// The UUID of the filesystem that is this area, where the system does not mount it.
    pub(super) fn uuid(&self, area: usize) -> Option<&str> {
        let found = self.unmounted.iter().find(|(_, index)| *index == area);
        found.map(|(uuid, _)| uuid.as_str())
    }

    /// The UUID of the only filesystem with that label.
    pub(super) fn labelled(&self, label: &str) -> Option<String> {
        let mut found = self.known.iter().filter(|known| known.label.as_deref() == Some(label));
        let first = found.next()?;
        found.next().is_none().then(|| first.uuid.clone())
    }

    /// What a loader means by `path` on the filesystem of this UUID; on the one that it is started
    /// from where none is named.
    pub(super) fn locate(&self, uuid: Option<&str>, path: &str) -> Located {
        let path = format!("/{}", path.trim_start_matches('/'));
        let Some(uuid) = uuid else {
            return self.locate_nearby(&path);
        };
        let mut is_mounted = false;
        for mount in self.files.tree().mounts() {
            let info = mount.filesystem.info();
            if !info.uuid.is_some_and(|ours| ours.eq_ignore_ascii_case(uuid))
                || mount.root != mount.filesystem.root()
            {
                continue;
            }
            is_mounted = true;
            let base = String::from_utf8_lossy(&mount.path).trim_end_matches('/').to_owned();
            // GRUB counts from the top of Btrfs, or where SUSE patched it from the default.
            let subvolume = subvolume_path(&*mount.filesystem, mount.root.tree);
            let stripped = subvolume.as_deref().and_then(|prefix| {
                path.strip_prefix('/')?.strip_prefix(prefix).filter(|rest| rest.starts_with('/'))
            });
            for path in stripped.into_iter().chain([path.as_str()]) {
                let here = format!("{base}{path}");
                if self.is_there(&here) {
                    return Located::Here(here);
                }
            }
        }
        if let Some((_, area)) =
            self.unmounted.iter().find(|(ours, _)| ours.eq_ignore_ascii_case(uuid))
        {
            return Located::Area(*area, path);
        }
        if is_mounted {
            // The right filesystem, and there is no such file on it.
            return Located::Elsewhere(path);
        }
        Located::Elsewhere(format!("(UUID={uuid}){path}"))
    }

    fn locate_nearby(&self, path: &str) -> Located {
        for base in ["/boot", ""] {
            let here = format!("{base}{path}");
            if self.is_there(&here) {
                return Located::Here(here);
            }
        }
        Located::Elsewhere(path.to_owned())
    }

    fn is_there(&self, path: &str) -> bool {
        self.files.exists(path, super::HIDES)
    }
}

/// The path of the subvolume from the top of its filesystem.
fn subvolume_path(filesystem: &dyn Filesystem, id: u64) -> Option<String> {
    if filesystem.info().kind != Kind::Btrfs {
        return None;
    }
    let subvolumes = filesystem.subvolumes().ok()?;
    let path = subvolumes.into_iter().find(|one| one.id == id)?.path?;
    (!path.is_empty()).then(|| String::from_utf8_lossy(&path).into_owned())
}
