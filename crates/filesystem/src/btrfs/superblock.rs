//! The superblock: where the trees start and what may be expected of them.
//!
//! It lies at 64 KiB and, on devices large enough, at 64 MiB and 256 GiB once more. An fsync
//! writes the first copy only, so that one alone says what was promised, and like the kernel we
//! believe it whenever it is whole. The others are looked at only where it is not.

use fathom_block::{Error, ErrorKind, Fields, Problem, ReadAt, Result, read_array, read_vec};

use super::block::MAX_LEVEL;
use super::checksum::{CHECKSUM_SPACE, Checksum};
use super::features::{self, Incompat};

/// Where the copies lie (`btrfs_sb_offset`).
const COPIES: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];

/// How long it is.
pub(super) const SIZE: u64 = 4096;

const MAGIC: [u8; 8] = *b"_BHRfS_M";
const WHAT: &str = "Btrfs superblock";

/// The only sector size this reader knows.
const SECTOR_SIZE: u32 = 4096;

/// The most bytes the array of system chunks may have.
const SYSTEM_CHUNK_ARRAY_SIZE: u32 = 2048;
const SYSTEM_CHUNK_ARRAY: usize = 0x32B;

/// Bits of the field `flags`.
mod flag {
    pub(super) const ERROR: u64 = 1 << 2;
    pub(super) const METADUMP: u64 = 1 << 33;
    pub(super) const METADUMP_V2: u64 = 1 << 34;
    /// Written, relocation, error, seeding and the two dumps (`BTRFS_SUPER_FLAG_SUPP`).
    pub(super) const KNOWN: u64 = 1 | 1 << 1 | ERROR | 1 << 32 | METADUMP | METADUMP_V2;
}

/// Where the top of a tree lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) bytenr: u64,
    pub(super) generation: u64,
    pub(super) level: u8,
}

/// What is used of a superblock (`btrfs_super_block`).
#[derive(Clone, Debug)]
pub(super) struct Superblock {
    pub(super) fsid: [u8; 16],
    /// The id that the blocks of the trees carry; the same as `fsid` unless that was changed.
    pub(super) metadata_uuid: [u8; 16],
    pub(super) generation: u64,
    pub(super) root: Top,
    pub(super) chunk_root: Top,
    pub(super) log_root: Option<Top>,
    pub(super) bytes_used: u64,
    pub(super) root_dir: u64,
    pub(super) num_devices: u64,
    pub(super) sector_size: u32,
    pub(super) node_size: u32,
    pub(super) incompat: Incompat,
    pub(super) compat_ro: u64,
    pub(super) checksum: Checksum,
    pub(super) device: Device,
    pub(super) label: String,
    pub(super) system_chunks: Vec<u8>,
    /// Where the array of system chunks lies on the volume.
    pub(super) system_chunks_at: u64,
    /// The filesystem has recorded errors.
    pub(super) has_errors: bool,
    /// It was restored from a dump of its metadata alone.
    pub(super) is_dump: bool,
}

/// The device that the superblock lies on (`btrfs_dev_item`).
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) id: u64,
    pub(super) uuid: [u8; 16],
    pub(super) total_bytes: u64,
    pub(super) bytes_used: u64,
}

/// Whether the first superblock is there, whole or damaged.
pub(super) fn has_first(volume: &dyn ReadAt) -> Result<bool> {
    match copies(volume).next() {
        Some(place) => Ok(read_array::<8>(volume, WHAT, place + 0x40)? == MAGIC),
        None => Ok(false),
    }
}

/// Whether another copy is whole.
pub(super) fn has_mirror(volume: &dyn ReadAt) -> bool {
    copies(volume).skip(1).any(|place| read(volume, place).is_ok())
}

/// The places of the copies that the volume is large enough for.
fn copies(volume: &dyn ReadAt) -> impl Iterator<Item = u64> {
    let length = volume.len();
    COPIES.into_iter().filter(move |place| place + SIZE <= length)
}

/// The superblock to go by, and what is to be said of it.
pub(super) fn find(volume: &dyn ReadAt) -> Result<(Superblock, Vec<Problem>)> {
    let mut copies = copies(volume);
    let Some(first) = copies.next() else {
        return Err(Error::corrupt(WHAT, 0, "the volume is too small to hold one"));
    };
    let wrong = match read(volume, first) {
        Ok(superblock) => return Ok((superblock, Vec::new())),
        Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
        Err(error) => error,
    };
    let newest = copies
        .filter_map(|place| Some((place, read(volume, place).ok()?)))
        .max_by_key(|(_, superblock)| superblock.generation);
    let Some((place, superblock)) = newest else {
        return Err(wrong);
    };
    let instead = Error::corrupt(
        WHAT,
        place,
        "this copy is used in place of the first; what was fsynced after the last commit is lost",
    );
    Ok((superblock, vec![wrong, instead]))
}

/// Reads the copy at `place`.
fn read(volume: &dyn ReadAt, place: u64) -> Result<Superblock> {
    let bytes = read_vec(volume, WHAT, place, SIZE)?;
    Superblock::parse(&bytes, place)
}

