//! LVM2: groups of physical volumes, cut into extents, of which logical volumes are made.
//!
//! Each physical volume has a [label] and, usually, [areas](area) with the whole group's metadata as
//! [text](config). The copies may differ, when some disks were away during a change: the one with
//! the highest sequence number is the truth. Physical volumes are collected as discovery comes
//! across them, on whatever they lie; a [`group`] is put together once all of its are there, or
//! once nothing more is to be found.
//!
//! Of the types of segments, `linear`, `striped`, `zero`, `mirror` and `raid1` are read, the last
//! two from one of their legs; see [`assemble`] for which. Everything else is listed and refused by
//! its name.

mod area;
mod assemble;
mod config;
mod group;
pub(crate) mod label;
mod raid;
mod reader;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt, Result};
use sha2::{Digest as _, Sha256};

use crate::budget::Budget;
use crate::volume::VolumeId;
use assemble::Found;
use group::Group;

pub(crate) use assemble::Assembled;

/// The physical volumes found so far, and the groups they tell of.
#[derive(Default)]
pub(crate) struct Lvm {
    found: HashMap<String, Found>,
    groups: BTreeMap<String, Known>,
    /// Texts that were parsed already: every physical volume of a group has the same.
    parsed: HashSet<[u8; 32]>,
    assembled: HashSet<String>,
}

/// The best metadata of a group.
struct Known {
    group: Group,
    checksum: u32,
}

/// A physical volume.
#[derive(Debug)]
pub(crate) struct PhysicalVolume {
    pub(crate) uuid: String,
    /// Where the same one was found before.
    pub(crate) duplicate_of: Option<VolumeId>,
    /// What is wrong with its metadata.
    pub(crate) problems: Vec<Problem>,
}

/// Why a volume on which nothing is recognised is not blank, if it was a physical volume of LVM once.
/// What was made of it since may have left that behind.
pub fn lost_label(volume: &dyn ReadAt) -> Result<Option<Error>> {
    area::without_label(volume)
}

/// A group put together.
pub(crate) struct AssembledGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Where its physical volumes are.
    pub(crate) members: Vec<VolumeId>,
    pub(crate) logical: Vec<Assembled>,
}

impl Lvm {
    /// Looks for a physical volume on `volume`, whose first bytes are `head`.
    pub(crate) fn add(
        &mut self,
        volume: &VolumeId,
        reader: &Arc<dyn ReadAt>,
        head: &[u8],
        budget: &mut Budget,
    ) -> Result<Option<PhysicalVolume>> {
        let Some(label) = label::find(head)? else {
            return Ok(None);
        };
        let uuid = label.uuid;
        if let Some(before) = self.found.get(&uuid) {
            let duplicate_of = Some(before.volume.clone());
            return Ok(Some(PhysicalVolume { uuid, duplicate_of, problems: Vec::new() }));
        }
        let found = Found { volume: volume.clone(), reader: reader.clone() };
        self.found.insert(uuid.clone(), found);
        let mut problems = Vec::new();
        for (start, size) in label.areas {
            let text = area::read(&**reader, start, size, budget);
            let learnt = text.and_then(|text| text.map_or(Ok(()), |text| self.learn(&text)));
            problems.extend(learnt.err());
        }
        Ok(Some(PhysicalVolume { uuid, duplicate_of: None, problems }))
    }

    /// Takes note of a group's metadata.
    fn learn(&mut self, text: &area::Text) -> Result<()> {
        if !self.parsed.insert(Sha256::digest(&text.bytes).into()) {
            return Ok(());
        }
        let group = group::parse(&text.bytes, text.at)?;
        let corrupt = |why: &str| {
            let why = format!("group {} ({}): {why}", group.name, group.id);
            Err(Error::corrupt("LVM metadata", text.at, why))
        };
        if self.assembled.contains(&group.id) {
            return corrupt("other metadata turned up after the group had been put together");
        }
        let checksum = text.checksum;
        if let Some(known) = self.groups.get(&group.id) {
            if known.group.seqno == group.seqno && known.checksum != checksum {
                return corrupt(
                    "two copies with the same sequence number differ; the first is used",
                );
            }
            if known.group.seqno >= group.seqno {
                return Ok(());
            }
        }
        self.groups.insert(group.id.clone(), Known { group, checksum });
        Ok(())
    }

