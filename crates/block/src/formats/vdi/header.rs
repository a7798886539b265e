//! The header of a VDI, version 1.1. VirtualBox never published a specification; the fields are
//! those that its sources and qemu's agree on.

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_array};

/// Where the signature stands, behind 64 bytes of free text.
pub(super) const SIGNATURE_AT: usize = 0x40;
pub(super) const SIGNATURE: &[u8] = &[0x7F, 0x10, 0xDA, 0xBE];

/// The only version that VirtualBox has written since 2007: 1.1.
const VERSION: u32 = 0x0001_0001;

const SECTOR: u64 = 512;

/// What kind of image it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageType {
    Dynamic,
    Fixed,
}

/// A header, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) image_type: ImageType,
    /// The byte offset of the block map.
    pub(super) map: u64,
    /// How many entries it has.
    pub(super) blocks: u64,
    /// The byte offset of the first block.
    pub(super) data: u64,
    /// How many bytes the guest sees.
    pub(super) size: u64,
    /// The size of a block in bytes.
    pub(super) block_size: u64,
}

impl Header {
    pub(super) fn read(source: &dyn ReadAt) -> Result<Self> {
        let bytes: [u8; SECTOR as usize] = read_array(source, "VDI header", 0)?;
        let fields = Fields::new("VDI header", 0, &bytes);
        if fields.bytes(SIGNATURE_AT, 4)? != SIGNATURE {
            return Err(fields.corrupt(SIGNATURE_AT, "the signature is missing"));
        }
        let unsupported = |why: String| Err(Error::unsupported("VDI", why));
        let version = fields.le_u32(0x44)?;
        if version != VERSION {
            return unsupported(format!(
                "version {}.{}; 1.1 is known",
                version >> 16,
                version & 0xFFFF
            ));
        }
        let image_type = match fields.le_u32(0x4C)? {
            1 => ImageType::Dynamic,
            2 => ImageType::Fixed,
            3 => return unsupported("it is an undo image; these are not read yet".into()),
            4 => {
                return unsupported(
                    "it is a differencing image, which needs its parent; these are not read yet"
                        .into(),
                );
            }
            other => return unsupported(format!("image type {other} is unknown")),
        };
        // The image that this one was made of, by its UUID.
        for (at, what) in [(0x1A8, "link"), (0x1B8, "parent")] {
            if fields.bytes(at, 16)?.iter().any(|byte| *byte != 0) {
                return unsupported(format!("it has a {what} UUID, and so rests on another image"));
            }
        }
        let sector_size = fields.le_u32(0x168)?;
        if sector_size != 512 {
            return unsupported(format!("sectors of {sector_size} bytes; 512 are known"));
        }
        let extra = fields.le_u32(0x17C)?;
        if extra != 0 {
            return unsupported(format!("blocks with {extra} bytes of extra data"));
        }
        let header = Self {
            image_type,
            map: fields.le_u32(0x154)?.into(),
            data: fields.le_u32(0x158)?.into(),
            size: fields.le_u64(0x170)?,
            block_size: fields.le_u32(0x178)?.into(),
            blocks: fields.le_u32(0x180)?.into(),
        };
        if !header.block_size.is_power_of_two() || header.block_size < SECTOR {
            let why = format!("{} is not a power of two of at least 512", header.block_size);
            return Err(fields.corrupt(0x178, format!("block size: {why}")));
        }
        if header.size.div_ceil(header.block_size) > header.blocks {
            let why = format!(
                "{} blocks of {} bytes are too few for a disk of {} bytes",
                header.blocks, header.block_size, header.size
            );
            return Err(fields.corrupt(0x180, why));
        }
        if header.map < SIGNATURE_AT as u64 || header.data < header.map {
            return Err(fields.corrupt(0x154, "the block map is not between header and blocks"));
        }
        Ok(header)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// A header of an image of three blocks of 512 bytes, its map at 512, its blocks at 1024.
    pub(in super::super) fn header(size: u64) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[0x40..0x44].copy_from_slice(SIGNATURE);
        bytes[0x44..0x48].copy_from_slice(&VERSION.to_le_bytes());
        bytes[0x4C] = 1;
        bytes[0x154..0x158].copy_from_slice(&512_u32.to_le_bytes());
        bytes[0x158..0x15C].copy_from_slice(&1024_u32.to_le_bytes());
        bytes[0x169] = 2;
        bytes[0x170..0x178].copy_from_slice(&size.to_le_bytes());
        bytes[0x179] = 2;
        bytes[0x180] = 3;
        bytes
    }

    #[test]
    fn fields_are_found_and_checked() {
        let known = Header::read(&header(1100)).unwrap();
        assert_eq!((known.map, known.blocks, known.data), (512, 3, 1024));
        assert_eq!((known.size, known.block_size), (1100, 512));
        let unsupported = [
            (0x44, 0),
            (0x4C, 3),
            (0x4C, 4),
            (0x4C, 9),
            (0x1A8, 1),
            (0x1C7, 1),
            (0x169, 4),
            (0x17C, 1),
        ];
        let corrupt = [(0x40, 0), (0x178, 1), (0x180, 2), (0x155, 0), (0x159, 1), (0x175, 1)];
        let kinds =
            [(ErrorKind::Unsupported, &unsupported[..]), (ErrorKind::Corrupt, &corrupt[..])];
        for (kind, changes) in kinds {
            for (at, byte) in changes {
                let mut bytes = header(1100);
                bytes[*at] = *byte;
                assert_eq!(Header::read(&bytes).unwrap_err().kind(), kind, "{at:#x}");
            }
        }
        assert!(Header::read(&vec![0; 511]).is_err());
    }
}
