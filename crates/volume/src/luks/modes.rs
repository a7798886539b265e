//! Modes of operation, each over whole sectors and over as many blocks at once as the cipher takes:
//! with AES instructions that is what makes them fast.

use cipher::Block;
use zeroize::Zeroize;

use super::cipher::{Cipher, Decrypt, Iv, SECTOR};

/// A block.
const BLOCK: usize = 16;

/// How many blocks are handed to the cipher at once.
const BATCH: usize = 32;

/// How many sectors' tweaks are encrypted at once.
const TWEAKS: usize = 16;

/// The data as blocks. It is always a whole number of them.
fn blocks<C: Cipher>(data: &mut [u8]) -> &mut [Block<C>] {
    Block::<C>::slice_as_chunks_mut(data).0
}

/// A block as one number, which is what makes masking it cheap.
fn number(block: &[u8]) -> u128 {
    block.first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

fn xor(block: &mut [u8], mask: u128) {
    if let Some(bytes) = block.first_chunk_mut::<BLOCK>() {
        *bytes = (u128::from_le_bytes(*bytes) ^ mask).to_le_bytes();
    }
}

/// The sectors of `data` with their numbers.
fn sectors(first: u64, size: usize, data: &mut [u8]) -> impl Iterator<Item = (u64, &mut [u8])> {
    let step = (size / SECTOR) as u64;
    let numbers = (0..).map(move |index: u64| first.wrapping_add(index * step));
    numbers.zip(data.chunks_exact_mut(size))
}

/// XEX with two keys: every block is masked before and after with a tweak that is doubled from
/// block to block. IEEE 1619, without its ciphertext stealing, which whole sectors never need.
pub(super) struct Xts<C> {
    data: C,
    tweak: C,
    iv: Iv,
}

impl<C: Cipher> Xts<C> {
    pub(super) fn new(data: &[u8], tweak: &[u8], iv: Iv) -> Option<Self> {
        let (data, tweak) = (C::new_from_slice(data).ok()?, C::new_from_slice(tweak).ok()?);
        Some(Self { data, tweak, iv })
    }

    fn sector(&self, mut tweak: u128, data: &mut [u8]) {
        for batch in blocks::<C>(data).chunks_mut(BATCH) {
            let mut tweaks = [0; BATCH];
            for (slot, block) in tweaks.iter_mut().zip(batch.iter_mut()) {
                *slot = tweak;
                xor(block, tweak);
                // Doubling in GF(2^128), little-endian.
                tweak = (tweak << 1) ^ ((tweak >> 127) * 0x87);
            }
            self.data.decrypt_blocks(batch);
            for (tweak, block) in tweaks.iter().zip(batch.iter_mut()) {
                xor(block, *tweak);
            }
        }
    }
}

impl<C: Cipher> Decrypt for Xts<C> {
    fn decrypt(&self, first: u64, size: usize, data: &mut [u8]) {
        let mut sectors = sectors(first, size, data).peekable();
        while sectors.peek().is_some() {
            let mut tweaks = [[0; BLOCK]; TWEAKS];
            let mut some = Vec::with_capacity(TWEAKS);
            for (slot, (number, sector)) in tweaks.iter_mut().zip(sectors.by_ref()) {
                *slot = self.iv.of(number);
                some.push(sector);
            }
            let mut tweaks = tweaks.map(Block::<C>::from);
            self.tweak.encrypt_blocks(&mut tweaks);
            for (sector, tweak) in some.into_iter().zip(tweaks) {
                self.sector(number(&tweak), sector);
            }
        }
    }
}

/// Every block is masked with the encrypted block before it.
pub(super) struct Cbc<C> {
    cipher: C,
    iv: Iv,
}

impl<C: Cipher> Cbc<C> {
    pub(super) fn new(key: &[u8], iv: Iv) -> Option<Self> {
        Some(Self { cipher: C::new_from_slice(key).ok()?, iv })
    }
}

impl<C: Cipher> Decrypt for Cbc<C> {
    fn decrypt(&self, first: u64, size: usize, data: &mut [u8]) {
        for (index, sector) in sectors(first, size, data) {
            let mut before = Block::<C>::from(self.iv.of(index));
            for batch in blocks::<C>(sector).chunks_mut(BATCH) {
                let mut masks = [before; BATCH];
                let mut slots = masks.iter_mut();
                for block in batch.iter() {
                    if let Some(slot) = slots.next() {
                        *slot = std::mem::replace(&mut before, *block);
                    }
                }
                self.cipher.decrypt_blocks(batch);
                for (mask, block) in masks.iter().zip(batch.iter_mut()) {
                    xor(block, number(mask));
                }
            }
        }
    }
}

/// Liskov, Rivest and Wagner: every block is masked before and after with its number times a second
/// key, in GF(2^128), big-endian.
pub(super) struct Lrw<C> {
    cipher: C,
    /// The second key times 2^(n+1) - 1: what the mask changes by when n low bits of the block
    /// number turn over.
    steps: [u128; 128],
    tweak: u128,
    iv: Iv,
}

impl<C: Cipher> Lrw<C> {
    pub(super) fn new(key: &[u8], tweak: [u8; 16], iv: Iv) -> Option<Self> {
        let cipher = C::new_from_slice(key).ok()?;
        let tweak = u128::from_be_bytes(tweak);
        let mut steps = [0; 128];
        let (mut power, mut sum) = (tweak, 0);
        for step in &mut steps {
            sum ^= power;
            *step = sum;
            power = double(power);
        }
        Some(Self { cipher, steps, tweak, iv })
    }
}

impl<C> Drop for Lrw<C> {
    fn drop(&mut self) {
        self.steps.zeroize();
        self.tweak.zeroize();
    }
}

/// Doubling in GF(2^128), big-endian.
fn double(value: u128) -> u128 {
    (value << 1) ^ ((value >> 127) * 0x87)
}

/// The product in GF(2^128), big-endian.
fn multiply(mut one: u128, mut other: u128) -> u128 {
    let mut product = 0;
    while other != 0 {
        if other & 1 == 1 {
            product ^= one;
        }
        one = double(one);
        other >>= 1;
    }
    product
}

impl<C: Cipher> Decrypt for Lrw<C> {
    fn decrypt(&self, first: u64, size: usize, data: &mut [u8]) {
        for (number, sector) in sectors(first, size, data) {
            let mut index = u128::from_be_bytes(self.iv.of(number));
            let mut mask = multiply(self.tweak, index);
            for batch in blocks::<C>(sector).chunks_mut(BATCH) {
                let mut masks = [0; BATCH];
                for (slot, block) in masks.iter_mut().zip(batch.iter_mut()) {
                    // `xor` takes little-endian masks.
                    *slot = mask.swap_bytes();
                    xor(block, *slot);
                    mask ^= self.steps[(!index).trailing_zeros().min(127) as usize];
                    index = index.wrapping_add(1);
                }
                self.cipher.decrypt_blocks(batch);
                for (mask, block) in masks.iter().zip(batch.iter_mut()) {
                    xor(block, *mask);
                }
            }
        }
    }
}

/// Every block by itself.
pub(super) struct Ecb<C>(C);

impl<C: Cipher> Ecb<C> {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        C::new_from_slice(key).ok().map(Self)
    }
}

