//! Trying keys on slots.

use fathom_block::{Error, MAX_ALLOCATION, ReadAt, Result, read_vec};
use zeroize::Zeroizing;

use super::af;
use super::cipher::SECTOR;
use super::header::{Header, Way};
use crate::key::{Key, Limits};

/// The volume key, if one of `keys` opens one of the slots.
pub(super) fn volume_key<'k>(
    volume: &dyn ReadAt,
    header: &Header,
    keys: impl Iterator<Item = &'k Key>,
    limits: Limits,
) -> Result<Zeroizing<Vec<u8>>> {
    let what = || format!("LUKS{} volume {}", header.version, header.uuid);
    let mut tried = 0;
    let mut unusable: Vec<(u32, Error)> = Vec::new();
    for key in keys {
        tried += 1;
        unusable.clear();
        for slot in &header.slots {
            let opened = slot
                .way
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|way| open(volume, way, key.secret(), limits));
            match opened {
                Ok(Some(volume_key)) => return Ok(volume_key),
                Ok(None) => {}
                Err(error) => unusable.push((slot.number, error)),
            }
        }
    }
    let slots = header.slots.len();
    let refused = unusable.iter().map(|(slot, error)| format!("; slot {slot}: {error}"));
    let refused: String = refused.collect();
    if tried == 0 {
        return Err(Error::encrypted(what(), "no key was given for it"));
    }
    if slots == 0 {
        return Err(Error::encrypted(
            what(),
            "it has no key slot in use: no key opens it any more",
        ));
    }
    let opened = slots - unusable.len();
    let keys = if tried == 1 { "the key opens" } else { "the keys open" };
    Err(Error::encrypted(
        what(),
        format!("{keys} none of the {slots} key slots, {opened} of which could be tried{refused}"),
    ))
}

/// The volume key, if `secret` opens the slot.
fn open(
    volume: &dyn ReadAt,
    way: &Way,
    secret: &[u8],
    limits: Limits,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    // What cannot succeed is refused before the work is done.
    way.digest.kdf.check(way.digest.expected.len(), limits)?;
    let split =
        way.key.checked_mul(way.stripes).filter(|split| *split <= MAX_ALLOCATION).ok_or_else(
            || Error::corrupt("LUKS key slot", way.offset, "the split key is too large"),
        )?;
    // Whole sectors are encrypted, the rest of the last one with them.
    let length = split.next_multiple_of(SECTOR);
    let mut material =
        Zeroizing::new(read_vec(volume, "LUKS key material", way.offset, length as u64)?);
    let slot_key = way.kdf.derive(secret, way.cipher_key, limits)?;
    way.cipher.keyed(&slot_key)?.decrypt(0, SECTOR, &mut material);
    let key = af::merge(&material[..split], way.key, way.stripe_hash);
    let digest = way.digest.kdf.derive(&key, way.digest.expected.len(), limits)?;
    Ok((*digest == way.digest.expected).then_some(key))
}
