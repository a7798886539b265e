//! The one door: every volume on the disks of one machine.
//!
//! A worklist: each volume is examined once, and what is found on it is examined in turn. Arrays and
//! groups of LVM are put together when nothing else is left to examine, since their parts may lie
//! anywhere, on each other too.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt, Window, read_vec};

use crate::budget::Budget;
use crate::key::Keys;
use crate::luks;
use crate::lvm::{AssembledGroup, Lvm};
use crate::md::{AssembledArray, Md};
use crate::partition::{self, Nature, Partition, Partitions};
use crate::recognise::{self, HEAD, LINUX_RAID, Recognised};
use crate::volume::{Content, Discovery, Disk, Layer, Table, Volume, VolumeId};

/// The most volumes that are listed. The largest hypervisors have some thousands.
const MAX_VOLUMES: usize = 10_000;

/// How deep volumes may lie in one another: disk, partition, LUKS, LVM, a guest's own disk in that
/// and the same once more is eight.
const MAX_DEPTH: usize = 8;

/// How many LUKS volumes keys are tried on: each try takes a second by design.
const MAX_UNLOCKED: usize = 64;

/// Finds every volume on `disks`. `keys` are tried on what is encrypted.
pub fn discover(disks: &[Disk], keys: &Keys) -> Discovery {
    let mut search = Search::new(keys);
    for (index, disk) in disks.iter().enumerate() {
        let volume = Volume {
            id: VolumeId::new(format!("disk{index}")),
            parents: Vec::new(),
            layer: Layer::Disk {
                name: disk.name.clone(),
                sector_size: disk.sector_size.unwrap_or(512),
            },
            content: Content::Unknown,
            size: disk.reader.len(),
            reader: Some(disk.reader.clone()),
            problem: None,
        };
        search.add(volume, Look { depth: 0, sector_size: disk.sector_size });
    }
    search.run();
    Discovery { volumes: search.volumes, problems: search.problems }
}

/// How a volume is to be examined.
#[derive(Clone, Copy)]
struct Look {
    depth: usize,
    sector_size: Option<u32>,
}

struct Search<'a> {
    keys: &'a Keys,
    volumes: Vec<Volume>,
    problems: Vec<Problem>,
    queue: VecDeque<(usize, Look)>,
    index: HashMap<VolumeId, usize>,
    depths: HashMap<VolumeId, usize>,
    group_names: HashSet<String>,
    lvm: Lvm,
    md: Md,
    budget: Budget,
    unlocked: usize,
    full: bool,
}

impl<'a> Search<'a> {
    fn new(keys: &'a Keys) -> Self {
        Self {
            keys,
            volumes: Vec::new(),
            problems: Vec::new(),
            queue: VecDeque::new(),
            index: HashMap::new(),
            depths: HashMap::new(),
            group_names: HashSet::new(),
            lvm: Lvm::default(),
            md: Md::default(),
            budget: Budget::default(),
            unlocked: 0,
            full: false,
        }
    }

    fn run(&mut self) {
        loop {
            while let Some((index, look)) = self.queue.pop_front() {
                self.examine(index, look);
            }
            if !self.put_together(false) && !self.put_together(true) {
                return;
            }
        }
    }

    /// Puts one array or group together, of those that miss something too if `incomplete`. Says
    /// whether there was one.
    fn put_together(&mut self, incomplete: bool) -> bool {
        if let Some(array) = self.md.next_array(incomplete) {
            self.add_array(array);
            return true;
        }
        let group = self.lvm.next_group(incomplete);
        group.map(|group| self.add_group(group)).is_some()
    }

