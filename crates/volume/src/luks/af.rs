//! The anti-forensic splitter: a key is spread over thousands of stripes, so that a slot is gone
//! as soon as any part of it is. LUKS1 specification, section 2.4.

use zeroize::Zeroizing;

use super::hash::Hash;

/// The key of `length` bytes that `split` holds, which is a whole number of them.
pub(super) fn merge(split: &[u8], length: usize, hash: Hash) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(vec![0; length]);
    let mut stripes = split.chunks_exact(length).peekable();
    while let Some(stripe) = stripes.next() {
        key.iter_mut().zip(stripe).for_each(|(key, byte)| *key ^= byte);
        if stripes.peek().is_some() {
            diffuse(&mut key, hash);
        }
    }
    key
}

/// Hashes each block of the key together with its number.
fn diffuse(key: &mut [u8], hash: Hash) {
    for (block, number) in key.chunks_mut(hash.length()).zip(0_u32..) {
        let mixed = Zeroizing::new(hash.digest(&[&number.to_be_bytes(), block]));
        let length = block.len();
        block.copy_from_slice(&mixed[..length]);
    }
}

/// The opposite of [`merge`], with stripes that are not random at all.
#[cfg(test)]
pub(super) fn split(key: &[u8], stripes: usize, hash: Hash) -> Vec<u8> {
    let mut state = vec![0; key.len()];
    let mut split = Vec::new();
    for stripe in 0..stripes - 1 {
        let random: Vec<u8> = (0..key.len()).map(|at| (at * 7 + stripe * 13) as u8).collect();
        state.iter_mut().zip(&random).for_each(|(state, byte)| *state ^= byte);
        diffuse(&mut state, hash);
        split.extend(random);
    }
    split.extend(state.iter().zip(key).map(|(state, byte)| state ^ byte));
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_split_is_merged() {
        for length in [16, 20, 32, 64] {
            let key: Vec<u8> = (0..length).map(|at| at as u8 ^ 0x5A).collect();
            for hash in [Hash::Sha1, Hash::Sha256, Hash::Whirlpool] {
                let mut split = split(&key, 50, hash);
                assert_eq!(*merge(&split, key.len(), hash), key);
                split[3] ^= 1;
                assert_ne!(*merge(&split, key.len(), hash), key);
            }
        }
    }
}
