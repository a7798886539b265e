//! Disks that are kept in units (grains, blocks, clusters), each found through a map.
//!
//! A format says by its [`Map`] where the guest's bytes lie. [`Mapped`] does the rest, the same for
//! all formats: it maps all that is asked for, joins neighbours, and then reads everything in one
//! call. A unit that nobody wrote is a hole, or shows the image beneath.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::read::{ReadAt, check_range};

/// How many units are joined into one stretch at most, so that a single look at a large disk does
/// not read the whole map.
const MERGED: usize = 1024;

/// How many stretches of zeros one search for data passes before it settles for the next.
const PATIENCE: usize = 4096;

/// Where a stretch of the guest's bytes lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere: they are zeros.
    Zeros,
    /// At this byte of the image.
    At(u64),
    /// At the same offset of the image beneath; zeros where there is none.
    Beneath,
    /// In a compressed unit.
    Packed,
}

/// A stretch of the guest's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where it lies.
    pub(crate) place: Place,
    /// How long it is; never zero.
    pub(crate) length: u64,
}

/// The part of a read that lies in a compressed unit: the guest's offset, and what to fill.
pub(crate) type Packed<'a> = (u64, &'a mut [u8]);

/// Where a format keeps the guest's bytes.
pub(crate) trait Map: Send + Sync {
    /// How many bytes the guest has.
    fn len(&self) -> u64;

    /// Where the byte at `offset` lies, and how many bytes from there on lie behind it. `offset` is
    /// below the length; the run may pass it.
    fn run(&self, offset: u64) -> Result<Run>;

    /// Fills what lies in compressed units, for a format whose runs ever say [`Place::Packed`].
    fn unpack(&self, _packed: Vec<Packed<'_>>) -> Result<()> {
        Err(Error::unsupported("compressed unit", "this format has none"))
    }
}

/// A reader of the guest's bytes.
pub(crate) struct Mapped<M> {
    map: M,
    source: Arc<dyn ReadAt>,
    beneath: Option<Arc<dyn ReadAt>>,
}

impl<M: Map> Mapped<M> {
    /// The bytes that `map` finds in `source`.
    pub(crate) fn new(map: M, source: Arc<dyn ReadAt>) -> Self {
        Self { map, source, beneath: None }
    }

    /// The same, with an image beneath that shows where this one has nothing.
    pub(crate) fn over(map: M, source: Arc<dyn ReadAt>, beneath: Option<Arc<dyn ReadAt>>) -> Self {
        Self { map, source, beneath }
    }

    fn stretches(&self, range: Range<u64>) -> Stretches<'_, M> {
        let rests = self.beneath.is_some();
        Stretches { map: &self.map, rests, at: range.start, end: range.end, ahead: None }
    }

    /// What of the image beneath shows at `range`: shorter than it where that image ends.
    fn shown(&self, range: &Range<u64>) -> Range<u64> {
        let end = self.beneath.as_ref().map_or(0, ReadAt::len);
        range.start..range.end.min(end).max(range.start)
    }

    /// The first data of one stretch.
    fn data_in(&self, range: Range<u64>, place: Place) -> Option<Range<u64>> {
        let (data, shift) = match place {
            Place::Zeros => return None,
            Place::Packed => return Some(range),
            // What passes the image's end is no hole, but something that cannot be read.
            Place::At(at) if at.saturating_add(range.end - range.start) > self.source.len() => {
                return Some(range);
            }
            Place::At(at) => (self.source.next_data(at)?, at),
            Place::Beneath => (self.beneath.as_ref()?.next_data(range.start)?, range.start),
        };
        let start = range.start.saturating_add(data.start.saturating_sub(shift));
        let end = range.start.saturating_add(data.end.saturating_sub(shift)).min(range.end);
        (start < end).then_some(start..end)
    }
}

