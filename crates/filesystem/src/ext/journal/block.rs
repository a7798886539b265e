//! The journal's own blocks: descriptors, which name the blocks that follow them; revocations,
//! which say that older copies must not be replayed; commits, which make all of it valid.

use fathom_block::{Fields, Result};

use super::super::checksum::crc32c;
use super::superblock::{JournalSuperblock, MAGIC};

const HEADER: usize = 12;

/// The checksum at the end of descriptors and revocations.
const TAIL: usize = 4;

/// What a block of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Descriptor,
    Commit,
    Revocation,
    Other,
}

/// What a block of the log says of itself: its kind and the transaction it belongs to. `None` if it
/// is not one of the journal's own.
pub(super) fn header(fields: &Fields<'_>) -> Result<Option<(Kind, u32)>> {
    if fields.be_u32(0)? != MAGIC {
        return Ok(None);
    }
    let kind = match fields.be_u32(4)? {
        1 => Kind::Descriptor,
        2 => Kind::Commit,
        5 => Kind::Revocation,
        _ => Kind::Other,
    };
    Ok(Some((kind, fields.be_u32(8)?)))
}

/// A block of the filesystem that a transaction holds a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// Its number in the filesystem.
    pub(super) block: u64,
    /// Its first four bytes were those of the journal's magic, and are zeros in the copy.
    pub(super) escaped: bool,
    /// The checksum of the copy: 16 or 32 bits, where there is one.
    pub(super) checksum: u32,
}

/// The tags of a descriptor, in the order of the blocks that follow it.
pub(super) fn tags(journal: &JournalSuperblock, fields: &Fields<'_>) -> Result<Vec<Tag>> {
    const ESCAPE: u16 = 1;
    const SAME_UUID: u16 = 2;
    const LAST_TAG: u16 = 8;
    let size = match (journal.csum_v3, journal.csum_v2, journal.bit64) {
        (true, _, _) => 16,
        (_, true, true) => 14,
        (_, true, false) => 10,
        (_, _, true) => 12,
        (_, _, false) => 8,
    };
    let end = fields.len() - if journal.has_checksums() { TAIL } else { 0 };
    let mut tags = Vec::new();
    let mut at = HEADER;
    while at + size <= end {
        let high = if journal.bit64 { fields.be_u32(at + 8)? } else { 0 };
        // Version 3 has 32 bits of flags here, of which the lower half is used.
        let t_flags = fields.be_u16(at + 6)?;
        tags.push(Tag {
            block: u64::from(high) << 32 | u64::from(fields.be_u32(at)?),
            escaped: t_flags & ESCAPE != 0,
            checksum: match journal.csum_v3 {
                true => fields.be_u32(at + 12)?,
                false => u32::from(fields.be_u16(at + 4)?),
            },
        });
        at += size + if t_flags & SAME_UUID == 0 { 16 } else { 0 };
        if t_flags & LAST_TAG != 0 {
            break;
        }
    }
    Ok(tags)
}

/// The blocks that a revocation names.
pub(super) fn revoked(journal: &JournalSuperblock, fields: &Fields<'_>) -> Result<Vec<u64>> {
    let r_count = fields.be_u32(HEADER)? as usize;
    let room = fields.len() - if journal.has_checksums() { TAIL } else { 0 };
    if r_count > room {
        return Err(fields.corrupt(HEADER, format!("r_count is {r_count} of {room} bytes")));
    }
    let size = if journal.bit64 { 8 } else { 4 };
    let mut blocks = Vec::new();
    let mut at = HEADER + 4;
    while at + size <= r_count {
        blocks.push(match journal.bit64 {
            true => fields.be_u64(at)?,
            false => u64::from(fields.be_u32(at)?),
        });
        at += size;
    }
    Ok(blocks)
}

/// What a commit block says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Commit {
    /// When it was made.
    pub(super) seconds: u64,
    /// The checksum over all blocks of the transaction, if it has one: type, size and sum.
    pub(super) transaction: (u8, u8, u32),
}

/// Understands a commit block.
pub(super) fn commit(fields: &Fields<'_>) -> Result<Commit> {
    Ok(Commit {
        seconds: fields.be_u64(48)?,
        transaction: (fields.u8(12)?, fields.u8(13)?, fields.be_u32(16)?),
    })
}

/// Whether the checksum at the end of a descriptor or revocation is right, where there is one.
pub(super) fn has_valid_tail(journal: &JournalSuperblock, fields: &Fields<'_>) -> Result<bool> {
    has_valid_checksum(journal, fields, fields.len() - TAIL)
}

/// Whether a commit block's own checksum is right, where there is one.
pub(super) fn is_valid_commit(journal: &JournalSuperblock, fields: &Fields<'_>) -> Result<bool> {
    has_valid_checksum(journal, fields, 16)
}

fn has_valid_checksum(journal: &JournalSuperblock, fields: &Fields<'_>, at: usize) -> Result<bool> {
    if !journal.has_checksums() {
        return Ok(true);
    }
    let sum = crc32c(journal.csum_seed, fields.bytes(0, at)?);
    let rest = fields.bytes(at + 4, fields.len() - at - 4)?;
    Ok(fields.be_u32(at)? == crc32c(crc32c(sum, &[0; 4]), rest))
}

/// Whether the copy of a block is what its tag says, where the tag has a checksum.
pub(super) fn is_valid_copy(
    journal: &JournalSuperblock,
    tag: &Tag,
    sequence: u32,
    copy: &[u8],
) -> bool {
    let computed = crc32c(crc32c(journal.csum_seed, &sequence.to_be_bytes()), copy);
    match (journal.csum_v3, journal.csum_v2) {
        (true, _) => tag.checksum == computed,
        (_, true) => tag.checksum == computed & 0xFFFF,
        _ => true,
    }
}
