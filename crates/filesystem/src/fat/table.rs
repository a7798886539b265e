//! The file allocation table: for every cluster the next one of the same file.
//!
//! It is read in pages as it is needed. There is usually a second one, which stands in where the
//! first cannot be read.

use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, ReadAt, Result, read_vec};

use super::boot::{Geometry, Width};
use crate::extent::Extent;

/// The bytes of a page: entries of 12, 16 and 32 bits all fill it exactly.
const PAGE: u64 = 12 << 10;

/// How many bytes of pages are kept.
const KEPT: usize = 1 << 20;

/// The most extents one file may have; each takes memory here.
const MAX_EXTENTS: usize = 2 << 20;

/// What the table says of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// No file has it.
    Free,
    /// It cannot be used.
    Bad,
    /// It is the last one of its file.
    End,
    /// This one follows it.
    Cluster(u32),
}

/// The table.
pub(super) struct Table {
    volume: Arc<dyn ReadAt>,
    pub(super) geometry: Geometry,
    /// The copy is read in the place of the first table.
    use_copy: bool,
    pages: Decoded<u64, Vec<u8>>,
}

impl Table {
    /// The table of the volume, and what is wrong with it.
    pub(super) fn open(volume: Arc<dyn ReadAt>, geometry: Geometry) -> (Self, Option<Error>) {
        let mut table = Self { volume, geometry, use_copy: false, pages: Decoded::new(KEPT) };
        let first = table.media_error(table.geometry.table);
        let copy = table.geometry.copy.map(|copy| table.media_error(copy));
        let problem = match (first, copy) {
            (None, None | Some(Some(_))) => None,
            (None, Some(None)) => table.difference(),
            (Some(error), Some(None)) => {
                table.use_copy = true;
                Some(error.within("the second table is used instead"))
            }
            (Some(error), _) => Some(error),
        };
        (table, problem)
    }

    /// What is wrong with the table at this place, as far as its first entry tells: it repeats the
    /// kind of the medium, and its other bits are set.
    fn media_error(&self, at: u64) -> Option<Error> {
        let bytes = match read_vec(&*self.volume, "file allocation table", at, 2) {
            Ok(bytes) => bytes,
            Err(error) => return Some(error),
        };
        let whole = u16::from_le_bytes([bytes[0], bytes[1]]) & 0x0FFF;
        // Some formatters write the medium of a disk for that of a floppy disk.
        (whole < 0xFF0).then(|| {
            let why = format!("its first entry is {whole:#05x}, which no medium has");
            Error::corrupt("file allocation table", at, why)
        })
    }

    /// Whether the start of the second table differs from that of the first. The dirty flags in
    /// the second entry do.
    fn difference(&self) -> Option<Error> {
        let length = PAGE.min(self.geometry.table_length);
        let copy = self.geometry.copy?;
        let read = |at| read_vec(&*self.volume, "file allocation table", at, length).ok();
        let (first, second) = (read(self.geometry.table)?, read(copy)?);
        let skip = (2 * self.geometry.width.bits() / 8) as usize;
        let at = (skip..first.len()).find(|at| first.get(*at) != second.get(*at))?;
        let why = "the two tables differ; the first is believed";
        Some(Error::corrupt("file allocation table", copy + at as u64, why))
    }

    fn page(&self, page: u64) -> Result<Arc<Vec<u8>>> {
        self.pages.get_or(&page, Vec::len, || {
            let offset = page * PAGE;
            let length = PAGE.min(self.geometry.table_length.saturating_sub(offset));
            let read = |table: u64| {
                read_vec(&*self.volume, "file allocation table", table + offset, length)
            };
            let (first, copy) = match (self.geometry.copy, self.use_copy) {
                (Some(copy), true) => (copy, None),
                (copy, _) => (self.geometry.table, copy),
            };
            read(first)
                .or_else(|error| copy.map_or(Err(error.clone()), |c| read(c).map_err(|_| error)))
        })
    }

    /// The raw entry of a cluster, without the bits that FAT32 keeps to itself.
    pub(super) fn raw(&self, cluster: u32) -> Result<u32> {
        self.entry(cluster, &mut None)
    }

