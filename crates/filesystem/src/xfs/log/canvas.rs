//! The volume while the log is replayed over it: changed sectors stand before it in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, check_range, read_vec};

use crate::overlay::{Overlay, Patch};
use crate::xfs::blocks::crc_without;
use crate::xfs::superblock::{self, BASIC_BLOCK};

/// The most sectors that are held changed: 128 MiB of them.
const MAX_CHANGED: usize = 256 << 10;

/// The largest buffer of metadata.
pub(super) const MAX_BUFFER: usize = 64 << 10;

/// The volume with what has been replayed so far.
pub(super) struct Canvas {
    overlay: Overlay,
    /// The buffers that were changed, by the byte where they start, with their length.
    buffers: BTreeMap<u64, usize>,
}

impl Canvas {
    /// The volume with nothing changed.
    pub(super) fn new(volume: &Arc<dyn ReadAt>) -> Self {
        let overlay = Overlay::new(Arc::clone(volume), BASIC_BLOCK as u32);
        Self { overlay, buffers: BTreeMap::new() }
    }

    /// What stands at the byte `at` now.
    pub(super) fn read(&self, what: &str, at: u64, length: usize) -> Result<Vec<u8>> {
        read_vec(&self.overlay, what, at, length as u64)
    }

    /// Puts `bytes` at the byte `at`.
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        let range = check_range(at, bytes.len(), self.overlay.len())?;
        let mut rest = bytes;
        let mut at = range.start;
        while !rest.is_empty() {
            let sector = at / BASIC_BLOCK;
            let inner = (at % BASIC_BLOCK) as usize;
            let (part, after) = rest.split_at(rest.len().min(BASIC_BLOCK as usize - inner));
            let mut block = [0; BASIC_BLOCK as usize];
            if part.len() < block.len() {
                self.overlay.read_at(sector * BASIC_BLOCK, &mut block)?;
            }
            block[inner..inner + part.len()].copy_from_slice(part);
            self.overlay.replace(sector, Patch::Bytes(Arc::from(block.as_slice())));
            rest = after;
            at += part.len() as u64;
        }
        if self.overlay.replaced() > MAX_CHANGED {
            let why = format!("it changes more than {MAX_CHANGED} sectors");
            return Err(Error::unsupported("XFS log", why));
        }
        Ok(())
    }

    /// Whether the buffer that starts at the byte `at` has been changed.
    pub(super) fn has_changed(&self, at: u64) -> bool {
        self.buffers.contains_key(&at)
    }

    /// Notes that the buffer has been changed.
    pub(super) fn changed(&mut self, at: u64, length: usize) {
        self.buffers.insert(at, length);
    }

    /// The volume with all that was replayed, where metadata has no checksums.
    pub(super) fn finish(self) -> Overlay {
        self.overlay
    }

    /// Makes the checksums of all changed buffers right, as writing them to the disk would.
    pub(super) fn seal(mut self) -> Result<Overlay> {
        for (at, length) in std::mem::take(&mut self.buffers) {
            let bytes = self.read("XFS log", at, length)?;
            if let Some(place) = checksum_place(&bytes) {
                let crc = crc_without(&bytes, place);
                self.write(at + place as u64, &crc.to_le_bytes())?;
            }
        }
        Ok(self.overlay)
    }
}

/// Where a version 5 buffer that a reader looks at keeps its checksum.
fn checksum_place(bytes: &[u8]) -> Option<usize> {
    match bytes.get(..4)? {
        b"XFSB" => return Some(superblock::CRC),
        b"BMA3" => return Some(64),
        b"XDB3" | b"XDD3" => return Some(4),
        b"XSLM" => return Some(12),
        _ => {}
    }
    match bytes.get(8..10)? {
        // Leaves of directories, nodes, and leaves of attributes.
        [0x3D, 0xF1 | 0xFF] | [0x3E, 0xBE] | [0x3B, 0xEE] => Some(12),
        _ => None,
    }
}
