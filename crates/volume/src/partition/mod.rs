//! Partition tables: what a disk is divided into.
//!
//! A GPT hides behind a *protective* MBR, or behind a *hybrid* one that lists some of its partitions
//! a second time; either way the GPT is the truth. Everything else in sector 0 that passes for a
//! master boot record is one, see [`mbr`].

mod boot;
mod ebr;
mod gpt;
pub(crate) mod guid;
mod kinds;
mod mbr;

use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_vec};

use crate::recognise::foreign_superblock;
use crate::volume::Table;

/// How many overlaps are told one by one.
const MAX_OVERLAPS: usize = 8;

/// A partition, in bytes of its disk.
pub(crate) struct Partition {
    pub(crate) number: u32,
    pub(crate) start: u64,
    pub(crate) length: u64,
    pub(crate) kind: String,
    pub(crate) kind_name: Option<&'static str>,
    pub(crate) name: Option<String>,
    pub(crate) uuid: Option<String>,
    pub(crate) bootable: bool,
    pub(crate) nature: Nature,
    /// What contradicts itself in its entry.
    pub(crate) problem: Option<Problem>,
}

/// What a partition's type alone says of how to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// What it holds is to be found out.
    Plain,
    /// It holds the chain of logical partitions.
    Extended,
    /// It belongs to something that is not read, whatever its first bytes look like.
    Member(&'static str),
}

/// A partition table.
pub(crate) struct Partitions {
    pub(crate) table: Table,
    pub(crate) sector_size: u32,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) problems: Vec<Problem>,
}

impl Partitions {
    /// Whether a partition holds the byte at `offset`.
    pub(crate) fn cover(&self, offset: u64) -> bool {
        self.partitions
            .iter()
            .any(|one| one.start <= offset && offset < one.start.saturating_add(one.length))
    }
}

/// Reads the table of a disk whose container states the sector size `stated`. `None` where there
/// is none. A table without entries counts only where there is no filesystem behind it.
pub(crate) fn read(disk: &dyn ReadAt, stated: Option<u32>) -> Result<Option<Partitions>> {
    if disk.len() < 512 {
        return Ok(None);
    }
    let sector = read_vec(disk, "sector 0", 0, 512)?;
    let fields = Fields::new("sector 0", 0, &sector);
    let usable = |size: u32| size.is_power_of_two() && (512..=4096).contains(&size);
    let stated = stated.filter(|size| usable(*size));
    let sector_size = stated.unwrap_or(512);
    let mut sizes: Vec<u32> = stated.into_iter().chain([512, 4096]).collect();
    sizes.dedup();
    match mbr::judge(&fields, disk.len() / u64::from(sector_size))? {
        mbr::Sector0::Other => Ok(None),
        mbr::Sector0::Zeros => Ok(unprotected(disk, &sizes)),
        mbr::Sector0::Protective { disk_signature, entries } => match gpt::find(disk, &sizes)? {
            Some(gpt) => Ok(Some(from_gpt(gpt))),
            None => unkept(disk, sector_size, disk_signature, entries).map(Some),
        },
        mbr::Sector0::Empty if foreign_superblock(disk)? => Ok(None),
        mbr::Sector0::Empty => Ok(Some(Partitions {
            table: Table::Mbr,
            sector_size,
            partitions: Vec::new(),
            problems: Vec::new(),
        })),
        mbr::Sector0::Mbr { disk_signature, entries } => {
            Ok(Some(from_mbr(disk, sector_size, disk_signature, &entries)))
        }
    }
}

/// A record that promises a GPT where there is none. The partitions that it lists itself are all
/// that is known of the disk: those of a hybrid record, or of one whose entry of that type is no
/// protection at all because it does not stand where one does.
fn unkept(
    disk: &dyn ReadAt,
    sector_size: u32,
    disk_signature: u32,
    mut entries: [mbr::Entry; 4],
) -> Result<Partitions> {
    let promise = Error::corrupt(
        "partition table",
        0,
        "the protective MBR promises a GPT, but neither it nor its backup is there",
    );
    for entry in &mut entries {
        if entry.is_protective() {
            entry.sectors = 0;
        }
    }
    if !entries.iter().any(|entry| entry.is_used()) {
        return Err(promise);
    }
    let mut partitions = from_mbr(disk, sector_size, disk_signature, &entries);
    partitions.problems.insert(0, promise.within("the partitions are those of the MBR"));
    Ok(partitions)
}

/// A healthy GPT whose protective MBR was wiped. Linux would not list its partitions, so its guest
/// never mounted them so; but they are there. Damage, on the other hand, is then only what an
/// earlier use of the disk left behind.
fn unprotected(disk: &dyn ReadAt, sizes: &[u32]) -> Option<Partitions> {
    let gpt = gpt::find(disk, sizes).ok()??;
    if gpt.problem.is_some() {
        return None;
    }
    let mut partitions = from_gpt(gpt);
    let why = "there is a GPT, but sector 0, which should protect it, is all zeros";
    partitions.problems.push(Error::corrupt("partition table", 0, why));
    Some(partitions)
}

