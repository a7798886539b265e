//! Grain directory and grain tables: where the grains of a sparse extent lie.
//!
//! The directory has an entry for each grain table, a table one for each grain; both count in
//! sectors. An extent usually has both twice, and where an entry of the first directory cannot be
//! right, the copy's is taken.

use std::sync::Arc;

use super::header::{GTES_PER_GT, Header, SECTOR};
use super::packed::Packer;
use crate::cache::Decoded;
use crate::error::{Error, Problem, Result};
use crate::formats::mapped::{Map, Packed, Place, Run};
use crate::formats::table::{Spelling, Table};
use crate::read::{ReadAt, read_vec};

/// The bytes of one grain table.
const TABLE_BYTES: u64 = GTES_PER_GT as u64 * 4;

/// The table entry that says: zeros, whatever the disk beneath has.
const ZEROED: u32 = 1;

/// The most directory entries that are looked through when the extent is opened: 16 MiB of them,
/// for an extent of 128 TiB in grains of 64 KiB.
const MOST_TABLES: u64 = 4 << 20;

/// Grain tables, remembered for all extents of a disk together: by extent and byte offset.
pub(super) type GrainTables = Decoded<(usize, u64), Vec<u32>>;

/// How many bytes of grain tables a disk remembers.
pub(super) const TABLES_CEILING: usize = 1 << 20;

/// The map of a sparse extent.
pub(super) struct Grains {
    /// Which extent of the disk it is.
    extent: usize,
    source: Arc<dyn ReadAt>,
    header: Header,
    directory: Table,
    redundant: Option<Table>,
    tables: Arc<GrainTables>,
    packer: Option<Packer>,
}

impl Grains {
    /// The map of extent number `extent`, and what is wrong with its directory.
    pub(super) fn open(
        extent: usize,
        source: Arc<dyn ReadAt>,
        header: Header,
        tables: Arc<GrainTables>,
        packer: Option<Packer>,
    ) -> Result<(Self, Vec<Problem>)> {
        let entries = header.directory_entries();
        if entries > MOST_TABLES {
            return Err(Error::unsupported(
                "VMDK extent",
                format!("it has {entries} grain tables; at most {MOST_TABLES} are read"),
            ));
        }
        let mut problems = Vec::new();
        let directory = |what, at| Table::new(source.clone(), what, at, entries, Spelling::Le32);
        let copy = header.redundant.map(|at| directory("redundant grain directory", at));
        let (directory, redundant) = match (directory("grain directory", header.directory), copy) {
            (Ok(directory), None) => (directory, None),
            (Ok(directory), Some(Ok(copy))) => (directory, Some(copy)),
            (Ok(directory), Some(Err(problem))) => {
                problems.push(problem);
                (directory, None)
            }
            (Err(problem), Some(Ok(copy))) => {
                problems.push(problem);
                (copy, None)
            }
            (Err(error), _) => return Err(error),
        };
        let grains = Self { extent, source, header, directory, redundant, tables, packer };
        problems.extend(grains.examine()?);
        Ok((grains, problems))
    }

    /// Looks through the directory for entries that cannot be right.
    fn examine(&self) -> Result<Option<Problem>> {
        let mut damaged = (0_u64, 0_u64, 0);
        let mut index = 0;
        while index < self.directory.count() {
            let entry = self.directory.get(index)?;
            let mended = self.entry(index)?;
            if mended != entry || !self.plausible(entry) {
                damaged = (damaged.0 + 1, damaged.1 + u64::from(mended == entry), index);
            }
            // Tables that nobody wrote come in long rows.
            index += match (entry, &self.redundant) {
                (0, None) => self.directory.repeats(index)?,
                _ => 1,
            };
        }
        let (count, lost, last) = damaged;
        Ok((count > 0).then(|| {
            let rest = match lost {
                0 => "the redundant directory has all of them".to_owned(),
                _ => format!("{lost} of them cannot be read"),
            };
            self.directory.corrupt(last, format!("this entry, one of {count}, is damaged; {rest}"))
        }))
    }

    /// Whether a table could lie at this sector.
    fn plausible(&self, entry: u64) -> bool {
        entry == 0 || entry * SECTOR + TABLE_BYTES <= self.source.len()
    }