    /// Lists a volume, and has it examined later.
    fn add(&mut self, mut volume: Volume, look: Look) {
        if self.volumes.len() >= MAX_VOLUMES {
            if !std::mem::replace(&mut self.full, true) {
                let why = format!("more than {MAX_VOLUMES} are there; the others are not listed");
                self.problems.push(Error::unsupported("volumes", why));
            }
            return;
        }
        // A group may call itself `disk0` and its volume `p1`.
        if self.index.contains_key(&volume.id) {
            let why = "another volume goes by the same name";
            self.problems.push(Error::corrupt(volume.id.to_string(), 0, why));
            volume.id = VolumeId::new(format!("{}#{}", volume.id, self.volumes.len()));
        }
        let index = self.volumes.len();
        self.index.insert(volume.id.clone(), index);
        self.depths.insert(volume.id.clone(), look.depth);
        if volume.reader.is_some() && volume.content == Content::Unknown {
            if look.depth > MAX_DEPTH {
                let why = format!("volumes lie in one another more than {MAX_DEPTH} deep");
                volume.problem.get_or_insert(Error::unsupported("volume", why));
            } else {
                self.queue.push_back((index, look));
            }
        }
        self.volumes.push(volume);
    }

    /// Finds out what a volume holds.
    fn examine(&mut self, index: usize, look: Look) {
        let volume = &self.volumes[index];
        let (id, layer) = (volume.id.clone(), volume.layer.clone());
        let Some(reader) = volume.reader.clone() else {
            return;
        };
        let outcome = self.look_at(index, &id, &layer, &reader, look);
        if let Err(error) = outcome {
            self.volumes[index].problem.get_or_insert(error);
        }
    }

    fn look_at(
        &mut self,
        index: usize,
        id: &VolumeId,
        layer: &Layer,
        reader: &Arc<dyn ReadAt>,
        look: Look,
    ) -> Result<(), Error> {
        let head = read_vec(&**reader, "start", 0, HEAD.min(reader.len()))?;
        let luks = luks::read(&**reader, &head, &mut self.budget);
        // The kernel looks for tables on disks only. A LUKS volume or a logical one may be the
        // whole disk of another machine; a partition is not.
        let divisible = !matches!(layer, Layer::Partition { .. });
        let table = match &luks {
            Ok(None) if divisible => partition::read(&**reader, look.sector_size),
            _ => Ok(None),
        };
        if table.is_err() {
            self.volumes[index].content = Content::Table(Table::Gpt);
        }
        // Before all that it may look like: half of a mirror starts as what lies on the mirror.
        if self.is_member(index, id, reader, &head, table.as_ref().ok().and_then(Option::as_ref))? {
            return Ok(());
        }
        match luks {
            Ok(None) => {}
            Ok(Some(header)) => {
                self.open_luks(index, id, header, reader, look);
                return Ok(());
            }
            Err(error) => {
                // The magic is there, so it is LUKS, whatever the rest says.
                self.volumes[index].content = Content::Luks {
                    version: if head.get(7) == Some(&2) { 2 } else { 1 },
                    uuid: String::new(),
                    label: None,
                    cipher: String::new(),
                };
                return Err(error);
            }
        }
        let table = table?;
        if let Some(table) = table {
            self.add_partitions(index, id, table, reader, look);
            return Ok(());
        }
        if let Some(physical) = self.lvm.add(id, reader, &head, &mut self.budget)? {
            let problems = physical.problems.into_iter().map(|problem| problem.within(id));
            self.problems.extend(problems);
            if let Some(first) = physical.duplicate_of {
                let why = format!("the same physical volume as {first}, which is used");
                let what = format!("physical volume {}", physical.uuid);
                self.volumes[index].problem = Some(Error::corrupt(what, 0, why));
            }
            self.volumes[index].content =
                Content::PhysicalVolume { uuid: physical.uuid, group: None };
            return Ok(());
        }
        let (slice, vmfs) = match layer {
            Layer::Partition { kind, kind_name, .. } => {
                (recognise::is_slice(kind), *kind_name == Some("VMware VMFS"))
            }
            Layer::Disk { .. } => (true, true),
            Layer::Luks { .. } | Layer::Logical { .. } | Layer::Array { .. } => (true, false),
        };
        let label = slice.then(|| recognise::disk_label(&head, divisible, reader.len())).flatten();
        let found = match label {
            None if vmfs => recognise::vmfs_member(&**reader)?,
            label => label,
        };
        if let Some(found) = found {
            self.recognised(index, found);
            return Ok(());
        }
        if let Some(header) = luks::read_secondary(&**reader, &head, &mut self.budget) {
            self.open_luks(index, id, header, reader, look);
        }
        Ok(())
    }

