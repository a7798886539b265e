//! Names of keys and values: UTF-16, or one byte a character where that is enough.

/// The units of a name as it is stored.
pub(crate) fn units(bytes: &[u8], compressed: bool) -> Vec<u16> {
    if compressed { bytes.iter().map(|byte| u16::from(*byte)).collect() } else { utf16(bytes) }
}

/// The little-endian units that the bytes hold. An odd byte at the end is none.
pub(crate) fn utf16(bytes: &[u8]) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
}

/// Whether the name was overwritten with zeros. A zero between other characters is no
/// damage: programs can make such names.
pub(crate) fn is_lost(name: &[u16]) -> bool {
    !name.is_empty() && name.iter().all(|unit| *unit == 0)
}

/// Whether the names differ in nothing but case.
pub(crate) fn is_same(a: &[u16], b: &[u16]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || capital(*a) == capital(*b))
}

/// The hash of a name that some lists of subkeys have.
pub(crate) fn hash(name: &[u16]) -> u32 {
    name.iter()
        .fold(0, |hash: u32, unit| hash.wrapping_mul(37).wrapping_add(u32::from(capital(*unit))))
}

/// The unit as a capital letter, where there is one and it is a single unit: Windows has a table of
/// these, which only differs from Unicode's in letters that came later.
pub(crate) fn capital(unit: u16) -> u16 {
    if let Ok(ascii) = u8::try_from(unit)
        && ascii.is_ascii()
    {
        return ascii.to_ascii_uppercase().into();
    }
    let Some(character) = char::from_u32(unit.into()) else {
        return unit;
    };
    let mut capitals = character.to_uppercase();
    match (capitals.next(), capitals.next()) {
        // A letter outside of ASCII never becomes one of ASCII: no table of Windows does so.
        (Some(single), None) if !single.is_ascii() => {
            u16::try_from(u32::from(single)).unwrap_or(unit)
        }
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, same: bool) {
        let [a, b] = [a, b].map(|name| name.encode_utf16().collect::<Vec<_>>());
        assert_eq!(is_same(&a, &b), same);
        if same {
            assert_eq!(hash(&a), hash(&b));
        }
    }

    #[test]
    fn case_is_no_difference() {
        check("", "", true);
        check("Software", "SOFTWARE", true);
        check("Größe", "GRÖßE", true);
        check("ß", "SS", false);
        check("ı", "I", false);
        check("a", "ab", false);
        check("привет", "ПРИВЕТ", true);
        check("😀", "😀", true);
        assert!(is_same(&[0xD800], &[0xD800]) && !is_same(&[0xD800], &[0xD801]));
    }

    #[test]
    fn the_hash() {
        assert_eq!(hash(&[]), 0);
        assert_eq!(hash(&[u16::from(b'a'), u16::from(b'B')]), 65 * 37 + 66);
    }

    #[test]
    fn names_are_stored_in_two_ways() {
        assert_eq!(units(&[0x41, 0xE9], true), [0x41, 0xE9]);
        assert_eq!(units(&[0x41, 0xE9, 7], false), [0xE941]);
    }
}
