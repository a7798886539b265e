//! Hive bins: what cells lie in. A cell never passes the end of its bin.
//!
//! Bins follow each other without gaps, so that only a walk over all of them finds them all; but
//! that reads a page of every bin of a large hive for the sake of a few keys. Instead the bin of a
//! cell is looked for from the cell backwards: a bin starts at a page, and says of itself where it
//! starts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use fathom_block::{Error, ErrorKind, Fields, ReadAt, Result, read_array};

use crate::base_block::{ALIGNMENT, LENGTH};
use crate::filetime::Filetime;

/// How long the header of a bin is.
pub(crate) const HEADER: u32 = 32;

/// Where a bin lies, counted from the end of the base block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bin {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What is known of the bins of a hive.
#[derive(Default)]
pub(crate) struct Bins {
    /// For each page that was looked at, the nearest bin that starts there or before.
    nearest: Mutex<HashMap<u32, Option<Bin>>>,
}

impl Bins {
    /// The bin that holds the byte at `offset`. Every page of a hive is looked at once at most, no
    /// matter how often this is asked.
    pub(crate) fn holding(&self, hive: &dyn ReadAt, offset: u32) -> Result<Bin> {
        let mut nearest = self.nearest.lock().unwrap_or_else(PoisonError::into_inner);
        let first = offset / ALIGNMENT;
        let mut page = first;
        let mut unseen = Vec::new();
        let found = loop {
            if let Some(known) = nearest.get(&page) {
                break *known;
            }
            unseen.push(page);
            if let Some(bin) = header(hive, page * ALIGNMENT)? {
                break Some(bin);
            }
            if page == 0 {
                break None;
            }
            page -= 1;
        };
        nearest.extend(unseen.into_iter().map(|page| (page, found)));
        match found {
            Some(bin) if offset < bin.end => Ok(bin),
            _ => Err(Error::corrupt(
                "registry cell",
                LENGTH + u64::from(offset),
                "it lies in no bin of the hive",
            )),
        }
    }
}

/// The bin that starts there, if one does. What is not there to be read is no bin.
fn header(hive: &dyn ReadAt, start: u32) -> Result<Option<Bin>> {
    let at = LENGTH + u64::from(start);
    let bytes = match read_array::<12>(hive, "hive bin", at) {
        Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(None),
        bytes => bytes?,
    };
    let fields = Fields::new("hive bin", at, &bytes);
    let (place, size) = (fields.le_u32(4)?, fields.le_u32(8)?);
    let sound = bytes.starts_with(b"hbin")
        && place == start
        && size >= ALIGNMENT
        && size.is_multiple_of(ALIGNMENT);
    Ok(sound.then(|| Bin { start, end: start.saturating_add(size) }))
}

/// When the hive was written, as its first bin says: a copy of what the base block says.
pub(crate) fn first_timestamp(hive: &dyn ReadAt) -> Result<Filetime> {
    let bytes = read_array::<{ HEADER as usize }>(hive, "first hive bin", LENGTH)?;
    let fields = Fields::new("first hive bin", LENGTH, &bytes);
    if !bytes.starts_with(b"hbin") || fields.le_u32(4)? != 0 {
        return Err(fields.corrupt(0, "no bin starts there"));
    }
    Ok(Filetime(fields.le_u64(20)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hive(bins: &[(usize, u32, u32)]) -> Vec<u8> {
        let mut hive = vec![0; 4096 * 6];
        for (page, place, size) in bins {
            let at = 4096 * (page + 1);
            hive[at..at + 4].copy_from_slice(b"hbin");
            hive[at + 4..at + 8].copy_from_slice(&place.to_le_bytes());
            hive[at + 8..at + 12].copy_from_slice(&size.to_le_bytes());
        }
        hive
    }

    fn check(bins: &[(usize, u32, u32)], offset: u32, expected: Option<(u32, u32)>) {
        let hive = hive(bins);
        let known = Bins::default();
        for _ in 0..2 {
            let found = known.holding(&hive, offset).ok().map(|bin| (bin.start, bin.end));
            assert_eq!(found, expected, "{bins:?} {offset}");
        }
    }

    #[test]
    fn bins_are_found_backwards() {
        let two = [(0, 0, 8192), (2, 8192, 4096)];
        check(&two, 32, Some((0, 8192)));
        check(&two, 8000, Some((0, 8192)));
        check(&two, 8192, Some((8192, 12288)));
        check(&two, 12288, None);
        check(&two, 500_000, None);
        check(&[(0, 0, 8192), (1, 0, 4096)], 5000, Some((0, 8192)));
        check(&[(0, 0, 5000)], 100, None);
        check(&[(0, 0, 0)], 100, None);
        check(&[(1, 4096, u32::MAX - 4095)], 20000, Some((4096, u32::MAX)));
    }

    #[test]
    fn the_first_bin_tells_the_time() {
        assert_eq!(first_timestamp(&hive(&[(0, 0, 4096)])).unwrap(), Filetime(0));
        assert!(first_timestamp(&hive(&[(0, 4096, 4096)])).is_err());
        assert!(first_timestamp(&vec![0; 4096]).is_err());
    }
}
