//! The GUID partition table: a header and an array of entries at the start of the disk, both with
//! checksums, and a copy of both at its end. UEFI specification, chapter 5.
//!
//! Everything is counted in the disk's logical sectors, and nothing says how large those are, so
//! the header is looked for at each size that a sector may have.

use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_vec};

use super::guid::Guid;

const SIGNATURE: &[u8; 8] = b"EFI PART";

/// How much of a header has a meaning; the rest of its sector is reserved.
const HEADER: u32 = 92;

/// An entry of the array.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its place in the array, from 1.
    pub(super) number: u32,
    pub(super) kind: Guid,
    pub(super) unique: Guid,
    /// In sectors.
    pub(super) first: u64,
    /// The last sector, inclusive.
    pub(super) last: u64,
    pub(super) attributes: u64,
    pub(super) name: String,
}

/// A table that was read in full.
#[derive(Debug)]
pub(super) struct Gpt {
    pub(super) sector_size: u32,
    pub(super) entries: Vec<Entry>,
    /// Why the primary header was not good enough.
    pub(super) problem: Option<Problem>,
    /// That the disk ends before the backup that a good primary header names.
    pub(super) cut: Option<Problem>,
}

/// Finds the table of `disk`, whose sectors have one of these `sizes`: the most likely first.
/// `None` where there is no trace of one.
pub(super) fn find(disk: &dyn ReadAt, sizes: &[u32]) -> Result<Option<Gpt>> {
    let mut damage: Option<Error> = None;
    let mut copies = Vec::new();
    for &size in sizes {
        match table(disk, size, 1) {
            Ok(Some(entries)) => {
                let cut = cut(disk, size);
                return Ok(Some(Gpt { sector_size: size, entries, problem: None, cut }));
            }
            Ok(None) => {}
            Err(error) => {
                damage.get_or_insert(error);
                copies.extend(alternate(disk, size).map(|lba| (size, lba)));
            }
        }
        copies.extend((disk.len() / u64::from(size)).checked_sub(1).map(|lba| (size, lba)));
    }
    for (sector_size, lba) in copies {
        match table(disk, sector_size, lba) {
            Ok(Some(entries)) => {
                let at = u64::from(sector_size);
                let problem = damage.unwrap_or_else(|| {
                    Error::corrupt("GPT header", at, "there is none where the primary should be")
                });
                let problem = problem.within("the backup partition table is used");
                let problem = Some(problem);
                return Ok(Some(Gpt { sector_size, entries, problem, cut: None }));
            }
            Ok(None) => {}
            Err(error) => {
                damage.get_or_insert(error);
            }
        }
    }
    damage.map_or(Ok(None), |damage| {
        Err(damage.within("the partition table and its backup are both damaged"))
    })
}

/// That the disk was cut short, if the backup header would lie behind its end.
fn cut(disk: &dyn ReadAt, size: u32) -> Option<Problem> {
    let sector = alternate(disk, size)?;
    let sectors = disk.len() / u64::from(size);
    (sector >= sectors).then(|| {
        let at = u64::from(size).saturating_add(32);
        let why = format!(
            "the backup is at sector {sector}, but the disk has only {sectors}: it was cut short"
        );
        Error::corrupt("GPT header", at, why)
    })
}

/// Where a header, damaged as it may be, says that the other one is.
fn alternate(disk: &dyn ReadAt, size: u32) -> Option<u64> {
    let mut sector = [0; HEADER as usize];
    disk.read_at(u64::from(size), &mut sector).ok()?;
    let lba = Fields::new("GPT header", u64::from(size), &sector).le_u64(32).ok()?;
    (lba > 1).then_some(lba)
}

