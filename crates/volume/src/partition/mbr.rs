//! The master boot record: four entries in sector 0.
//!
//! Nothing but `55 AA` marks it, and much else ends in `55 AA`. The kernel's rule, in
//! `block/partitions/msdos.c`, is that all four boot indicators are `00` or `80`; libblkid's is that
//! in addition the sector is not a filesystem's boot sector. A boot sector with a parameter block
//! and four sane entries is a table to the kernel, and the guest's kernel is who we follow; but one
//! whose entries make no sense, or whose one entry starts at sector 0 as `mkfs.fat --mbr` writes it,
//! is a filesystem.

use fathom_block::{Fields, Result};

use super::boot;

/// Where the four entries start.
const ENTRIES: usize = 446;

/// The type of the entry that protects a GPT from those who know only the MBR.
const GPT_PROTECTIVE: u8 = 0xEE;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) boot_indicator: u8,
    pub(super) kind: u8,
    /// In sectors: from the start of the disk in the MBR, from various places in an EBR.
    pub(super) start: u32,
    pub(super) sectors: u32,
}

impl Entry {
    /// Linux lists what has sectors, even of type 0.
    pub(super) fn is_used(self) -> bool {
        self.sectors != 0
    }

    /// It stands for the GPT that it protects, and not for a partition.
    pub(super) fn is_protective(self) -> bool {
        self.kind == GPT_PROTECTIVE && self.start == 1
    }

    pub(super) fn is_extended(self) -> bool {
        matches!(self.kind, 0x05 | 0x0F | 0x85)
    }
}

/// The four entries of a boot record.
pub(super) fn entries(sector: &Fields<'_>) -> Result<[Entry; 4]> {
    let entry = |index: usize| -> Result<Entry> {
        let at = ENTRIES + 16 * index;
        Ok(Entry {
            boot_indicator: sector.u8(at)?,
            kind: sector.u8(at + 4)?,
            start: sector.le_u32(at + 8)?,
            sectors: sector.le_u32(at + 12)?,
        })
    };
    Ok([entry(0)?, entry(1)?, entry(2)?, entry(3)?])
}

/// Whether the boot record ends as one.
pub(super) fn is_signed(sector: &Fields<'_>) -> Result<bool> {
    Ok(sector.bytes(510, 2)? == [0x55, 0xAA])
}

/// What sector 0 is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sector0 {
    /// Not a boot record, or a filesystem's.
    Other,
    /// Nothing at all.
    Zeros,
    /// It says that the disk has a GPT.
    Protective {
        /// As of a table, if there is no GPT after all.
        disk_signature: u32,
        /// The entries, in their places.
        entries: [Entry; 4],
    },
    /// A table without entries: freshly made, or a boot loader before a filesystem.
    Empty,
    /// A table.
    Mbr {
        /// The first half of every `PARTUUID`.
        disk_signature: u32,
        /// The entries, in their places.
        entries: [Entry; 4],
    },
}

/// Judges sector 0 of a disk of `disk_sectors` sectors.
pub(super) fn judge(sector: &Fields<'_>, disk_sectors: u64) -> Result<Sector0> {
    if !is_signed(sector)? {
        let zeros = sector.as_bytes().iter().all(|byte| *byte == 0);
        return Ok(if zeros { Sector0::Zeros } else { Sector0::Other });
    }
    let entries = entries(sector)?;
    if entries.iter().any(|entry| !matches!(entry.boot_indicator, 0x00 | 0x80)) {
        return Ok(Sector0::Other);
    }
    if entries.iter().any(|entry| entry.kind == GPT_PROTECTIVE) {
        return Ok(Sector0::Protective { disk_signature: sector.le_u32(440)?, entries });
    }
    let filesystem = boot::is_filesystem(sector.as_bytes());
    let used: Vec<Entry> = entries.into_iter().filter(|entry| entry.is_used()).collect();
    if used.is_empty() {
        return Ok(if filesystem { Sector0::Other } else { Sector0::Empty });
    }
    let sane = |entry: &Entry| {
        let end = u64::from(entry.start) + u64::from(entry.sectors);
        entry.kind != 0 && entry.start != 0 && end <= disk_sectors
    };
    if filesystem && !used.iter().all(sane) {
        return Ok(Sector0::Other);
    }
    Ok(Sector0::Mbr { disk_signature: sector.le_u32(440)?, entries })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A boot record with these entries: boot indicator, type, start, sectors.
    pub(in super::super) fn record(entries: &[(u8, u8, u32, u32)]) -> Vec<u8> {
        let mut sector = vec![0; 512];
        sector[440..444].copy_from_slice(&0x1234_abcd_u32.to_le_bytes());
        for (index, (boot, kind, start, sectors)) in entries.iter().enumerate() {
            let at = ENTRIES + 16 * index;
            sector[at] = *boot;
            sector[at + 4] = *kind;
            sector[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
            sector[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
        }
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
        sector
    }

    fn judged(sector: &[u8]) -> Sector0 {
        judge(&Fields::new("sector 0", 0, sector), 10_000).unwrap()
    }

    #[test]
    fn a_table_is_told_from_what_only_looks_like_one() {
        assert_eq!(judged(&[0; 512]), Sector0::Zeros);
        assert_eq!(judged(&[7; 512]), Sector0::Other);
        assert_eq!(judged(&record(&[])), Sector0::Empty);
        assert!(matches!(
            judged(&record(&[(0x80, 0x83, 2048, 4096)])),
            Sector0::Mbr { disk_signature: 0x1234_abcd, .. }
        ));
        assert_eq!(judged(&record(&[(0x81, 0x83, 2048, 4096)])), Sector0::Other);
        assert!(matches!(judged(&record(&[(0, 0xEE, 1, 9999)])), Sector0::Protective { .. }));
        // Past the end of the disk is a truncated disk, not a filesystem.
        assert!(matches!(judged(&record(&[(0, 7, 2048, 1 << 31)])), Sector0::Mbr { .. }));
    }

    #[test]
    fn a_boot_sector_is_a_table_only_with_sane_entries() {
        let boot = |entries: &[(u8, u8, u32, u32)]| {
            let mut sector = record(entries);
            sector[..11].copy_from_slice(b"\xEB\x3C\x90mkfs.fat");
            sector[11..17].copy_from_slice(&[0x00, 0x02, 4, 1, 0, 2]);
            sector[21] = 0xF8;
            sector
        };
        assert_eq!(judged(&boot(&[])), Sector0::Other);
        assert_eq!(judged(&boot(&[(0x80, 0x0C, 0, 10_000)])), Sector0::Other);
        assert_eq!(judged(&boot(&[(0, 0x65, 0x2074_6F6E, 0x6B73_6964)])), Sector0::Other);
        assert!(matches!(judged(&boot(&[(0x80, 0x0C, 63, 9000)])), Sector0::Mbr { .. }));
    }
}