    /// Takes note of a volume that is a member of something else; says whether it is.
    fn is_member(
        &mut self,
        index: usize,
        id: &VolumeId,
        reader: &Arc<dyn ReadAt>,
        head: &[u8],
        table: Option<&Partitions>,
    ) -> Result<bool, Error> {
        // At the very end of a disk lies the end of its last partition too, and whatever that holds
        // there is not about the disk.
        let covered = |at: u64| table.is_some_and(|table| table.cover(at));
        let whole_disk = matches!(self.volumes[index].layer, Layer::Disk { .. });
        let at_the_end = recognise::array_member(&**reader, whole_disk)?;
        let found = [at_the_end, recognise::member(head)].into_iter().flatten();
        let found: Vec<Recognised> = found.filter(|found| !covered(found.at)).collect();
        let places: Vec<u64> =
            found.iter().filter(|one| one.name == LINUX_RAID).map(|one| one.at).collect();
        match found.into_iter().next() {
            None => return Ok(false),
            Some(first) if first.name == LINUX_RAID => {
                self.add_member(index, id, reader, first, &places);
            }
            Some(first) => self.recognised(index, first),
        }
        Ok(true)
    }

    /// Takes note of a member of an array whose superblock is recognised at these places.
    fn add_member(
        &mut self,
        index: usize,
        id: &VolumeId,
        reader: &Arc<dyn ReadAt>,
        found: Recognised,
        places: &[u64],
    ) {
        let joined = self.md.add(id, reader, places, &mut self.budget);
        let volume = &mut self.volumes[index];
        let (content, problem) = match joined {
            Ok(joined) => {
                let (uuid, role) = (joined.array, joined.role);
                (Content::ArrayMember { uuid, array: None, role }, joined.problem)
            }
            Err(error) => (Content::Recognised { name: found.name, uuid: found.uuid }, Some(error)),
        };
        volume.content = content;
        volume.problem = volume.problem.take().or(problem);
    }

    fn recognised(&mut self, index: usize, found: Recognised) {
        let volume = &mut self.volumes[index];
        volume.content = Content::Recognised { name: found.name, uuid: found.uuid };
        volume.problem.get_or_insert_with(|| not_read(found.name));
    }

    fn add_partitions(
        &mut self,
        index: usize,
        disk: &VolumeId,
        table: Partitions,
        reader: &Arc<dyn ReadAt>,
        look: Look,
    ) {
        let kind = table.table;
        self.volumes[index].content = Content::Table(kind);
        if let Layer::Disk { sector_size, .. } = &mut self.volumes[index].layer {
            if look.sector_size.is_some_and(|stated| stated != table.sector_size) {
                let why = format!(
                    "the partition table counts in sectors of {} bytes, the image says {sector_size}",
                    table.sector_size
                );
                self.problems.push(Error::corrupt(format!("{disk}: partition table"), 0, why));
            }
            *sector_size = table.sector_size;
        }
        self.problems.extend(table.problems.into_iter().map(|problem| problem.within(disk)));
        // What examining them will read first, in one go: their starts and their ends.
        let edges = table.partitions.iter().flat_map(|one| {
            let end = one.start.saturating_add(one.length);
            [one.start..one.start.saturating_add(HEAD), end.saturating_sub(16 << 10)..end]
        });
        reader.prefetch(&edges.take(64).collect::<Vec<_>>());
        let look = Look { depth: look.depth + 1, sector_size: Some(table.sector_size) };
        for one in table.partitions {
            self.add_partition(disk, kind, one, reader, look);
        }
    }

