//! The superblock of version 1 (`struct mdp_superblock_1` in `include/uapi/linux/raid/md_p.h`):
//! little-endian, at the end of a member (1.0), at its start (1.1) or 4 KiB behind that (1.2).

use std::ops::Range;

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use super::superblock::{
    Level, MAX_DEVICES, SECTOR, Shape, State, Superblock, WHAT, fold, uuid_text,
};

/// Where the roles start.
const ROLES: usize = 256;

/// Where the checksum stands.
const SB_CSUM: usize = 216;

const FEATURE_RECOVERY_OFFSET: u32 = 2;
const FEATURE_RESHAPE_ACTIVE: u32 = 4;
const FEATURE_BAD_BLOCKS: u32 = 8;
const FEATURE_REPLACEMENT: u32 = 16;
const FEATURE_JOURNAL: u32 = 512;
const FEATURE_RAID0_LAYOUT: u32 = 4096;

/// All features that are known: besides those above a bitmap, a reshape that goes backwards or
/// moves the data, a recovery by bitmap, clusters, and logs of partial parity.
const FEATURES: u32 = 0x1FFF;

/// The most sectors that a list of bad blocks may have.
const MAX_BAD_SECTORS: u16 = 8;

/// The time of creation, without the microseconds in its upper bits.
const SECONDS: u64 = (1 << 40) - 1;

pub(super) fn parse(member: &dyn ReadAt, bytes: &[u8], at: u64) -> Result<Superblock> {
    let fields = Fields::new(WHAT, at, bytes);
    check(&fields)?;
    let features = fields.le_u32(8)?;
    if features & !FEATURES != 0 {
        let why = format!("the features {:#x} are not known", features & !FEATURES);
        return Err(Error::unsupported(WHAT, why));
    }
    let has = |feature: u32| features & feature != 0;
    let shape = shape(&fields, has(FEATURE_RAID0_LAYOUT))?;
    let data = data(&fields)?;
    let bad =
        if has(FEATURE_BAD_BLOCKS) { bad_blocks(member, &fields, at, &data)? } else { vec![] };
    Ok(Superblock {
        version: match at {
            0 => "1.1",
            4096 => "1.2",
            _ => "1.0",
        },
        uuid: uuid_text(fields.array(16)?),
        name: name(fields.bytes(32, 32)?),
        minor: None,
        shape,
        state: State {
            dirty: fields.le_u64(208)? != u64::MAX,
            reshaping: has(FEATURE_RESHAPE_ACTIVE),
            journal: has(FEATURE_JOURNAL),
        },
        created: fields.le_u64(64)? & SECONDS,
        events: fields.le_u64(200)?,
        roles: roles(&fields)?,
        number: fields.le_u32(160)?,
        data,
        rebuilding: has(FEATURE_RECOVERY_OFFSET),
        replacement: has(FEATURE_REPLACEMENT),
        bad,
    })
}

/// Holds the superblock to its checksum, which covers the roles too.
fn check(fields: &Fields<'_>) -> Result<()> {
    let max_dev = fields.le_u32(220)?;
    if max_dev > MAX_DEVICES {
        return Err(fields.corrupt(220, format!("the roles of {max_dev} devices")));
    }
    let summed = fields.bytes(0, ROLES + 2 * max_dev as usize)?;
    let (words, rest) = summed.as_chunks::<4>();
    let expected = fields.le_u32(SB_CSUM)?;
    let sum: u64 = words.iter().map(|word| u64::from(u32::from_le_bytes(*word))).sum();
    let rest: u64 = rest.as_chunks::<2>().0.iter().map(|half| half_word(*half)).sum();
    let actual = fold(sum + rest - u64::from(expected));
    if actual != expected {
        let why = format!("the checksum is {actual:08x}, not {expected:08x}");
        return Err(fields.corrupt(SB_CSUM, why));
    }
    Ok(())
}

fn half_word(bytes: [u8; 2]) -> u64 {
    u64::from(u16::from_le_bytes(bytes))
}

fn shape(fields: &Fields<'_>, says_layout: bool) -> Result<Shape> {
    let level = Level::from_number(fields.le_u32(72)?);
    let layout = match level {
        // What stands there means something since Linux 5.4 only, which says so.
        Level::Raid0 if !says_layout => 0,
        _ => fields.le_u32(76)?,
    };
    let chunk = u64::from(fields.le_u32(88)?) * SECTOR;
    let size = bytes_of(fields, 80)?;
    Ok(Shape { level, layout, chunk, size, devices: fields.le_u32(92)? })
}

/// Where the data lies.
fn data(fields: &Fields<'_>) -> Result<Range<u64>> {
    let (start, length) = (bytes_of(fields, 128)?, bytes_of(fields, 136)?);
    let end = start
        .checked_add(length)
        .ok_or_else(|| fields.corrupt(136, "the data ends past any disk"))?;
    Ok(start..end)
}

/// A number of sectors, in bytes.
fn bytes_of(fields: &Fields<'_>, at: usize) -> Result<u64> {
    let sectors = fields.le_u64(at)?;
    let past = || fields.corrupt(at, format!("{sectors} sectors are more than any disk has"));
    sectors.checked_mul(SECTOR).ok_or_else(past)
}

fn roles(fields: &Fields<'_>) -> Result<Vec<u16>> {
    let max_dev = fields.le_u32(220)? as usize;
    let (roles, _) = fields.bytes(ROLES, 2 * max_dev)?.as_chunks::<2>();
    Ok(roles.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect())
}

/// The name up to its first zero; an empty one is none.
fn name(bytes: &[u8]) -> Option<String> {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// The list of what could not be read or written: a sector and a count in every eight bytes, counted
/// from the start of the member.
fn bad_blocks(
    member: &dyn ReadAt,
    fields: &Fields<'_>,
    at: u64,
    data: &Range<u64>,
) -> Result<Vec<Range<u64>>> {
    let (shift, sectors) = (u32::from(fields.u8(185)?), fields.le_u16(186)?);
    let offset = i64::from(fields.le_u32(188)?.cast_signed()) * SECTOR.cast_signed();
    let start = at.checked_add_signed(offset);
    let Some(start) = start.filter(|_| offset != 0 && sectors <= MAX_BAD_SECTORS && shift < 32)
    else {
        return Err(fields.corrupt(185, "the list of bad blocks is nowhere"));
    };
    let list = read_vec(member, "list of bad blocks", start, u64::from(sectors) * SECTOR)?;
    let entries = list.as_chunks::<8>().0.iter().map(|entry| u64::from_le_bytes(*entry));
    let mut bad = Vec::new();
    for entry in entries.take_while(|entry| *entry != u64::MAX) {
        let scaled = |number: u64| number.checked_shl(shift)?.checked_mul(SECTOR);
        let (Some(from), Some(length)) = (scaled(entry >> 10), scaled(entry & 0x3FF)) else {
            return Err(Error::corrupt("list of bad blocks", start, "one lies past any disk"));
        };
        let end = from.saturating_add(length);
        if end > data.start && length > 0 {
            bad.push(from.saturating_sub(data.start)..end - data.start);
        }
    }
    bad.sort_by_key(|range| range.start);
    Ok(bad)
}