    /// The next group to put together: those whose physical volumes are all there first, and the
    /// others only if `incomplete`, since what they miss may lie on what these hold.
    pub(crate) fn next_group(&mut self, incomplete: bool) -> Option<AssembledGroup> {
        let mut open: Vec<&Known> = self
            .groups
            .values()
            .filter(|known| !self.assembled.contains(&known.group.id))
            .collect();
        let complete = |known: &&Known| {
            known.group.physical.values().all(|one| self.found.contains_key(&one.uuid))
        };
        open.sort_by_key(|known| (!complete(known), &known.group.name, &known.group.id));
        let group = &open.first().filter(|first| incomplete || complete(first))?.group;
        let members = group.physical.values().filter_map(|one| self.found.get(&one.uuid));
        let assembled = AssembledGroup {
            id: group.id.clone(),
            name: group.name.clone(),
            members: members.map(|found| found.volume.clone()).collect(),
            logical: assemble::assemble(group, &self.found),
        };
        self.assembled.insert(assembled.id.clone());
        Some(assembled)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::group::tests::{text, volume};
    use super::*;
    use fathom_block::ErrorKind;

    const EXTENT: usize = 4096;

    /// A physical volume of 100 extents whose UUID is all `digit`, with this metadata. Every extent
    /// is filled with a byte of its own.
    pub(crate) fn physical(digit: u8, metadata: &str) -> Vec<u8> {
        let mut disk = vec![0; (1 << 20) + 100 * EXTENT];
        let head = label::tests::label(1, &[digit; 32], (4096, 512 << 10));
        disk[..2048].copy_from_slice(&head);
        area::tests::put(&mut disk, 4096, 512 << 10, 512, metadata.as_bytes());
        for extent in 0..100 {
            disk[(1 << 20) + extent * EXTENT..][..EXTENT].fill(fill(digit, extent));
        }
        disk
    }

    fn fill(digit: u8, extent: usize) -> u8 {
        digit.wrapping_mul(100).wrapping_add(extent as u8)
    }

    /// Two physical volumes of a group called `name`, with these volumes across both.
    pub(crate) fn group_of(name: &str, volumes: &[&str]) -> [Vec<u8>; 2] {
        let logical: String = volumes.iter().map(|lv| volume(lv, &[STRIPED])).collect();
        let metadata = text(1, &logical).replacen("vg0", name, 1);
        [physical(b'0', &metadata), physical(b'1', &metadata)]
    }

    /// The metadata of a group of one physical volume, with one volume.
    pub(crate) fn alone(name: &str, id: &str, digit: u8, lv: &str) -> String {
        let metadata = text(1, &volume(lv, &[LINEAR]));
        let zeros = |digit: char| metadata.find(&digit.to_string().repeat(6));
        let mut metadata = match zeros('0') {
            Some(at) => {
                let mut changed = metadata.clone();
                let uuid: String = metadata[at..at + 38]
                    .chars()
                    .map(|c| if c == '0' { digit as char } else { c })
                    .collect();
                changed.replace_range(at..at + 38, &uuid);
                changed
            }
            None => metadata,
        };
        // The second physical volume goes.
        if let (Some(start), Some(end)) = (metadata.find("pv1 {"), metadata.find("logical_volumes"))
        {
            metadata.replace_range(start..end, "} ");
        }
        metadata.replacen("vg0", name, 1).replace("group-id", id)
    }

    struct Machine {
        lvm: Lvm,
        budget: Budget,
    }

    impl Machine {
        fn new(disks: &[Vec<u8>]) -> Self {
            let mut machine = Self { lvm: Lvm::default(), budget: Budget::default() };
            for (index, disk) in disks.iter().enumerate() {
                machine.add(index, disk.clone()).unwrap();
            }
            machine
        }

        fn add(&mut self, index: usize, disk: Vec<u8>) -> Option<PhysicalVolume> {
            let head = disk[..2048].to_vec();
            let reader: Arc<dyn ReadAt> = Arc::new(disk);
            let id = VolumeId::new(format!("disk{index}"));
            self.lvm.add(&id, &reader, &head, &mut self.budget).unwrap()
        }

        fn volume(&mut self, name: &str) -> Assembled {
            let group = self.lvm.next_group(true).unwrap();
            group.logical.into_iter().find(|logical| logical.name == name).unwrap()
        }
    }

    /// The fill of every extent of a volume.
    fn extents(volume: &Assembled) -> Vec<u8> {
        let reader = volume.reader.as_ref().unwrap();
        assert_eq!(reader.len(), volume.size);
        let mut bytes = vec![0; volume.size as usize];
        reader.read_at(0, &mut bytes).unwrap();
        bytes.chunks(EXTENT).map(|extent| extent[0]).collect()
    }

    fn two(logical: &str) -> [Vec<u8>; 2] {
        let metadata = text(1, logical);
        [physical(b'0', &metadata), physical(b'1', &metadata)]
    }

    const LINEAR: &str = "start_extent = 0 extent_count = 2 type = \"striped\" stripe_count = 1 stripes = [\"pv0\", 3]";
    const ACROSS: &str = "start_extent = 2 extent_count = 1 type = \"striped\" stripe_count = 1 stripes = [\"pv1\", 9]";
    const STRIPED: &str = "start_extent = 0 extent_count = 4 type = \"striped\" stripe_count = 2 stripe_size = 8 stripes = [\"pv0\", 5, \"pv1\", 0]";

    #[test]
    fn linear_and_striped_volumes_are_read() {
        let mut machine = Machine::new(&two(&volume("lv", &[LINEAR, ACROSS])));
        let lv = machine.volume("lv");
        assert_eq!(extents(&lv), [fill(b'0', 3), fill(b'0', 4), fill(b'1', 9)]);
        assert_eq!(lv.parents, [VolumeId::new("disk0"), VolumeId::new("disk1")]);
        assert!(lv.problem.is_none() && machine.lvm.next_group(true).is_none());
        let lv = Machine::new(&two(&volume("lv", &[STRIPED]))).volume("lv");
        assert_eq!(extents(&lv), [fill(b'0', 5), fill(b'1', 0), fill(b'0', 6), fill(b'1', 1)]);
    }

    #[test]
    fn a_missing_disk_spoils_only_what_needs_it() {
        let both = volume("both", &[LINEAR, ACROSS]) + &volume("one", &[LINEAR]);
        let [first, _] = two(&both);
        let group = Machine::new(&[first]).lvm.next_group(true).unwrap();
        let [both, one] = &group.logical[..] else { panic!() };
        assert!(both.reader.is_none());
        let problem = both.problem.as_ref().unwrap();
        assert_eq!(problem.kind(), ErrorKind::NotFound);
        assert!(
            problem.to_string().contains("111111-1111-1111-1111-1111-1111-111111"),
            "{problem}"
        );
        assert_eq!(extents(one).len(), 2);
        assert_eq!(group.members, [VolumeId::new("disk0")]);
    }

    #[test]
    fn the_highest_sequence_number_wins() {
        let old = text(1, &volume("old", &[LINEAR]));
        let new = text(2, &volume("new", &[LINEAR]));
        for disks in [
            [physical(b'0', &old), physical(b'1', &new)],
            [physical(b'0', &new), physical(b'1', &old)],
        ] {
            let group = Machine::new(&disks).lvm.next_group(true).unwrap();
            assert_eq!(group.logical[0].name, "new");
        }
        let mut machine = Machine::new(&[physical(b'0', &new)]);
        let other = text(2, &volume("other", &[LINEAR]));
        let physical_volume = machine.add(1, physical(b'1', &other)).unwrap();
        assert_eq!(physical_volume.problems.len(), 1, "two truths");
        assert_eq!(machine.lvm.next_group(true).unwrap().logical[0].name, "new");
    }

    #[test]
    fn the_same_physical_volume_twice_is_told() {
        let mut machine = Machine::new(&two(&volume("lv", &[LINEAR])));
        let again = machine.add(2, physical(b'1', "")).unwrap();
        assert_eq!(again.duplicate_of, Some(VolumeId::new("disk1")));
    }

    fn hidden(name: &str, segment: &str) -> String {
        volume(name, &[segment]).replace(", \"VISIBLE\"", "")
    }

    fn one(pv: &str, extent: u64) -> String {
        format!(
            "start_extent = 0 extent_count = 1 type = \"striped\" stripe_count = 1 stripes = [\"{pv}\", {extent}]"
        )
    }

    /// A mirror of two images of one extent, the first extents of both disks behind one of
    /// superblock.
    fn mirror(superblocks: [Option<Vec<u8>>; 2]) -> Assembled {
        let raid = "start_extent = 0 extent_count = 1 type = \"raid1\" device_count = 2 raids = [\"lv_rmeta_0\", \"lv_rimage_0\", \"lv_rmeta_1\", \"lv_rimage_1\"]";
        let logical = volume("lv", &[raid])
            + &hidden("lv_rmeta_0", &one("pv0", 0))
            + &hidden("lv_rimage_0", &one("pv0", 1))
            + &hidden("lv_rmeta_1", &one("pv1", 0))
            + &hidden("lv_rimage_1", &one("pv1", 1));
        let mut disks = two(&logical);
        for (disk, superblock) in disks.iter_mut().zip(superblocks) {
            if let Some(superblock) = superblock {
                disk[1 << 20..][..4096].copy_from_slice(&superblock);
            }
        }
        let mut machine = Machine::new(&disks);
        machine.volume("lv")
    }

    #[test]
    fn a_mirror_is_read_from_an_image_that_is_up_to_date() {
        let superblock = raid::tests::superblock;
        let lv = mirror([Some(superblock(0, 9, 0)), Some(superblock(1, 9, 0))]);
        assert_eq!(extents(&lv), [fill(b'0', 1)]);
        assert!(lv.problem.is_none());
        let lv = mirror([Some(superblock(0, 8, 0)), Some(superblock(1, 9, 1))]);
        assert_eq!(extents(&lv), [fill(b'1', 1)]);
        let lv = mirror([Some(superblock(0, 8, 0)), None]);
        assert_eq!(extents(&lv), [fill(b'0', 1)]);
        let lv = mirror([None, None]);
        assert!(extents(&lv) == [fill(b'0', 1)] && lv.problem.is_some());
        let lv = mirror([Some(superblock(0, 9, 3)), Some(superblock(1, 9, 3))]);
        assert!(lv.reader.is_none());
    }

    #[test]
    fn an_old_mirror_is_read_from_its_first_leg() {
        let segment = "start_extent = 0 extent_count = 1 type = \"mirror\" mirror_count = 2 mirrors = [\"leg0\", 0, \"leg1\", 0]";
        let logical = volume("lv", &[segment])
            + &hidden("leg0", &one("pv1", 7))
            + &hidden("leg1", &one("pv0", 7));
        let lv = Machine::new(&two(&logical)).volume("lv");
        assert_eq!(extents(&lv), [fill(b'1', 7)]);
        assert_eq!(lv.segments, "mirror");
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        for kind in ["thin", "thin-pool", "cache", "raid5", "raid10", "vdo", "writecache"] {
            let segment =
                format!("start_extent = 0 extent_count = 1 type = \"{kind}\" pool = \"p\"");
            let lv = Machine::new(&two(&volume("lv", &[&segment]))).volume("lv");
            let problem = lv.problem.unwrap();
            assert_eq!(problem.kind(), ErrorKind::Unsupported);
            assert!(problem.to_string().contains(kind), "{problem}");
        }
    }

    #[test]
    fn the_store_of_a_snapshot_is_not_served_as_a_volume() {
        let snapshot = |store: &str| {
            let segment = format!(
                "start_extent = 0 extent_count = 1 type = \"snapshot\" origin = \"origin\" {store} = \"snap\""
            );
            // As LVM writes them: the store hidden, the volume that ties the two visible.
            let logical = volume("origin", &[&one("pv0", 0)])
                + &hidden("snap", &one("pv0", 1))
                + &volume("snapshot0", &[&segment]);
            let group = Machine::new(&two(&logical)).lvm.next_group(true).unwrap();
            group.logical.into_iter().map(|lv| lv.reader.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(snapshot("cow_store"), [true, false]);
        assert_eq!(snapshot("merging_store"), [false, false]);
    }

    #[test]
    fn circles_and_towers_end() {
        let on = |on: &str| one(on, 0);
        let circle =
            volume("a", &[&on("b")]) + &volume("b", &[&on("a")]) + &volume("c", &[&on("c")]);
        let group = Machine::new(&two(&circle)).lvm.next_group(true).unwrap();
        assert!(group.logical.iter().all(|lv| lv.reader.is_none()));
        let mut tower = volume("lv0", &[&on("pv0")]);
        for level in 1..40 {
            tower += &volume(&format!("lv{level}"), &[&on(&format!("lv{}", level - 1))]);
        }
        let group = Machine::new(&two(&tower)).lvm.next_group(true).unwrap();
        assert!(group.logical.iter().any(|lv| lv.reader.is_some()));
    }

    #[test]
    fn places_past_the_end_are_corrupt_or_told() {
        let lv = Machine::new(&two(&volume("lv", &[&one("pv0", 100)]))).volume("lv");
        assert!(lv.reader.is_none());
        let lv = Machine::new(&two(&volume("lv", &[&one("nowhere", 0)]))).volume("lv");
        assert!(lv.reader.is_none());
        let mut disks = two(&volume("lv", &[&one("pv0", 99)]));
        disks[0].truncate((1 << 20) + 99 * EXTENT + 100);
        let lv = Machine::new(&disks).volume("lv");
        assert!(lv.problem.is_some());
        let reader = lv.reader.unwrap();
        assert!(
            reader.read_at(0, &mut [0; 100]).is_ok() && reader.read_at(0, &mut [0; 200]).is_err()
        );
    }

    #[test]
    fn a_physical_volume_that_lost_its_label_is_not_blank() {
        let mut disk = physical(b'0', &text(1, &volume("a", &[LINEAR])));
        disk[512..1024].fill(0);
        let lost = lost_label(&disk).unwrap().unwrap();
        assert_eq!(lost.kind(), ErrorKind::Corrupt);
        disk[4096 + 100] ^= 1;
        assert!(lost_label(&disk).unwrap().is_none());
        assert!(lost_label(&vec![0; 4096]).unwrap().is_none());
    }
}
