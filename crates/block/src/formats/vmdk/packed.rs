//! Compressed grains: each lies behind a marker that says which grain it is and how long, as one
//! zlib stream.
//!
//! A read first fetches all the markers it needs, then all the compressed bytes, and then inflates
//! on as many threads as there are processors. Grains of which only a part was wanted are
//! remembered: the next small read likely wants more of the same.

use std::sync::{Arc, Mutex, PoisonError};

use flate2::{Decompress, FlushDecompress, Status};

use super::header::SECTOR;
use crate::cache::Decoded;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::formats::mapped::Packed;
use crate::read::ReadAt;

/// `lba`, `size`: what stands before the compressed bytes.
const MARKER: usize = 12;

/// How many compressed bytes one round holds in memory.
const ROUND: usize = 8 << 20;

/// Starting a thread costs about as much as inflating a few kilobytes.
const GRAINS_PER_THREAD: usize = 4;

/// Inflated grains, remembered for all extents of a disk together: by extent and number.
pub(super) type InflatedGrains = Decoded<(usize, u64), Vec<u8>>;

/// Unpacks the compressed grains of one extent.
pub(super) struct Packer {
    /// Which extent of the disk it is.
    pub(super) extent: usize,
    /// How many bytes of the guest the extent holds.
    pub(super) capacity: u64,
    /// The size of a grain, inflated.
    pub(super) grain_size: u64,
    /// Those inflated last.
    pub(super) inflated: Arc<InflatedGrains>,
}

/// One grain to inflate.
struct Job<'a> {
    grain: u64,
    /// The byte offset of its marker, and then of its compressed bytes.
    at: u64,
    /// How many of those there are.
    size: usize,
    compressed: Vec<u8>,
    /// What is wanted of it: offsets in the grain, and where they go.
    wanted: Vec<(usize, &'a mut [u8])>,
}

impl Packer {
    /// Fills the parts of reads that lie in compressed grains. `locate` gives the byte offset of a
    /// grain's marker.
    pub(super) fn unpack(
        &self,
        source: &dyn ReadAt,
        packed: Vec<Packed<'_>>,
        locate: &dyn Fn(u64) -> Result<u64>,
    ) -> Result<()> {
        let mut jobs = self.jobs(packed, locate)?;
        self.read_markers(source, &mut jobs)?;
        let mut jobs = jobs.into_iter().peekable();
        while jobs.peek().is_some() {
            let (mut round, mut held) = (Vec::new(), 0);
            while let Some(mut job) = jobs.next_if(|_| held < ROUND) {
                job.compressed = vec![0; job.size];
                held += job.size;
                round.push(job);
            }
            let mut reads: Vec<_> =
                round.iter_mut().map(|job| (job.at, job.compressed.as_mut_slice())).collect();
            source.read_many(&mut reads).map_err(|error| error.within("compressed grain"))?;
            self.inflate_all(round)?;
        }
        Ok(())
    }