impl<M: Map> ReadAt for Mapped<M> {
    fn len(&self) -> u64 {
        self.map.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut here: Vec<(u64, &mut [u8])> = Vec::with_capacity(reads.len());
        let mut beneath: Vec<(u64, &mut [u8])> = Vec::new();
        let mut packed: Vec<Packed<'_>> = Vec::new();
        for (offset, buf) in reads.iter_mut() {
            let mut rest: &mut [u8] = buf;
            for stretch in self.stretches(check_range(*offset, rest.len(), self.len())?) {
                let (range, place) = stretch?;
                let (part, after) = rest.split_at_mut((range.end - range.start) as usize);
                rest = after;
                match place {
                    Place::Zeros => part.fill(0),
                    Place::At(at) => here.push((at, part)),
                    Place::Packed => packed.push((range.start, part)),
                    Place::Beneath => {
                        let shown = self.shown(&range);
                        let (seen, nothing) = part.split_at_mut((shown.end - shown.start) as usize);
                        nothing.fill(0);
                        if !seen.is_empty() {
                            beneath.push((shown.start, seen));
                        }
                    }
                }
            }
        }
        if !here.is_empty() {
            self.source.read_many(&mut here)?;
        }
        if let (Some(image), false) = (&self.beneath, beneath.is_empty()) {
            image.read_many(&mut beneath)?;
        }
        if packed.is_empty() { Ok(()) } else { self.map.unpack(packed) }
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let (mut here, mut beneath) = (Vec::new(), Vec::new());
        for range in ranges {
            let range = range.start..range.end.min(self.len());
            // Only a hint: an error is reported by the read that follows.
            for (range, place) in self.stretches(range).map_while(Result::ok).take(PATIENCE) {
                match place {
                    Place::At(at) => here.push(at..at.saturating_add(range.end - range.start)),
                    Place::Beneath => beneath.push(self.shown(&range)),
                    Place::Zeros | Place::Packed => {}
                }
            }
        }
        self.source.prefetch(&here);
        if let Some(image) = &self.beneath {
            image.prefetch(&beneath);
        }
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let mut at = offset;
        for (passed, stretch) in self.stretches(offset..self.len()).enumerate() {
            let Ok((range, place)) = stretch else {
                break;
            };
            if passed == PATIENCE {
                return Some(range);
            }
            at = range.end;
            if let Some(data) = self.data_in(range, place) {
                return Some(data);
            }
        }
        // Either all is seen, or the map cannot be read and the read that follows says why.
        (at < self.len()).then(|| at..self.len())
    }
}

/// The stretches of a range, neighbours of the same kind joined.
struct Stretches<'a, M> {
    map: &'a M,
    /// There is an image beneath.
    rests: bool,
    at: u64,
    end: u64,
    /// The run at `at`, where it was already looked up.
    ahead: Option<Run>,
}

impl<M: Map> Stretches<'_, M> {
    /// The run at `at`, cut at the end of the range.
    fn run(&self, at: u64) -> Result<Run> {
        let Run { place, length } = self.map.run(at)?;
        let place = match place {
            Place::Beneath if !self.rests => Place::Zeros,
            place => place,
        };
        Ok(Run { place, length: length.clamp(1, self.end - at) })
    }
}

