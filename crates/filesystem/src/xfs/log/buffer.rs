//! Changed metadata buffers (`XFS_LI_BUF`): chunks of 128 bytes, and a bitmap of which they are.

use fathom_block::{Error, Fields, Result};

use super::canvas::{Canvas, MAX_BUFFER};
use super::transaction::Item;
use crate::xfs::superblock::BASIC_BLOCK;

/// The size of a chunk.
const CHUNK: usize = 128;

/// Where the bitmap starts in the first region.
const BITMAP: usize = 20;

/// Flags: only the list of unlinked inodes was changed; the buffer is free again; it holds quotas.
const INODES: u16 = 0x01;
const CANCEL: u16 = 0x02;
const QUOTAS: u16 = 0x04 | 0x08 | 0x10;

/// The first region of a buffer item (`xfs_buf_log_format`).
#[derive(Clone, Copy)]
pub(super) struct Format {
    flags: u16,
    /// The basic block where the buffer starts, and how many it has.
    pub(super) block: u64,
    pub(super) count: u16,
}

impl Format {
    /// Reads the first region.
    pub(super) fn parse(item: &Item) -> Result<Self> {
        let fields = item.fields();
        Ok(Self { flags: fields.le_u16(4)?, count: fields.le_u16(6)?, block: fields.le_u64(8)? })
    }

    /// Whether what was logged before of this buffer must not be replayed.
    pub(super) fn is_cancel(&self) -> bool {
        self.flags & CANCEL != 0
    }

    /// Whether it holds nothing that a reader looks at.
    fn is_irrelevant(&self) -> bool {
        self.flags & (INODES | QUOTAS) != 0
    }
}

/// Replays a changed buffer of the transaction at `lsn`.
pub(super) fn replay(
    canvas: &mut Canvas,
    item: &Item,
    lsn: u64,
    // The UUID that metadata carries, where it carries one.
    meta_uuid: Option<[u8; 16]>,
) -> Result<()> {
    let format = Format::parse(item)?;
    if format.is_irrelevant() {
        return Ok(());
    }
    let length = usize::from(format.count) * BASIC_BLOCK as usize;
    let at = format
        .block
        .checked_mul(BASIC_BLOCK)
        .filter(|_| (1..=MAX_BUFFER).contains(&length))
        .ok_or_else(|| item.fields().corrupt(6, format!("a buffer of {length} bytes")))?;
    if let Some(uuid) = meta_uuid
        && !canvas.has_changed(at)
    {
        // A buffer that was written back since holds this change, and perhaps later ones.
        let stands = canvas.read("XFS log", at, length)?;
        if written_at(&stands, &uuid).is_some_and(|written| written >= lsn) {
            return Ok(());
        }
    }
    let fields = item.fields();
    let words = fields.le_u32(16)? as usize;
    let bitmap = fields.bytes(BITMAP, words.saturating_mul(4))?;
    let is_set =
        |chunk: usize| bitmap.get(chunk / 8).is_some_and(|byte| byte >> (chunk % 8) & 1 != 0);
    let mut chunk = 0;
    let mut index = 1;
    while chunk < bitmap.len() * 8 {
        if !is_set(chunk) {
            chunk += 1;
            continue;
        }
        // One region has a run of chunks; a run may be split over several.
        let run = (chunk..).take_while(|chunk| is_set(*chunk)).count();
        let region = item.region(index)?;
        let run = run.min(region.len() / CHUNK);
        let inner = chunk * CHUNK;
        if run == 0 || inner + run * CHUNK > length {
            let why = format!("chunk {chunk} of a buffer of {length} bytes");
            return Err(Error::corrupt("XFS log item", at, why));
        }
        canvas.write(at + inner as u64, &region[..run * CHUNK])?;
        chunk += run;
        index += 1;
    }
    canvas.changed(at, length);
    Ok(())
}

/// When the buffer was last written back, if it says so and is of this filesystem.
fn written_at(bytes: &[u8], meta_uuid: &[u8; 16]) -> Option<u64> {
    let fields = Fields::new("XFS log", 0, bytes);
    let (lsn, uuid) = match bytes.get(..4)? {
        // Trees with short pointers: free space, inodes, reverse mappings, reference counts.
        b"AB3B" | b"AB3C" | b"ABTB" | b"ABTC" | b"RMB3" | b"R3FC" | b"FIB3" | b"FIBT" | b"IAB3"
        | b"IABT" => (24, 32),
        b"BMA3" | b"BMAP" => (32, 40),
        b"XAGF" => (208, 64),
        b"XAFL" => (24, 8),
        b"XAGI" => (320, 296),
        b"XDB3" | b"XDD3" | b"XDF3" => (16, 24),
        b"XSLM" => (48, 16),
        b"XFSB" => {
            // Which of the two UUIDs counts was decided when the superblock was read.
            return fields.be_u64(240).ok();
        }
        _ => match bytes.get(8..10)? {
            [0x3D, 0xF1 | 0xFF] | [0x3E, 0xBE] | [0x3B, 0xEE] => (24, 32),
            _ => return None,
        },
    };
    let lsn = fields.be_u64(lsn).ok()?;
    let stated = fields.bytes(uuid, 16).ok()?;
    (stated == meta_uuid && lsn != 0 && lsn != u64::MAX).then_some(lsn)
}
