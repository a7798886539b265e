//! The header: the first 72 bytes of version 2, at least 104 of version 3.

use crate::error::{Error, Result};
use crate::fields::Fields;

/// `QFI\xfb`.
pub(super) const MAGIC: [u8; 4] = *b"QFI\xfb";

/// The header of version 2, and the least that any has.
const V2_LENGTH: u32 = 72;

/// The least that version 3 has.
const V3_LENGTH: u32 = 104;

/// The most entries that qemu lets an L1 table have: 32 MiB of them.
pub(super) const MAX_L1_ENTRIES: u32 = (32 << 20) / 8;

/// Backing file names are at most this long.
const MAX_NAME: u32 = 1023;

/// Incompatible feature bits.
pub(super) mod incompatible {
    /// Reference counts may be stale; the mapping is right.
    pub(crate) const DIRTY: u64 = 1 << 0;
    /// qemu found a contradiction and stopped writing.
    pub(crate) const CORRUPT: u64 = 1 << 1;
    /// The guest's clusters lie in another file.
    pub(crate) const DATA_FILE: u64 = 1 << 2;
    /// `compression_type` is not zlib.
    pub(crate) const COMPRESSION: u64 = 1 << 3;
    /// L2 entries are 16 bytes and know of subclusters.
    pub(crate) const EXTENDED_L2: u64 = 1 << 4;
    /// All that this reader knows.
    pub(crate) const KNOWN: u64 = DIRTY | CORRUPT | DATA_FILE | COMPRESSION | EXTENDED_L2;
}

/// The autoclear bit that says the external data file is a raw image by itself.
const RAW_DATA_FILE: u64 = 1 << 1;

/// How clusters are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    None,
    Aes,
    Luks,
}

/// How compressed clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Raw deflate, which qemu calls zlib.
    Deflate,
    /// Zstandard frames.
    Zstd,
}

/// Where an L1 table is, and how many entries it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct L1Location {
    pub(super) offset: u64,
    pub(super) entries: u32,
}

/// What the header says, checked as far as it goes by itself.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) cluster_bits: u32,
    /// The guest disk's size in bytes.
    pub(super) size: u64,
    pub(super) encryption: Encryption,
    pub(super) l1: L1Location,
    /// Where the name of the backing file is, and its length.
    pub(super) backing_name: Option<(u64, u32)>,
    pub(super) snapshots: u32,
    pub(super) snapshots_offset: u64,
    pub(super) incompatible: u64,
    pub(super) autoclear: u64,
    /// How long the header is: extensions follow.
    pub(super) length: u32,
    pub(super) compression: Compression,
}

