//! The header of a hosted sparse extent (`SparseExtentHeader`), and the footer that repeats it.
//!
//! A stream-optimized extent is written front to back in one go, so that its writer learns where
//! the grain directory lies only at the end. Its header then says so, and a copy of the header in
//! the last sector but one has the true place.
//!
//! *Virtual Disk Format 5.0*, VMware, "Hosted Sparse Extents" and "Stream-Optimized Compressed
//! Sparse Extents".

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_array};

/// The size of a sector, in which the format counts.
pub(super) const SECTOR: u64 = 512;

pub(super) const MAGIC: &[u8] = b"KDMV";

/// The `gdOffset` that says: look in the footer.
const GD_AT_END: u64 = u64::MAX;

/// How many entries a grain table has; the specification knows no other number.
pub(super) const GTES_PER_GT: u32 = 512;

/// The largest grains; VMware's have 64 KiB.
const LARGEST_GRAIN: u64 = 16 << 20;

/// The largest compressed grains, which are held in memory.
const LARGEST_COMPRESSED_GRAIN: u64 = 1 << 20;

/// Bits of `flags`. The upper half is of those that a reader must know.
const NEWLINE_TEST: u32 = 1 << 0;
const REDUNDANT_GRAIN_TABLES: u32 = 1 << 1;
const ZEROED_GRAINS: u32 = 1 << 2;
const COMPRESSED: u32 = 1 << 16;
const MARKERS: u32 = 1 << 17;
const INCOMPATIBLE: u32 = 0xFFFF_0000;

/// The kinds of markers that the footer needs.
const MARKER_EOS: u32 = 0;
const MARKER_FOOTER: u32 = 3;

/// What a sparse extent says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// How many bytes of the guest it holds.
    pub(super) capacity: u64,
    /// The size of a grain in bytes.
    pub(super) grain_size: u64,
    /// Where the embedded descriptor lies, and how long it is, in bytes.
    pub(super) descriptor: Option<(u64, u64)>,
    /// The byte offset of the grain directory.
    pub(super) directory: u64,
    /// The byte offset of its copy.
    pub(super) redundant: Option<u64>,
    /// A grain table may say that a grain is zeros.
    pub(super) zeroed_grains: bool,
    /// Grains are compressed, each behind a marker.
    pub(super) compressed: bool,
    /// The writer did not close the extent.
    pub(super) unclean: bool,
}

impl Header {
    /// Reads the header of an extent, from its footer where that is the valid one.
    pub(super) fn read(source: &dyn ReadAt) -> Result<Self> {
        let bytes: [u8; SECTOR as usize] = read_array(source, "VMDK header", 0)?;
        let fields = Fields::new("VMDK header", 0, &bytes);
        if fields.le_u64(56)? != GD_AT_END {
            return Self::parse(&fields);
        }
        let missing = |at, why: &str| {
            Error::corrupt("VMDK footer", at, format!("{why}: the stream is not complete"))
        };
        let at = source.len().checked_sub(3 * SECTOR).filter(|at| *at >= SECTOR);
        let at = at.ok_or_else(|| missing(source.len(), "the extent ends before it"))?;
        let bytes: [u8; 3 * SECTOR as usize] = read_array(source, "VMDK footer", at)?;
        let tail = Fields::new("VMDK footer", at, &bytes);
        // A marker: how many sectors follow, a size that is zero for metadata, its kind.
        if (tail.le_u32(8)?, tail.le_u32(12)?) != (0, MARKER_FOOTER) {
            return Err(missing(at, "no footer marker is there"));
        }
        if (tail.le_u64(1024)?, tail.le_u32(1032)?, tail.le_u32(1036)?) != (0, 0, MARKER_EOS) {
            return Err(missing(at + 2 * SECTOR, "no end-of-stream marker is there"));
        }
        let footer = tail.part("VMDK footer", SECTOR as usize, SECTOR as usize)?;
        if footer.le_u64(56)? == GD_AT_END {
            return Err(footer.corrupt(56, "gdOffset points to the footer, which this is"));
        }
        Self::parse(&footer)
    }

    fn parse(fields: &Fields<'_>) -> Result<Self> {
        if fields.bytes(0, 4)? != MAGIC {
            return Err(fields.corrupt(0, "it does not begin with KDMV"));
        }
        let version = fields.le_u32(4)?;
        if !(1..=3).contains(&version) {
            return Err(Error::unsupported(
                "VMDK header",
                format!("its version is {version}; 1 to 3 are known"),
            ));
        }
        let flags = fields.le_u32(8)?;
        let unknown = flags & INCOMPATIBLE & !(COMPRESSED | MARKERS);
        if unknown != 0 {
            return Err(Error::unsupported(
                "VMDK header",
                format!("it has the unknown incompatible flags {unknown:#x}"),
            ));
        }
        if flags & NEWLINE_TEST != 0 && fields.bytes(73, 4)? != b"\n \r\n" {
            return Err(fields.corrupt(73, "line ends were changed: it was copied as if text"));
        }
        let compressed = flags & COMPRESSED != 0;
        match (compressed, fields.le_u16(77)?, flags & MARKERS != 0) {
            (false, ..) | (true, 1, true) => {}
            (true, 1, false) => {
                return Err(Error::unsupported("VMDK header", "compressed grains without markers"));
            }
            (true, other, _) => {
                return Err(Error::unsupported(
                    "VMDK header",
                    format!("compression algorithm {other}; 1, deflate, is known"),
                ));
            }
        }
        let bytes = |at: usize, what: &str| {
            let sectors = fields.le_u64(at)?;
            sectors.checked_mul(SECTOR).ok_or_else(|| {
                fields.corrupt(at, format!("{what} is {sectors} sectors: over 2^64 bytes"))
            })
        };
        let grain_size = bytes(20, "grainSize")?;
        if !grain_size.is_power_of_two() {
            return Err(fields.corrupt(
                20,
                format!("grainSize is {} sectors, not a power of two", grain_size / SECTOR),
            ));
        }
        let largest = if compressed { LARGEST_COMPRESSED_GRAIN } else { LARGEST_GRAIN };
        if grain_size > largest {
            return Err(Error::unsupported(
                "VMDK header",
                format!("grains of {grain_size} bytes; at most {largest} are read"),
            ));
        }
        let gtes = fields.le_u32(44)?;
        if gtes != GTES_PER_GT {
            return Err(Error::unsupported(
                "VMDK header",
                format!("grain tables of {gtes} entries; {GTES_PER_GT} are known"),
            ));
        }
        let redundant = bytes(48, "rgdOffset")?;
        let descriptor = (bytes(28, "descriptorOffset")?, bytes(36, "descriptorSize")?);
        Ok(Self {
            capacity: bytes(12, "capacity")?,
            grain_size,
            descriptor: (descriptor.0 != 0 && descriptor.1 != 0).then_some(descriptor),
            directory: bytes(56, "gdOffset")?,
            redundant: (flags & REDUNDANT_GRAIN_TABLES != 0 && redundant != 0).then_some(redundant),
            zeroed_grains: flags & ZEROED_GRAINS != 0,
            compressed,
            unclean: fields.u8(72)? != 0,
        })
    }

