//! Logical partitions: a chain of boot records inside an extended partition.
//!
//! Each record holds one logical partition, placed relative to the record, and one link to the next
//! record, placed relative to the extended partition. Linux numbers the logical partitions from 5
//! in the order of the chain. What else a record may hold, and what of it is garbage, follows the
//! kernel's `parse_extended`.

use std::collections::HashSet;

use fathom_block::{Error, Fields, Problem, ReadAt, read_vec};

use super::mbr;

/// More logical partitions than Linux would ever list.
const MAX_LOGICAL: usize = 256;

/// The most records in a row without a partition in them: the kernel's number.
const MAX_EMPTY: usize = 100;

/// One logical partition, in sectors from the start of the disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Logical {
    pub(super) start: u64,
    pub(super) sectors: u64,
    pub(super) kind: u8,
    pub(super) boot_indicator: u8,
}

/// Follows the chain in the extended partition of `sectors` sectors at `first`. What was found
/// before a problem is kept.
pub(super) fn chain(
    disk: &dyn ReadAt,
    sector_size: u32,
    first: u64,
    sectors: u64,
) -> (Vec<Logical>, Option<Problem>) {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let (mut this, mut this_sectors) = (first, sectors);
    let mut empty = 0;
    loop {
        let at = this.saturating_mul(u64::from(sector_size));
        let corrupt = |why: String| Some(Error::corrupt("extended partition", at, why));
        if !seen.insert(this) {
            let why = "the chain of logical partitions comes back to this record".into();
            return (found, corrupt(why));
        }
        empty += 1;
        if empty > MAX_EMPTY {
            return (found, corrupt(format!("{MAX_EMPTY} records in a row hold no partition")));
        }
        let sector = match read_vec(disk, "extended partition", at, 512) {
            Ok(sector) => sector,
            Err(error) => return (found, Some(error)),
        };
        let record = Fields::new("extended partition", at, &sector);
        let (Ok(signed), Ok(entries)) = (mbr::is_signed(&record), mbr::entries(&record)) else {
            return (found, corrupt("the record is too short".into()));
        };
        if !signed {
            let actual = [sector[510], sector[511]];
            return (found, corrupt(format!("the record ends in {actual:02x?}, not in 55 aa")));
        }
        for (index, entry) in entries.iter().enumerate() {
            if !entry.is_used() || entry.is_extended() {
                continue;
            }
            let start = this + u64::from(entry.start);
            let end = start + u64::from(entry.sectors);
            // The third and fourth entries are often garbage; only what fits is believed.
            let fits = u64::from(entry.start) + u64::from(entry.sectors) <= this_sectors
                && start >= first
                && end <= first + sectors;
            if index >= 2 && !fits {
                continue;
            }
            if found.len() == MAX_LOGICAL {
                let why = format!("there are more than {MAX_LOGICAL} logical partitions");
                return (found, corrupt(why));
            }
            empty = 0;
            found.push(Logical {
                start,
                sectors: u64::from(entry.sectors),
                kind: entry.kind,
                boot_indicator: entry.boot_indicator,
            });
        }
        match entries.iter().find(|entry| entry.is_used() && entry.is_extended()) {
            Some(link) => {
                this = first + u64::from(link.start);
                this_sectors = u64::from(link.sectors);
            }
            None => return (found, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mbr::tests::record;
    use super::*;

    /// A disk with boot records at these sectors.
    fn disk(records: &[(usize, Vec<u8>)]) -> Vec<u8> {
        let mut disk = vec![0; 512 * 1000];
        for (sector, bytes) in records {
            disk[sector * 512..][..512].copy_from_slice(bytes);
        }
        disk
    }

    fn starts(found: &[Logical]) -> Vec<u64> {
        found.iter().map(|logical| logical.start).collect()
    }

    #[test]
    fn links_are_relative_to_the_extended_partition_and_data_to_the_record() {
        let disk = disk(&[
            (100, record(&[(0, 0x83, 10, 20), (0, 5, 50, 60)])),
            (150, record(&[(0, 0x82, 10, 20), (0, 5, 200, 60)])),
            // DR-DOS puts the link first; OS/2 uses all four entries; garbage does not fit.
            (300, record(&[(0, 5, 300, 60)])),
            (400, record(&[(0, 7, 1, 9), (0, 0, 0, 0), (0, 6, 20, 5), (0, 0x42, 9999, 5)])),
        ]);
        let (found, problem) = chain(&disk, 512, 100, 900);
        assert!(problem.is_none(), "{problem:?}");
        assert_eq!(starts(&found), [110, 160, 401, 420]);
        assert_eq!(found[1].kind, 0x82);
    }

    #[test]
    fn a_loop_ends_and_is_told() {
        let disk = disk(&[
            (100, record(&[(0, 0x83, 10, 20), (0, 5, 50, 60)])),
            (150, record(&[(0, 0x83, 10, 20), (0, 5, 0, 60)])),
        ]);
        let (found, problem) = chain(&disk, 512, 100, 900);
        assert_eq!(starts(&found), [110, 160]);
        assert_eq!(problem.unwrap().offset(), Some(100 * 512));
    }

    #[test]
    fn a_broken_chain_keeps_what_came_before() {
        let first = record(&[(0, 0x83, 10, 20), (0, 5, 50, 60)]);
        let (found, problem) = chain(&disk(&[(100, first)]), 512, 100, 900);
        assert_eq!(starts(&found), [110]);
        assert_eq!(problem.unwrap().offset(), Some(150 * 512));
        let first = record(&[(0, 0x83, 10, 20), (0, 5, 0xFFFF_FFFF, 60)]);
        let (found, problem) = chain(&disk(&[(100, first)]), 512, 100, 900);
        assert_eq!(starts(&found), [110]);
        assert!(problem.is_some());
    }

    #[test]
    fn empty_and_endless_chains_stop() {
        let links: Vec<_> = (0..200).map(|at| (at, record(&[(0, 5, at as u32 + 1, 1)]))).collect();
        let (found, problem) = chain(&disk(&links), 512, 0, 1000);
        assert!(found.is_empty() && problem.is_some());
        let full: Vec<_> =
            (0..999).map(|at| (at, record(&[(0, 0x83, 1, 1), (0, 5, at as u32 + 1, 1)]))).collect();
        let (found, problem) = chain(&disk(&full), 512, 0, 1000);
        assert_eq!(found.len(), MAX_LOGICAL);
        assert!(problem.is_some());
    }
}
