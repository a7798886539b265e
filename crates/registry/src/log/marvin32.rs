//! Marvin32, the hash that entries of a log are checked with, with the one seed they are hashed
//! with.

const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// A hash of bytes that come in pieces. Every piece but the last is a multiple of four long.
pub(super) struct Marvin32 {
    low: u32,
    high: u32,
}

impl Marvin32 {
    pub(super) fn new() -> Self {
        Self { low: SEED as u32, high: (SEED >> 32) as u32 }
    }

    fn mix(&mut self, word: u32) {
        self.low = self.low.wrapping_add(word);
        self.high ^= self.low;
        self.low = self.low.rotate_left(20).wrapping_add(self.high);
        self.high = self.high.rotate_left(9) ^ self.low;
        self.low = self.low.rotate_left(27).wrapping_add(self.high);
        self.high = self.high.rotate_left(19);
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for word in bytes.as_chunks::<4>().0 {
            self.mix(u32::from_le_bytes(*word));
        }
    }

    /// The hash, with the last bytes: those that were left over of the last piece.
    pub(super) fn finish(mut self, rest: &[u8]) -> u64 {
        self.mix(rest.iter().rev().fold(0x80, |word, byte| word << 8 | u32::from(*byte)));
        self.mix(0);
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}

/// The hash of all these bytes.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hash = Marvin32::new();
    hash.update(bytes);
    hash.finish(bytes.as_chunks::<4>().1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_others_computed() {
        // Published test values, both halves one upon the other.
        for (text, expected) in [
            ("", 0xB008_92AC_u32),
            ("h", 0xF41A_608E),
            ("he", 0x1110_7C6B),
            ("hel", 0x2405_6A46),
            ("hell", 0x7F91_E021),
            ("hello, world!", 0x00C1_8515),
        ] {
            let hash = hash(text.as_bytes());
            assert_eq!((hash >> 32) as u32 ^ hash as u32, expected, "{text}");
        }
    }
}
