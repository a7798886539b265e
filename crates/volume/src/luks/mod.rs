//! LUKS: encrypted volumes, as cryptsetup writes them.
//!
//! A header names a cipher for the payload and keeps the key to it, the *volume key*, in *slots*:
//! each time split over many stripes, and encrypted with what a passphrase derives to. A digest of
//! the volume key tells whether a slot was opened. [`luks1`] and [`luks2`] read the two versions of
//! the header into one [`header::Header`]; [`unlock`] tries keys; [`reader`] serves the payload.

mod af;
mod cipher;
mod hash;
mod header;
mod kdf;
mod luks1;
mod luks2;
mod metadata;
mod modes;
mod reader;
mod unlock;

use std::sync::Arc;

use fathom_block::{Error, Fields, ReadAt, Result};

use crate::budget::Budget;
use crate::key::Keys;

pub(crate) use header::Header;

const MAGIC: &[u8; 6] = b"LUKS\xBA\xBE";

/// Reads the header of a volume, whose first bytes are `head`; `None` where there is none.
pub(crate) fn read(
    volume: &dyn ReadAt,
    head: &[u8],
    budget: &mut Budget,
) -> Result<Option<Header>> {
    if !head.starts_with(MAGIC) {
        return Ok(None);
    }
    let fields = Fields::new("LUKS header", 0, head);
    match fields.be_u16(6)? {
        1 => luks1::parse(fields.bytes(0, luks1::LENGTH)?).map(Some),
        2 => luks2::read(volume, budget).map(Some),
        version => Err(Error::unsupported("LUKS header", format!("its version is {version}"))),
    }
}

/// Reads a LUKS2 header of which only the second copy is left. Filesystems leave stale ones lying
/// about, so it counts only where the first one was wiped, or has lost no more than its magic.
pub(crate) fn read_secondary(
    volume: &dyn ReadAt,
    head: &[u8],
    budget: &mut Budget,
) -> Option<Header> {
    let first = head.get(..512)?;
    if first.iter().any(|byte| *byte != 0) && !luks2::could_be_primary(first) {
        return None;
    }
    luks2::secondary_at(volume)?;
    luks2::read(volume, budget).ok()
}

/// The clear side of the volume. It goes by `names` to those who have keys for it.
pub(crate) fn unlock(
    volume: Arc<dyn ReadAt>,
    header: &Header,
    keys: &Keys,
    names: &[&str],
) -> Result<Arc<dyn ReadAt>> {
    let payload = header.payload.clone()?;
    let key = unlock::volume_key(&*volume, header, keys.for_volume(names), keys.limit())?;
    let cipher = payload.cipher.keyed(&key)?;
    let room = volume.len().checked_sub(payload.offset).ok_or_else(|| {
        Error::corrupt("LUKS payload", payload.offset, "it starts past the end of the volume")
    })?;
    let sector = payload.sector_size as u64;
    // A length that was stated stands, even on a truncated disk: what lies past the end is then an
    // error to read, and not silently gone.
    let length = payload.length.unwrap_or(room) / sector * sector;
    if payload.offset.checked_add(length).is_none() {
        return Err(Error::corrupt("LUKS payload", payload.offset, format!("{length} bytes")));
    }
    Ok(Arc::new(reader::Decrypted {
        length,
        below: volume,
        offset: payload.offset,
        sector_size: payload.sector_size,
        first: payload.first,
        cipher,
    }))
}
