//! Security identifiers: who somebody is to Windows.

use std::fmt::Write as _;

/// The most parts that an identifier has behind its authority.
const MAX_PARTS: u8 = 15;

/// The identifier that the bytes begin with, as `S-1-5-32-544`, and how many bytes it takes.
pub(super) fn read(bytes: &[u8]) -> Option<(String, usize)> {
    let [1, count, rest @ ..] = bytes else {
        return None;
    };
    let length = 8 + 4 * usize::from(*count);
    if *count > MAX_PARTS || bytes.len() < length {
        return None;
    }
    let authority = rest[..6].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut text = format!("S-1-{authority}");
    let (parts, _) = bytes[8..length].as_chunks::<4>();
    for part in parts {
        let _ = write!(text, "-{}", u32::from_le_bytes(*part));
    }
    Some((text, length))
}

/// The number at the end, which tells accounts of one machine apart.
pub(super) fn relative(sid: &str) -> Option<u32> {
    sid.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        let administrators = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 9];
        assert_eq!(read(&administrators), Some(("S-1-5-32-544".to_owned(), 16)));
        assert_eq!(relative("S-1-5-32-544"), Some(544));
        assert_eq!(read(&administrators[..15]), None);
        assert_eq!(read(&[1, 16, 0, 0, 0, 0, 0, 5]), None);
        assert_eq!(read(&[2, 0, 0, 0, 0, 0, 0, 5]), None);
        assert_eq!(read(&[1, 0, 0, 0, 0, 0, 0, 1]), Some(("S-1-1".to_owned(), 8)));
        assert_eq!(read(&[]), None);
    }
}