    fn add_partition(
        &mut self,
        disk: &VolumeId,
        table: Table,
        one: Partition,
        reader: &Arc<dyn ReadAt>,
        look: Look,
    ) {
        let id = disk.child(format_args!("p{}", one.number));
        let mut problem = one.problem;
        let end = one.start.saturating_add(one.length);
        if problem.is_none() && end > reader.len() {
            let why = format!("it ends at byte {end}, the disk at {}: truncated?", reader.len());
            problem = Some(Error::corrupt("partition", one.start, why));
        }
        let inside = one.length > 0 && one.start < reader.len();
        let window = || -> Arc<dyn ReadAt> {
            Arc::new(Window::clipped(reader.clone(), one.start, one.length))
        };
        let content = match one.nature {
            Nature::Plain => Content::Unknown,
            Nature::Extended => Content::Table(table),
            Nature::Member(name) => {
                problem.get_or_insert_with(|| not_read(name));
                Content::Recognised { name, uuid: None }
            }
        };
        let volume = Volume {
            id,
            parents: vec![disk.clone()],
            layer: Layer::Partition {
                table,
                number: one.number,
                start: one.start,
                kind: one.kind,
                kind_name: one.kind_name,
                name: one.name,
                uuid: one.uuid,
                bootable: one.bootable,
            },
            content,
            size: one.length,
            reader: inside.then(window),
            problem,
        };
        self.add(volume, look);
    }

    fn open_luks(
        &mut self,
        index: usize,
        id: &VolumeId,
        header: luks::Header,
        reader: &Arc<dyn ReadAt>,
        look: Look,
    ) {
        self.problems.extend(header.problems.iter().map(|problem| problem.clone().within(id)));
        let clear = if self.unlocked >= MAX_UNLOCKED && !self.keys.is_empty() {
            let why = format!("keys were tried on {MAX_UNLOCKED} volumes already");
            Err(Error::encrypted(format!("LUKS volume {}", header.uuid), why))
        } else {
            self.unlocked += usize::from(!self.keys.is_empty());
            luks::unlock(reader.clone(), &header, self.keys, &[id.as_str(), &header.uuid])
        };
        let luks::Header { version, uuid, label, cipher, .. } = header;
        let volume = &mut self.volumes[index];
        volume.content =
            Content::Luks { version, uuid: uuid.clone(), label, cipher: cipher.clone() };
        match clear {
            Ok(clear) => {
                let volume = Volume {
                    id: id.child("luks"),
                    parents: vec![id.clone()],
                    layer: Layer::Luks { version, uuid, cipher },
                    content: Content::Unknown,
                    size: clear.len(),
                    reader: Some(clear),
                    problem: None,
                };
                self.add(volume, Look { depth: look.depth + 1, sector_size: None });
            }
            Err(error) => {
                volume.problem.get_or_insert(error);
            }
        }
    }

