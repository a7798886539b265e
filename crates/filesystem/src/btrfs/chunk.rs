//! Chunks: how the addresses that trees speak of become places on the device.
//!
//! A Btrfs has one address space, made of chunks. A chunk has one or several stripes, each on some
//! device; the profile says how bytes are spread over them. We are given one device, so a chunk is
//! readable where one stripe on that device holds all of it: `single`, both stripes of `DUP`, and
//! of the mirrored profiles whichever stripes are here.

use std::collections::BTreeMap;

use fathom_block::{Error, Fields, Result};

use super::key::Key;
use super::superblock::Superblock;

/// The most chunks that are kept in mind: with the usual 1 GiB each, a pebibyte.
const MAX_CHUNKS: usize = 1 << 20;

/// The only length of stripe there is (`BTRFS_STRIPE_LEN`).
const STRIPE_LENGTH: u64 = 64 << 10;

const HEADER: usize = 48;
const STRIPE: usize = 32;

/// Block group profiles (`BTRFS_BLOCK_GROUP_*`): the bit, the name, how many stripes there are at
/// least and at most, and whether every stripe holds all of the chunk.
const PROFILES: [(u64, &str, u16, u16, bool); 8] = [
    (1 << 3, "RAID0", 1, u16::MAX, false),
    (1 << 4, "RAID1", 2, 2, true),
    (1 << 5, "DUP", 2, 2, true),
    (1 << 6, "RAID10", 2, u16::MAX, false),
    (1 << 7, "RAID5", 2, u16::MAX, false),
    (1 << 8, "RAID6", 3, u16::MAX, false),
    (1 << 9, "RAID1C3", 3, 3, true),
    (1 << 10, "RAID1C4", 4, 4, true),
];
/// Data, system and metadata.
const TYPES: u64 = 0b111;

/// A stretch of the address space.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) length: u64,
    /// Where on this device the copies lie; none where it lies on other devices.
    copies: Vec<u64>,
    profile: &'static str,
}

/// All chunks, by the address they start at.
#[derive(Clone, Debug, Default)]
pub(super) struct ChunkMap {
    chunks: BTreeMap<u64, Chunk>,
}

impl ChunkMap {
    /// The chunks that the superblock names, which hold the tree that names all others.
    pub(super) fn of_system(superblock: &Superblock) -> Result<Self> {
        let array = &superblock.system_chunks;
        let fields = Fields::new("Btrfs system chunks", superblock.system_chunks_at, array);
        let mut map = Self::default();
        let mut at = 0;
        while at < array.len() {
            let key = Key::parse(&fields, at)?;
            at += Key::SIZE;
            let stripes = usize::from(fields.le_u16(at + 44)?);
            let length = HEADER + stripes * STRIPE;
            let chunk = Chunk::parse(&fields.part("Btrfs system chunk", at, length)?, superblock)?;
            map.insert(key.offset, chunk).map_err(|error| error.at(superblock.system_chunks_at))?;
            at += length;
        }
        Ok(map)
    }

    /// Adds the chunk that starts at `logical`. The one that the superblock already named may come
    /// again.
    pub(super) fn insert(&mut self, logical: u64, chunk: Chunk) -> Result<()> {
        let wrong = |why: String| Err(Error::corrupt("Btrfs chunk", 0, why));
        let Some(end) = logical.checked_add(chunk.length) else {
            return wrong(format!("the chunk at {logical} passes the end of the address space"));
        };
        let before = self.chunks.range(..end).next_back();
        match before {
            Some((start, known)) if *start == logical && known.length == chunk.length => {}
            Some((start, known)) if start.saturating_add(known.length) > logical => {
                return wrong(format!("the chunks at {start} and {logical} overlap"));
            }
            _ => {}
        }
        if self.chunks.len() >= MAX_CHUNKS {
            return Err(Error::unsupported("Btrfs", format!("more than {MAX_CHUNKS} chunks")));
        }
        self.chunks.insert(logical, chunk);
        Ok(())
    }

