//! The boot sector with the BIOS parameter block: where the tables and the data lie.
//!
//! What makes a FAT volume is the numbers and nothing else: the letters `FAT16` in the sector are
//! a comment, and other sectors carry them too. The checks are those of Linux.

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

/// How many bytes of the first sector are looked at.
const BOOT_SECTOR: usize = 512;

/// The most clusters of FAT12 and FAT16.
const MAX_FAT12: u64 = 0xFF4;
const MAX_FAT16: u64 = 0xFFF4;
/// The most that FAT32's 28 bits can count.
const MAX_FAT32: u64 = 0x0FFF_FFF5;

/// How wide the entries of the table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Fat12,
    Fat16,
    Fat32,
}

impl Width {
    /// How many bits an entry has.
    pub(super) fn bits(self) -> u64 {
        match self {
            Self::Fat12 => 12,
            Self::Fat16 => 16,
            Self::Fat32 => 32,
        }
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fat12 => "FAT12",
            Self::Fat16 => "FAT16",
            Self::Fat32 => "FAT32",
        }
    }
}

/// Where things are, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) width: Width,
    pub(super) media: u8,
    pub(super) cluster_size: u64,
    /// How many clusters there are; their numbers start at 2.
    pub(super) clusters: u64,
    /// Where the table starts that is to be read first.
    pub(super) table: u64,
    /// Where its copy starts, if there is one that is kept up to date.
    pub(super) copy: Option<u64>,
    pub(super) table_length: u64,
    /// The root directory of FAT12 and FAT16, which is no chain: where it starts and its length.
    pub(super) root: (u64, u64),
    /// The first cluster of FAT32's root directory.
    pub(super) root_cluster: u32,
    /// Where cluster 2 starts.
    pub(super) data: u64,
    /// How many bytes the volume claims to have.
    pub(super) size: u64,
    /// FAT32's sector with the count of free clusters.
    pub(super) fs_info: Option<u64>,
    pub(super) serial: Option<u32>,
    /// The label in this sector, which is not always the one in the root directory.
    pub(super) label: Option<[u8; 11]>,
    /// Linux's flag that the volume was not unmounted.
    pub(super) state: u8,
}

impl Geometry {
    /// What the first sector says.
    pub(super) fn read(volume: &dyn ReadAt) -> Result<Self> {
        let bytes = read_array::<BOOT_SECTOR>(volume, "FAT boot sector", 0)?;
        Self::parse(&Fields::new("FAT boot sector", 0, &bytes))
    }

    pub(super) fn parse(boot: &Fields<'_>) -> Result<Self> {
        let sector_size = u64::from(boot.le_u16(11)?);
        let sectors_per_cluster = u64::from(boot.u8(13)?);
        let reserved = u64::from(boot.le_u16(14)?);
        let fats = u64::from(boot.u8(16)?);
        let root_entries = u64::from(boot.le_u16(17)?);
        let media = boot.u8(21)?;
        if !matches!(sector_size, 512 | 1024 | 2048 | 4096) {
            return Err(boot.corrupt(11, format!("{sector_size} bytes are no size of a sector")));
        }
        if !sectors_per_cluster.is_power_of_two() {
            return Err(boot.corrupt(13, format!("{sectors_per_cluster} sectors per cluster")));
        }
        if reserved == 0 || fats == 0 {
            return Err(boot.corrupt(14, format!("{reserved} reserved sectors and {fats} tables")));
        }
        if media < 0xF8 && media != 0xF0 {
            return Err(boot.corrupt(21, format!("{media:#x} is no kind of medium")));
        }
        let fat_length_16 = u64::from(boot.le_u16(22)?);
        let is_32 = fat_length_16 == 0;
        let fat_length = if is_32 { u64::from(boot.le_u32(36)?) } else { fat_length_16 };
        if fat_length == 0 {
            return Err(boot.corrupt(22, "tables of no length"));
        }
        let sectors = match u64::from(boot.le_u16(19)?) {
            0 => u64::from(boot.le_u32(32)?),
            sectors => sectors,
        };
        let root_length = root_entries * 32;
        if is_32 && root_entries != 0 || !is_32 && root_length % sector_size != 0 {
            return Err(boot.corrupt(17, format!("a root directory of {root_entries} entries")));
        }
        let root_start = reserved + fats * fat_length;
        let data_start = root_start + root_length / sector_size;
        let table_length = fat_length * sector_size;
        let held = sectors.checked_sub(data_start).map(|sectors| sectors / sectors_per_cluster);
        let Some(held @ 1..) = held else {
            return Err(boot.corrupt(
                19,
                format!("{sectors} sectors, but the data starts at sector {data_start}"),
            ));
        };
        let width = match held {
            _ if is_32 => Width::Fat32,
            0..=MAX_FAT12 => Width::Fat12,
            _ => Width::Fat16,
        };
        // A table may have fewer entries than there would be clusters.
        let clusters = held.min((table_length * 8 / width.bits()).saturating_sub(2));
        let most = match width {
            Width::Fat12 => MAX_FAT12,
            Width::Fat16 => MAX_FAT16,
            Width::Fat32 => MAX_FAT32,
        };
        if clusters == 0 || clusters > most {
            return Err(boot.corrupt(19, format!("{clusters} clusters of {}", width.name())));
        }
        let table = |index: u64| (reserved + index * fat_length) * sector_size;
        let mut geometry = Self {
            width,
            media,
            cluster_size: sector_size * sectors_per_cluster,
            clusters,
            table: table(0),
            copy: (fats > 1).then(|| table(1)),
            table_length,
            root: (root_start * sector_size, root_length),
            root_cluster: 0,
            data: data_start * sector_size,
            size: sectors * sector_size,
            fs_info: None,
            serial: None,
            label: None,
            state: 0,
        };
        if is_32 {
            geometry.parse_fat32(boot, fats, sector_size)?;
        }
        geometry.parse_extension(boot, if is_32 { 64 } else { 36 })?;
        Ok(geometry)
    }