    /// The same; `page` keeps the page that was looked at last.
    fn entry(&self, cluster: u32, page: &mut Option<(u64, Arc<Vec<u8>>)>) -> Result<u32> {
        let width = self.geometry.width;
        let bit = u64::from(cluster) * width.bits();
        let number = bit / 8 / PAGE;
        let bytes = match page {
            Some((at_hand, bytes)) if *at_hand == number => bytes,
            _ => &mut page.insert((number, self.page(number)?)).1,
        };
        let at = (bit / 8 % PAGE) as usize;
        let entry = match (width, bytes.get(at..)) {
            (Width::Fat12, Some([low, high, ..])) => {
                let pair = u16::from_le_bytes([*low, *high]);
                Some(u32::from(if bit.is_multiple_of(8) { pair & 0xFFF } else { pair >> 4 }))
            }
            (Width::Fat16, Some([low, high, ..])) => {
                Some(u32::from(u16::from_le_bytes([*low, *high])))
            }
            (Width::Fat32, Some([a, b, c, d, ..])) => {
                Some(u32::from_le_bytes([*a, *b, *c, *d]) & 0x0FFF_FFFF)
            }
            _ => None,
        };
        entry.ok_or_else(|| self.corrupt(cluster, "the table ends before it"))
    }

    /// What an entry says.
    fn next(&self, raw: u32) -> Next {
        let end = match self.geometry.width {
            Width::Fat12 => 0xFF8,
            Width::Fat16 => 0xFFF8,
            Width::Fat32 => 0x0FFF_FFF8,
        };
        match raw {
            0 => Next::Free,
            raw if raw >= end => Next::End,
            raw if raw == end - 1 => Next::Bad,
            raw => Next::Cluster(raw),
        }
    }

    /// The extents of the chain that starts at `cluster`, as far as `limit` bytes of it are needed,
    /// and the error that kept the rest from being found.
    pub(super) fn chain(&self, cluster: u32, limit: u64) -> (Vec<Extent>, Option<Error>) {
        let mut extents: Vec<Extent> = Vec::new();
        let size = self.geometry.cluster_size;
        // A chain that goes on after all clusters are counted goes round.
        let most = limit.div_ceil(size).min(self.geometry.clusters + 1);
        let (mut at, mut page) = (cluster, None);
        let mut error = None;
        for count in 0..most {
            if count >= self.geometry.clusters {
                error = Some(self.corrupt(at, "the chain of clusters goes round"));
                break;
            }
            let Some(place) = self.geometry.place(at) else {
                error = Some(self.corrupt(at, "a chain leads there, but there is no such cluster"));
                break;
            };
            let follows = |last: &&mut Extent| {
                last.physical.is_some_and(|start| start + last.length == place)
            };
            if let Some(last) = extents.last_mut().filter(follows) {
                last.length += size;
            } else if extents.len() < MAX_EXTENTS {
                extents.push(Extent { logical: count * size, length: size, physical: Some(place) });
            } else {
                error = Some(Error::unsupported("file", format!("more than {MAX_EXTENTS} pieces")));
                break;
            }
            match self.entry(at, &mut page).map(|raw| self.next(raw)) {
                Ok(Next::Cluster(next)) => at = next,
                Ok(Next::End) => break,
                // What the last cluster says does not matter once all is found.
                Ok(_) if count + 1 == most => break,
                Ok(Next::Free) => {
                    error = Some(self.corrupt(at, "the chain leads to a free cluster"))
                }
                Ok(Next::Bad) => error = Some(self.corrupt(at, "the chain leads to a bad cluster")),
                Err(unread) => error = Some(unread),
            }
            if error.is_some() {
                break;
            }
        }
        let error = error.or_else(|| self.round(&extents));
        (extents, error)
    }

    /// The error that two extents hold the same cluster.
    fn round(&self, extents: &[Extent]) -> Option<Error> {
        let mut places: Vec<_> =
            extents.iter().filter_map(|extent| Some((extent.physical?, extent.length))).collect();
        places.sort_unstable();
        let twice = places.windows(2).find(|pair| pair[0].0 + pair[0].1 > pair[1].0)?;
        let cluster = (twice[1].0 - self.geometry.data) / self.geometry.cluster_size + 2;
        Some(self.corrupt(cluster as u32, "the chain of clusters goes round"))
    }

    /// How many clusters are free, by counting them all.
    pub(super) fn count_free(&self) -> Result<u64> {
        let (mut free, mut page) = (0, None);
        for cluster in 2..self.geometry.clusters + 2 {
            free += u64::from(self.entry(cluster as u32, &mut page)? == 0);
        }
        Ok(free)
    }

