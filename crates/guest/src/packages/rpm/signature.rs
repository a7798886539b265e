//! Which key made an OpenPGP signature (RFC 9580, section 5.2).

use fathom_block::{Fields, Result};

const SIGNATURE_PACKET: u8 = 2;
const ISSUER: u8 = 16;
const ISSUER_FINGERPRINT: u8 = 33;

/// The last sixteen digits of the key's fingerprint, as rpm shows them.
pub(super) fn key_id(packet: &[u8]) -> Option<String> {
    let id = issuer(&Fields::new("signature", 0, packet)).ok()??;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn issuer(packet: &Fields<'_>) -> Result<Option<[u8; 8]>> {
    let first = packet.u8(0)?;
    let (kind, start) = if first & 0x40 == 0 {
        (first >> 2 & 0xF, 1 + [1, 2, 4, 0][usize::from(first & 3)])
    } else {
        (first & 0x3F, 1 + length_size(packet.u8(1)?))
    };
    if kind != SIGNATURE_PACKET {
        return Ok(None);
    }
    match packet.u8(start)? {
        3 => packet.array(start + 7).map(Some),
        4 => {
            let hashed = usize::from(packet.be_u16(start + 4)?);
            let other = start + 6 + hashed;
            let length = usize::from(packet.be_u16(other)?);
            let areas = [
                packet.part("hashed", start + 6, hashed)?,
                packet.part("rest", other + 2, length)?,
            ];
            named(&areas)
        }
        6 => {
            let hashed = packet.be_u32(start + 4)? as usize;
            named(&[packet.part("hashed", start + 8, hashed)?])
        }
        _ => Ok(None),
    }
}

/// The issuer that a list of subpackets names. Its identifier is preferred to its fingerprint.
fn named(areas: &[Fields<'_>]) -> Result<Option<[u8; 8]>> {
    let mut found = None;
    for area in areas {
        let mut at = 0;
        while at < area.len() {
            let size = length_size(area.u8(at)?);
            let length = match size {
                1 => usize::from(area.u8(at)?),
                2 => (usize::from(area.u8(at)?) - 192) * 256 + usize::from(area.u8(at + 1)?) + 192,
                _ => area.be_u32(at + 1)? as usize,
            };
            let body = area.part("subpacket", at + size, length)?;
            if length == 0 {
                break;
            }
            match body.u8(0)? & 0x7F {
                ISSUER => return body.array(1).map(Some),
                // Of version 4 the end of the fingerprint, of version 6 its beginning.
                ISSUER_FINGERPRINT if body.u8(1)? == 4 => found = Some(body.array(14)?),
                ISSUER_FINGERPRINT => found = Some(body.array(2)?),
                _ => {}
            }
            at += size + length;
        }
    }
    Ok(found)
}

/// In how many bytes a length is written that begins with this one.
fn length_size(first: u8) -> usize {
    match first {
        0..192 => 1,
        192..255 => 2,
        255 => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let check = |packet: &[u8], expected: Option<&str>| {
            assert_eq!(key_id(packet).as_deref(), expected, "{packet:02x?}");
        };
        let old = b"\x88\x1c\x03\x05\x00\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02";
        check(old, Some("0102030405060708"));
        let id = b"\xc2\x20\x04\x00\x01\x08\0\0\0\x0a\x09\x10\x11\x12\x13\x14\x15\x16\x17\x18";
        check(id, Some("1112131415161718"));
        let mut print = b"\x89\x00\x40\x04\x00\x01\x08\0\x17\x16\x21\x04".to_vec();
        print.extend(1..=20);
        print.extend([0, 0]);
        check(&print, Some("0d0e0f1011121314"));
        check(b"", None);
        check(b"\x99\x00\x01\x04", None);
        check(&id[..15], None);
        check(b"\x88\x05\x04\x00\x01\x08\xff\xff", None);
        check(b"\x88\x05\x09\x00\x01\x08\0\0", None);
    }
}
