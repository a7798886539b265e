//! A compressed file: units of (usually) sixteen clusters, each compressed by itself.
//!
//! A unit that has all its clusters is plain; one that has none is zeros; one that has some holds
//! compressed bytes in those, and the rest of it is a hole that says how much was won.

use std::ops::Range;
use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, ReadAt, Result, check_range};

use super::attribute::Sizes;
use super::boot::Geometry;
use super::lznt1;
use super::run_list::Run;

/// The largest unit that is accepted. Windows makes none over 64 KiB.
const MAX_UNIT: u64 = 1 << 20;

/// How many bytes of units are read and expanded at a time.
const BATCH: u64 = 2 << 20;

/// How many bytes of expanded units one open file keeps.
const KEPT: usize = 4 << 20;

/// The reader of a compressed value.
pub(super) struct CompressedFile {
    volume: Arc<dyn ReadAt>,
    runs: Vec<Run>,
    sizes: Sizes,
    geometry: Geometry,
    /// The size of a unit in bytes.
    unit: u64,
    expanded: Decoded<u64, Vec<u8>>,
}

/// The bytes on the volume that a unit is made from.
struct Packed {
    number: u64,
    places: Vec<(u64, usize)>,
    bytes: Vec<u8>,
}

impl CompressedFile {
    /// The value in `runs`, which are sorted.
    pub(super) fn new(
        volume: Arc<dyn ReadAt>,
        runs: Vec<Run>,
        sizes: Sizes,
        geometry: Geometry,
    ) -> Result<Self> {
        let unit = geometry.cluster_size.checked_shl(u32::from(sizes.compression_unit));
        match unit {
            Some(unit)
                if sizes.compression_unit <= 11
                    && unit <= MAX_UNIT
                    && unit >= lznt1::CHUNK as u64 =>
            {
                let expanded = Decoded::new(KEPT);
                Ok(Self { volume, runs, sizes, geometry, unit, expanded })
            }
            _ => Err(Error::unsupported(
                "compressed file",
                format!(
                    "units of 2^{} clusters of {} bytes",
                    sizes.compression_unit, geometry.cluster_size
                ),
            )),
        }
    }

    /// The runs that hold clusters of `vcns`, cut to them.
    fn runs_in(&self, vcns: Range<u64>) -> impl Iterator<Item = Run> + '_ {
        let first = self.runs.partition_point(|run| run.vcn + run.clusters <= vcns.start);
        self.runs[first..].iter().take_while(move |run| run.vcn < vcns.end).map(move |run| {
            let vcn = run.vcn.max(vcns.start);
            let end = (run.vcn + run.clusters).min(vcns.end);
            Run { vcn, lcn: run.lcn + (vcn - run.vcn), clusters: end - vcn }
        })
    }

    /// Where the unit's bytes are; an error where its clusters are not all at its start.
    fn packed(&self, number: u64) -> Result<Packed> {
        let per_unit = self.unit / self.geometry.cluster_size;
        let first = number * per_unit;
        let mut next = first;
        let mut places = Vec::new();
        let mut length = 0;
        for run in self.runs_in(first..first + per_unit) {
            if run.vcn != next {
                return Err(Error::corrupt(
                    "compressed file",
                    self.geometry.place(run.lcn),
                    format!("a hole before cluster {} amidst a compression unit", run.vcn),
                ));
            }
            next += run.clusters;
            let bytes = (run.clusters * self.geometry.cluster_size) as usize;
            places.push((self.geometry.place(run.lcn), bytes));
            length += bytes;
        }
        Ok(Packed { number, places, bytes: vec![0; length] })
    }

    /// Fills the part of `buf`, whose first byte is the file's byte `offset`, that the units make.
    /// Those that are not kept are all read in one call.
    fn fill(&self, units: Range<u64>, offset: u64, buf: &mut [u8]) -> Result<()> {
        let mut missing = Vec::new();
        for number in units {
            match self.expanded.get(&number) {
                Some(bytes) => self.copy(number, &bytes, offset, buf),
                None => missing.push(self.packed(number)?),
            }
        }
        let mut reads: Vec<(u64, &mut [u8])> = Vec::new();
        for unit in &mut missing {
            let mut rest = unit.bytes.as_mut_slice();
            for (place, length) in &unit.places {
                let (part, after) = rest.split_at_mut(*length);
                reads.push((*place, part));
                rest = after;
            }
        }
        self.volume.read_many(&mut reads)?;
        for unit in missing {
            let number = unit.number;
            let bytes = Arc::new(self.expand(unit)?);
            self.copy(number, &bytes, offset, buf);
            self.expanded.put(number, bytes, self.unit as usize);
        }
        Ok(())
    }

    /// The bytes of a unit.
    fn expand(&self, unit: Packed) -> Result<Vec<u8>> {
        let mut bytes = match unit.places.first() {
            Some((at, _)) if (unit.bytes.len() as u64) < self.unit => {
                let mut bytes = vec![0; self.unit as usize];
                lznt1::decompress(&unit.bytes, *at, &mut bytes)?;
                bytes
            }
            Some(_) => unit.bytes,
            None => vec![0; self.unit as usize],
        };
        let written = self.sizes.initialized.saturating_sub(unit.number * self.unit);
        if let Some(never) = bytes.get_mut(written.min(self.unit) as usize..) {
            never.fill(0);
        }
        Ok(bytes)
    }

    /// Copies what the unit and `buf` have in common.
    fn copy(&self, number: u64, bytes: &[u8], offset: u64, buf: &mut [u8]) {
        let unit_start = number * self.unit;
        let start = unit_start.max(offset);
        let end = (unit_start + self.unit).min(offset + buf.len() as u64);
        buf[(start - offset) as usize..(end - offset) as usize]
            .copy_from_slice(&bytes[(start - unit_start) as usize..(end - unit_start) as usize]);
    }
}

