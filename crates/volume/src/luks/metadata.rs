//! The JSON text of LUKS2: key slots, digests, segments, and what a reader must know to touch them.
//!
//! Numbers that may be large are strings in it, and bytes are in base64. What is not understood in
//! one key slot spoils that slot alone; what is not understood of the payload spoils the volume.

use argon2::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fathom_block::{Error, MAX_ALLOCATION, Result};
use serde_json::{Map, Value};

use super::cipher::Spec;
use super::hash::Hash;
use super::header::{Digest, MAX_KEY, Payload, Slot, Way};
use super::kdf::Kdf;

/// How many key slots there may be; cryptsetup has 32.
const MAX_SLOTS: usize = 64;

/// What the text says.
pub(super) struct Metadata {
    pub(super) cipher: String,
    pub(super) slots: Vec<Slot>,
    pub(super) payload: Result<Payload>,
}

#[cold]
fn corrupt(why: impl Into<String>) -> Error {
    Error::corrupt("LUKS2 metadata", 4096, why)
}

fn unsupported(what: impl Into<String>, why: &str) -> Error {
    Error::unsupported(what, why)
}

/// A JSON object, with what it is called in errors.
#[derive(Clone, Copy)]
struct Object<'a> {
    what: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    fn new(what: &'a str, value: &'a Value) -> Result<Self> {
        let map = value.as_object().ok_or_else(|| corrupt(format!("{what} is not an object")))?;
        Ok(Self { what, map })
    }

    fn missing(&self, name: &str) -> Error {
        corrupt(format!("{} has no valid {name:?}", self.what))
    }

    fn object(&self, name: &'a str) -> Result<Self> {
        Self::new(name, self.map.get(name).ok_or_else(|| self.missing(name))?)
    }

    fn text(&self, name: &str) -> Result<&'a str> {
        self.map.get(name).and_then(Value::as_str).ok_or_else(|| self.missing(name))
    }

    /// A number, written as one or as a string.
    fn number(&self, name: &str) -> Result<u64> {
        let value = self.map.get(name);
        let number = value.and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        });
        number.ok_or_else(|| self.missing(name))
    }

    fn small(&self, name: &str) -> Result<u32> {
        u32::try_from(self.number(name)?).map_err(|_| self.missing(name))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        STANDARD.decode(self.text(name)?).map_err(|_| self.missing(name))
    }

    /// The texts of a list.
    fn texts(&self, name: &str) -> Vec<&'a str> {
        let list = self.map.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// Parses the text. Both copies of the header together have `headers` bytes.
pub(super) fn parse(json: &[u8], headers: u64) -> Result<Metadata> {
    let value: Value = serde_json::from_slice(json).map_err(|error| corrupt(error.to_string()))?;
    let top = Object::new("the metadata", &value)?;
    let mut payload = payload(&top, headers);
    if let Err(error) = requirements(&top) {
        payload = Err(error);
    }
    let mut slots = Vec::new();
    for (number, value) in top.object("keyslots")?.map {
        if slots.len() == MAX_SLOTS {
            return Err(corrupt(format!("there are more than {MAX_SLOTS} key slots")));
        }
        let slot = Object::new("a key slot", value)?;
        if slot.text("type")? == "reencrypt" {
            payload =
                Err(unsupported("LUKS2 reencryption", "it is under way; let it finish first"));
            continue;
        }
        let index = number.parse().map_err(|_| corrupt(format!("key slot {number:?}")))?;
        // 2 is preferred, 1 is normal, 0 is only for those who ask for it.
        let priority = slot.number("priority").unwrap_or(1);
        slots.push((priority, Slot { number: index, way: way(&slot, number, &top) }));
    }
    slots.sort_by_key(|(priority, slot)| (std::cmp::Reverse(*priority), slot.number));
    let cipher = top.object("segments").ok().and_then(|segments| {
        let first = Object::new("a segment", segments.map.values().next()?).ok()?;
        first.text("encryption").ok().map(|text| Spec::parse(text).to_string())
    });
    Ok(Metadata {
        cipher: cipher.unwrap_or_else(|| "unknown".into()),
        slots: slots.into_iter().map(|(_, slot)| slot).collect(),
        payload,
    })
}

/// What the header says that a reader must know, and that this one does not.
fn requirements(top: &Object<'_>) -> Result<()> {
    let Some(value) = top.object("config")?.map.get("requirements") else {
        return Ok(());
    };
    match Object::new("requirements", value)?.texts("mandatory")[..] {
        [] => Ok(()),
        [first, ..] if first.contains("reencrypt") => {
            Err(unsupported("LUKS2 reencryption", "it is under way; let it finish first"))
        }
        [first, ..] => Err(unsupported(format!("LUKS2 requirement {first:?}"), "it is not known")),
    }
}