fn from_gpt(gpt: gpt::Gpt) -> Partitions {
    let size = u64::from(gpt.sector_size);
    let partitions: Vec<Partition> = gpt
        .entries
        .into_iter()
        .map(|entry| {
            let kind = entry.kind.to_string();
            let bytes = entry.first.checked_mul(size).and_then(|start| {
                let sectors = entry.last.checked_add(1)?.checked_sub(entry.first)?;
                Some((start, sectors.checked_mul(size)?))
            });
            let problem = bytes.is_none().then(|| {
                let (first, last) = (entry.first, entry.last);
                let why = format!("it claims the sectors {first} to {last}");
                Error::corrupt("GPT entry", first.saturating_mul(size), why)
            });
            let (start, length) = bytes.unwrap_or((entry.first.saturating_mul(size), 0));
            Partition {
                number: entry.number,
                start,
                length,
                kind_name: kinds::gpt(&kind),
                nature: match kind.as_str() {
                    kinds::LDM_DATA | kinds::LDM_METADATA => Nature::Member(LDM),
                    kinds::STORAGE_SPACES => Nature::Member("Storage Spaces"),
                    _ => Nature::Plain,
                },
                kind,
                name: Some(entry.name).filter(|name| !name.is_empty()),
                uuid: Some(entry.unique.to_string()),
                // "Legacy BIOS bootable".
                bootable: entry.attributes & 4 != 0,
                problem,
            }
        })
        .collect();
    let problems = gpt.problem.into_iter().chain(gpt.cut).chain(overlaps(&partitions)).collect();
    Partitions { table: Table::Gpt, sector_size: gpt.sector_size, partitions, problems }
}

const LDM: &str = "Windows dynamic disk";

fn from_mbr(
    disk: &dyn ReadAt,
    sector_size: u32,
    disk_signature: u32,
    entries: &[mbr::Entry; 4],
) -> Partitions {
    let size = u64::from(sector_size);
    let partition = |number: u32, start: u64, sectors: u64, kind: u8, boot_indicator: u8| {
        // Sectors are 32-bit numbers, two of them at most are added: nothing here overflows.
        let nature = match kind {
            0x05 | 0x0F | 0x85 => Nature::Extended,
            0x42 => Nature::Member(LDM),
            _ => Nature::Plain,
        };
        Partition {
            number,
            start: start * size,
            length: sectors * size,
            kind: format!("{kind:#x}"),
            kind_name: kinds::mbr(kind),
            name: None,
            // The kernel spells a `PARTUUID` of a disk without a signature too; udev does not.
            uuid: (disk_signature != 0).then(|| format!("{disk_signature:08x}-{number:02x}")),
            bootable: boot_indicator == 0x80,
            nature,
            problem: None,
        }
    };
    let mut partitions = Vec::new();
    let mut problems = Vec::new();
    let mut logical = Vec::new();
    for (entry, number) in entries.iter().zip(1..) {
        if !entry.is_used() {
            continue;
        }
        let (start, sectors) = (u64::from(entry.start), u64::from(entry.sectors));
        partitions.push(partition(number, start, sectors, entry.kind, entry.boot_indicator));
        if entry.is_extended() {
            let (found, problem) = ebr::chain(disk, sector_size, start, sectors);
            logical.extend(found);
            problems.extend(problem);
        }
    }
    for (one, number) in logical.into_iter().zip(5..) {
        partitions.push(partition(number, one.start, one.sectors, one.kind, one.boot_indicator));
    }
    problems.extend(overlaps(&partitions));
    Partitions { table: Table::Mbr, sector_size, partitions, problems }
}