impl<C: Cipher> Decrypt for Ecb<C> {
    fn decrypt(&self, _first: u64, _size: usize, data: &mut [u8]) {
        self.0.decrypt_blocks(blocks::<C>(data));
    }
}

/// Nothing is encrypted.
pub(super) struct Null;

impl Decrypt for Null {
    fn decrypt(&self, _first: u64, _size: usize, _data: &mut [u8]) {}
}

#[cfg(test)]
mod tests {
    use super::super::cipher::Spec;
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn xts_is_that_of_ieee_1619() {
        // Vector 10: XTS-AES-256, data unit ff, plain text 00 01 … ff twice.
        let key = bytes(concat!(
            "2718281828459045235360287471352662497757247093699959574966967627",
            "3141592653589793238462643383279502884197169399375105820974944592"
        ));
        let start = bytes("1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b");
        // Only the start is known by heart; the rest of the sector does not touch it.
        let mut sector = vec![0; 512];
        sector[..32].copy_from_slice(&start);
        Spec::parse("aes-xts-plain64").keyed(&key).unwrap().decrypt(0xFF, 512, &mut sector);
        assert_eq!(sector[..32], (0..32).collect::<Vec<u8>>());
    }

    /// Sectors decrypted one by one, in one go, and in sectors of 4096 bytes.
    #[test]
    fn batches_change_nothing() {
        for (name, key_size) in [
            ("aes-xts-plain64", 64),
            ("aes-xts-plain", 48),
            ("serpent-xts-plain64", 64),
            ("twofish-cbc-essiv:sha256", 32),
            ("aes-cbc-plain", 16),
            ("camellia-cbc-plain64be", 24),
            ("cast6-xts-null", 32),
            ("aes-lrw-benbi", 48),
            ("aes-ecb", 32),
        ] {
            let key: Vec<u8> = (0..key_size).map(|at| (at * 3) as u8).collect();
            let cipher = Spec::parse(name).keyed(&key).unwrap();
            let original: Vec<u8> = (0..40 * 512).map(|at| ((at * 31) >> 3) as u8).collect();
            let mut together = original.clone();
            cipher.decrypt(7, 512, &mut together);
            let mut apart = original.clone();
            for (index, sector) in apart.chunks_mut(512).enumerate() {
                cipher.decrypt(7 + index as u64, 512, sector);
            }
            assert!(together == apart, "{name}");
            assert!(together != original, "{name}");
            let mut large = original.clone();
            cipher.decrypt(7, 4096, &mut large);
            assert!(large[..512] == together[..512], "{name}");
        }
    }

    #[test]
    fn the_mask_of_lrw_is_the_product() {
        let lrw = Lrw::<aes::Aes128>::new(&[1; 16], [0x5A; 16], Iv::Benbi).unwrap();
        let mut mask = multiply(lrw.tweak, 1);
        for index in 1..300_u128 {
            assert_eq!(mask, multiply(lrw.tweak, index));
            mask ^= lrw.steps[(!index).trailing_zeros() as usize];
        }
    }

    #[test]
    fn unknown_ciphers_are_refused_by_name() {
        for (name, key_size) in [
            ("aes-xts-plain64", 63),
            ("aes-xts-plain64", 40),
            ("aes-cbc-lmk", 32),
            ("aes-cbc-essiv:md5", 32),
            ("aes-cbc-essiv:sha512", 32),
            ("aes-gcm-random", 32),
            ("aes-lrw-benbi", 8),
            ("blowfish-cbc-plain", 16),
            ("xchacha12,aes-adiantum-plain64", 32),
            ("aes", 32),
            ("", 0),
        ] {
            let error = match Spec::parse(name).keyed(&vec![0; key_size]) {
                Ok(_) => panic!("{name}"),
                Err(error) => error,
            };
            assert_eq!(error.kind(), fathom_block::ErrorKind::Unsupported, "{error}");
        }
        let mut data = *b"clear";
        Spec::parse("cipher_null-ecb").keyed(&[]).unwrap().decrypt(0, 512, &mut data);
        assert_eq!(&data, b"clear");
    }
}