    /// The sector of a grain table: what the directory says, or its copy where that cannot be
    /// right. An entry of zero means that nobody wrote there, unless the copy knows a table.
    fn entry(&self, index: u64) -> Result<u64> {
        let entry = self.directory.get(index)?;
        if entry != 0 && self.plausible(entry) {
            return Ok(entry);
        }
        let copy = self.redundant.as_ref().map_or(Ok(0), |copy| copy.get(index))?;
        Ok(if copy != 0 && self.plausible(copy) { copy } else { entry })
    }

    fn table(&self, at: u64) -> Result<Arc<Vec<u32>>> {
        self.tables.get_or(
            &(self.extent, at),
            |table| table.len() * 4,
            || {
                let bytes = read_vec(&*self.source, "grain table", at, TABLE_BYTES)?;
                let entry = |entry: &[u8]| entry.try_into().map_or(0, u32::from_le_bytes);
                Ok(bytes.chunks_exact(4).map(entry).collect())
            },
        )
    }

    /// What the table says of the grain, and how many grains from it on have no entry either.
    fn grain(&self, grain: u64) -> Result<Option<(u32, u64)>> {
        let index = (grain % u64::from(GTES_PER_GT)) as usize;
        let sector = self.entry(grain / u64::from(GTES_PER_GT))?;
        if sector == 0 {
            return Ok(None);
        }
        let table = self.table(sector * SECTOR)?;
        let rest = table.get(index..).unwrap_or_default();
        let entry = rest.first().copied().unwrap_or_default();
        if entry == ZEROED && !self.header.zeroed_grains {
            return Err(Error::corrupt(
                format!("grain table entry {index}"),
                sector * SECTOR + index as u64 * 4,
                "it is 1, which the header does not allow to stand for zeros",
            ));
        }
        let same = if entry <= ZEROED {
            rest.iter().take_while(|other| **other == entry).count()
        } else {
            1
        };
        Ok(Some((entry, same as u64)))
    }
}

impl Map for Grains {
    fn len(&self) -> u64 {
        self.header.capacity
    }

    fn run(&self, offset: u64) -> Result<Run> {
        let size = self.header.grain_size;
        let inner = offset % size;
        let Some((entry, same)) = self.grain(offset / size)? else {
            let span = self.header.table_span();
            return Ok(Run { place: Place::Beneath, length: span - offset % span });
        };
        let place = match entry {
            0 => Place::Beneath,
            ZEROED => Place::Zeros,
            _ if self.packer.is_some() => Place::Packed,
            sector => Place::At(u64::from(sector) * SECTOR + inner),
        };
        Ok(Run { place, length: same * size - inner })
    }