    /// How what lies on all of these is to be examined.
    fn look_above<'v>(&self, members: impl Iterator<Item = &'v VolumeId>) -> Look {
        let depth = members.filter_map(|id| self.depths.get(id)).max();
        Look { depth: depth.map_or(1, |depth| depth + 1), sector_size: None }
    }

    fn add_array(&mut self, array: AssembledArray) {
        let look = self.look_above(array.members.iter().map(|(member, _)| member));
        let mut id = VolumeId::new(array.id);
        if self.index.contains_key(&id) {
            let short = array.uuid.get(..8).unwrap_or_default();
            let shown = VolumeId::new(format!("{id}@{short}"));
            let why = format!("another volume has the same name; this one is shown as {shown}");
            self.problems.push(Error::corrupt(format!("md array {id}"), 0, why));
            id = shown;
        }
        for (member, is) in array.members {
            let volume = self.index.get(&member).and_then(|index| self.volumes.get_mut(*index));
            if let Some(Content::ArrayMember { array, role, .. }) =
                volume.map(|volume| &mut volume.content)
            {
                (*array, *role) = (Some(id.clone()), is);
            }
        }
        let mut problems = array.problems.into_iter();
        let volume = Volume {
            id,
            parents: array.parents,
            layer: Layer::Array {
                level: array.level,
                uuid: array.uuid,
                name: array.name,
                minor: array.minor,
                metadata: array.metadata,
                devices: array.devices,
                missing: array.missing,
            },
            content: Content::Unknown,
            size: array.size,
            reader: array.reader,
            problem: problems.next(),
        };
        self.add(volume, look);
        self.problems.extend(problems);
    }

    fn add_group(&mut self, group: AssembledGroup) {
        let look = self.look_above(group.members.iter());
        for member in &group.members {
            let volume = self.index.get(member).and_then(|index| self.volumes.get_mut(*index));
            if let Some(Content::PhysicalVolume { group: name, .. }) =
                volume.map(|volume| &mut volume.content)
            {
                *name = Some(group.name.clone());
            }
        }
        // Two groups of one name cannot be told apart by it; the first by UUID keeps it.
        let mut shown = group.name.clone();
        if !self.group_names.insert(shown.clone()) {
            let short: String =
                group.id.chars().filter(char::is_ascii_alphanumeric).take(6).collect();
            shown = format!("{shown}@{short}");
            let why = format!(
                "another group has the same name; this one ({}) is shown as {shown}",
                group.id
            );
            self.problems.push(Error::corrupt(format!("volume group {}", group.name), 0, why));
        }
        for logical in group.logical {
            let volume = Volume {
                id: VolumeId::new(format!("{shown}/{}", logical.name)),
                parents: logical.parents,
                layer: Layer::Logical {
                    group: shown.clone(),
                    name: logical.name,
                    uuid: logical.uuid,
                    segments: logical.segments,
                },
                content: Content::Unknown,
                size: logical.size,
                reader: logical.reader,
                problem: logical.problem,
            };
            self.add(volume, look);
        }
    }
}