    /// The first cluster that a file has and that does not lie in these extents.
    pub(super) fn first_used(&self, except: &[Extent]) -> Result<Option<u32>> {
        let mut page = None;
        for cluster in (2..self.geometry.clusters + 2).filter_map(|it| u32::try_from(it).ok()) {
            let next = self.next(self.entry(cluster, &mut page)?);
            let place = self.geometry.place(cluster);
            let is_in = |extent: &Extent| {
                let start = extent.physical.unwrap_or(0);
                place.is_some_and(|at| at >= start && at - start < extent.length)
            };
            if !matches!(next, Next::Free | Next::Bad) && !except.iter().any(is_in) {
                return Ok(Some(cluster));
            }
        }
        Ok(None)
    }

    /// The error that what the table says of a cluster is wrong.
    #[cold]
    fn corrupt(&self, cluster: u32, why: &str) -> Error {
        let at = self.geometry.table + u64::from(cluster) * self.geometry.width.bits() / 8;
        Error::corrupt(format!("cluster {cluster}"), at, why)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::fat::boot;

    /// A FAT12 volume whose table has these entries from cluster 2 on.
    pub(crate) fn fat12(entries: &[u16]) -> Vec<u8> {
        let mut volume = boot::tests::sector(26 + 300, 12);
        volume.resize(326 * 512, 0);
        let mut all = vec![0xFF8, 0xFFF];
        all.extend(entries);
        for (cluster, entry) in all.iter().enumerate() {
            for table in [512, 13 * 512] {
                let at = table + cluster * 3 / 2;
                let shifted = if cluster % 2 == 0 { *entry } else { *entry << 4 };
                volume[at] |= shifted as u8;
                volume[at + 1] |= (shifted >> 8) as u8;
            }
        }
        volume
    }

    fn table(volume: Vec<u8>) -> (Table, Option<Error>) {
        let geometry = Geometry::read(&volume).unwrap();
        Table::open(Arc::new(volume), geometry)
    }

    fn chain(entries: &[u16], limit: u64) -> (Vec<(u64, u64)>, Option<String>) {
        let (extents, error) = table(fat12(entries)).0.chain(2, limit);
        let extents = extents.iter().map(|extent| (extent.logical, extent.length)).collect();
        (extents, error.map(|error| error.to_string()))
    }

    #[test]
    fn chains_are_joined_and_end() {
        assert_eq!(chain(&[3, 4, 6, 0, 0xFFF], 9999), (vec![(0, 1536), (1536, 512)], None));
        assert_eq!(chain(&[3, 4, 6, 0, 0xFFF], 1000), (vec![(0, 1024)], None));
        assert_eq!(chain(&[0xFF8], 9999), (vec![(0, 512)], None));
    }

    #[test]
    fn damaged_chains_are_told() {
        for (entries, word) in [
            (&[3, 2][..], "round"),
            (&[2], "round"),
            (&[3, 0], "free"),
            (&[3, 0xFF7], "bad"),
            (&[3, 0xF00], "no such"),
            (&[1], "no such"),
        ] {
            let (_, error) = chain(entries, 99999);
            assert!(
                error.as_ref().is_some_and(|error| error.contains(word)),
                "{entries:?}: {error:?}"
            );
        }
    }

    #[test]
    fn the_second_table_stands_in() {
        let good = fat12(&[3, 0xFFF]);
        assert!(table(good.clone()).1.is_none());
        let mut bad = good.clone();
        bad[512..1024].fill(0);
        let (repaired, problem) = table(bad);
        assert!(problem.unwrap().to_string().contains("second"));
        assert_eq!(repaired.chain(2, 1024).0[0].length, 1024);
        let mut differs = good.clone();
        differs[13 * 512 + 5] ^= 1;
        assert_eq!(table(differs).1.unwrap().offset(), Some(13 * 512 + 5));
        let mut none = good;
        none[512..1024].fill(0);
        none[13 * 512..14 * 512].fill(0);
        assert!(table(none).1.is_some());
    }

    #[test]
    fn free_clusters_are_counted() {
        assert_eq!(table(fat12(&[3, 0xFFF, 0xFF7])).0.count_free().unwrap(), 297);
    }
}
