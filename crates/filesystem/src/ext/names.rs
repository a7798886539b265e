//! How names and identifiers are spelled and compared.

use std::fmt::Write as _;

/// A UUID, as `blkid` spells it.
pub(super) fn uuid(bytes: &[u8; 16]) -> String {
    bytes.iter().enumerate().fold(String::with_capacity(36), |mut text, (index, byte)| {
        let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
        let _ = write!(text, "{dash}{byte:02x}");
        text
    })
}

/// An encrypted name in letters that a path may have: base64 for URLs, without padding. What is
/// encrypted may hold any byte, a slash and a zero included.
pub(super) fn encode(name: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(name.len().div_ceil(3) * 4);
    for chunk in name.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * index)) as usize & 63]));
        }
    }
    text
}

/// Whether two names differ in nothing but upper and lower case.
pub(super) fn alike(one: &[u8], other: &[u8]) -> bool {
    match (std::str::from_utf8(one), std::str::from_utf8(other)) {
        (Ok(one), Ok(other)) => {
            let folded =
                |text: &'_ str| text.chars().flat_map(char::to_lowercase).collect::<String>();
            one.eq_ignore_ascii_case(other) || folded(one) == folded(other)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling() {
        assert_eq!(uuid(&[0xAB; 16]), "abababab-abab-abab-abab-abababababab");
        assert_eq!(encode(b""), "");
        assert_eq!(encode(b"f"), "Zg");
        assert_eq!(encode(b"fo"), "Zm8");
        assert_eq!(encode(b"foo"), "Zm9v");
        assert_eq!(encode(&[0xFF, 0xEF, 0]), "_-8A");
    }

    #[test]
    fn case() {
        assert!(alike("Größe".as_bytes(), "gRÖßE".as_bytes()));
        assert!(alike(b"README", b"readme"));
        assert!(!alike(b"README", b"readme2"));
        assert!(!alike(b"\xff", b"\xff2"));
    }
}