fn not_read(name: &str) -> Error {
    Error::unsupported(name, "it is recognised, but there is no reader for it yet")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::lvm::tests::{group_of, physical};
    use crate::md::tests::mirror;
    use fathom_block::ErrorKind;

    fn disks(images: Vec<Vec<u8>>) -> Vec<Disk> {
        let disk = |(index, image)| Disk {
            name: format!("image{index}"),
            reader: Arc::new(image),
            sector_size: None,
        };
        images.into_iter().enumerate().map(disk).collect()
    }

    fn found(images: Vec<Vec<u8>>) -> Discovery {
        let key = Key::new(None, luks::tests::SECRET.to_vec());
        discover(&disks(images), &Keys::new(vec![key]))
    }

    fn ids(discovery: &Discovery) -> Vec<&str> {
        discovery.volumes.iter().map(|volume| volume.id.as_str()).collect()
    }

    /// A disk with an MBR whose partitions hold these bytes.
    fn divided(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut disk = vec![0; 512];
        for (index, part) in parts.iter().enumerate() {
            let start = disk.len() / 512;
            let at = 446 + 16 * index;
            disk[at + 4] = 0x83;
            disk[at + 8..at + 12].copy_from_slice(&(start as u32).to_le_bytes());
            disk[at + 12..at + 16].copy_from_slice(&((part.len() / 512) as u32).to_le_bytes());
            disk.extend(part);
        }
        disk[510..512].copy_from_slice(&[0x55, 0xAA]);
        // Nothing of a partition lies at the disk's own end.
        disk.extend(vec![0; 256 << 10]);
        disk
    }

    #[test]
    fn what_lies_in_what_is_followed_to_the_end() {
        let [one, two] = group_of("vg0", &["root"]);
        let discovery = found(vec![divided(&[luks::tests::luks1(), one]), two]);
        assert_eq!(
            ids(&discovery),
            ["disk0", "disk1", "disk0/p1", "disk0/p2", "disk0/p1/luks", "vg0/root"]
        );
        assert!(discovery.problems.is_empty(), "{:?}", discovery.problems);
        let root = discovery.find("/dev/vg0/root").unwrap();
        assert_eq!(root.parents, [VolumeId::new("disk0/p2"), VolumeId::new("disk1")]);
        let Content::PhysicalVolume { group, .. } = &discovery.find("disk1").unwrap().content
        else {
            panic!();
        };
        assert_eq!(group.as_deref(), Some("vg0"));
        assert_eq!(discovery.find("disk0").unwrap().content, Content::Table(Table::Mbr));
    }

    #[test]
    fn a_locked_volume_is_listed_with_its_reason() {
        let discovery = discover(&disks(vec![luks::tests::luks1()]), &Keys::default());
        let disk = discovery.find("disk0").unwrap();
        assert!(matches!(disk.content, Content::Luks { version: 1, .. }));
        assert_eq!(disk.problem.as_ref().unwrap().kind(), ErrorKind::Encrypted);
        assert!(disk.reader.is_some());
    }

    #[test]
    fn names_that_clash_are_kept_apart() {
        let [one, two] = group_of("disk0", &["p1"]);
        let discovery = found(vec![divided(&[vec![0; 512]]), one, two]);
        assert_eq!(ids(&discovery), ["disk0", "disk1", "disk2", "disk0/p1", "disk0/p1#4"]);
        assert_eq!(discovery.problems.len(), 1);
        let [one, two] = group_of("vg0", &["a"]);
        let other = physical(b'2', &crate::lvm::tests::alone("vg0", "other-id", b'2', "a"));
        let discovery = found(vec![one, two, other]);
        assert_eq!(ids(&discovery)[3..], ["vg0/a", "vg0@otheri/a"]);
        assert_eq!(discovery.problems.len(), 1);
    }

    #[test]
    fn the_same_disk_twice_is_told() {
        let [one, two] = group_of("vg0", &["a"]);
        let discovery = found(vec![one.clone(), two, one]);
        assert_eq!(ids(&discovery), ["disk0", "disk1", "disk2", "vg0/a"]);
        assert!(discovery.find("disk2").unwrap().problem.is_some());
        assert!(discovery.find("vg0/a").unwrap().reader.is_some());
    }

    #[test]
    fn members_of_arrays_are_not_looked_into() {
        let mut disk = divided(&[vec![0; 4096]]);
        let at = disk.len() - 512;
        disk[at..at + 4].copy_from_slice(&[0xDE, 0x11, 0xDE, 0x11]);
        let discovery = found(vec![disk.clone()]);
        assert_eq!(ids(&discovery), ["disk0"]);
        let problem = discovery.volumes[0].problem.as_ref().unwrap();
        assert!(problem.to_string().contains("DDF"), "{problem}");
        // The same sector at the end of the last partition is a file's.
        let sectors = (disk.len() / 512 - 1) as u32;
        disk[458..462].copy_from_slice(&sectors.to_le_bytes());
        let discovery = found(vec![disk]);
        assert_eq!(ids(&discovery), ["disk0", "disk0/p1"]);
        assert!(discovery.volumes[1].problem.is_none());
    }

    #[test]
    fn what_lies_on_an_array_is_not_found_on_its_members() {
        let discovery = found(mirror(&luks::tests::luks1()));
        assert_eq!(ids(&discovery), ["disk0", "disk1", "md0", "md0/luks"]);
        let is_member = |id: &str| {
            let content = &discovery.find(id).unwrap().content;
            matches!(content, Content::ArrayMember { array: Some(array), .. } if array.as_str() == "md0")
        };
        assert!(is_member("disk0") && is_member("disk1"));
        assert_eq!(discovery.find("/dev/md0").unwrap().parents.len(), 2);
        let discovery = found(mirror(&divided(&[vec![1; 4096], vec![2; 4096]])));
        assert_eq!(ids(&discovery), ["disk0", "disk1", "md0", "md0/p1", "md0/p2"]);
        // In partitions, of which the second reaches to the end of the disk.
        let mut disk = divided(&mirror(&[3; 4096]));
        disk.truncate(disk.len() - (256 << 10));
        let discovery = found(vec![disk]);
        assert_eq!(ids(&discovery), ["disk0", "disk0/p1", "disk0/p2", "md0"]);
    }

    #[test]
    fn groups_on_arrays_and_arrays_that_lack_members() {
        let [one, two] = group_of("vg0", &["a"]);
        let images = [mirror(&one), vec![two]].concat();
        let discovery = found(images.clone());
        assert!(discovery.find("vg0/a").unwrap().problem.is_none(), "{:?}", ids(&discovery));
        // With half of the mirror the group is complete nevertheless.
        let discovery = found(images[1..].to_vec());
        let problem = |id: &str| discovery.find(id).unwrap().problem.as_ref().map(Error::kind);
        assert_eq!(problem("md0"), Some(ErrorKind::NotFound));
        assert_eq!(problem("vg0/a"), None);
    }

    #[test]
    fn a_damaged_superblock_keeps_a_member_from_being_looked_into() {
        let mut images = mirror(&luks::tests::luks1());
        let at = images[0].len() - (8 << 10);
        images[0][at + 40] ^= 1;
        let discovery = found(images);
        let disk = discovery.find("disk0").unwrap();
        assert!(matches!(disk.content, Content::Recognised { name: "Linux RAID member", .. }));
        assert_eq!(disk.problem.as_ref().unwrap().kind(), ErrorKind::Corrupt);
        assert!(discovery.find("md0/luks").is_some());
    }

    #[test]
    fn endless_nesting_ends() {
        // A disk in a LUKS volume in a disk in a LUKS volume …
        let mut image = vec![0; 512];
        for _ in 0..20 {
            let mut volume = luks::tests::luks1();
            volume.truncate(8192);
            volume.extend(&image);
            image = divided(&[volume]);
        }
        let discovery = found(vec![image]);
        assert!(discovery.volumes.len() <= MAX_DEPTH + 3, "{:?}", ids(&discovery));
        let last = discovery.volumes.last().unwrap();
        assert_eq!(last.problem.as_ref().unwrap().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn partitions_by_type_and_past_the_end() {
        let mut disk = divided(&[vec![0; 4096], vec![0; 4096], vec![0; 4096]]);
        disk[450] = 0x42;
        disk[466] = 0x05;
        disk[486..490].copy_from_slice(&u32::MAX.to_le_bytes());
        let discovery = found(vec![disk]);
        let content = |id: &str| discovery.find(id).unwrap().content.clone();
        assert!(matches!(
            content("disk0/p1"),
            Content::Recognised { name: "Windows dynamic disk", .. }
        ));
        assert_eq!(content("disk0/p2"), Content::Table(Table::Mbr));
        let beyond = discovery.find("disk0/p3").unwrap();
        assert!(beyond.reader.is_none() && beyond.problem.is_some());
        // The extended partition holds no record.
        assert_eq!(discovery.problems.len(), 1);
    }

    #[test]
    fn a_broken_table_is_not_an_empty_disk() {
        let mut disk = vec![0; 100_000];
        disk[450] = 0xEE;
        disk[510..512].copy_from_slice(&[0x55, 0xAA]);
        let discovery = found(vec![disk]);
        assert_eq!(discovery.volumes[0].content, Content::Table(Table::Gpt));
        assert_eq!(discovery.volumes[0].problem.as_ref().unwrap().kind(), ErrorKind::Corrupt);
        assert!(found(vec![vec![], vec![0; 10]]).problems.is_empty());
    }
}
