//! The bytes of extents, each sector held against its checksum before anybody sees it.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, ReadAt, Result};

use super::btree::Btree;
use super::extent::Packed;
use super::key::{Key, id, kind};
use super::store::Store;

/// How much memory unpacked extents may take.
const UNPACKED_CACHE: usize = 4 << 20;

/// How many packed extents are fetched and unpacked at once.
const BATCH: usize = 32;

/// The fewest packed extents that are worth a thread of their own.
const PER_THREAD: usize = 4;

const WHAT: &str = "Btrfs file data";

/// A read of the bytes at an address of the filesystem.
pub(super) type Read<'a> = (u64, &'a mut [u8]);

/// The bytes of extents.
pub(super) struct Data {
    store: Arc<Store>,
    /// The tree of checksums, or why it cannot be had.
    sums: Result<Option<Btree>>,
    /// Checksums that only the log has, by the address they start at.
    logged: BTreeMap<u64, Vec<u8>>,
    unpacked: Decoded<(Packed, bool), Vec<u8>>,
}

impl Data {
    pub(super) fn new(
        store: Arc<Store>,
        sums: Result<Option<Btree>>,
        logged: BTreeMap<u64, Vec<u8>>,
    ) -> Self {
        Self { store, sums, logged, unpacked: Decoded::new(UNPACKED_CACHE) }
    }

    fn sector(&self) -> u64 {
        u64::from(self.store.superblock.sector_size)
    }

    /// Fills the buffers with plain bytes. Where they are `checked`, every sector that they touch
    /// is read in full.
    pub(super) fn read(&self, reads: Vec<Read<'_>>, checked: bool) -> Result<()> {
        let mut whole: Vec<Read<'_>> = Vec::with_capacity(reads.len());
        if !checked {
            whole.extend(reads);
            return self.fetch(&mut whole);
        }
        // Sectors that are wanted in part, and which part.
        let mut bounced: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut parts: Vec<(usize, &mut [u8])> = Vec::new();
        let sector = self.sector();
        for (mut logical, mut buf) in reads {
            let within = logical % sector;
            if within != 0 {
                let length = ((sector - within) as usize).min(buf.len());
                let (head, rest) = buf.split_at_mut(length);
                bounced.push((logical - within, vec![0; sector as usize]));
                parts.push((within as usize, head));
                (logical, buf) = (logical.saturating_add(length as u64), rest);
            }
            let (middle, tail) = buf.split_at_mut(buf.len() - buf.len() % sector as usize);
            if !tail.is_empty() {
                let at = logical.saturating_add(middle.len() as u64);
                bounced.push((at, vec![0; sector as usize]));
                parts.push((0, tail));
            }
            if !middle.is_empty() {
                whole.push((logical, middle));
            }
        }
        whole.extend(bounced.iter_mut().map(|(at, bytes)| (*at, bytes.as_mut_slice())));
        self.fetch(&mut whole)?;
        for (logical, bytes) in &mut whole {
            self.verify(*logical, bytes)?;
        }
        drop(whole);
        for ((_, bytes), (from, part)) in bounced.iter().zip(parts) {
            part.copy_from_slice(&bytes[from..from + part.len()]);
        }
        Ok(())
    }

    /// Hints that the bytes at these addresses will be read soon.
    pub(super) fn prefetch(&self, hints: &[(u64, u64)]) {
        let places: Vec<Range<u64>> = hints
            .iter()
            .filter_map(|(logical, length)| {
                let place = self.store.chunks.places(*logical, *length).ok()?.next()?;
                Some(place..place.saturating_add(*length))
            })
            .collect();
        self.store.volume.prefetch(&places);
    }