/// Reads the table whose header is at sector `lba`; `None` where no header is.
fn table(disk: &dyn ReadAt, size: u32, lba: u64) -> Result<Option<Vec<Entry>>> {
    let at = match lba.checked_mul(u64::from(size)) {
        Some(at) if at.checked_add(u64::from(size)).is_some_and(|end| end <= disk.len()) => at,
        _ => return Ok(None),
    };
    let sector = read_vec(disk, "GPT header", at, u64::from(size))?;
    let fields = Fields::new("GPT header", at, &sector);
    if fields.bytes(0, 8)? != SIGNATURE {
        return Ok(None);
    }
    let header_size = fields.le_u32(12)?;
    if !(HEADER..=size).contains(&header_size) {
        let why = format!("the header claims {header_size} bytes, of {HEADER} to {size}");
        return Err(fields.corrupt(12, why));
    }
    let expected = fields.le_u32(16)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(fields.bytes(0, 16)?);
    hasher.update(&[0; 4]);
    hasher.update(fields.bytes(20, header_size as usize - 20)?);
    let actual = hasher.finalize();
    if actual != expected {
        let why = format!("the header's checksum is {actual:08x}, not {expected:08x}");
        return Err(fields.corrupt(16, why));
    }
    let own = fields.le_u64(24)?;
    if own != lba {
        return Err(fields.corrupt(24, format!("the header belongs to sector {own}, not {lba}")));
    }
    array(disk, size, &fields).map(Some)
}