impl ReadAt for CompressedFile {
    fn len(&self) -> u64 {
        self.sizes.data
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let range = check_range(offset, buf.len(), self.sizes.data)?;
        let mut at = range.start;
        let mut rest = buf;
        while at < range.end {
            let first = at / self.unit;
            let end = ((first + BATCH / self.unit) * self.unit).min(range.end);
            let (part, after) = rest.split_at_mut((end - at) as usize);
            let units = first..end.div_ceil(self.unit);
            // Holes may be far longer than what is worth expanding.
            let per_unit = self.unit / self.geometry.cluster_size;
            match self.runs_in(first * per_unit..units.end * per_unit).next() {
                Some(_) => self.fill(units, at, part)?,
                None => part.fill(0),
            }
            at = end;
            rest = after;
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let cluster_size = self.geometry.cluster_size;
        let mut below = Vec::new();
        for range in ranges {
            let end = range.end.min(self.sizes.data);
            let start = (range.start / self.unit) * self.unit;
            let vcns = start / cluster_size..end.div_ceil(self.unit) * (self.unit / cluster_size);
            below.extend(self.runs_in(vcns).map(|run| {
                let place = self.geometry.place(run.lcn);
                place..place + run.clusters * cluster_size
            }));
        }
        self.volume.prefetch(&below);
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let cluster_size = self.geometry.cluster_size;
        let written = self.sizes.initialized;
        let first = offset / self.unit * (self.unit / cluster_size);
        let run = self.runs_in(first..written.div_ceil(cluster_size)).next()?;
        let units = |bytes: u64| bytes / self.unit;
        let start = units(run.vcn * cluster_size) * self.unit;
        let end = (units((run.vcn + run.clusters) * cluster_size - 1) + 1) * self.unit;
        let (start, end) = (start.max(offset), end.min(written));
        (start < end).then_some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three units of 8 KiB on clusters of 512 bytes: compressed, a hole, plain; and a fourth
    /// which is written for its first 100 bytes only.
    fn file() -> CompressedFile {
        let mut boot = crate::ntfs::boot::tests::sector();
        boot[13] = 1;
        let geometry = Geometry::at(&boot, 0).unwrap();
        let mut volume = vec![0xEE; 200 * 512];
        let packed = [0x03, 0xB0, 0x02, b'x', 0xFC, 0x0F, 0x00, 0x00];
        volume[512 * 10..512 * 10 + 8].copy_from_slice(&packed);
        volume[512 * 20..512 * 36].fill(b'p');
        volume[512 * 36..512 * 52].fill(b'q');
        let runs =
            vec![Run { vcn: 0, lcn: 10, clusters: 1 }, Run { vcn: 32, lcn: 20, clusters: 32 }];
        let sizes = Sizes {
            compression_unit: 4,
            allocated: 4 * 8192,
            data: 4 * 8192 - 92,
            initialized: 3 * 8192 + 100,
            total_allocated: 33 * 512,
        };
        CompressedFile::new(Arc::new(volume), runs, sizes, geometry).unwrap()
    }

    #[test]
    fn every_kind_of_unit_is_read_from_any_place() {
        let mut wanted = vec![0; 4 * 8192 - 92];
        wanted[..4096].fill(b'x');
        wanted[2 * 8192..3 * 8192].fill(b'p');
        wanted[3 * 8192..3 * 8192 + 100].fill(b'q');
        let file = file();
        for start in (0..wanted.len()).step_by(1777) {
            for end in (start..=wanted.len()).step_by(1999).chain([wanted.len()]) {
                let mut buf = vec![1; end - start];
                file.read_at(start as u64, &mut buf).unwrap();
                assert!(buf == wanted[start..end], "{start}..{end}");
            }
        }
        assert!(file.read_at(4 * 8192 - 92, &mut [0]).is_err());
    }

    #[test]
    fn the_map_of_holes_is_in_units() {
        let file = file();
        assert_eq!(file.next_data(0), Some(0..8192));
        assert_eq!(file.next_data(8192), Some(2 * 8192..3 * 8192 + 100));
        assert_eq!(file.next_data(20_000), Some(20_000..3 * 8192 + 100));
        assert_eq!(file.next_data(3 * 8192 + 100), None);
        file.prefetch(std::slice::from_ref(&(0..40_000)));
    }

    #[test]
    fn a_hole_amidst_a_unit_is_corrupt_and_odd_units_are_refused() {
        let mut file = file();
        file.runs[0].vcn = 1;
        assert!(file.read_at(0, &mut [0; 10]).is_err());
        let mut sizes = file.sizes;
        for power in [0, 2, 12, 64] {
            sizes.compression_unit = power;
            let refused = CompressedFile::new(Arc::new(vec![]), vec![], sizes, file.geometry);
            assert!(refused.is_err(), "{power}");
        }
    }
}
