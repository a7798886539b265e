//! The footer: the 512 bytes at the end of every VHD, of which dynamic disks have a copy at their
//! beginning.
//!
//! *Virtual Hard Disk Image Format Specification 1.0*, Microsoft, "Hard Disk Footer Format".

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_array};

/// The size of the footer, and of a sector.
pub(super) const SECTOR: u64 = 512;

pub(super) const COOKIE: &[u8] = b"conectix";

/// The largest geometry that a footer can spell: what larger disks have.
const LARGEST_GEOMETRY: u64 = 65535 * 16 * 255;

/// What kind of disk it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiskType {
    Fixed,
    Dynamic,
}

/// A footer, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) disk_type: DiskType,
    /// The byte offset of the dynamic disk header.
    pub(super) data_offset: u64,
    /// How many bytes the guest sees.
    pub(super) size: u64,
    /// The program that made the disk, in four characters.
    pub(super) creator: String,
    /// A machine was suspended with this disk.
    pub(super) saved_state: bool,
}

impl Footer {
    /// Reads the footer at the byte offset `at`.
    pub(super) fn read(source: &dyn ReadAt, at: u64) -> Result<Self> {
        let bytes: [u8; SECTOR as usize] = read_array(source, "VHD footer", at)?;
        let fields = Fields::new("VHD footer", at, &bytes);
        if fields.bytes(0, 8)? != COOKIE {
            return Err(fields.corrupt(0, "it does not begin with conectix"));
        }
        check_sum(&fields, 64)?;
        let version = fields.be_u32(12)?;
        if version >> 16 != 1 {
            return Err(Error::unsupported(
                "VHD footer",
                format!("its version is {}.{}; 1 is known", version >> 16, version & 0xFFFF),
            ));
        }
        let disk_type = match fields.be_u32(60)? {
            2 => DiskType::Fixed,
            3 => DiskType::Dynamic,
            4 => {
                return Err(Error::unsupported(
                    "VHD",
                    "it is a differencing disk, which needs its parent; these are not read yet",
                ));
            }
            other => {
                return Err(Error::unsupported(
                    "VHD footer",
                    format!("disk type {other}; 2, fixed, and 3, dynamic, are known"),
                ));
            }
        };
        Ok(Self {
            disk_type,
            data_offset: fields.be_u64(16)?,
            size: size(&fields)?,
            creator: fields.bytes(28, 4)?.escape_ascii().to_string(),
            saved_state: fields.u8(84)? != 0,
        })
    }
}

/// How many bytes the guest sees.
///
/// The specification has one field for it. But Virtual PC, and qemu unless told otherwise, round
/// the disk down to what cylinders, heads and sectors can spell, and show only that much; the rest
/// of the current size was never there for their guests. A geometry at its largest says nothing.
fn size(fields: &Fields<'_>) -> Result<u64> {
    let current = fields.be_u64(48)?;
    let by_geometry = matches!(fields.bytes(28, 4)?, b"vpc " | b"vs  " | b"qemu");
    let geometry =
        u64::from(fields.be_u16(56)?) * u64::from(fields.u8(58)?) * u64::from(fields.u8(59)?);
    Ok(if by_geometry && geometry != LARGEST_GEOMETRY { geometry * SECTOR } else { current })
}

/// Checks the sum at `at`: all bytes but its own four, added up and complemented.
pub(super) fn check_sum(fields: &Fields<'_>, at: usize) -> Result<()> {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let actual = !(sum(fields.as_bytes()) - sum(fields.bytes(at, 4)?));
    let expected = fields.be_u32(at)?;
    if actual != expected {
        return Err(fields.corrupt(at, format!("checksum {expected:#x}, but it is {actual:#x}")));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// Makes the sum at `at` of a structure right.
    pub(in super::super) fn sum(bytes: &mut [u8], at: usize) {
        bytes[at..at + 4].fill(0);
        let sum = !bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        bytes[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    }

    /// A footer of a disk of `size` bytes.
    pub(in super::super) fn footer(disk_type: u8, size: u64) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[..8].copy_from_slice(COOKIE);
        bytes[13] = 1;
        bytes[16..24].copy_from_slice(&512_u64.to_be_bytes());
        bytes[28..32].copy_from_slice(b"win ");
        bytes[48..56].copy_from_slice(&size.to_be_bytes());
        bytes[56..60].copy_from_slice(&[0, 2, 3, 4]);
        bytes[63] = disk_type;
        sum(&mut bytes, 64);
        bytes
    }

    fn check(changes: &[(usize, &[u8])]) -> Result<Footer> {
        let mut bytes = footer(2, 99 * 512);
        for (at, new) in changes {
            bytes[*at..*at + new.len()].copy_from_slice(new);
        }
        sum(&mut bytes, 64);
        Footer::read(&bytes, 0)
    }

    #[test]
    fn the_size_depends_on_who_made_the_disk() {
        let cases: [(&[u8], &[u8], u64); 6] = [
            (b"win ", &[0, 2, 3, 4], 99 * 512),
            (b"vbox", &[0, 2, 3, 4], 99 * 512),
            (b"qem2", &[0, 2, 3, 4], 99 * 512),
            (b"qemu", &[0, 2, 3, 4], 24 * 512),
            (b"vpc ", &[0, 2, 3, 4], 24 * 512),
            (b"vpc ", &[255, 255, 16, 255], 99 * 512),
        ];
        for (creator, geometry, size) in cases {
            let footer = check(&[(28, creator), (56, geometry)]).unwrap();
            assert_eq!(footer.size, size, "{}", footer.creator);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(check(&[]).unwrap().disk_type, DiskType::Fixed);
        assert!(check(&[(84, &[1])]).unwrap().saved_state);
        for (at, byte) in [(13, 2), (63, 4), (63, 0), (63, 6)] {
            assert_eq!(check(&[(at, &[byte])]).unwrap_err().kind(), ErrorKind::Unsupported);
        }
        assert_eq!(check(&[(0, b"C")]).unwrap_err().kind(), ErrorKind::Corrupt);
        let mut bytes = footer(2, 0);
        bytes[100] = 1;
        assert_eq!(Footer::read(&bytes, 0).unwrap_err().offset(), Some(64));
    }
}
