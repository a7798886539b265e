//! GUIDs, as GPT stores them: the first three groups little-endian, the rest as they are read.

use std::fmt;

/// A GUID. It prints in lower case, as Linux spells `PARTUUID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Guid(pub(crate) [u8; 16]);

impl Guid {
    /// The GUID of an unused entry.
    pub(crate) const ZERO: Self = Self([0; 16]);
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        for (index, from) in ORDER.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0[from])?;
        }
        Ok(())
    }
}

/// A UUID whose bytes are stored in the order they are printed in.
pub(crate) fn big_endian(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_groups_are_little_endian() {
        let bytes = [
            0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e,
            0xc9, 0x3b,
        ];
        assert_eq!(Guid(bytes).to_string(), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        assert_eq!(big_endian(&bytes), "28732ac1-1ff8-d211-ba4b-00a0c93ec93b");
    }
}
