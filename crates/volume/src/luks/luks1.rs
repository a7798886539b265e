//! LUKS1: one sector and a bit of header with eight key slots. "LUKS On-Disk Format Specification",
//! version 1.2.3.

use fathom_block::{Error, Fields, Result};

use super::cipher::Spec;
use super::hash::Hash;
use super::header::{Digest, Header, MAX_KEY, Payload, Slot, Way, text};
use super::kdf::Kdf;

/// How many bytes the header has.
pub(super) const LENGTH: usize = 592;

const SLOTS: u32 = 8;

const SLOT_ENABLED: u32 = 0x00AC_71F3;
const SLOT_DISABLED: u32 = 0x0000_DEAD;

/// The most stripes that make sense; cryptsetup always writes 4000.
const MAX_STRIPES: u32 = 1 << 16;

/// Parses a header whose magic and version were seen already.
pub(super) fn parse(bytes: &[u8]) -> Result<Header> {
    let fields = Fields::new("LUKS1 header", 0, bytes);
    let cipher_name = text(fields.bytes(8, 32)?);
    let cipher_mode = text(fields.bytes(40, 32)?);
    let hash_name = text(fields.bytes(72, 32)?);
    let payload_offset = u64::from(fields.be_u32(104)?) * 512;
    let key = fields.be_u32(108)? as usize;
    if key == 0 || key > MAX_KEY {
        return Err(fields.corrupt(108, format!("a key of {key} bytes, of 1 to {MAX_KEY}")));
    }
    let cipher_text = format!("{cipher_name}-{cipher_mode}");
    let cipher = Spec::parse(&cipher_text);
    let hash = Hash::parse(&hash_name);
    let digest = hash.clone().and_then(|hash| {
        Ok(Digest {
            expected: fields.bytes(112, 20)?.to_vec(),
            kdf: Kdf::Pbkdf2 {
                hash,
                salt: fields.bytes(132, 32)?.to_vec(),
                iterations: fields.be_u32(164)?,
            },
        })
    });
    let mut slots = Vec::new();
    for number in 0..SLOTS {
        let slot = fields.part("LUKS1 key slot", 208 + 48 * number as usize, 48)?;
        match slot.be_u32(0)? {
            SLOT_ENABLED => {}
            SLOT_DISABLED => continue,
            other => return Err(slot.corrupt(0, format!("the slot's state is {other:#x}"))),
        }
        let way = || -> Result<Way> {
            let stripes = slot.be_u32(44)?;
            if stripes == 0 || stripes > MAX_STRIPES {
                return Err(slot.corrupt(44, format!("the key is split into {stripes} stripes")));
            }
            Ok(Way {
                kdf: Kdf::Pbkdf2 {
                    hash: hash.clone()?,
                    iterations: slot.be_u32(4)?,
                    salt: slot.bytes(8, 32)?.to_vec(),
                },
                offset: u64::from(slot.be_u32(40)?) * 512,
                cipher: cipher.clone(),
                cipher_key: key,
                stripes: stripes as usize,
                stripe_hash: hash.clone()?,
                key,
                digest: digest.clone()?,
            })
        };
        slots.push(Slot { number, way: way() });
    }
    let payload = match payload_offset {
        0 => Err(Error::unsupported(
            "detached LUKS1 header",
            "the payload lies on another disk, which cannot be given yet",
        )),
        offset => Ok(Payload { offset, length: None, cipher, sector_size: 512, first: 0 }),
    };
    Ok(Header {
        version: 1,
        uuid: text(fields.bytes(168, 40)?),
        label: None,
        cipher: Spec::parse(&cipher_text).to_string(),
        slots,
        payload,
        problems: Vec::new(),
    })
}