impl<M: Map> Iterator for Stretches<'_, M> {
    type Item = Result<(Range<u64>, Place)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let start = self.at;
        let first = match self.ahead.take().map_or_else(|| self.run(start), Ok) {
            Ok(run) => run,
            Err(error) => {
                self.at = self.end;
                return Some(Err(error));
            }
        };
        self.at += first.length;
        for _ in 0..MERGED {
            if self.at >= self.end {
                break;
            }
            // An error is the next stretch's.
            let Ok(next) = self.run(self.at) else {
                break;
            };
            let continues = match (first.place, next.place) {
                (Place::At(from), Place::At(to)) => from.checked_add(self.at - start) == Some(to),
                (one, other) => one == other,
            };
            if !continues {
                self.ahead = Some(next);
                break;
            }
            self.at += next.length;
        }
        Some(Ok((start..self.at, first.place)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::read::Zeros;

    /// Units of four bytes; a negative place is an error.
    struct Units(Vec<Place>);

    impl Map for Units {
        fn len(&self) -> u64 {
            self.0.len() as u64 * 4 - 1
        }
        fn run(&self, offset: u64) -> Result<Run> {
            let inner = offset % 4;
            let place = match self.0[offset as usize / 4] {
                Place::At(u64::MAX) => return Err(Error::corrupt("map", offset, "bad")),
                Place::At(at) => Place::At(at + inner),
                other => other,
            };
            Ok(Run { place, length: 4 - inner })
        }
        fn unpack(&self, packed: Vec<Packed<'_>>) -> Result<()> {
            for (offset, buf) in packed {
                for (index, byte) in buf.iter_mut().enumerate() {
                    *byte = 200 + (offset as usize + index) as u8;
                }
            }
            Ok(())
        }
    }

    /// Remembers how it was asked.
    struct Watched(Vec<u8>, Mutex<Vec<usize>>);

    impl ReadAt for Watched {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
            self.0.read_at(offset, buf)
        }
        fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
            self.1.lock().unwrap().push(reads.len());
            for (offset, buf) in reads {
                self.0.read_at(*offset, buf)?;
            }
            Ok(())
        }
    }

    #[test]
    fn every_range_is_mapped_joined_and_read_at_once() {
        let units = vec![
            Place::At(8),
            Place::At(12),
            Place::Zeros,
            Place::Beneath,
            Place::Beneath,
            Place::Packed,
            Place::Packed,
            Place::At(0),
        ];
        let source: Vec<u8> = (0..16).collect();
        let beneath: Vec<u8> = (100..117).collect();
        let wanted: Vec<u8> = (8..16)
            .chain([0; 4])
            .chain(112..117)
            .chain([0; 3])
            .chain(220..228)
            .chain(0..3)
            .collect();
        let watched = Arc::new(Watched(source, Mutex::default()));
        let reader =
            Mapped::over(Units(units), watched.clone(), Some(Arc::new(beneath) as Arc<dyn ReadAt>));
        assert_eq!(reader.len(), 31);
        for start in 0..31 {
            for end in start..=31 {
                let mut buf = vec![0xEE; end - start];
                reader.read_at(start as u64, &mut buf).unwrap();
                assert_eq!(buf, wanted[start..end], "{start}..{end}");
            }
        }
        watched.1.lock().unwrap().clear();
        reader.read_at(0, &mut [0; 31]).unwrap();
        assert_eq!(*watched.1.lock().unwrap(), [2], "two runs in one call");
        assert!(reader.read_at(30, &mut [0; 2]).is_err());

        let mut data = Vec::new();
        let mut at = 0;
        while let Some(range) = reader.next_data(at) {
            at = range.end;
            data.push(range);
        }
        assert_eq!(data, [0..8, 12..17, 20..28, 28..31]);
        reader.prefetch(&[0..5, 6..100]);
    }

    #[test]
    fn what_cannot_be_mapped_is_called_data_and_fails_when_read() {
        let units = vec![Place::Zeros, Place::At(u64::MAX), Place::Zeros, Place::At(100)];
        let reader = Mapped::new(Units(units), Arc::new(vec![1; 16]));
        assert_eq!(reader.next_data(0), Some(4..15));
        assert!(reader.read_at(0, &mut [0; 15]).is_err());
        assert_eq!(reader.next_data(8), Some(12..15), "beyond the image's end");
        assert!(reader.read_at(12, &mut [0; 3]).is_err());
        reader.read_at(8, &mut [0; 4]).unwrap();
    }

    #[test]
    fn a_search_over_a_large_map_ends() {
        struct Comb;
        impl Map for Comb {
            fn len(&self) -> u64 {
                u64::MAX
            }
            fn run(&self, offset: u64) -> Result<Run> {
                let place = if offset.is_multiple_of(2) { Place::Zeros } else { Place::At(0) };
                Ok(Run { place, length: 1 })
            }
        }
        let data = Mapped::new(Comb, Arc::new(Zeros(1))).next_data(0).unwrap();
        assert_eq!(data, 4096..4097);
    }
}
