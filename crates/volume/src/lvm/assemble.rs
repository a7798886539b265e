//! From a group's metadata and the physical volumes that were found to readable logical volumes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use super::group::{Group, Logical, Mapping, Physical, Segment};
use super::raid;
use super::reader::{LogicalReader, Piece};
use crate::volume::VolumeId;

/// How deep logical volumes may lie on one another: a mirror of mirrors being moved has four levels.
const MAX_STACK: usize = 16;

/// How many names are followed to say which disks a volume lies on.
const MAX_MENTIONS: usize = 1000;

/// A physical volume that was found.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) volume: VolumeId,
    pub(super) reader: Arc<dyn ReadAt>,
}

/// A logical volume, readable or not.
pub(crate) struct Assembled {
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) segments: String,
    pub(crate) size: u64,
    /// The physical volumes it lies on, as far as they were found.
    pub(crate) parents: Vec<VolumeId>,
    pub(crate) reader: Option<Arc<dyn ReadAt>>,
    pub(crate) problem: Option<Error>,
}

/// The visible volumes of the group, by name. `found` are its physical volumes by UUID.
pub(super) fn assemble(group: &Group, found: &HashMap<String, Found>) -> Vec<Assembled> {
    let mut assembly =
        Assembly { group, found, snapshots: snapshots(group), opened: HashMap::new() };
    // The pair is marked the wrong way round: what people know as the snapshot, its store, is not
    // visible in the metadata, while the volume that ties it to its origin may be.
    let stores: HashSet<&str> = assembly.snapshots.keys().copied().collect();
    let shown = |(name, logical): &(&String, &Logical)| {
        let tie =
            logical.segments.iter().any(|one| matches!(one.mapping, Mapping::Snapshot { .. }));
        (logical.visible && !tie) || stores.contains(name.as_str())
    };
    let shown = group.logical.iter().filter(shown);
    shown
        .map(|(name, logical)| {
            let opened = assembly.open(name, 0);
            let (reader, problem) = match opened {
                Ok(opened) => (Some(opened.reader), opened.note),
                Err(error) => (None, Some(error)),
            };
            Assembled {
                name: name.clone(),
                uuid: logical.uuid.clone(),
                segments: logical.kinds(),
                size: logical.extents().saturating_mul(group.extent_size),
                parents: assembly.parents(name),
                reader,
                problem,
            }
        })
        .collect()
}

/// What hidden `snapshot` volumes make of other volumes. The store of a snapshot looks like any
/// linear volume, but holds only what differs from its origin; an origin that a snapshot is being
/// merged into is in between.
fn snapshots(group: &Group) -> HashMap<&str, &'static str> {
    let mut roles = HashMap::new();
    for segment in group.logical.values().flat_map(|logical| &logical.segments) {
        if let Mapping::Snapshot { origin, store, merging } = &segment.mapping {
            if let Some(store) = store {
                roles.insert(store.as_str(), "snapshot");
            }
            if let Some(origin) = origin.as_ref().filter(|_| *merging) {
                roles.insert(origin.as_str(), "a snapshot is being merged into it");
            }
        }
    }
    roles
}

/// A volume that could be opened, with what should be known of it.
#[derive(Clone)]
struct Opened {
    reader: Arc<dyn ReadAt>,
    note: Option<Error>,
}

struct Assembly<'a> {
    group: &'a Group,
    found: &'a HashMap<String, Found>,
    snapshots: HashMap<&'a str, &'static str>,
    opened: HashMap<&'a str, Result<Opened>>,
}

impl<'a> Assembly<'a> {
    fn corrupt(&self, why: String) -> Error {
        Error::corrupt(format!("LVM metadata of {}", self.group.name), 0, why)
    }

    /// Opens the logical volume called `name`, visible or not.
    fn open(&mut self, name: &str, depth: usize) -> Result<Opened> {
        if let Some(opened) = self.opened.get(name) {
            return opened.clone();
        }
        let group = self.group;
        let Some((name, logical)) = group.logical.get_key_value(name) else {
            return Err(self.corrupt(format!("{name} is mentioned, but does not exist")));
        };
        if depth > MAX_STACK {
            let why = format!("volumes lie on one another more than {MAX_STACK} deep");
            return Err(Error::unsupported("LVM", why));
        }
        // Whoever comes back here before this one is done has gone in a circle.
        let circle = self.corrupt(format!("{name} lies on itself"));
        self.opened.insert(name, Err(circle));
        let opened = self.build(name, logical, depth);
        self.opened.insert(name, opened.clone());
        opened
    }

