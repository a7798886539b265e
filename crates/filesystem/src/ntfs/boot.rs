//! The boot sector: how large things are and where the master file table starts.
//!
//! Its twin lies in the last sector of the partition and stands in when the first is damaged.

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

/// What the first sector holds and the last one repeats.
pub(super) const BOOT_SECTOR: usize = 512;

/// The sizes and places that everything else is reckoned with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) sector_size: u64,
    pub(super) cluster_size: u64,
    /// How many clusters the volume has.
    pub(super) clusters: u64,
    /// How many bytes the volume has.
    pub(super) size: u64,
    /// The byte offset of the master file table's first cluster.
    pub(super) mft: u64,
    /// The byte offset of the copy of its first records.
    pub(super) mft_mirror: u64,
    /// The size of a FILE record.
    pub(super) record_size: usize,
    pub(super) serial: u64,
}

impl Geometry {
    /// The geometry, and whether it had to come from the backup because of this error.
    pub(super) fn read(volume: &dyn ReadAt) -> Result<(Self, Option<Error>)> {
        let primary = Self::at(volume, 0);
        match primary {
            Ok(geometry) => Ok((geometry, None)),
            Err(error) => match backup(volume) {
                Some(geometry) => Ok((geometry, Some(error))),
                None => Err(error),
            },
        }
    }

    /// What the boot sector at this place says.
    pub(super) fn at(volume: &dyn ReadAt, at: u64) -> Result<Self> {
        let bytes = read_array::<BOOT_SECTOR>(volume, "NTFS boot sector", at)?;
        Self::parse(&Fields::new("NTFS boot sector", at, &bytes))
    }

    fn parse(boot: &Fields<'_>) -> Result<Self> {
        if boot.bytes(3, 8)? != b"NTFS    " {
            return Err(boot.corrupt(3, "the name NTFS is not there"));
        }
        if boot.le_u16(510)? != 0xAA55 {
            return Err(boot.corrupt(510, "the signature 55 AA is not there"));
        }
        // Where FAT keeps its own numbers, NTFS keeps zeros.
        let (reserved, fats, root_entries) = (boot.le_u16(14)?, boot.u8(16)?, boot.le_u16(17)?);
        let (sectors_16, fat_length) = (boot.le_u16(19)?, boot.le_u16(22)?);
        if (reserved, fats, root_entries, sectors_16, fat_length) != (0, 0, 0, 0, 0) {
            return Err(boot.corrupt(14, "fields that only FAT uses are not zero"));
        }
        let sector_size = u64::from(boot.le_u16(11)?);
        // Windows makes none of 256; mkntfs does.
        if !matches!(sector_size, 256 | 512 | 1024 | 2048 | 4096) {
            return Err(boot.corrupt(11, format!("{sector_size} bytes are no size of a sector")));
        }
        let sectors_per_cluster = match boot.u8(13)? {
            count @ (1 | 2 | 4 | 8 | 16 | 32 | 64 | 128) => u64::from(count),
            // Since Windows 10 1709, larger clusters are a negative power of two.
            negative @ 0xF4.. => 1 << (256 - u32::from(negative)),
            other => return Err(boot.corrupt(13, format!("{other} sectors per cluster"))),
        };
        let cluster_size = sector_size * sectors_per_cluster;
        if cluster_size > 2 << 20 {
            return Err(boot.corrupt(13, format!("clusters of {cluster_size} bytes")));
        }
        let sectors = boot.le_u64(40)?;
        let size = sectors.checked_mul(sector_size).filter(|size| *size < 1 << 63);
        let (Some(size), 1..) = (size, sectors / sectors_per_cluster) else {
            return Err(boot.corrupt(40, format!("a volume of {sectors} sectors")));
        };
        let clusters = sectors / sectors_per_cluster;
        let place = |at| {
            let lcn = boot.le_u64(at)?;
            let inside = lcn > 0 && lcn < clusters;
            inside.then_some(lcn * cluster_size).ok_or_else(|| {
                boot.corrupt(at, format!("cluster {lcn}, but the volume has {clusters}"))
            })
        };
        // The place of the copy only matters once the table is damaged.
        let (mft, mft_mirror) = (place(48)?, place(56).unwrap_or(u64::MAX));
        let record_size = match boot.u8(64)? as i8 {
            clusters @ 1.. => cluster_size * clusters as u64,
            power @ -16..=-9 => 1 << power.unsigned_abs(),
            other => return Err(boot.corrupt(64, format!("{other} clusters per FILE record"))),
        };
        if !record_size.is_power_of_two() || !(512..=64 << 10).contains(&record_size) {
            return Err(boot.corrupt(64, format!("FILE records of {record_size} bytes")));
        }
        Ok(Self {
            sector_size,
            cluster_size,
            clusters,
            size,
            mft,
            mft_mirror,
            record_size: record_size as usize,
            serial: boot.le_u64(72)?,
        })
    }

