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
    if tried == 0 {
        return Err(Error::encrypted(what(), "no key was given for it"));
    }
    if header.slots.is_empty() {
        return Err(Error::encrypted(
            what(),
            "it has no key slot in use: no key opens it any more",
        ));
    }
    Err(Error::encrypted(what(), refusal(tried, header.slots.len(), &unusable)))
}

/// Why none of the keys opened any of the slots: only a slot that could be tried says that a key is
/// wrong.
fn refusal(keys: usize, slots: usize, unusable: &[(u32, Error)]) -> String {
    let wrong = if keys == 1 { "the key is wrong" } else { "every key is wrong" };
    let which = match slots - unusable.len() {
        1 => "the only key slot".to_owned(),
        usable => format!("all {usable} key slots"),
    };
    let mut text = match slots - unusable.len() {
        0 => "whether a key is right is not known, since no key slot could be tried".to_owned(),
        _ if unusable.is_empty() => format!("{wrong} for {which}"),
        _ => format!("{wrong} for {which} that could be tried"),
    };
    for (slot, error) in unusable {
        text.push_str(&format!("; slot {slot} could not be tried: {error}"));
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tried_is_told_apart_from_what_is_wrong() {
        let unusable = |slot| (slot, Error::unsupported("cipher", "it is odd"));
        let cases = [
            (refusal(1, 1, &[]), "the key is wrong for the only key slot"),
            (refusal(2, 3, &[]), "every key is wrong for all 3 key slots"),
            (
                refusal(1, 3, &[unusable(5)]),
                "the key is wrong for all 2 key slots that could be tried; \
                 slot 5 could not be tried: unsupported: cipher: it is odd",
            ),
            (
                refusal(2, 1, &[unusable(0)]),
                "whether a key is right is not known, since no key slot could be tried; \
                 slot 0 could not be tried: unsupported: cipher: it is odd",
            ),
        ];
        for (said, wanted) in cases {
            assert_eq!(said, wanted);
        }
    }
}