    fn build(&mut self, name: &str, logical: &'a Logical, depth: usize) -> Result<Opened> {
        if let Some(status) = &logical.strange_status {
            return Err(Error::unsupported("LVM status", format!("{status} is not known")));
        }
        if let Some(role) = self.snapshots.get(name) {
            return Err(Error::unsupported(
                "LVM snapshot",
                format!("{role}: there is no reader yet"),
            ));
        }
        let size = |extents: u64| {
            extents
                .checked_mul(self.group.extent_size)
                .ok_or_else(|| self.corrupt(format!("{name} is larger than any disk")))
        };
        let length = size(logical.extents())?;
        let mut target = Target { readers: Vec::new(), on: HashMap::new(), note: None };
        let mut pieces = Vec::with_capacity(logical.segments.len());
        for segment in &logical.segments {
            // No larger than the whole, which was checked.
            let start = segment.start * self.group.extent_size;
            let length = segment.extents * self.group.extent_size;
            let (stripe, areas) = self.areas(segment, length, depth, &mut target)?;
            pieces.push(Piece { start, length, stripe, areas });
        }
        let reader = Arc::new(LogicalReader { readers: target.readers, pieces, length });
        Ok(Opened { reader, note: target.note })
    }

    /// Where the bytes of a segment are: the stripe size and the areas.
    fn areas(
        &mut self,
        segment: &'a Segment,
        length: u64,
        depth: usize,
        target: &mut Target<'a>,
    ) -> Result<(u64, Vec<(usize, u64)>)> {
        match &segment.mapping {
            Mapping::Zero => Ok((0, Vec::new())),
            Mapping::Striped { stripe_size, areas } => {
                let count = areas.len() as u64;
                let each = segment.extents / count;
                if count > 1 && !(length / count).is_multiple_of(*stripe_size) {
                    let why = format!("stripes of {stripe_size} bytes do not fill the segment");
                    return Err(self.corrupt(why));
                }
                let places =
                    areas.iter().map(|area| self.place(&area.on, area.extent, each, depth, target));
                Ok((*stripe_size, places.collect::<Result<_>>()?))
            }
            // The first leg is the primary: what is not in sync is copied from it, and when it fails
            // it is taken off the list. While an extent is moved, it is where the extent was.
            Mapping::Mirror { legs } => {
                let first =
                    legs.first().ok_or_else(|| self.corrupt("a mirror of nothing".into()))?;
                let place = self.place(&first.on, first.extent, segment.extents, depth, target)?;
                Ok((0, vec![place]))
            }
            Mapping::Raid1 { legs } => {
                let image = self.raid1(legs, depth, target)?;
                Ok((0, vec![self.place(image, 0, segment.extents, depth, target)?]))
            }
            Mapping::Snapshot { .. } | Mapping::Other { .. } => Err(Error::unsupported(
                format!("LVM segment type {}", segment.kind),
                "it is recognised, but there is no reader for it yet",
            )),
        }
    }

    /// Where `extents` extents are that start at extent `extent` of the volume called `on`.
    fn place(
        &mut self,
        on: &'a str,
        extent: u64,
        extents: u64,
        depth: usize,
        target: &mut Target<'a>,
    ) -> Result<(usize, u64)> {
        let (base, room) = match self.group.physical.get(on) {
            Some(physical) => (physical.pe_start, physical.pe_count),
            None => (0, self.group.logical.get(on).map_or(u64::MAX, Logical::extents)),
        };
        let end = extent.checked_add(extents).filter(|end| *end <= room).ok_or_else(|| {
            self.corrupt(format!("{extents} extents at {extent} of {on}, which has {room}"))
        })?;
        let byte = |extent: u64| extent.checked_mul(self.group.extent_size)?.checked_add(base);
        let (Some(start), Some(end)) = (byte(extent), byte(end)) else {
            return Err(self.corrupt(format!("extent {extent} of {on} lies past any disk")));
        };
        let index = match target.on.get(on) {
            Some(index) => *index,
            None => {
                let opened = match self.group.physical.get(on) {
                    Some(physical) => self.physical(physical)?,
                    None => self.open(on, depth + 1)?,
                };
                target.note = target.note.take().or(opened.note);
                target.readers.push(opened.reader);
                target.on.insert(on, target.readers.len() - 1);
                target.readers.len() - 1
            }
        };
        let length = target.readers.get(index).map_or(0, ReadAt::len);
        if end > length {
            let why = format!("{on} ends at byte {length}, the volume needs it up to {end}");
            target.note.get_or_insert_with(|| Error::corrupt("physical volume", length, why));
        }
        Ok((index, start))
    }