impl Header {
    /// Reads the header out of the first bytes of an image.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let fields = Fields::new("qcow2 header", 0, bytes);
        if fields.array::<4>(0)? != MAGIC {
            return Err(fields.corrupt(0, "the magic \"QFI\\xfb\" is not there"));
        }
        let version = fields.be_u32(4)?;
        match version {
            2 | 3 => {}
            1 => {
                return Err(Error::unsupported(
                    "qcow version 1",
                    "only versions 2 and 3 are read; convert it with qemu-img convert",
                ));
            }
            _ => {
                let why = "only versions 2 and 3 are known";
                return Err(Error::unsupported(format!("qcow2 version {version}"), why));
            }
        }
        let cluster_bits = fields.be_u32(20)?;
        match cluster_bits {
            9..=21 => {}
            22..=40 => {
                return Err(Error::unsupported(
                    format!("clusters of 2^{cluster_bits} bytes"),
                    "qemu knows none larger than 2 MiB",
                ));
            }
            _ => {
                return Err(
                    fields.corrupt(20, format!("cluster_bits is {cluster_bits}, not 9 to 21"))
                );
            }
        }
        let encryption = match fields.be_u32(32)? {
            0 => Encryption::None,
            1 => Encryption::Aes,
            2 => Encryption::Luks,
            other => {
                return Err(Error::unsupported(
                    format!("encryption method {other}"),
                    "only AES (1) and LUKS (2) are known",
                ));
            }
        };
        let backing_name = match (fields.be_u64(8)?, fields.be_u32(16)?) {
            (0, _) | (_, 0) => None,
            (_, length) if length > MAX_NAME => {
                let why = format!("backing_file_size is {length}; at most {MAX_NAME} is allowed");
                return Err(fields.corrupt(16, why));
            }
            (offset, length) => Some((offset, length)),
        };
        let mut header = Self {
            version,
            cluster_bits,
            size: fields.be_u64(24)?,
            encryption,
            l1: L1Location { offset: fields.be_u64(40)?, entries: fields.be_u32(36)? },
            backing_name,
            snapshots: fields.be_u32(60)?,
            snapshots_offset: fields.be_u64(64)?,
            incompatible: 0,
            autoclear: 0,
            length: V2_LENGTH,
            compression: Compression::Deflate,
        };
        if version >= 3 {
            header.parse_v3(&fields)?;
        }
        Ok(header)
    }

    fn parse_v3(&mut self, fields: &Fields<'_>) -> Result<()> {
        self.incompatible = fields.be_u64(72)?;
        self.autoclear = fields.be_u64(88)?;
        let refcount_order = fields.be_u32(96)?;
        if refcount_order > 6 {
            return Err(fields.corrupt(96, format!("refcount_order is {refcount_order}, above 6")));
        }
        self.length = fields.be_u32(100)?;
        if self.length < V3_LENGTH || !self.length.is_multiple_of(8) {
            let why = format!(
                "header_length is {}; 104 or a greater multiple of 8 is wanted",
                self.length
            );
            return Err(fields.corrupt(100, why));
        }
        if u64::from(self.length) > self.cluster_size() {
            let why = format!("header_length is {}, more than a cluster", self.length);
            return Err(fields.corrupt(100, why));
        }
        let compression_type = if self.length > 104 { fields.u8(104)? } else { 0 };
        self.compression = match (compression_type, self.has(incompatible::COMPRESSION)) {
            (0, false) => Compression::Deflate,
            (1, true) => Compression::Zstd,
            // An unknown feature may be what gives the field another meaning: that is said first.
            _ if self.incompatible & !incompatible::KNOWN != 0 => Compression::Deflate,
            (0, true) | (_, false) => {
                let why = format!(
                    "compression_type is {compression_type}, which contradicts the compression bit"
                );
                return Err(fields.corrupt(104, why));
            }
            (other, true) => {
                let why = "only zlib (0) and zstd (1) are known";
                return Err(Error::unsupported(format!("compression type {other}"), why));
            }
        };
        Ok(())
    }

    /// Checks what the header says of the active mapping. Unknown features must be refused first.
    pub(super) fn check(&self) -> Result<()> {
        let fields = Fields::new("qcow2 header", 0, &[]);
        if self.has(incompatible::EXTENDED_L2) && self.cluster_bits < 14 {
            let why = format!(
                "cluster_bits is {}; extended L2 entries need at least 14",
                self.cluster_bits
            );
            return Err(fields.corrupt(20, why));
        }
        if self.raw_data_file() && self.backing_name.is_some() {
            let why = "a backing file and a raw external data file exclude each other";
            return Err(fields.corrupt(88, why));
        }
        self.check_l1(self.l1, self.size).map_err(|why| fields.corrupt(36, why))
    }

    /// Whether this L1 table is placed rightly and covers a disk of `size` bytes.
    pub(super) fn check_l1(&self, l1: L1Location, size: u64) -> std::result::Result<(), String> {
        if l1.entries > MAX_L1_ENTRIES {
            return Err(format!(
                "an L1 table of {} entries is claimed; at most {MAX_L1_ENTRIES} are allowed",
                l1.entries
            ));
        }
        let covered = u64::from(l1.entries) << self.l2_coverage_bits();
        if covered < size {
            return Err(format!("the L1 table covers {covered} bytes of a disk of {size}"));
        }
        if l1.entries > 0 && (l1.offset == 0 || !l1.offset.is_multiple_of(self.cluster_size())) {
            return Err(format!("the L1 table's offset {} is no cluster boundary", l1.offset));
        }
        Ok(())
    }

    /// Whether this incompatible feature is set.
    pub(super) fn has(&self, incompatible: u64) -> bool {
        self.incompatible & incompatible != 0
    }

    /// Whether the external data file is a raw image by itself.
    pub(super) fn raw_data_file(&self) -> bool {
        self.has(incompatible::DATA_FILE) && self.autoclear & RAW_DATA_FILE != 0
    }

    pub(super) fn cluster_size(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// The guest bytes that one L2 table covers, as a power of two: at most 2^39.
    pub(super) fn l2_coverage_bits(&self) -> u32 {
        let entry_bits = if self.has(incompatible::EXTENDED_L2) { 4 } else { 3 };
        self.cluster_bits + (self.cluster_bits - entry_bits)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// A sound header of version 3.
    pub(in super::super) fn sample() -> Vec<u8> {
        let mut bytes = vec![0; 112];
        bytes[..4].copy_from_slice(&MAGIC);
        put(&mut bytes, 4, 3);
        put(&mut bytes, 20, 16);
        put(&mut bytes, 28, 1 << 30);
        put(&mut bytes, 36, 2);
        put(&mut bytes, 44, 0x30000);
        put(&mut bytes, 96, 4);
        put(&mut bytes, 100, 112);
        bytes
    }

    fn put(bytes: &mut [u8], at: usize, value: u32) {
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    fn check(change: impl FnOnce(&mut Vec<u8>)) -> Result<Header> {
        let mut bytes = sample();
        change(&mut bytes);
        let header = Header::parse(&bytes)?;
        header.check()?;
        Ok(header)
    }

    fn refuses(kind: ErrorKind, at: Option<u64>, change: impl FnOnce(&mut Vec<u8>)) {
        let error = check(change).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, at), "{error}");
    }

    #[test]
    fn reads_both_versions() {
        let header = check(|_| {}).unwrap();
        assert_eq!((header.version, header.size, header.length), (3, 1 << 30, 112));
        assert_eq!(header.l1, L1Location { offset: 0x30000, entries: 2 });
        let header = check(|bytes| {
            put(bytes, 4, 2);
            bytes.truncate(72);
        });
        assert_eq!(header.unwrap().length, 72);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        use ErrorKind::Unsupported;
        refuses(Unsupported, None, |bytes| put(bytes, 4, 1));
        refuses(Unsupported, None, |bytes| put(bytes, 4, 4));
        refuses(Unsupported, None, |bytes| put(bytes, 20, 22));
        refuses(Unsupported, None, |bytes| put(bytes, 32, 3));
        refuses(Unsupported, None, |bytes| {
            bytes[79] = 8;
            bytes[104] = 2;
        });
    }

    #[test]
    fn finds_contradictions_and_their_place() {
        use ErrorKind::Corrupt;
        refuses(Corrupt, Some(0), |bytes| bytes[0] = 0);
        refuses(Corrupt, Some(20), |bytes| put(bytes, 20, 8));
        refuses(Corrupt, Some(20), |bytes| put(bytes, 20, u32::MAX));
        refuses(Corrupt, Some(16), |bytes| {
            put(bytes, 12, 200);
            put(bytes, 16, 1024);
        });
        refuses(Corrupt, Some(36), |bytes| put(bytes, 36, 1));
        refuses(Corrupt, Some(36), |bytes| put(bytes, 36, u32::MAX));
        refuses(Corrupt, Some(36), |bytes| put(bytes, 24, u32::MAX));
        refuses(Corrupt, Some(36), |bytes| put(bytes, 44, 0x30200));
        refuses(Corrupt, Some(36), |bytes| put(bytes, 44, 0));
        refuses(Corrupt, Some(96), |bytes| put(bytes, 96, 7));
        refuses(Corrupt, Some(100), |bytes| put(bytes, 100, 96));
        refuses(Corrupt, Some(100), |bytes| put(bytes, 100, 106));
        refuses(Corrupt, Some(100), |bytes| put(bytes, 100, 1 << 20));
        refuses(Corrupt, Some(104), |bytes| bytes[104] = 1);
        refuses(Corrupt, Some(104), |bytes| bytes[79] = 8);
        refuses(Corrupt, Some(20), |bytes| {
            bytes[79] = 16;
            put(bytes, 20, 13);
        });
        refuses(Corrupt, Some(88), |bytes| {
            bytes[79] = 4;
            bytes[95] = 2;
            put(bytes, 12, 200);
            put(bytes, 16, 4);
        });
        let short = Header::parse(&sample()[..80]).unwrap_err();
        assert_eq!(short.kind(), Corrupt);
    }
}