    /// The places of all copies of the `length` bytes at `logical`.
    pub(super) fn places(
        &self,
        logical: u64,
        length: u64,
    ) -> Result<impl ExactSizeIterator<Item = u64> + '_> {
        let found = self.chunks.range(..=logical).next_back();
        let Some((start, chunk)) = found.filter(|(start, chunk)| logical - *start < chunk.length)
        else {
            return Err(Error::corrupt(
                "Btrfs chunk map",
                logical,
                "no chunk holds this address of the filesystem",
            ));
        };
        let within = logical - start;
        if length > chunk.length - within {
            return Err(Error::corrupt(
                "Btrfs chunk map",
                logical,
                format!("{length} bytes at this address pass the end of their chunk"),
            ));
        }
        if chunk.copies.is_empty() {
            return Err(Error::unsupported(
                format!("Btrfs profile {}", chunk.profile),
                "these bytes lie, wholly or in part, on devices that were not given",
            ));
        }
        Ok(chunk.copies.iter().map(move |place| place.saturating_add(within)))
    }

    /// The profiles of the chunks that cannot be read from this device alone.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let missing = self.chunks.values().filter(|chunk| chunk.copies.is_empty());
        let mut profiles: Vec<_> = missing.map(|chunk| chunk.profile).collect();
        profiles.sort_unstable();
        profiles.dedup();
        profiles
    }

    /// How many bytes all chunks have together.
    pub(super) fn total(&self) -> u64 {
        self.chunks.values().fold(0, |sum: u64, chunk| sum.saturating_add(chunk.length))
    }
}

impl Chunk {
    /// Parses a chunk item (`btrfs_chunk`).
    pub(super) fn parse(fields: &Fields<'_>, superblock: &Superblock) -> Result<Self> {
        let length = fields.le_u64(0)?;
        let stripe_length = fields.le_u64(16)?;
        let kind = fields.le_u64(24)?;
        let stripes = fields.le_u16(44)?;
        let sector_size = u64::from(superblock.sector_size);
        if length == 0 || !length.is_multiple_of(sector_size) {
            return Err(fields.corrupt(0, format!("a chunk of {length} bytes")));
        }
        if stripe_length != STRIPE_LENGTH {
            return Err(fields.corrupt(16, format!("stripes of {stripe_length} bytes")));
        }
        if kind & TYPES == 0 {
            return Err(fields.corrupt(24, format!("a chunk of type {kind:#x}")));
        }
        let profiles: u64 = PROFILES.iter().map(|(bit, ..)| bit).sum();
        if kind & !(TYPES | profiles) != 0 {
            return Err(Error::unsupported("Btrfs chunk", format!("type {kind:#x} is not known")));
        }
        let (profile, least, most, whole) = match (kind & profiles).count_ones() {
            0 => ("single", 1, 1, true),
            1 => PROFILES
                .iter()
                .find(|(bit, ..)| kind & bit != 0)
                .map_or(("single", 1, 1, true), |(_, name, least, most, whole)| {
                    (*name, *least, *most, *whole)
                }),
            _ => return Err(fields.corrupt(24, format!("several profiles at once: {kind:#x}"))),
        };
        if stripes < least || stripes > most {
            return Err(fields.corrupt(44, format!("{stripes} stripes of profile {profile}")));
        }
        if fields.len() < HEADER + usize::from(stripes) * STRIPE {
            return Err(fields.corrupt(44, format!("{stripes} stripes do not fit")));
        }
        // One stripe is the whole chunk, and so is each of two that mirror one another.
        let whole = match profile {
            "RAID0" => stripes == 1,
            "RAID10" => stripes == 2 && fields.le_u16(46)? == 2,
            _ => whole,
        };
        let mut copies = Vec::new();
        for index in 0..usize::from(stripes) {
            let at = HEADER + index * STRIPE;
            let here = fields.le_u64(at)? == superblock.device.id
                && fields.array::<16>(at + 16)? == superblock.device.uuid;
            let offset = fields.le_u64(at + 8)?;
            if here && !offset.is_multiple_of(sector_size) {
                return Err(fields.corrupt(at + 8, format!("a stripe at {offset}, mid-sector")));
            }
            if here && whole {
                copies.push(offset);
            }
        }
        Ok(Self { length, copies, profile })
    }
}