    /// What FAT32 has in place of a fixed root directory.
    fn parse_fat32(&mut self, boot: &Fields<'_>, fats: u64, sector_size: u64) -> Result<()> {
        let version = boot.le_u16(42)?;
        if version != 0 {
            return Err(Error::unsupported("FAT32", format!("version {version:#06x}")));
        }
        // With mirroring switched off, one table counts and the others are out of date.
        let flags = boot.le_u16(40)?;
        if flags & 0x80 != 0 {
            let active = u64::from(flags & 15);
            if active >= fats {
                return Err(boot.corrupt(40, format!("table {active} of {fats} is in use")));
            }
            self.table += active * self.table_length;
            self.copy = None;
        }
        self.root_cluster = boot.le_u32(44)?;
        self.fs_info = match u64::from(boot.le_u16(48)?) {
            0 | 0xFFFF => None,
            sector => Some(sector * sector_size),
        };
        Ok(())
    }

    /// The state, serial number and label, which stand in one place or another.
    fn parse_extension(&mut self, boot: &Fields<'_>, at: usize) -> Result<()> {
        self.state = boot.u8(at + 1)?;
        let signature = boot.u8(at + 2)?;
        if matches!(signature, 0x28 | 0x29) {
            self.serial = Some(boot.le_u32(at + 3)?);
        }
        if signature == 0x29 {
            self.label = Some(boot.array(at + 7)?);
        }
        Ok(())
    }

    /// Where a cluster lies; `None` where there is no such cluster.
    pub(super) fn place(&self, cluster: u32) -> Option<u64> {
        let index = u64::from(cluster).checked_sub(2).filter(|index| *index < self.clusters)?;
        Some(self.data + index * self.cluster_size)
    }
}