    fn physical(&self, physical: &Physical) -> Result<Opened> {
        let uuid = &physical.uuid;
        let found = self.found.get(uuid).ok_or_else(|| {
            let why = "it is on none of the disks given; give the disk that it is on too";
            Error::not_found(format!("physical volume {uuid}"), why)
        })?;
        let note = physical.missing.then(|| {
            let why = "LVM has marked it as missing: what it holds may be out of date";
            Error::corrupt(format!("physical volume {uuid}"), 0, why)
        });
        Ok(Opened { reader: found.reader.clone(), note })
    }

    /// The image of a mirror to read. The kernel would read any that is up to date; that takes
    /// the superblocks of all that are here.
    fn raid1(
        &mut self,
        legs: &'a [(String, String)],
        depth: usize,
        target: &mut Target<'a>,
    ) -> Result<&'a str> {
        let mut images = Vec::with_capacity(legs.len());
        let mut refused = None;
        let mut refuse = |error: Error| {
            refused.get_or_insert(error);
        };
        let mut usable = Vec::with_capacity(legs.len());
        for (meta, image) in legs {
            let mut rebuilt = [meta, image].into_iter();
            let rebuilt =
                rebuilt.any(|name| self.group.logical.get(name).is_some_and(|one| one.rebuild));
            let superblock = match (self.open(meta, depth + 1), self.open(image, depth + 1)) {
                (Ok(meta), Ok(image)) => match meta.note.or(image.note) {
                    _ if rebuilt => Err(Error::unsupported("RAID image", "it is being rebuilt")),
                    Some(note) => Err(note),
                    None => raid::read(&*meta.reader),
                },
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
            usable.push(superblock.is_ok());
            images.push(superblock.unwrap_or_else(|error| {
                refuse(error);
                None
            }));
        }
        let image = |index: usize| legs.get(index).map(|(_, image)| image.as_str());
        let started = images.iter().any(Option::is_some);
        let chosen = match raid::choose(&images) {
            Some(index) => image(index),
            // Nothing was ever written through the mirror, so no image is better than another.
            None if !started => {
                let why = "no image has a superblock: the mirror was never started";
                target.note.get_or_insert_with(|| Error::corrupt("RAID superblock", 0, why));
                usable.iter().position(|usable| *usable).and_then(image)
            }
            None => None,
        };
        match (chosen, refused) {
            (Some(image), None) => Ok(image),
            (Some(image), Some(error)) => {
                let error = error.within("one image cannot be used, another is read");
                target.note.get_or_insert(error);
                Ok(image)
            }
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::unsupported("RAID mirror", "no image of it is up to date")),
        }
    }

    /// The physical volumes beneath the volume called `name`, as far as they were found.
    fn parents(&self, name: &str) -> Vec<VolumeId> {
        let mut parents = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            if seen.len() > MAX_MENTIONS || !seen.insert(name) {
                continue;
            }
            if let Some(physical) = self.group.physical.get(name) {
                parents.extend(self.found.get(&physical.uuid).map(|found| found.volume.clone()));
                continue;
            }
            let segments = self.group.logical.get(name).into_iter().flat_map(|one| &one.segments);
            for segment in segments {
                match &segment.mapping {
                    Mapping::Striped { areas, .. } | Mapping::Mirror { legs: areas } => {
                        open.extend(areas.iter().map(|area| area.on.as_str()));
                    }
                    Mapping::Raid1 { legs } => {
                        open.extend(legs.iter().flat_map(|(meta, image)| [meta.as_str(), image]));
                    }
                    Mapping::Other { mentions } => {
                        open.extend(mentions.iter().map(String::as_str));
                    }
                    Mapping::Zero | Mapping::Snapshot { .. } => {}
                }
            }
        }
        parents.into_iter().collect()
    }
}

/// What a logical volume is being put together from.
struct Target<'a> {
    readers: Vec<Arc<dyn ReadAt>>,
    /// Which reader a name stands for.
    on: HashMap<&'a str, usize>,
    note: Option<Error>,
}