    fn unpack(&self, packed: Vec<Packed<'_>>) -> Result<()> {
        let Some(packer) = &self.packer else {
            return Err(Error::unsupported("VMDK extent", "its grains are not compressed"));
        };
        packer.unpack(&*self.source, packed, &|grain| {
            let (sector, _) = self.grain(grain)?.unwrap_or_default();
            Ok(u64::from(sector) * SECTOR)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::header;
    use super::*;
    use crate::error::ErrorKind;
    use crate::formats::mapped::Mapped;

    /// Two tables of grains of 4 KiB: sector 1 holds the directory, 2 its copy, 3 and 7 the tables,
    /// 11 and 15 the copies of the tables.
    fn image(capacity: u64) -> Vec<u8> {
        let mut image = header(capacity, 2 | 4);
        image[48] = 2;
        image.resize(40 * 512, 0);
        for (at, value) in [(1, 3), (1, 7), (2, 11), (2, 15)].iter().zip([0, 4, 0, 4]) {
            put(&mut image, at.0 * 512 + value, at.1);
        }
        for table in [3, 11] {
            put(&mut image, table * 512, 24);
            put(&mut image, table * 512 + 4, 1);
            put(&mut image, table * 512 + 12, 32);
        }
        for table in [7, 15] {
            put(&mut image, table * 512 + 4, 24);
        }
        image[24 * 512..32 * 512].fill(b'a');
        image[32 * 512..].fill(b'b');
        image
    }

    fn put(image: &mut [u8], at: usize, value: u32) {
        image[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn open(image: Vec<u8>) -> Result<(Mapped<Grains>, Vec<Problem>)> {
        let header = Header::read(&image)?;
        let source: Arc<dyn ReadAt> = Arc::new(image);
        let tables = Arc::new(GrainTables::new(TABLES_CEILING));
        let (grains, problems) = Grains::open(0, source.clone(), header, tables, None)?;
        Ok((Mapped::new(grains, source), problems))
    }

    /// The first byte of each of the first grains and of those of the second table.
    fn sample(reader: &dyn ReadAt) -> Result<Vec<u8>> {
        [0, 1, 2, 3, 512, 513]
            .iter()
            .map(|grain| {
                let mut byte = [0xEE];
                reader.read_at(grain * 4096, &mut byte).map(|()| byte[0])
            })
            .collect()
    }

    const CAPACITY: u64 = 514 * 8;

    #[test]
    fn grains_are_found_and_holes_skipped() {
        let (reader, problems) = open(image(CAPACITY)).unwrap();
        assert!(problems.is_empty());
        assert_eq!(sample(&reader).unwrap(), [b'a', 0, 0, b'b', 0, b'a']);
        let mut whole = vec![0; reader.len() as usize];
        reader.read_at(0, &mut whole).unwrap();
        assert_eq!(whole.iter().filter(|byte| **byte != 0).count(), 3 * 4096);
        assert_eq!(reader.next_data(0), Some(0..4096));
        assert_eq!(reader.next_data(4096), Some(3 * 4096..4 * 4096));
        assert_eq!(reader.next_data(4 * 4096), Some(513 * 4096..514 * 4096));
    }

    #[test]
    fn the_redundant_directory_helps_out() {
        let wanted = [b'a', 0, 0, b'b', 0, b'a'];
        for (at, value) in [(512, 0), (516, 9_999_999), (512, u32::MAX)] {
            let mut image = image(CAPACITY);
            put(&mut image, at, value);
            let (reader, problems) = open(image).unwrap();
            assert_eq!(sample(&reader).unwrap(), wanted);
            assert_eq!((problems.len(), problems[0].offset()), (1, Some(at as u64)));
            assert!(problems[0].to_string().contains("has all of them"));
        }
        // The whole directory, then the whole copy, is beyond the end.
        for (at, kept) in [(56, 48), (48, 56)] {
            let mut image = image(CAPACITY);
            put(&mut image, at, 100_000);
            let (reader, problems) = open(image.clone()).unwrap();
            assert_eq!((sample(&reader).unwrap(), problems.len()), (wanted.into(), 1));
            put(&mut image, kept, 100_000);
            assert_eq!(open(image).err().unwrap().kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn what_both_directories_lost_is_an_error_and_no_hole() {
        let mut image = image(CAPACITY);
        put(&mut image, 512, 100_000);
        put(&mut image, 1024, 100_001);
        let (reader, problems) = open(image).unwrap();
        assert!(problems[0].to_string().contains("1 of them cannot be read"), "{}", problems[0]);
        assert!(sample(&reader).is_err());
        assert_eq!(reader.next_data(0), Some(0..reader.len()));
        reader.read_at(513 * 4096, &mut [0; 4096]).unwrap();
    }

    #[test]
    fn entries_beyond_the_end_and_undeclared_zeros_are_corrupt() {
        let mut beyond = image(CAPACITY);
        put(&mut beyond, 3 * 512, 39);
        let (reader, _) = open(beyond).unwrap();
        reader.read_at(0, &mut [0; 512]).unwrap();
        assert_eq!(reader.read_at(0, &mut [0; 4096]).unwrap_err().kind(), ErrorKind::Corrupt);

        let mut undeclared = image(CAPACITY);
        undeclared[8] &= !4;
        let (reader, _) = open(undeclared).unwrap();
        assert_eq!(reader.read_at(4096, &mut [0]).unwrap_err().offset(), Some(3 * 512 + 4));
        let error = open(image(u64::MAX / 1024)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