fn payload(top: &Object<'_>, headers: u64) -> Result<Payload> {
    let segments = top.object("segments")?;
    let mut values = segments.map.values();
    let (Some(value), None) = (values.next(), values.next()) else {
        let count = segments.map.len();
        return Err(unsupported(format!("LUKS2 with {count} segments"), "only one is read"));
    };
    let segment = Object::new("a segment", value)?;
    let kind = segment.text("type")?;
    if kind != "crypt" {
        return Err(unsupported(format!("LUKS2 segment type {kind:?}"), "it is not known"));
    }
    if let Some(integrity) = segment.map.get("integrity") {
        let kind = Object::new("integrity", integrity)?.text("type")?;
        return Err(unsupported(
            format!("LUKS2 with integrity {kind:?}"),
            "authenticated encryption is not read yet",
        ));
    }
    if let Some(flag) = segment.texts("flags").first() {
        return Err(unsupported(format!("LUKS2 segment flag {flag:?}"), "it is not known"));
    }
    let offset = segment.number("offset")?;
    if offset < headers {
        return Err(unsupported(
            "detached LUKS2 header",
            "the payload lies on another disk, which cannot be given yet",
        ));
    }
    let sector_size = segment.number("sector_size")?;
    if !matches!(sector_size, 512 | 1024 | 2048 | 4096) {
        return Err(corrupt(format!("sectors of {sector_size} bytes")));
    }
    let length = match segment.text("size")? {
        "dynamic" => None,
        _ => Some(segment.number("size")?),
    };
    if length.is_some_and(|length| !length.is_multiple_of(sector_size)) {
        return Err(corrupt("the segment is not a whole number of sectors"));
    }
    Ok(Payload {
        offset,
        length,
        cipher: Spec::parse(segment.text("encryption")?),
        sector_size: sector_size as usize,
        first: segment.number("iv_tweak")?,
    })
}

fn way(slot: &Object<'_>, number: &str, top: &Object<'_>) -> Result<Way> {
    let kind = slot.text("type")?;
    if kind != "luks2" {
        return Err(unsupported(format!("LUKS2 key slot type {kind:?}"), "it is not known"));
    }
    let length = |object: &Object<'_>, name: &str| -> Result<usize> {
        let length = object.number(name)?;
        match usize::try_from(length) {
            Ok(length) if (1..=MAX_KEY).contains(&length) => Ok(length),
            _ => Err(corrupt(format!("a key of {length} bytes, of 1 to {MAX_KEY}"))),
        }
    };
    let af = slot.object("af")?;
    let splitter = af.text("type")?;
    if splitter != "luks1" {
        return Err(unsupported(format!("LUKS2 splitter {splitter:?}"), "it is not known"));
    }
    let area = slot.object("area")?;
    let storage = area.text("type")?;
    if storage != "raw" {
        return Err(unsupported(format!("LUKS2 key area {storage:?}"), "it is not known"));
    }
    let (key, stripes) = (length(slot, "key_size")?, af.small("stripes")? as usize);
    let split = key.checked_mul(stripes).filter(|split| (1..=MAX_ALLOCATION).contains(split));
    if split.is_none_or(|split| area.number("size").is_ok_and(|size| split as u64 > size)) {
        return Err(corrupt(format!("{stripes} stripes of {key} bytes do not fit their area")));
    }
    Ok(Way {
        kdf: kdf(&slot.object("kdf")?)?,
        offset: area.number("offset")?,
        cipher: Spec::parse(area.text("encryption")?),
        cipher_key: length(&area, "key_size")?,
        stripes,
        stripe_hash: Hash::parse(af.text("hash")?)?,
        key,
        digest: digest(number, top)?,
    })
}

fn kdf(kdf: &Object<'_>) -> Result<Kdf> {
    let salt = kdf.bytes("salt")?;
    let argon2 = |algorithm| -> Result<Kdf> {
        Ok(Kdf::Argon2 {
            algorithm,
            passes: kdf.small("time")?,
            kibibytes: kdf.small("memory")?,
            lanes: kdf.small("cpus")?,
            salt: salt.clone(),
        })
    };
    match kdf.text("type")? {
        "pbkdf2" => Ok(Kdf::Pbkdf2 {
            hash: Hash::parse(kdf.text("hash")?)?,
            iterations: kdf.small("iterations")?,
            salt,
        }),
        "argon2i" => argon2(Algorithm::Argon2i),
        "argon2id" => argon2(Algorithm::Argon2id),
        other => Err(unsupported(format!("LUKS2 key derivation {other:?}"), "it is not known")),
    }
}

/// The digest of the key that the slot `number` holds.
fn digest(number: &str, top: &Object<'_>) -> Result<Digest> {
    for value in top.object("digests")?.map.values() {
        let digest = Object::new("a digest", value)?;
        if !digest.texts("keyslots").contains(&number) {
            continue;
        }
        // A key of no segment is one that somebody keeps here for something else.
        if digest.texts("segments").is_empty() {
            return Err(unsupported(
                format!("LUKS2 key slot {number}"),
                "its key is not the volume's",
            ));
        }
        let kind = digest.text("type")?;
        if kind != "pbkdf2" {
            return Err(unsupported(format!("LUKS2 digest type {kind:?}"), "it is not known"));
        }
        let expected = digest.bytes("digest")?;
        if !(16..=64).contains(&expected.len()) {
            return Err(corrupt(format!("a digest of {} bytes", expected.len())));
        }
        return Ok(Digest { kdf: kdf(&digest)?, expected });
    }
    Err(corrupt(format!("no digest belongs to key slot {number}")))
}
