//! LUKS: encrypted volumes, as cryptsetup writes them.
//!
//! A header names a cipher for the payload and keeps the key to it, the *volume key*, in *slots*:
//! each time split over many stripes, and encrypted with what a passphrase derives to. A digest of
//! the volume key tells whether a slot was opened. [`luks1`] and [`luks2`] read the two versions of
//! the header into one [`header::Header`]; [`mod@unlock`] tries keys; [`reader`] serves the payload.

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

#[cfg(test)]
pub(crate) mod tests {
    use super::hash::Hash;
    use super::*;
    use crate::key::{Key, Limits};
    use fathom_block::ErrorKind;

    pub(crate) const SECRET: &[u8] = b"open sesame";

    /// A payload of four sectors that say which they are.
    fn payload() -> Vec<u8> {
        (0..2048).map(|at| (at / 512) as u8 + 1).collect()
    }

    fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    /// A LUKS1 volume whose cipher is none at all, with its key in slot 1.
    pub(crate) fn luks1() -> Vec<u8> {
        let key: Vec<u8> = (0..32).collect();
        let mut volume = vec![0; 16 << 10];
        put(&mut volume, 0, b"LUKS\xBA\xBE\0\x01cipher_null");
        put(&mut volume, 40, b"ecb");
        put(&mut volume, 72, b"sha256");
        put(&mut volume, 104, &16_u32.to_be_bytes());
        put(&mut volume, 108, &32_u32.to_be_bytes());
        let mut digest = [0; 20];
        Hash::Sha256.pbkdf2(&key, &[7; 32], 10, &mut digest);
        put(&mut volume, 112, &digest);
        put(&mut volume, 132, &[7; 32]);
        put(&mut volume, 164, &10_u32.to_be_bytes());
        put(&mut volume, 168, b"01234567-89ab-cdef-0123-456789abcdef");
        for slot in 0..8 {
            put(&mut volume, 208 + 48 * slot, &0xDEAD_u32.to_be_bytes());
        }
        let slot = 208 + 48;
        put(&mut volume, slot, &0x00AC_71F3_u32.to_be_bytes());
        put(&mut volume, slot + 4, &20_u32.to_be_bytes());
        put(&mut volume, slot + 40, &2_u32.to_be_bytes());
        put(&mut volume, slot + 44, &50_u32.to_be_bytes());
        // The null cipher does not look at what the passphrase derives to, so that any would do.
        put(&mut volume, 1024, &af::split(&key, 50, Hash::Sha256));
        put(&mut volume, 8192, &payload());
        volume
    }