/// Whether the first sector is that of a FAT volume.
pub(super) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    if volume.len() < BOOT_SECTOR as u64 {
        return Ok(false);
    }
    let boot = read_array::<BOOT_SECTOR>(volume, "FAT boot sector", 0)?;
    if matches!(&boot[3..11], b"NTFS    " | b"EXFAT   " | b"-FVE-FS-") {
        return Ok(false);
    }
    let geometry = match Geometry::parse(&Fields::new("FAT boot sector", 0, &boot)) {
        Ok(geometry) => geometry,
        // A FAT that is not known is one all the same.
        Err(error) => return Ok(error.kind() == fathom_block::ErrorKind::Unsupported),
    };
    // Formatters write a jump, a signature or both. A block of numbers alone may be anything,
    // unless the table that it leads to begins with the same medium.
    let jump = matches!(boot[0], 0xEB | 0xE9);
    let signature = boot[510..] == [0x55, 0xAA];
    let medium = || {
        let start = read_array::<3>(volume, "file allocation table", geometry.table);
        start.is_ok_and(|start| start[0] == geometry.media && start[1] == 0xFF)
    };
    Ok(jump || signature || medium())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A boot sector of FAT12 or FAT16 with so many sectors and one sector a cluster.
    pub(crate) fn sector(sectors: u32, fat_length: u16) -> Vec<u8> {
        let mut boot = vec![0; 512];
        boot[0] = 0xEB;
        boot[11..13].copy_from_slice(&512u16.to_le_bytes());
        boot[13] = 1;
        boot[14] = 1;
        boot[16] = 2;
        boot[17..19].copy_from_slice(&16u16.to_le_bytes());
        boot[21] = 0xF8;
        boot[22..24].copy_from_slice(&fat_length.to_le_bytes());
        boot[32..36].copy_from_slice(&sectors.to_le_bytes());
        boot[38] = 0x29;
        boot[39..43].copy_from_slice(&0x1234_ABCDu32.to_le_bytes());
        boot[43..54].copy_from_slice(b"NO NAME    ");
        boot[510..].copy_from_slice(&[0x55, 0xAA]);
        boot
    }

    fn parse(boot: &[u8]) -> Result<Geometry> {
        Geometry::read(&boot.to_vec())
    }

    #[test]
    fn the_count_of_clusters_decides() {
        // 1 + 2 * 12 + 1 sectors come before the data.
        let small = parse(&sector(26 + 4084, 12)).unwrap();
        assert_eq!((small.width, small.clusters), (Width::Fat12, 4084));
        assert_eq!((small.table, small.copy, small.root), (512, Some(13 * 512), (25 * 512, 512)));
        assert_eq!((small.place(2), small.place(1)), (Some(26 * 512), None));
        assert_eq!((small.place(4085).is_some(), small.place(4086)), (true, None));
        let large = parse(&sector(2 + 2 * 16 + 4085, 16)).unwrap();
        assert_eq!((large.width, large.clusters), (Width::Fat16, 4085));
        let short = parse(&sector(26 + 3000, 1)).unwrap();
        assert_eq!(short.clusters, 512 * 8 / 12 - 2, "the table is shorter than the volume");
    }

    #[test]
    fn fat32_has_its_own_fields() {
        let mut boot = sector(100_000, 0);
        boot[17] = 0;
        boot[38..64].fill(0);
        boot[36..40].copy_from_slice(&800u32.to_le_bytes());
        boot[44] = 2;
        boot[48] = 1;
        boot[66] = 0x28;
        let geometry = parse(&boot).unwrap();
        assert_eq!((geometry.width, geometry.root_cluster), (Width::Fat32, 2));
        assert_eq!((geometry.fs_info, geometry.label), (Some(512), None));
        boot[40] = 0x81;
        let second = parse(&boot).unwrap();
        assert_eq!((second.table, second.copy), (801 * 512, None));
        boot[40] = 0x82;
        assert!(parse(&boot).is_err());
        boot[40] = 0;
        boot[42] = 1;
        assert_eq!(parse(&boot).unwrap_err().kind(), fathom_block::ErrorKind::Unsupported);
    }

    #[test]
    fn other_sectors_are_no_fat() {
        assert!(probe(&sector(4000, 12)).unwrap());
        for (at, value) in
            [(12, 0), (13, 0), (13, 3), (14, 0), (16, 0), (17, 3), (21, 0), (22, 0), (33, 0)]
        {
            let mut boot = sector(4000, 12);
            boot[at] = value;
            boot[if at == 33 { 32 } else { at }] = value;
            assert!(!probe(&boot).unwrap(), "byte {at} = {value}");
        }
        let mut ntfs = sector(4000, 12);
        ntfs[3..11].copy_from_slice(b"NTFS    ");
        assert!(!probe(&ntfs).unwrap());
        let mut bare = sector(4000, 12);
        bare[0] = 0;
        assert!(probe(&bare).unwrap());
        bare[511] = 0;
        assert!(!probe(&bare).unwrap());
        bare.extend([0xF8, 0xFF, 0xFF]);
        assert!(probe(&bare).unwrap());
        assert!(!probe(&vec![0; 100]).unwrap());
    }
}
