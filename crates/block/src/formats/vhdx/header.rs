//! The two headers: where the log is, and whether it must be replayed.
//!
//! A writer updates them in turn, so that one is always whole; the higher sequence number counts.
//!
//! MS-VHDX 2.2.1 and 2.2.2.

use crate::error::{Error, Problem, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_vec};

pub(super) const SIGNATURE: &[u8] = b"vhdxfile";

/// Where the headers lie.
const PLACES: [u64; 2] = [64 << 10, 128 << 10];
const LENGTH: u64 = 4096;

/// A 128-bit id, as its bytes lie on disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Guid(pub(super) [u8; 16]);

impl Guid {
    pub(super) const ZERO: Self = Self([0; 16]);

    /// The id that is written `a-b-c-d` with `d` as one number.
    pub(super) const fn new(a: u32, b: u16, c: u16, d: u64) -> Self {
        let (a, b, c, d) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes(), d.to_be_bytes());
        Self([
            a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5],
            d[6], d[7],
        ])
    }
}

impl std::fmt::Display for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The first three groups are little-endian numbers.
        for (index, at) in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].iter().enumerate()
        {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0[*at])?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// A header, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    sequence: u64,
    /// The id of the log's valid entries; zero where nothing is to be replayed.
    pub(super) log_guid: Guid,
    pub(super) log_offset: u64,
    pub(super) log_length: u64,
}

impl Header {
    /// The header that counts, and what is wrong with the other one.
    pub(super) fn read(source: &dyn ReadAt) -> Result<(Self, Option<Problem>)> {
        let [first, second] = PLACES.map(|at| {
            let bytes = read_vec(source, "VHDX header", at, LENGTH)?;
            Ok((Self::parse(&Fields::new("VHDX header", at, &bytes))?, bytes))
        });
        match (first, second) {
            (Ok((first, one)), Ok((second, two))) => {
                if first.sequence == second.sequence && one[16..] != two[16..] {
                    let why = "both headers have the same sequence number, but they differ";
                    return Err(Error::corrupt("VHDX header", PLACES[1] + 8, why));
                }
                Ok((if first.sequence >= second.sequence { first } else { second }, None))
            }
            // The file may be damaged in one place, or new: then the other never was written.
            (Ok((header, _)), Err(problem)) | (Err(problem), Ok((header, _))) => {
                Ok((header, Some(problem)))
            }
            (Err(error), Err(_)) => Err(error),
        }
    }

    fn parse(fields: &Fields<'_>) -> Result<Self> {
        if fields.bytes(0, 4)? != b"head" {
            return Err(fields.corrupt(0, "it does not begin with head"));
        }
        check_crc(fields)?;
        let version = fields.le_u16(66)?;
        if version != 1 {
            return Err(Error::unsupported(
                "VHDX header",
                format!("its version is {version}; 1 is known"),
            ));
        }
        let log_guid = Guid(fields.array(48)?);
        let log_version = fields.le_u16(64)?;
        if log_guid != Guid::ZERO && log_version != 0 {
            return Err(Error::unsupported(
                "VHDX header",
                format!("the log has version {log_version}; 0 is known"),
            ));
        }
        Ok(Self {
            sequence: fields.le_u64(8)?,
            log_guid,
            log_length: fields.le_u32(68)?.into(),
            log_offset: fields.le_u64(72)?,
        })
    }
}

/// Checks the CRC-32C at byte 4 of a structure, which counts itself as zeros.
pub(super) fn check_crc(fields: &Fields<'_>) -> Result<()> {
    let bytes = fields.as_bytes();
    let expected = fields.le_u32(4)?;
    let crc = crc32c::crc32c_append(crc32c::crc32c(fields.bytes(0, 4)?), &[0; 4]);
    let actual = crc32c::crc32c_append(crc, bytes.get(8..).unwrap_or_default());
    if actual != expected {
        return Err(fields.corrupt(4, format!("checksum {expected:#x}, but it is {actual:#x}")));
    }
    Ok(())
}