/// Reads the entries that a valid header points at.
fn array(disk: &dyn ReadAt, size: u32, header: &Fields<'_>) -> Result<Vec<Entry>> {
    let at = header
        .le_u64(72)?
        .checked_mul(u64::from(size))
        .ok_or_else(|| header.corrupt(72, "the entries lie past the end of any disk"))?;
    let (count, entry_size) = (header.le_u32(80)?, header.le_u32(84)?);
    // 128 × 2^n by the specification.
    if entry_size < 128 || !entry_size.is_power_of_two() {
        return Err(header.corrupt(84, format!("entries of {entry_size} bytes")));
    }
    let bytes = u64::from(count) * u64::from(entry_size);
    let entries = read_vec(disk, "GPT entries", at, bytes)?;
    let (expected, actual) = (header.le_u32(88)?, crc32fast::hash(&entries));
    if actual != expected {
        let why = format!("the entries' checksum is {actual:08x}, not {expected:08x}");
        return Err(Error::corrupt("GPT entries", at, why));
    }
    let mut found = Vec::new();
    for (index, bytes) in entries.chunks_exact(entry_size as usize).enumerate() {
        let fields = Fields::new("GPT entry", at + index as u64 * u64::from(entry_size), bytes);
        let kind = Guid(fields.array(0)?);
        if kind == Guid::ZERO {
            continue;
        }
        let units = fields.bytes(56, 72)?.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
        let units = units.map(u16::from_le_bytes).take_while(|unit| *unit != 0);
        found.push(Entry {
            number: index as u32 + 1,
            kind,
            unique: Guid(fields.array(16)?),
            first: fields.le_u64(32)?,
            last: fields.le_u64(40)?,
            attributes: fields.le_u64(48)?,
            name: char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        });
    }
    Ok(found)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A disk of 1000 sectors with a table of 8 entries of 256 bytes, one of them used, and its
    /// backup.
    pub(in super::super) fn disk(size: usize) -> Vec<u8> {
        let mut disk = vec![0; 1000 * size];
        let mut entry = vec![0; 256];
        entry[..16].copy_from_slice(&[0xAF; 16]);
        entry[16..32].copy_from_slice(&[0x11; 16]);
        entry[32..40].copy_from_slice(&100_u64.to_le_bytes());
        entry[40..48].copy_from_slice(&199_u64.to_le_bytes());
        entry[48] = 4;
        for (at, unit) in "rö😀t".encode_utf16().enumerate() {
            entry[56 + 2 * at..58 + 2 * at].copy_from_slice(&unit.to_le_bytes());
        }
        let mut array = vec![0; 8 * 256];
        array[512..768].copy_from_slice(&entry);
        for (lba, other, entries) in [(1_u64, 999_u64, 2_u64), (999, 1, 990)] {
            disk[entries as usize * size..][..array.len()].copy_from_slice(&array);
            let mut header = vec![0; 92];
            header[..8].copy_from_slice(SIGNATURE);
            header[8..12].copy_from_slice(&0x1_0000_u32.to_le_bytes());
            header[12..16].copy_from_slice(&92_u32.to_le_bytes());
            header[24..32].copy_from_slice(&lba.to_le_bytes());
            header[32..40].copy_from_slice(&other.to_le_bytes());
            header[72..80].copy_from_slice(&entries.to_le_bytes());
            header[80..84].copy_from_slice(&8_u32.to_le_bytes());
            header[84..88].copy_from_slice(&256_u32.to_le_bytes());
            header[88..92].copy_from_slice(&crc32fast::hash(&array).to_le_bytes());
            let checksum = crc32fast::hash(&header);
            header[16..20].copy_from_slice(&checksum.to_le_bytes());
            disk[lba as usize * size..][..92].copy_from_slice(&header);
        }
        disk
    }

    const SIZES: [u32; 2] = [512, 4096];

    fn check(disk: Vec<u8>, sector_size: u32, healthy: bool) {
        let gpt = find(&disk, &SIZES).unwrap().unwrap();
        assert_eq!(gpt.sector_size, sector_size);
        assert_eq!(gpt.problem.is_none(), healthy, "{:?}", gpt.problem);
        let [entry] = &gpt.entries[..] else {
            panic!("{:?}", gpt.entries);
        };
        assert_eq!((entry.number, entry.first, entry.last, entry.attributes), (3, 100, 199, 4));
        assert_eq!(entry.name, "rö😀t");
    }

    #[test]
    fn both_sector_sizes_are_found() {
        check(disk(512), 512, true);
        check(disk(4096), 4096, true);
        assert!(find(&vec![0; 100_000], &SIZES).unwrap().is_none());
        assert!(find(&vec![0; 100], &SIZES).unwrap().is_none());
    }

    #[test]
    fn the_backup_stands_in_for_a_damaged_primary() {
        for size in SIZES {
            let at = size as usize;
            for damage in [at, at + 20, at + 32, at + 91, 2 * at + 600] {
                let mut disk = disk(at);
                disk[damage] ^= 1;
                check(disk, size, false);
            }
            let mut wiped = disk(at);
            wiped[..40 * at].fill(0);
            check(wiped, size, false);
        }
    }

    #[test]
    fn a_disk_that_was_cut_short_is_told() {
        for size in SIZES {
            let mut disk = disk(size as usize);
            assert!(find(&disk, &SIZES).unwrap().unwrap().cut.is_none());
            disk.truncate(999 * size as usize);
            let cut = find(&disk, &SIZES).unwrap().unwrap().cut.unwrap();
            assert_eq!(cut.kind(), fathom_block::ErrorKind::Corrupt);
            assert!(cut.to_string().contains("sector 999, but the disk has only 999"), "{cut}");
            check(disk, size, true);
        }
    }

    #[test]
    fn two_damaged_copies_are_corrupt() {
        let mut disk = disk(512);
        disk[512 + 20] ^= 1;
        disk[999 * 512 + 20] ^= 1;
        let error = find(&disk, &SIZES).unwrap_err();
        assert_eq!(error.kind(), fathom_block::ErrorKind::Corrupt);
        assert_eq!(error.offset(), Some(512 + 16));
    }

    /// Changes a field of both headers and makes their checksums right again.
    fn forged(at: usize, value: &[u8]) -> Vec<u8> {
        let mut disk = disk(512);
        for lba in [1, 999] {
            let header = &mut disk[lba * 512..][..92];
            header[at..at + value.len()].copy_from_slice(value);
            header[16..20].fill(0);
            let checksum = crc32fast::hash(header);
            header[16..20].copy_from_slice(&checksum.to_le_bytes());
        }
        disk
    }

    #[test]
    fn hostile_headers_are_refused() {
        for (at, value) in [
            (12, &u32::MAX.to_le_bytes()[..]),
            (12, &0_u32.to_le_bytes()),
            (24, &77_u64.to_le_bytes()),
            (72, &u64::MAX.to_le_bytes()),
            (72, &(u64::MAX / 512).to_le_bytes()),
            (80, &u32::MAX.to_le_bytes()),
            (84, &64_u32.to_le_bytes()),
            (84, &130_u32.to_le_bytes()),
            (84, &u32::MAX.to_le_bytes()),
        ] {
            let error = find(&forged(at, value), &SIZES).unwrap_err();
            assert_eq!(error.kind(), fathom_block::ErrorKind::Corrupt, "{at} {value:?}: {error}");
        }
    }
}