    /// How many bytes of the guest one grain table covers.
    pub(super) fn table_span(&self) -> u64 {
        self.grain_size * u64::from(GTES_PER_GT)
    }

    /// How many entries the grain directory has.
    pub(super) fn directory_entries(&self) -> u64 {
        self.capacity.div_ceil(self.table_span())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// A header of an extent of `capacity` sectors in grains of eight, its directory at sector 1.
    pub(in super::super) fn header(capacity: u64, flags: u32) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4..8].copy_from_slice(&1_u32.to_le_bytes());
        bytes[8..12].copy_from_slice(&(flags | NEWLINE_TEST).to_le_bytes());
        bytes[12..20].copy_from_slice(&capacity.to_le_bytes());
        bytes[20..28].copy_from_slice(&8_u64.to_le_bytes());
        bytes[44..48].copy_from_slice(&512_u32.to_le_bytes());
        bytes[56..64].copy_from_slice(&1_u64.to_le_bytes());
        bytes[73..77].copy_from_slice(b"\n \r\n");
        bytes[77] = u8::from(flags & COMPRESSED != 0);
        bytes
    }

    fn check(change: impl FnOnce(&mut Vec<u8>)) -> Result<Header> {
        let mut bytes = header(100, COMPRESSED | MARKERS);
        change(&mut bytes);
        Header::read(&bytes)
    }

    #[test]
    fn fields_are_found_and_checked() {
        let header = check(|_| {}).unwrap();
        assert_eq!((header.capacity, header.grain_size, header.directory), (51200, 4096, 512));
        assert!(header.compressed && !header.unclean && header.redundant.is_none());
        assert_eq!((header.table_span(), header.directory_entries()), (2 << 20, 1));
        assert!(check(|b| b[72] = 1).unwrap().unclean);
        assert_eq!(check(|b| b[28] = 1).unwrap().descriptor, None);
        let redundant = check(|b| (b[8], b[48]) = (2, 5)).unwrap().redundant;
        assert_eq!(redundant, Some(2560));

        let kinds: [(ErrorKind, &[(usize, u8)]); 12] = [
            (ErrorKind::Corrupt, &[(0, 0)]),
            (ErrorKind::Corrupt, &[(73, b'\r')]),
            (ErrorKind::Corrupt, &[(20, 0)]),
            (ErrorKind::Corrupt, &[(20, 9)]),
            (ErrorKind::Corrupt, &[(19, 1)]),
            (ErrorKind::Corrupt, &[(63, 1)]),
            (ErrorKind::Unsupported, &[(4, 4)]),
            (ErrorKind::Unsupported, &[(11, 1)]),
            (ErrorKind::Unsupported, &[(10, 1)]),
            (ErrorKind::Unsupported, &[(77, 2)]),
            (ErrorKind::Unsupported, &[(45, 1)]),
            (ErrorKind::Unsupported, &[(20, 0), (21, 0x10)]),
        ];
        for (kind, changes) in kinds {
            let error = check(|b| changes.iter().for_each(|(at, byte)| b[*at] = *byte));
            assert_eq!(error.unwrap_err().kind(), kind, "{changes:?}");
        }
        assert!(Header::read(&vec![0; 511]).is_err());
    }

    #[test]
    fn the_footer_replaces_a_header_that_points_to_it() {
        let mut stream = header(100, COMPRESSED | MARKERS);
        stream[56..64].fill(0xFF);
        let mut marker = vec![0; 512];
        (marker[0], marker[12]) = (1, 3);
        let mut footer = header(100, COMPRESSED | MARKERS);
        footer[56] = 9;
        let whole = [stream.clone(), marker, footer, vec![0; 512]].concat();
        assert_eq!(Header::read(&whole).unwrap().directory, 9 * 512);
        for (at, byte) in [(524, 2), (520, 1), (1536, 1), (1548, 1), (1024, 0)] {
            let mut broken = whole.clone();
            broken[at] = byte;
            assert_eq!(Header::read(&broken).unwrap_err().kind(), ErrorKind::Corrupt, "{at}");
        }
        let mut again = whole.clone();
        again[1080..1088].fill(0xFF);
        assert!(Header::read(&again).is_err());
        for length in [512, 1024, 1536, 2047] {
            assert!(Header::read(&whole[..length].to_vec()).is_err(), "{length}");
        }
    }
}