    /// Splits the reads into grains, serves those that are remembered, and returns the others.
    fn jobs<'a>(
        &self,
        packed: Vec<Packed<'a>>,
        locate: &dyn Fn(u64) -> Result<u64>,
    ) -> Result<Vec<Job<'a>>> {
        let mut pieces: Vec<(u64, usize, &mut [u8])> = Vec::new();
        for (mut offset, mut rest) in packed {
            while !rest.is_empty() {
                let inner = offset % self.grain_size;
                let length = (self.grain_size - inner).min(rest.len() as u64);
                let (piece, after) = rest.split_at_mut(length as usize);
                pieces.push((offset / self.grain_size, inner as usize, piece));
                rest = after;
                offset += length;
            }
        }
        pieces.sort_by_key(|(grain, ..)| *grain);
        let mut jobs: Vec<Job<'a>> = Vec::new();
        for (grain, inner, piece) in pieces {
            if let Some(job) = jobs.last_mut().filter(|job| job.grain == grain) {
                job.wanted.push((inner, piece));
            } else if let Some(known) = self.inflated.get(&(self.extent, grain)) {
                copy(&known, inner, piece);
            } else {
                let at = locate(grain)?;
                let (size, compressed) = (0, Vec::new());
                jobs.push(Job { grain, at, size, compressed, wanted: vec![(inner, piece)] });
            }
        }
        Ok(jobs)
    }

    /// Reads the markers, and learns from them where the compressed bytes are.
    fn read_markers(&self, source: &dyn ReadAt, jobs: &mut [Job<'_>]) -> Result<()> {
        let mut markers = vec![[0_u8; MARKER]; jobs.len()];
        let mut reads: Vec<_> = jobs
            .iter()
            .zip(&mut markers)
            .map(|(job, marker)| (job.at, marker.as_mut_slice()))
            .collect();
        source.read_many(&mut reads).map_err(|error| error.within("grain marker"))?;
        for (job, marker) in jobs.iter_mut().zip(&markers) {
            let fields = Fields::new("grain marker", job.at, marker);
            let (lba, size) = (fields.le_u64(0)?, fields.le_u32(8)?);
            let wanted = job.grain * self.grain_size / SECTOR;
            if lba != wanted {
                let why = format!("it is of sector {lba}, not {wanted} as the table says");
                return Err(fields.corrupt(0, why));
            }
            // Deflate never makes data longer by more than a few bytes in a thousand.
            if size == 0 || u64::from(size) > self.grain_size * 2 {
                let why = format!("{size} compressed bytes for {} bytes", self.grain_size);
                return Err(fields.corrupt(8, why));
            }
            job.at += MARKER as u64;
            job.size = size as usize;
        }
        Ok(())
    }

    fn inflate_all(&self, jobs: Vec<Job<'_>>) -> Result<()> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = processors.min(jobs.len() / GRAINS_PER_THREAD);
        if threads < 2 {
            return jobs.into_iter().try_for_each(|job| self.inflate(job));
        }
        let jobs = Mutex::new(jobs.into_iter());
        let work = || {
            loop {
                let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                match job {
                    Some(job) => self.inflate(job)?,
                    None => return Ok(()),
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mine = work();
            let theirs = workers.into_iter().map(|worker| {
                let gone = || Error::io("grain", std::io::Error::other("a worker gave up"));
                worker.join().unwrap_or_else(|_| Err(gone()))
            });
            theirs.fold(mine, Result::and)
        })
    }

    fn inflate(&self, mut job: Job<'_>) -> Result<()> {
        // The last grain may end with the guest's disk.
        let needed = self.capacity.saturating_sub(job.grain * self.grain_size).min(self.grain_size);
        let (grain, at) = (job.grain, job.at);
        let exact = |length: usize| {
            if (length as u64) < needed {
                let why = format!("it inflates to {length} bytes, not {}", self.grain_size);
                return Err(Error::corrupt(format!("compressed grain {grain}"), at, why));
            }
            Ok(())
        };
        if let [(0, buf)] = job.wanted.as_mut_slice()
            && buf.len() as u64 == self.grain_size
        {
            return exact(inflate(&job.compressed, buf, grain, at)?);
        }
        let mut bytes = vec![0; self.grain_size as usize];
        exact(inflate(&job.compressed, &mut bytes, grain, at)?)?;
        for (inner, buf) in &mut job.wanted {
            copy(&bytes, *inner, buf);
        }
        let weight = bytes.len();
        self.inflated.put((self.extent, grain), Arc::new(bytes), weight);
        Ok(())
    }
}

/// Inflates one zlib stream, which must not hold more than fits.
fn inflate(compressed: &[u8], into: &mut [u8], grain: u64, at: u64) -> Result<usize> {
    let corrupt = |why: &str| Error::corrupt(format!("compressed grain {grain}"), at, why);
    let mut stream = Decompress::new(true);
    let status = stream
        .decompress(compressed, into, FlushDecompress::Finish)
        .map_err(|error| corrupt(&format!("{error}")))?;
    match status {
        Status::StreamEnd => Ok(stream.total_out() as usize),
        Status::Ok | Status::BufError if stream.total_out() as usize == into.len() => {
            Err(corrupt("it inflates to more than a grain"))
        }
        Status::Ok | Status::BufError => Err(corrupt("its compressed bytes end too early")),
    }
}

/// Copies a part of a grain; both lie within it.
fn copy(grain: &[u8], inner: usize, buf: &mut [u8]) {
    if let Some(bytes) = grain.get(inner..inner + buf.len()) {
        buf.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::error::ErrorKind;

    const GRAIN: usize = 4096;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A grain behind its marker.
    fn packed(grain: u64, compressed: &[u8]) -> Vec<u8> {
        let lba = (grain * 8).to_le_bytes();
        let size = (compressed.len() as u32).to_le_bytes();
        [&lba[..], &size[..], compressed].concat()
    }

    /// Forty grains, each in a kilobyte of its own; the last one is a sector short.
    fn image() -> (Vec<u8>, Vec<u8>) {
        let guest: Vec<u8> =
            (0..40 * GRAIN - 512).map(|at| (at / 64) as u8 ^ (at / GRAIN) as u8).collect();
        let mut image = Vec::new();
        for (grain, bytes) in guest.chunks(GRAIN).enumerate() {
            image.extend(packed(grain as u64, &deflated(bytes)));
            assert!(image.len() <= (grain + 1) * 1024);
            image.resize((grain + 1) * 1024, 0);
        }
        (image, guest)
    }

    fn packer() -> Packer {
        Packer {
            extent: 0,
            capacity: 40 * GRAIN as u64 - 512,
            grain_size: GRAIN as u64,
            inflated: Arc::new(InflatedGrains::new(1 << 20)),
        }
    }

    fn unpack(image: &Vec<u8>, packer: &Packer, offset: usize, length: usize) -> Result<Vec<u8>> {
        let mut buf = vec![0xEE; length];
        packer.unpack(image, vec![(offset as u64, &mut buf)], &|grain| Ok(grain * 1024))?;
        Ok(buf)
    }

    #[test]
    fn any_range_inflates_to_what_was_packed() {
        let (image, guest) = image();
        let packer = packer();
        for (offset, length) in
            [(0, guest.len()), (1, 1), (0, 4096), (4095, 2), (5000, 9000), (39 * 4096, 3584)]
        {
            let buf = unpack(&image, &packer, offset, length).unwrap();
            assert_eq!(buf, guest[offset..offset + length], "{offset} {length}");
        }
        // Two pieces of one grain are inflated once and then remembered.
        let (mut one, mut other) = ([0; 8], [0; 8]);
        let pieces: Vec<Packed<'_>> = vec![(20 * 4096 + 100, &mut one), (20 * 4096, &mut other)];
        packer.unpack(&image, pieces, &|grain| Ok(grain * 1024)).unwrap();
        assert_eq!((&one[..], &other[..]), (&guest[81920 + 100..][..8], &guest[81920..][..8]));
        let nowhere = |_| Err(Error::invalid("map", "asked again"));
        packer.unpack(&image, vec![(20 * 4096 + 7, &mut one)], &nowhere).unwrap();
        assert_eq!(one, guest[20 * 4096 + 7..][..8]);
    }

    #[test]
    fn damage_is_corrupt_with_its_place() {
        let (healthy, _) = image();
        let bomb = packed(30, &deflated(&vec![0; 100_000]));
        let short = packed(30, &deflated(&[1; 4095]));
        let cut = packed(30, &deflated(&[1; 4096])[..10]);
        let long = [&(30_u64 * 8).to_le_bytes()[..], &9000_u32.to_le_bytes()].concat();
        let none = packed(30, &[]);
        let other = packed(31, &deflated(&[1; 4096]));
        let noise = packed(30, &[0xFF; 100]);
        for (what, bytes) in [
            ("bomb", bomb),
            ("short", short),
            ("cut", cut),
            ("long", long),
            ("none", none),
            ("other", other),
            ("noise", noise),
        ] {
            let mut image = healthy.clone();
            image[30 * 1024..30 * 1024 + bytes.len()].copy_from_slice(&bytes);
            for (offset, length) in [(30 * 4096, 4096), (30 * 4096 + 5, 1), (0, 39 * 4096)] {
                let error = unpack(&image, &packer(), offset, length).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}");
                let at = error.offset().unwrap();
                assert!((30 * 1024..31 * 1024).contains(&at), "{what}: {error}");
            }
        }
        let truncated = healthy[..30 * 1024 + 8].to_vec();
        assert!(unpack(&truncated, &packer(), 0, 39 * 4096).is_err());
    }
}