impl Superblock {
    /// Parses the copy whose `bytes` lie at `place`.
    pub(super) fn parse(bytes: &[u8], place: u64) -> Result<Self> {
        let fields = Fields::new(WHAT, place, bytes);
        if fields.array::<8>(0x40)? != MAGIC {
            return Err(fields.corrupt(0x40, "the magic bytes are not there"));
        }
        let csum_type = fields.le_u16(0xC4)?;
        let checksum = Checksum::from_type(csum_type).ok_or_else(|| {
            Error::unsupported(WHAT, format!("checksum type {csum_type} is not known")).at(place)
        })?;
        let stored = checksum.stored(fields.bytes(0, CHECKSUM_SPACE)?);
        let actual = checksum.of(fields.bytes(CHECKSUM_SPACE, SIZE as usize - CHECKSUM_SPACE)?);
        if stored != actual {
            return Err(fields.corrupt(
                0,
                format!(
                    "its {} is {}, its bytes have {}",
                    checksum.name(),
                    checksum.show(&stored),
                    checksum.show(&actual)
                ),
            ));
        }
        let bytenr = fields.le_u64(0x30)?;
        if bytenr != place {
            return Err(fields.corrupt(0x30, format!("it says it lies at byte {bytenr}")));
        }
        let incompat = Incompat(fields.le_u64(0xBC)?);
        incompat.check().map_err(|error| error.at(place + 0xBC))?;
        Self::trusted(&fields, place, checksum, incompat)
    }

    /// Parses what the checksum has vouched for. A checksum says that a program wrote this, not
    /// that it makes sense.
    fn trusted(
        fields: &Fields<'_>,
        place: u64,
        checksum: Checksum,
        incompat: Incompat,
    ) -> Result<Self> {
        let flags = fields.le_u64(0x38)?;
        if flags & !flag::KNOWN != 0 {
            let unknown = flags & !flag::KNOWN;
            return Err(Error::unsupported(
                WHAT,
                format!(
                    "flags {unknown:#x} are set: it is being converted (such as to another fsid or \
                     checksum), or they are not known"
                ),
            ));
        }
        let sector_size = fields.le_u32(0x90)?;
        let node_size = fields.le_u32(0x94)?;
        if !sector_size.is_power_of_two() || !(512..=65536).contains(&sector_size) {
            return Err(fields.corrupt(0x90, format!("sectorsize {sector_size}")));
        }
        if sector_size != SECTOR_SIZE {
            return Err(Error::unsupported(WHAT, format!("sectors of {sector_size} bytes")));
        }
        if !node_size.is_power_of_two() || !(sector_size..=65536).contains(&node_size) {
            return Err(fields.corrupt(0x94, format!("nodesize {node_size}")));
        }
        let generation = fields.le_u64(0x48)?;
        let top = |at: usize, level: usize, generation: u64| -> Result<Top> {
            let top = Top { bytenr: fields.le_u64(at)?, generation, level: fields.u8(level)? };
            if top.level > MAX_LEVEL {
                return Err(fields.corrupt(level, format!("a tree {} levels high", top.level)));
            }
            if !top.bytenr.is_multiple_of(u64::from(sector_size)) {
                return Err(fields.corrupt(at, format!("a tree at {}, mid-sector", top.bytenr)));
            }
            Ok(top)
        };
        let root = top(0x50, 0xC6, generation)?;
        let chunk_root = top(0x58, 0xC7, fields.le_u64(0xA4)?)?;
        // The log belongs to the transaction that was under way (`btrfs_replay_log`).
        let log_root = match fields.le_u64(0x60)? {
            0 => None,
            _ => Some(top(0x60, 0xC8, generation.saturating_add(1))?),
        };
        let array_size = fields.le_u32(0xA0)?;
        if array_size > SYSTEM_CHUNK_ARRAY_SIZE {
            return Err(fields.corrupt(0xA0, format!("{array_size} bytes of system chunks")));
        }
        let fsid = fields.array(0x20)?;
        let metadata_uuid = match incompat.has(features::METADATA_UUID) {
            true => fields.array(0x23B)?,
            false => fsid,
        };
        let device = fields.part("Btrfs device item", 0xC9, 98)?;
        let label = fields.bytes(0x12B, 256)?;
        let label = label.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Self {
            fsid,
            metadata_uuid,
            generation,
            root,
            chunk_root,
            log_root,
            bytes_used: fields.le_u64(0x78)?,
            root_dir: fields.le_u64(0x80)?,
            num_devices: fields.le_u64(0x88)?,
            sector_size,
            node_size,
            incompat,
            compat_ro: fields.le_u64(0xB4)?,
            checksum,
            device: Device {
                id: device.le_u64(0)?,
                uuid: device.array(66)?,
                total_bytes: device.le_u64(8)?,
                bytes_used: device.le_u64(16)?,
            },
            label: String::from_utf8_lossy(label).into_owned(),
            system_chunks: fields.bytes(SYSTEM_CHUNK_ARRAY, array_size as usize)?.to_vec(),
            system_chunks_at: place + SYSTEM_CHUNK_ARRAY as u64,
            has_errors: flags & flag::ERROR != 0,
            is_dump: flags & (flag::METADUMP | flag::METADUMP_V2) != 0,
        })
    }
}
