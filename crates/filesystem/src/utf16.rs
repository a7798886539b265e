//! Names that a filesystem keeps in UTF-16, as the bytes that paths are made of.
//!
//! Windows does not insist that a name is well-formed: a surrogate may stand alone. Such a unit
//! becomes the three bytes that UTF-8 would give it if it were allowed to (WTF-8), so that every
//! name has one spelling and finds its way back.

/// The little-endian units that the bytes hold. An odd byte at the end is none.
pub(crate) fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

/// The units as WTF-8.
pub(crate) fn decode(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut name = Vec::new();
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => {
                name.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                name.push(0xE0 | (unit >> 12) as u8);
                name.push(0x80 | (unit >> 6 & 0x3F) as u8);
                name.push(0x80 | (unit & 0x3F) as u8);
            }
        }
    }
    name
}

/// The units of a name in WTF-8; `None` where it is not WTF-8, and so is no name that
/// [`decode`] gives.
pub(crate) fn encode(mut name: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::with_capacity(name.len());
    loop {
        let valid = match std::str::from_utf8(name) {
            Ok(text) => {
                units.extend(text.encode_utf16());
                return Some(units);
            }
            Err(error) => error.valid_up_to(),
        };
        let (text, rest) = name.split_at(valid);
        units.extend(std::str::from_utf8(text).ok()?.encode_utf16());
        match rest {
            [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, after @ ..] => {
                units.push(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F));
                name = after;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_way_back() {
        for units in [
            vec![],
            vec![0x61, 0xE9, 0x65E5],
            vec![0xD83D, 0xDE00],
            vec![0xD800],
            vec![0x61, 0xDC00, 0xD800, 0x62],
        ] {
            let name = decode(units.iter().copied());
            assert_eq!(encode(&name), Some(units));
        }
        assert_eq!(decode([0xD83D, 0xDE00]), "😀".as_bytes());
        assert_eq!(decode([0xD800]), [0xED, 0xA0, 0x80]);
    }

    #[test]
    fn what_is_not_wtf8_is_no_name() {
        assert_eq!(encode(&[0x61, 0xFF]), None);
        assert_eq!(encode(&[0xED, 0xA0]), None);
        assert_eq!(units(&[1, 2, 3]).collect::<Vec<_>>(), [0x0201]);
    }
}
