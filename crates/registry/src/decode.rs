//! What the bytes of a value mean.

use crate::name;

/// Text: up to the first zero, or all of it where no zero ends it.
pub(crate) fn string(data: &[u8]) -> String {
    let units = name::utf16(data);
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(units.get(..end).unwrap_or_default())
}

/// Several texts, each ended by a zero, and one more zero at the end of all. Empty ones between
/// others are kept, since there are values where they mean something.
pub(crate) fn strings(data: &[u8]) -> Vec<String> {
    let units = name::utf16(data);
    let mut strings: Vec<String> =
        units.split(|unit| *unit == 0).map(String::from_utf16_lossy).collect();
    // What follows the last zero, and then the last zero itself.
    for _ in 0..2 {
        if strings.last().is_some_and(String::is_empty) {
            strings.pop();
        }
    }
    strings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn texts() {
        for (data, expected) in [
            ("", ""),
            ("\0", ""),
            ("C:\\Windows\0", "C:\\Windows"),
            ("no end", "no end"),
            ("end\0remains", "end"),
            ("日本😀\0", "日本😀"),
        ] {
            assert_eq!(string(&bytes(data)), expected);
            let mut odd = bytes(data);
            odd.push(b'x');
            assert_eq!(string(&odd), expected);
        }
        assert_eq!(string(&[0, 0xD8]), "\u{FFFD}");
    }

    #[test]
    fn several_texts() {
        for (data, expected) in [
            ("", &[][..]),
            ("\0", &[]),
            ("a\0\0", &["a"]),
            ("a\0b\0\0", &["a", "b"]),
            ("a\0b\0", &["a", "b"]),
            ("a\0b", &["a", "b"]),
            ("a\0\0b\0\0", &["a", "", "b"]),
            ("a\0\0\0", &["a", ""]),
        ] {
            assert_eq!(strings(&bytes(data)), expected, "{data:?}");
        }
    }
}
