//! The region table: where the block allocation table and the metadata are.
//!
//! It exists twice; both copies are the same. MS-VHDX 2.2.3.

use super::header::{Guid, check_crc};
use crate::error::{Error, Problem, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_vec};

const PLACES: [u64; 2] = [192 << 10, 256 << 10];
const LENGTH: u64 = 64 << 10;

/// The most entries that fit.
const MOST: u32 = 2047;

const BAT: Guid = Guid::new(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08);
const METADATA: Guid = Guid::new(0x8B7C_A206, 0x4790, 0x4B9A, 0xB8FE_575F_050F_886E);

/// Where a region lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The regions that every file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Regions {
    pub(super) bat: Region,
    pub(super) metadata: Region,
}

impl Regions {
    /// Reads the table, or its copy where that one is damaged.
    pub(super) fn read(source: &dyn ReadAt) -> Result<(Self, Option<Problem>)> {
        let read = |at| {
            let bytes = read_vec(source, "VHDX region table", at, LENGTH)?;
            Self::parse(&Fields::new("VHDX region table", at, &bytes))
        };
        match read(PLACES[0]) {
            Ok(regions) => Ok((regions, None)),
            Err(problem) => match read(PLACES[1]) {
                Ok(regions) => Ok((regions, Some(problem))),
                Err(_) => Err(problem),
            },
        }
    }

    fn parse(fields: &Fields<'_>) -> Result<Self> {
        if fields.bytes(0, 4)? != b"regi" {
            return Err(fields.corrupt(0, "it does not begin with regi"));
        }
        check_crc(fields)?;
        let count = fields.le_u32(8)?;
        if count > MOST {
            return Err(fields.corrupt(8, format!("{count} entries; at most {MOST} fit")));
        }
        let (mut bat, mut metadata) = (None, None);
        for at in (0..count as usize).map(|index| 16 + index * 32) {
            let guid = Guid(fields.array(at)?);
            let region =
                Region { offset: fields.le_u64(at + 16)?, length: fields.le_u32(at + 24)?.into() };
            let place = match guid {
                BAT => &mut bat,
                METADATA => &mut metadata,
                _ if fields.le_u32(at + 28)? & 1 == 0 => continue,
                _ => {
                    return Err(Error::unsupported(
                        "VHDX region table",
                        format!("the region {guid} is unknown, and required"),
                    ));
                }
            };
            if place.replace(region).is_some() {
                return Err(fields.corrupt(at, format!("the region {guid} is there twice")));
            }
        }
        match (bat, metadata) {
            (Some(bat), Some(metadata)) => Ok(Self { bat, metadata }),
            _ => Err(fields.corrupt(8, "the block allocation table or the metadata is missing")),
        }
    }
}