    /// The byte offset of a cluster.
    pub(super) fn place(&self, lcn: u64) -> u64 {
        lcn.saturating_mul(self.cluster_size)
    }
}

/// What the copy in the last sector says, if it and the table it leads to can be believed.
///
/// How long a sector is stands in the damaged one, so each size is tried. The magic of the first
/// FILE record must be where the copy says: an NTFS that was there long ago is not resurrected.
pub(super) fn backup(volume: &dyn ReadAt) -> Option<Geometry> {
    [512, 4096, 1024, 2048].into_iter().find_map(|sector_size| {
        let geometry = Geometry::at(volume, volume.len().checked_sub(sector_size)?).ok()?;
        let magic = |at| read_array::<4>(volume, "FILE record", at).is_ok_and(|m| m == *b"FILE");
        let agrees = geometry.sector_size == sector_size && geometry.size <= volume.len();
        (agrees && (magic(geometry.mft) || magic(geometry.mft_mirror))).then_some(geometry)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn sector() -> Vec<u8> {
        let mut boot = vec![0; 512];
        boot[3..11].copy_from_slice(b"NTFS    ");
        boot[11..13].copy_from_slice(&512u16.to_le_bytes());
        boot[13] = 8;
        boot[40..48].copy_from_slice(&8000u64.to_le_bytes());
        boot[48..56].copy_from_slice(&4u64.to_le_bytes());
        boot[56..64].copy_from_slice(&500u64.to_le_bytes());
        boot[64] = 0xF6;
        boot[72..80].copy_from_slice(&0x1234u64.to_le_bytes());
        boot[510] = 0x55;
        boot[511] = 0xAA;
        boot
    }

    #[test]
    fn sizes_are_read_in_both_encodings() {
        let plain = Geometry::at(&sector(), 0).unwrap();
        assert_eq!((plain.cluster_size, plain.clusters, plain.record_size), (4096, 1000, 1024));
        assert_eq!((plain.mft, plain.mft_mirror, plain.serial), (16384, 500 * 4096, 0x1234));
        let mut large = sector();
        large[13] = 0xF4;
        large[40..48].copy_from_slice(&(4096u64 * 1000).to_le_bytes());
        assert_eq!(Geometry::at(&large, 0).unwrap().cluster_size, 2 << 20);
        let mut whole = sector();
        whole[64] = 1;
        assert_eq!(Geometry::at(&whole, 0).unwrap().record_size, 4096);
    }

    #[test]
    fn nonsense_is_corrupt() {
        for (at, value) in [
            (3, 0),
            (510, 0),
            (14, 1),
            (16, 2),
            (11, 1),
            (12, 0x20),
            (13, 0),
            (13, 3),
            (13, 0xF3),
            (47, 0xFF),
            (48, 0),
            (53, 1),
            (64, 0),
            (64, 3),
            (64, 0x80),
            (64, 127),
        ] {
            let mut boot = sector();
            boot[at] = value;
            assert!(Geometry::at(&boot, 0).is_err(), "byte {at} = {value}");
        }
        let mut empty = sector();
        empty[40..48].fill(0);
        assert!(Geometry::at(&empty, 0).is_err());
    }

    #[test]
    fn the_backup_stands_in() {
        let mut volume = vec![0; 8001 * 512];
        volume[8000 * 512..].copy_from_slice(&sector());
        assert!(Geometry::read(&volume).is_err(), "no table, no volume");
        volume[16384..16388].copy_from_slice(b"FILE");
        let (geometry, problem) = Geometry::read(&volume).unwrap();
        assert_eq!(geometry.clusters, 1000);
        assert_eq!(problem.unwrap().offset(), Some(3));
    }
}
