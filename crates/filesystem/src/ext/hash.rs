//! The hashes that a directory index sorts names by.
//!
//! Which one is written in the index; all of them take a name's bytes as signed or as unsigned
//! numbers, depending on the machine that made the filesystem.

/// One of the hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// The oldest one.
    Legacy,
    /// The middle of MD4, the usual one.
    HalfMd4,
    /// The Tiny Encryption Algorithm.
    Tea,
}

impl Hash {
    /// The hash that an index calls `hash_version`.
    pub(super) fn from_version(version: u8) -> Option<Self> {
        Some(match version {
            0 => Self::Legacy,
            1 => Self::HalfMd4,
            2 => Self::Tea,
            _ => return None,
        })
    }

    /// The hash of a name. Its lowest bit is always clear: an index uses it to say that names of
    /// one hash continue in the next block.
    pub(super) fn of(self, name: &[u8], seed: [u32; 4], unsigned: bool) -> u32 {
        const MD4_START: [u32; 4] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];
        /// Reserved for the end of a directory.
        const EOF: u32 = 0x7FFF_FFFF << 1;
        let number = |byte: u8| if unsigned { u32::from(byte) } else { byte as i8 as u32 };
        let mut state = if seed == [0; 4] { MD4_START } else { seed };
        let hash = match self {
            Self::Legacy => legacy(name, number),
            Self::HalfMd4 => {
                let mut rest = name;
                while !rest.is_empty() {
                    half_md4(&mut state, words::<8>(rest, number));
                    rest = rest.get(32..).unwrap_or_default();
                }
                state[1]
            }
            Self::Tea => {
                let mut rest = name;
                while !rest.is_empty() {
                    tea(&mut state, words::<4>(rest, number));
                    rest = rest.get(16..).unwrap_or_default();
                }
                state[0]
            }
        };
        match hash & !1 {
            EOF => EOF - 2,
            hash => hash,
        }
    }
}

fn legacy(name: &[u8], number: impl Fn(u8) -> u32) -> u32 {
    let (mut hash0, mut hash1) = (0x12A3_FE2D_u32, 0x37AB_E8F9_u32);
    for byte in name {
        let mut hash = hash1.wrapping_add(hash0 ^ number(*byte).wrapping_mul(7_152_373));
        if hash & 0x8000_0000 != 0 {
            hash = hash.wrapping_sub(0x7FFF_FFFF);
        }
        (hash1, hash0) = (hash0, hash);
    }
    hash0 << 1
}

/// The first bytes of what is left of a name as numbers, filled up with its length.
fn words<const N: usize>(rest: &[u8], number: impl Fn(u8) -> u32) -> [u32; N] {
    let length = rest.len() as u32;
    let pad = length | length << 8;
    let pad = pad | pad << 16;
    let mut words = [pad; N];
    for (word, bytes) in words.iter_mut().zip(rest.chunks(4)) {
        *word = bytes.iter().fold(pad, |word, byte| number(*byte).wrapping_add(word << 8));
    }
    words
}

fn half_md4(state: &mut [u32; 4], words: [u32; 8]) {
    type Mix = fn(u32, u32, u32) -> u32;
    const ROUNDS: [(Mix, u32, [u32; 4], [usize; 8]); 3] = [
        (|x, y, z| z ^ (x & (y ^ z)), 0, [3, 7, 11, 19], [0, 1, 2, 3, 4, 5, 6, 7]),
        (
            |x, y, z| (x & y).wrapping_add((x ^ y) & z),
            0x5A82_7999,
            [3, 5, 9, 13],
            [1, 3, 5, 7, 0, 2, 4, 6],
        ),
        (|x, y, z| x ^ y ^ z, 0x6ED9_EBA1, [3, 9, 11, 15], [3, 7, 2, 6, 1, 5, 0, 4]),
    ];
    let [mut a, mut b, mut c, mut d] = *state;
    for (mix, constant, shifts, order) in ROUNDS {
        for (step, index) in order.into_iter().enumerate() {
            let sum = a
                .wrapping_add(mix(b, c, d))
                .wrapping_add(words[index])
                .wrapping_add(constant)
                .rotate_left(shifts[step % 4]);
            (a, b, c, d) = (d, sum, b, c);
        }
    }
    for (word, sum) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(sum);
    }
}

fn tea(state: &mut [u32; 4], [a, b, c, d]: [u32; 4]) {
    let (mut low, mut high) = (state[0], state[1]);
    let mut sum = 0_u32;
    for _ in 0..16 {
        sum = sum.wrapping_add(0x9E37_79B9);
        let mixed = (high << 4).wrapping_add(a) ^ high.wrapping_add(sum);
        low = low.wrapping_add(mixed ^ (high >> 5).wrapping_add(b));
        let mixed = (low << 4).wrapping_add(c) ^ low.wrapping_add(sum);
        high = high.wrapping_add(mixed ^ (low >> 5).wrapping_add(d));
    }
    state[0] = state[0].wrapping_add(low);
    state[1] = state[1].wrapping_add(high);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_debugfs_computes() {
        const NAMES: [&str; 4] =
            ["a", "lost+found", "a name of more than thirty-two bytes, twice", "émoji-😀"];
        let check = |hash: Hash, seed: [u32; 4], wanted: [u32; 4]| {
            for (name, wanted) in NAMES.iter().zip(wanted) {
                assert_eq!(hash.of(name.as_bytes(), seed, false), wanted, "{hash:?} of {name}");
            }
        };
        let seed = [0x6745_2301, 0xEFCD_AB89, 0x6745_2301, 0xEFCD_AB89];
        check(Hash::Legacy, [0; 4], [0xE74B_53E2, 0x5E2A_BA24, 0xFF42_9EDA, 0x8872_1CC8]);
        check(Hash::HalfMd4, [0; 4], [0xD5FA_7D7A, 0x591D_E422, 0xA1F9_2778, 0xCF05_4510]);
        check(Hash::HalfMd4, seed, [0x35DC_0CC4, 0x663B_DC72, 0x0893_60B2, 0x922F_0F52]);
        check(Hash::Tea, seed, [0x6D0E_A4C0, 0x2DBF_9E80, 0x8961_412A, 0xDA2D_0CF0]);
    }

    #[test]
    fn signs_matter_only_beyond_ascii() {
        for hash in [Hash::Legacy, Hash::HalfMd4, Hash::Tea] {
            let both =
                |name: &str| [true, false].map(|sign| hash.of(name.as_bytes(), [0; 4], sign));
            let [unsigned, signed] = both("plain");
            assert_eq!(unsigned, signed);
            let [unsigned, signed] = both("größe");
            assert_ne!(unsigned, signed);
        }
        assert_eq!(Hash::from_version(6), None);
    }
}
