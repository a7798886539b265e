//! LUKS2: a binary header and a JSON text, both twice. "LUKS2 On-Disk Format Specification",
//! version 1.1.

use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_vec};

use super::hash::Hash;
use super::header::{Header, text};
use super::metadata;
use crate::budget::Budget;

const PRIMARY: &[u8; 6] = b"LUKS\xBA\xBE";
const SECONDARY: &[u8; 6] = b"SKUL\xBA\xBE";

/// How many bytes the binary header has; the JSON text follows.
const BINARY: usize = 4096;

/// The sizes that a header with its JSON area may have, and so the places of the second one.
const SIZES: [u64; 9] =
    [0x4000, 0x8000, 0x1_0000, 0x2_0000, 0x4_0000, 0x8_0000, 0x10_0000, 0x20_0000, 0x40_0000];

/// One of the two copies, checksum verified.
struct Copy {
    seqid: u64,
    bytes: Vec<u8>,
}

/// Whether a second copy lies anywhere, for where the first one's magic is gone.
pub(super) fn secondary_at(volume: &dyn ReadAt) -> Option<u64> {
    SIZES.into_iter().find(|at| {
        let mut magic = [0; 8];
        volume.read_at(*at, &mut magic).is_ok()
            && magic[..6] == SECONDARY[..]
            && magic[6..] == [0, 2]
    })
}

/// Whether a sector without the magic has the version, size and place of a first copy.
pub(super) fn could_be_primary(sector: &[u8]) -> bool {
    let fields = Fields::new("LUKS2 header", 0, sector);
    let parts = (fields.be_u16(6), fields.be_u64(8), fields.be_u64(256));
    matches!(parts, (Ok(2), Ok(size), Ok(0)) if SIZES.contains(&size))
}

/// Reads the better of the two copies.
pub(super) fn read(volume: &dyn ReadAt, budget: &mut Budget) -> Result<Header> {
    let primary = copy(volume, 0, budget);
    let secondary = match &primary {
        Ok(primary) => copy(volume, primary.bytes.len() as u64, budget),
        Err(_) => match secondary_at(volume) {
            Some(at) => copy(volume, at, budget),
            None => Err(Error::corrupt("second LUKS2 header", 0, "it is nowhere to be found")),
        },
    };
    let (best, other): (Copy, Option<Problem>) = match (primary, secondary) {
        (Ok(primary), Ok(secondary)) if primary.seqid == secondary.seqid => (primary, None),
        (Ok(primary), Ok(secondary)) => {
            let why = format!("their sequence ids are {} and {}", primary.seqid, secondary.seqid);
            let problem = Error::corrupt("LUKS2 headers", 0, why);
            let newer = if primary.seqid > secondary.seqid { primary } else { secondary };
            (newer, Some(problem))
        }
        (Ok(primary), Err(error)) => (primary, Some(error)),
        (Err(error), Ok(secondary)) => (secondary, Some(error)),
        (Err(error), Err(_)) => return Err(error),
    };
    let mut header = parse(&best.bytes)?;
    header.problems.extend(other);
    Ok(header)
}

/// Reads the copy at `at`: the binary header with its JSON text.
fn copy(volume: &dyn ReadAt, at: u64, budget: &mut Budget) -> Result<Copy> {
    let binary = read_vec(volume, "LUKS2 header", at, BINARY as u64)?;
    let fields = Fields::new("LUKS2 header", at, &binary);
    let magic = if at == 0 { PRIMARY } else { SECONDARY };
    if fields.bytes(0, 6)? != magic {
        return Err(fields.corrupt(0, "the magic is missing"));
    }
    let version = fields.be_u16(6)?;
    if version != 2 {
        return Err(fields.corrupt(6, format!("the version is {version}, not 2")));
    }
    let size = fields.be_u64(8)?;
    if !SIZES.contains(&size) {
        return Err(fields.corrupt(8, format!("a header of {size} bytes")));
    }
    let own = fields.be_u64(256)?;
    if own != at {
        return Err(fields.corrupt(256, format!("the header belongs to byte {own}, not {at}")));
    }
    budget.spend(size, "LUKS2 header")?;
    let bytes = read_vec(volume, "LUKS2 header", at, size)?;
    let hash = Hash::parse(&text(fields.bytes(72, 32)?))?;
    // The checksum is over everything, with zeros in its own place.
    let actual = hash.digest(&[&bytes[..448], &[0; 64], &bytes[512..]]);
    let expected = fields.bytes(448, hash.length().min(64))?;
    if actual != expected {
        return Err(fields.corrupt(448, "the checksum of the header is wrong"));
    }
    Ok(Copy { seqid: fields.be_u64(16)?, bytes })
}

fn parse(bytes: &[u8]) -> Result<Header> {
    let fields = Fields::new("LUKS2 header", 0, bytes);
    let json = &bytes[BINARY..];
    let end = json.iter().position(|byte| *byte == 0).unwrap_or(json.len());
    let metadata = metadata::parse(&json[..end], 2 * bytes.len() as u64)?;
    Ok(Header {
        version: 2,
        uuid: text(fields.bytes(168, 40)?),
        label: Some(text(fields.bytes(24, 48)?)).filter(|label| !label.is_empty()),
        cipher: metadata.cipher,
        slots: metadata.slots,
        payload: metadata.payload,
        problems: Vec::new(),
    })
}