    /// The metadata of a LUKS2 volume that is as empty as the one above.
    fn json() -> serde_json::Value {
        let key: Vec<u8> = (0..32).collect();
        let mut digest = [0; 32];
        Hash::Sha256.pbkdf2(&key, &[7; 32], 1000, &mut digest);
        let base64 = |bytes: &[u8]| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bytes)
        };
        serde_json::json!({
            "keyslots": { "3": {
                "type": "luks2", "key_size": 32,
                "af": { "type": "luks1", "stripes": 50, "hash": "sha256" },
                "area": { "type": "raw", "offset": "32768", "size": "4096",
                          "encryption": "cipher_null-ecb", "key_size": 32 },
                "kdf": { "type": "argon2id", "time": 1, "memory": 32, "cpus": 1,
                         "salt": base64(&[1; 16]) },
            } },
            "tokens": {},
            "segments": { "0": {
                "type": "crypt", "offset": "36864", "size": "dynamic", "iv_tweak": "0",
                "encryption": "cipher_null-ecb", "sector_size": 512,
            } },
            "digests": { "0": {
                "type": "pbkdf2", "keyslots": ["3"], "segments": ["0"], "hash": "sha256",
                "iterations": 1000, "salt": base64(&[7; 32]), "digest": base64(&digest),
            } },
            "config": { "json_size": "12288", "keyslots_size": "4096" },
        })
    }

    /// A LUKS2 volume with this metadata, in two copies with these sequence ids.
    fn luks2(json: &serde_json::Value, ids: [u64; 2]) -> Vec<u8> {
        let mut volume = vec![0; 40 << 10];
        for (at, magic, id) in [(0, b"LUKS\xBA\xBE", ids[0]), (16 << 10, b"SKUL\xBA\xBE", ids[1])] {
            let header = &mut volume[at..at + (16 << 10)];
            put(header, 0, magic);
            put(header, 6, &2_u16.to_be_bytes());
            put(header, 8, &(16_u64 << 10).to_be_bytes());
            put(header, 16, &id.to_be_bytes());
            put(header, 24, b"my label");
            put(header, 72, b"sha256");
            put(header, 168, b"01234567-89ab-cdef-0123-456789abcdef");
            put(header, 256, &(at as u64).to_be_bytes());
            put(header, 4096, json.to_string().as_bytes());
            let sum = Hash::Sha256.digest(&[header]);
            put(header, 448, &sum);
        }
        let key: Vec<u8> = (0..32).collect();
        put(&mut volume, 32768, &af::split(&key, 50, Hash::Sha256));
        put(&mut volume, 36864, &payload());
        volume
    }

    fn header(volume: &Vec<u8>) -> Result<Header> {
        Ok(read(volume, &volume[..4096], &mut Budget::default())?.unwrap())
    }

    fn keys() -> Keys {
        Keys::new(vec![Key::new(None, SECRET.to_vec())])
    }

    fn opened(volume: Vec<u8>, keys: &Keys) -> Result<Vec<u8>> {
        let header = header(&volume)?;
        let clear = unlock(Arc::new(volume), &header, keys, &["disk0"])?;
        let mut bytes = vec![0; 2048];
        clear.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn both_versions_are_opened() {
        assert_eq!(opened(luks1(), &keys()).unwrap(), payload());
        assert_eq!(opened(luks2(&json(), [1, 1]), &keys()).unwrap(), payload());
        let header = header(&luks2(&json(), [1, 1])).unwrap();
        assert_eq!(header.label.as_deref(), Some("my label"));
        assert_eq!(header.cipher, "cipher_null-ecb");
        assert!(read(&vec![0; 4096], &[0; 4096], &mut Budget::default()).unwrap().is_none());
    }

    #[test]
    fn no_key_wrong_key_and_no_slot_are_told_apart() {
        let why = |volume: Vec<u8>, keys: &Keys| opened(volume, keys).unwrap_err();
        let error = why(luks1(), &Keys::default());
        assert_eq!(error.kind(), ErrorKind::Encrypted);
        assert!(error.to_string().contains("no key was given"), "{error}");
        let mut volume = luks1();
        volume[1024] ^= 1;
        let error = why(volume, &keys());
        assert_eq!(error.kind(), ErrorKind::Encrypted);
        assert!(error.to_string().contains("the key is wrong for the only key slot"), "{error}");
        let mut volume = luks1();
        put(&mut volume, 256, &0xDEAD_u32.to_be_bytes());
        assert!(why(volume, &keys()).to_string().contains("no key slot"));
        let keys = keys().limits(Limits { memory: 1, work: 1000 });
        let error = why(luks2(&json(), [1, 1]), &keys);
        let error = error.to_string();
        assert!(error.contains("could not be tried") && error.contains("memory"), "{error}");
        assert!(!error.contains("wrong"), "{error}");
    }

    #[test]
    fn hostile_first_versions_are_refused() {
        for (at, value) in [
            (104, 0_u32),
            (108, 0),
            (108, u32::MAX),
            (256, 5),
            (260, 0),
            (260, u32::MAX),
            (296, u32::MAX),
            (300, 0),
            (300, u32::MAX),
            (164, 0),
            (164, u32::MAX),
            (104, u32::MAX),
        ] {
            let mut volume = luks1();
            put(&mut volume, at, &value.to_be_bytes());
            assert!(opened(volume, &keys()).is_err(), "{at} {value}");
        }
        let mut volume = luks1();
        volume[7] = 3;
        assert!(header(&volume).is_err());
        assert!(read(&luks1(), &luks1()[..100], &mut Budget::default()).is_err());
    }

    #[test]
    fn the_newer_and_healthier_copy_is_used() {
        let mut other = json();
        other["keyslots"] = serde_json::json!({});
        let mut mixed = luks2(&json(), [1, 2]);
        let old = luks2(&other, [1, 2]);
        mixed[..16 << 10].copy_from_slice(&old[..16 << 10]);
        assert_eq!(header(&mixed).unwrap().problems.len(), 1);
        assert_eq!(opened(mixed, &keys()).unwrap(), payload());
        for at in [8, 300, 5000, 16384 + 5000] {
            let mut volume = luks2(&json(), [1, 1]);
            volume[at] ^= 1;
            assert_eq!(header(&volume).unwrap().problems.len(), 1, "{at}");
            assert_eq!(opened(volume, &keys()).unwrap(), payload());
        }
        let mut both = luks2(&json(), [1, 1]);
        both[5000] ^= 1;
        both[16384 + 5000] ^= 1;
        assert_eq!(header(&both).unwrap_err().kind(), ErrorKind::Corrupt);
        for wiped in [0..512, 0..6] {
            let mut volume = luks2(&json(), [1, 1]);
            volume[wiped].fill(0);
            let header = read_secondary(&volume, &volume[..4096], &mut Budget::default()).unwrap();
            assert_eq!(header.problems.len(), 1);
        }
        let stale = luks2(&json(), [1, 1]);
        assert!(read_secondary(&stale, b"mkfs was here", &mut Budget::default()).is_none());
    }

    /// The metadata with one thing changed.
    fn changed(path: &str, value: serde_json::Value) -> Vec<u8> {
        let mut json = json();
        *json.pointer_mut(path).unwrap() = value;
        luks2(&json, [1, 1])
    }

    #[test]
    fn what_the_second_version_may_hold_and_we_do_not_know_is_refused_by_name() {
        use serde_json::json;
        for (path, value, named) in [
            ("/segments/0/type", json!("linear"), "linear"),
            ("/segments/0/sector_size", json!(8192), "8192"),
            ("/segments/0/offset", json!("0"), "detached"),
            ("/segments/0/offset", json!("x"), "offset"),
            ("/segments/0/offset", json!("999999999"), "past the end"),
            ("/segments/0/size", json!("18446744073709551104"), "bytes"),
            ("/segments/0/size", json!("100"), "whole number"),
            ("/segments/0", json!({"type": "crypt", "flags": ["backup"]}), "backup"),
            ("/segments/0", json!({"type": "crypt", "integrity": {"type": "aead"}}), "aead"),
            ("/segments", json!({}), "0 segments"),
            ("/segments", json!([]), "segments"),
            ("/config", json!({"requirements": {"mandatory": ["opal"]}}), "opal"),
            (
                "/config",
                json!({"requirements": {"mandatory": ["online-reencrypt"]}}),
                "reencryption",
            ),
            ("/config", json!(3), "config"),
            ("/keyslots/3", json!({"type": "reencrypt"}), "reencryption"),
            ("/keyslots/3/type", json!("luks3"), "luks3"),
            ("/keyslots/3/key_size", json!(100_000), "100000"),
            ("/keyslots/3/af/type", json!("luks9"), "luks9"),
            ("/keyslots/3/af/stripes", json!(4_000_000), "stripes"),
            ("/keyslots/3/af/hash", json!("crc32"), "crc32"),
            ("/keyslots/3/area/type", json!("journal"), "journal"),
            ("/keyslots/3/area/offset", json!("18446744073709551615"), "key material"),
            ("/keyslots/3/area/encryption", json!("rot13-ecb"), "rot13"),
            ("/keyslots/3/kdf/type", json!("scrypt"), "scrypt"),
            ("/keyslots/3/kdf/memory", json!(4_000_000_000_u64), "memory"),
            ("/keyslots/3/kdf/memory", json!(7), "argon2id"),
            ("/keyslots/3/kdf/salt", json!("***"), "salt"),
            ("/digests/0/type", json!("hmac"), "hmac"),
            ("/digests/0/segments", json!([]), "not the volume's"),
            ("/digests/0/keyslots", json!([]), "no digest"),
            ("/digests/0/digest", json!("AA=="), "digest"),
            ("/digests/0/iterations", json!(4_000_000_000_u64), "work"),
        ] {
            let error = opened(changed(path, value.clone()), &keys()).unwrap_err();
            assert!(error.to_string().contains(named), "{path} {value}: {error}");
        }
        let broken = luks2(&json!("not an object"), [1, 1]);
        assert!(header(&broken).is_err());
        let deep = serde_json::from_str(&("[".repeat(100) + &"]".repeat(100))).unwrap();
        assert!(header(&changed("/config", deep)).is_ok());
    }

    #[test]
    fn preferred_slots_come_first() {
        let mut json = json();
        let slot = json["keyslots"]["3"].clone();
        for (number, priority) in [("1", 0), ("5", 2), ("7", 1)] {
            json["keyslots"][number] = slot.clone();
            json["keyslots"][number]["priority"] = priority.into();
        }
        let header = header(&luks2(&json, [1, 1])).unwrap();
        let order: Vec<u32> = header.slots.iter().map(|slot| slot.number).collect();
        assert_eq!(order, [5, 3, 7, 1]);
    }
}