/// Partitions that claim the same bytes. An extended one holds the logical ones rightly.
fn overlaps(partitions: &[Partition]) -> Vec<Problem> {
    let mut sorted: Vec<&Partition> =
        partitions.iter().filter(|one| one.nature != Nature::Extended && one.length > 0).collect();
    sorted.sort_by_key(|one| (one.start, one.number));
    let mut problems = Vec::new();
    let mut furthest: Option<&Partition> = None;
    for one in sorted {
        let end = |one: &Partition| one.start.saturating_add(one.length);
        if let Some(before) = furthest.filter(|before| end(before) > one.start)
            && problems.len() < MAX_OVERLAPS
        {
            let why = format!("the partitions {} and {} overlap", before.number, one.number);
            problems.push(Error::corrupt("partition table", one.start, why));
        }
        if furthest.is_none_or(|before| end(one) > end(before)) {
            furthest = Some(one);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::mbr::tests::record;
    use super::*;

    fn listed(partitions: &Partitions) -> Vec<(u32, u64, u64)> {
        partitions.partitions.iter().map(|one| (one.number, one.start, one.length)).collect()
    }

    fn mbr_disk(entries: &[(u8, u8, u32, u32)]) -> Vec<u8> {
        let mut disk = vec![0; 512 * 10_000];
        disk[..512].copy_from_slice(&record(entries));
        disk
    }

    #[test]
    fn primary_and_logical_partitions_are_numbered_as_linux_does() {
        let mut disk = mbr_disk(&[(0x80, 0x83, 100, 200), (0, 0, 0, 0), (0, 5, 1000, 5000)]);
        disk[512_000..512_512].copy_from_slice(&record(&[(0, 0x82, 8, 100), (0, 5, 2000, 500)]));
        disk[3000 * 512..][..512].copy_from_slice(&record(&[(0, 0x8E, 8, 100)]));
        let found = read(&disk, None).unwrap().unwrap();
        assert_eq!(
            listed(&found),
            [
                (1, 51_200, 102_400),
                (3, 512_000, 2_560_000),
                (5, 1008 * 512, 51_200),
                (6, 3008 * 512, 51_200)
            ]
        );
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(found.partitions[0].uuid.as_deref(), Some("1234abcd-01"));
        assert_eq!(found.partitions[3].uuid.as_deref(), Some("1234abcd-06"));
        assert!(found.partitions[0].bootable && !found.partitions[1].bootable);
        assert_eq!(found.partitions[1].nature, Nature::Extended);
        assert!(found.cover(51_200) && !found.cover(51_199));
    }

    #[test]
    fn the_stated_sector_size_scales_an_mbr() {
        let found = read(&mbr_disk(&[(0, 0x83, 10, 20)]), Some(4096)).unwrap().unwrap();
        assert_eq!(listed(&found), [(1, 40_960, 81_920)]);
        let found = read(&mbr_disk(&[(0, 0x83, 10, 20)]), Some(77)).unwrap().unwrap();
        assert_eq!(found.sector_size, 512);
    }

    #[test]
    fn a_gpt_wins_over_its_protective_or_hybrid_record() {
        for entries in [&[(0, 0xEE, 1, 999)][..], &[(0, 0x83, 100, 100), (0, 0xEE, 1, 99)]] {
            let mut disk = gpt::tests::disk(512);
            disk[..512].copy_from_slice(&record(entries));
            let found = read(&disk, None).unwrap().unwrap();
            assert_eq!(found.table, Table::Gpt);
            assert_eq!(listed(&found), [(3, 51_200, 51_200)]);
            assert!(found.partitions[0].bootable);
            assert!(found.problems.is_empty());
        }
        assert!(read(&mbr_disk(&[(0, 0xEE, 1, 999)]), None).is_err());
    }

    #[test]
    fn without_the_gpt_the_partitions_of_the_record_are_listed() {
        for (entries, wanted) in [
            (&[(0x80, 0x83, 2048, 100), (0, 0xEE, 5000, 100)][..], vec![1, 2]),
            (&[(0, 0xEE, 1, 99), (0, 0x83, 2048, 100)], vec![2]),
            (&[(0, 0xEE, 5000, 100)], vec![1]),
        ] {
            let found = read(&mbr_disk(entries), None).unwrap().unwrap();
            let numbers: Vec<u32> = found.partitions.iter().map(|one| one.number).collect();
            assert_eq!((found.table, numbers), (Table::Mbr, wanted));
            assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
            assert!(found.problems[0].to_string().contains("promises a GPT"));
        }
    }

    #[test]
    fn a_gpt_without_its_protector_is_listed_with_a_problem() {
        let disk = gpt::tests::disk(4096);
        let found = read(&disk, None).unwrap().unwrap();
        assert_eq!((found.sector_size, found.problems.len()), (4096, 1));
        let mut stale = disk;
        stale[..40_960].fill(0);
        assert!(read(&stale, None).unwrap().is_none(), "a stale backup is no table");
    }

    #[test]
    fn overlaps_are_told_once_each_and_not_endlessly() {
        let found = read(&mbr_disk(&[(0, 7, 10, 90), (0, 7, 20, 10), (0, 7, 50, 100)]), None);
        let problems: Vec<String> =
            found.unwrap().unwrap().problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("1 and 2") && problems[1].contains("1 and 3"));
    }

    #[test]
    fn an_empty_table_counts_unless_something_else_is_there() {
        let mut disk = mbr_disk(&[]);
        assert!(read(&disk, None).unwrap().unwrap().partitions.is_empty());
        disk[1080..1082].copy_from_slice(&[0x53, 0xEF]);
        assert!(read(&disk, None).unwrap().is_none());
        assert!(read(&vec![0; 100], None).unwrap().is_none());
    }
}