    /// Reads without looking at checksums: the first copy of all at once, and where that fails,
    /// each from whichever copy can be read.
    fn fetch(&self, reads: &mut [Read<'_>]) -> Result<()> {
        let mut below = Vec::with_capacity(reads.len());
        for (logical, buf) in reads.iter_mut() {
            let mut places = self.store.chunks.places(*logical, buf.len() as u64)?;
            below.push((places.next().unwrap_or(u64::MAX), &mut **buf));
        }
        let Err(error) = self.store.volume.read_many(&mut below) else {
            return Ok(());
        };
        for (logical, buf) in reads.iter_mut() {
            let places = self.store.chunks.places(*logical, buf.len() as u64)?;
            if places.len() < 2 {
                // There is nothing to choose from; the error may still be another piece's.
                for place in places {
                    self.store.volume.read_at(place, buf).map_err(|error| error.within(WHAT))?;
                }
                continue;
            }
            let mut outcome = Err(error.clone());
            for place in places {
                outcome = self.store.volume.read_at(place, buf);
                if outcome.is_ok() {
                    break;
                }
            }
            outcome.map_err(|error| error.within(WHAT))?;
            self.store.note(error.clone());
        }
        Ok(())
    }

    /// Holds whole sectors against their checksums. Where one does not match, the other copies are
    /// tried.
    fn verify(&self, logical: u64, bytes: &mut [u8]) -> Result<()> {
        let sector = self.sector();
        let checksum = self.store.superblock.checksum;
        let expected = self.expected(logical, bytes.len() as u64)?;
        let sectors = bytes.chunks_exact_mut(sector as usize);
        for (index, (bytes, expected)) in
            sectors.zip(expected.chunks_exact(checksum.size())).enumerate()
        {
            let stored = checksum.stored(expected);
            let actual = checksum.of(bytes);
            if actual == stored {
                continue;
            }
            let logical = logical + index as u64 * sector;
            let mut places = self.store.chunks.places(logical, sector)?;
            let error = Error::corrupt(
                WHAT,
                places.next().unwrap_or(logical),
                format!(
                    "the {} of this sector should be {}, but is {}",
                    checksum.name(),
                    checksum.show(&stored),
                    checksum.show(&actual)
                ),
            );
            let mended = places.any(|place| {
                self.store.volume.read_at(place, bytes).is_ok() && checksum.of(bytes) == stored
            });
            if !mended {
                return Err(error);
            }
            self.store.note(error);
        }
        Ok(())
    }

    /// The checksums of the `length` bytes at `logical`, one behind the other. That a sector has
    /// none is damage too: files without checksums say so in their inode.
    fn expected(&self, logical: u64, length: u64) -> Result<Vec<u8>> {
        let sector = self.sector();
        let size = self.store.superblock.checksum.size();
        let count = (length / sector) as usize;
        let mut sums = vec![0; count * size];
        let mut known = vec![false; count];
        let mut take = |start: u64, stored: &[u8]| {
            for (index, sum) in stored.chunks_exact(size).enumerate() {
                let at = start.saturating_add(index as u64 * sector);
                let Some(distance) = at.checked_sub(logical) else {
                    continue;
                };
                let to = (distance / sector) as usize;
                let Some(slot) = known.get_mut(to) else {
                    break;
                };
                *slot = true;
                sums[to * size..(to + 1) * size].copy_from_slice(sum);
            }
        };
        let end = logical.saturating_add(length);
        if let Some(tree) = self.sums.as_ref().map_err(Clone::clone)? {
            let key = Key::new(id::EXTENT_CSUM, kind::EXTENT_CSUM, logical);
            let mut cursor = tree.cursor_around(key)?;
            while let Some(item) = cursor.next()? {
                if !item.key.is(id::EXTENT_CSUM, kind::EXTENT_CSUM) || item.key.offset >= end {
                    break;
                }
                take(item.key.offset, item.bytes());
            }
        }
        // What the log says is newer.
        let before = self.logged.range(..=logical).next_back().map_or(logical, |(start, _)| *start);
        for (start, stored) in self.logged.range(before..end) {
            take(*start, stored);
        }
        match known.iter().position(|known| !known) {
            None => Ok(sums),
            Some(index) => {
                let logical = logical + index as u64 * sector;
                let place = self.store.chunks.places(logical, sector)?.next();
                Err(Error::corrupt(
                    WHAT,
                    place.unwrap_or(logical),
                    "this sector should have a checksum, but none is stored",
                ))
            }
        }
    }

    /// Fills the buffers with bytes of packed extents, each from the given byte of what it unpacks
    /// to on.
    pub(super) fn read_packed(
        &self,
        mut reads: Vec<(Packed, u64, &mut [u8])>,
        checked: bool,
    ) -> Result<()> {
        for batch in reads.chunks_mut(BATCH) {
            let mut wanted: Vec<Packed> = Vec::with_capacity(batch.len());
            let mut ready: Vec<(Packed, Arc<Vec<u8>>)> = Vec::with_capacity(batch.len());
            for (packed, ..) in batch.iter() {
                match self.unpacked.get(&(*packed, checked)) {
                    Some(bytes) => ready.push((*packed, bytes)),
                    None if !wanted.contains(packed) => wanted.push(*packed),
                    None => {}
                }
            }
            for (packed, bytes) in self.unpack(&wanted, checked)? {
                let weight = bytes.as_slice().len();
                self.unpacked.put((packed, checked), bytes.clone(), weight);
                ready.push((packed, bytes));
            }
            for (packed, from, buf) in batch.iter_mut() {
                let bytes = ready.iter().find(|(other, _)| other == packed);
                let from = *from as usize;
                if let Some(part) = bytes.and_then(|(_, bytes)| bytes.get(from..from + buf.len())) {
                    buf.copy_from_slice(part);
                } else {
                    let why = "a file references more than the extent holds";
                    return Err(Error::corrupt(WHAT, packed.logical, why));
                }
            }
        }
        Ok(())
    }

    /// Fetches and unpacks the extents, on several threads where there are many.
    fn unpack(&self, wanted: &[Packed], checked: bool) -> Result<Vec<(Packed, Arc<Vec<u8>>)>> {
        let mut fetched: Vec<Vec<u8>> =
            wanted.iter().map(|packed| vec![0; packed.packed_length as usize]).collect();
        let reads = wanted.iter().zip(&mut fetched);
        let reads = reads.map(|(packed, bytes)| (packed.logical, bytes.as_mut_slice())).collect();
        self.read(reads, checked)?;
        let unpack = |(packed, bytes): (&Packed, &Vec<u8>)| {
            let place = self.store.chunks.places(packed.logical, 1)?.next();
            let length = packed.length as usize;
            let bytes = packed.codec.unpack(bytes, length, place.unwrap_or(packed.logical))?;
            Ok((*packed, Arc::new(bytes)))
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.min(wanted.len() / PER_THREAD);
        if threads < 2 {
            return wanted.iter().zip(&fetched).map(unpack).collect();
        }
        let share = wanted.len().div_ceil(threads);
        std::thread::scope(|scope| {
            let started: Vec<_> = wanted
                .chunks(share)
                .zip(fetched.chunks(share))
                .map(|(wanted, fetched)| {
                    let work = move || wanted.iter().zip(fetched).map(unpack).collect();
                    std::thread::Builder::new().spawn_scoped(scope, work).map_err(|error| {
                        // Without threads to be had, it is done here.
                        (error, wanted, fetched)
                    })
                })
                .collect();
            let mut unpacked = Vec::with_capacity(wanted.len());
            for thread in started {
                let part: Result<Vec<_>> = match thread {
                    Ok(thread) => thread.join().unwrap_or_else(|_| {
                        let why = std::io::Error::other("a thread gave up");
                        Err(Error::io(WHAT, why))
                    }),
                    Err((_, wanted, fetched)) => wanted.iter().zip(fetched).map(unpack).collect(),
                };
                unpacked.extend(part?);
            }
            Ok(unpacked)
        })
    }
}
