//! The hashes that a LUKS header may name, each used three ways: plain, in PBKDF2, and in the
//! anti-forensic splitter.

use digest::{Digest, Update};
use fathom_block::{Error, Result};
use hmac::{Hmac, SimpleHmac};
use pbkdf2::pbkdf2;

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Ripemd160,
    Whirlpool,
    Blake2b512,
    Blake2s256,
}

/// Calls `$body` with `$type` standing for the hash.
macro_rules! with_hash {
    ($hash:expr, $type:ident => $body:expr) => {
        match $hash {
            Hash::Sha1 => with_hash!(@ $type = sha1::Sha1; $body),
            Hash::Sha224 => with_hash!(@ $type = sha2::Sha224; $body),
            Hash::Sha256 => with_hash!(@ $type = sha2::Sha256; $body),
            Hash::Sha384 => with_hash!(@ $type = sha2::Sha384; $body),
            Hash::Sha512 => with_hash!(@ $type = sha2::Sha512; $body),
            Hash::Sha3_224 => with_hash!(@ $type = sha3::Sha3_224; $body),
            Hash::Sha3_256 => with_hash!(@ $type = sha3::Sha3_256; $body),
            Hash::Sha3_384 => with_hash!(@ $type = sha3::Sha3_384; $body),
            Hash::Sha3_512 => with_hash!(@ $type = sha3::Sha3_512; $body),
            Hash::Ripemd160 => with_hash!(@ $type = ripemd::Ripemd160; $body),
            Hash::Whirlpool => with_hash!(@ $type = whirlpool::Whirlpool; $body),
            Hash::Blake2b512 => with_hash!(@ $type = blake2::Blake2b512; $body),
            Hash::Blake2s256 => with_hash!(@ $type = blake2::Blake2s256; $body),
        }
    };
    (@ $type:ident = $actual:ty; $body:expr) => {{
        type $type = $actual;
        $body
    }};
}

impl Hash {
    /// The hash that cryptsetup calls `name`.
    pub(super) fn parse(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            "sha3-224" => Self::Sha3_224,
            "sha3-256" => Self::Sha3_256,
            "sha3-384" => Self::Sha3_384,
            "sha3-512" => Self::Sha3_512,
            "ripemd160" | "rmd160" => Self::Ripemd160,
            "whirlpool" => Self::Whirlpool,
            "blake2b-512" => Self::Blake2b512,
            "blake2s-256" => Self::Blake2s256,
            _ => return Err(Error::unsupported(format!("LUKS hash {name:?}"), "it is not known")),
        })
    }

    /// How many bytes it gives.
    pub(super) fn length(self) -> usize {
        with_hash!(self, H => <H as Digest>::output_size())
    }

    /// The hash of all `parts`, one after the other.
    pub(super) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        with_hash!(self, H => {
            let mut hasher = <H as Digest>::new();
            parts.iter().for_each(|part| Update::update(&mut hasher, part));
            hasher.finalize().to_vec()
        })
    }

    /// Fills `out` by PBKDF2 over HMAC with this hash.
    pub(super) fn pbkdf2(self, secret: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) {
        // Any length of key is fit for HMAC, so these never fail.
        let done = match self {
            // These buffer in a way of their own, for which the faster HMAC has no room.
            Self::Blake2b512 => {
                pbkdf2::<SimpleHmac<blake2::Blake2b512>>(secret, salt, iterations, out)
            }
            Self::Blake2s256 => {
                pbkdf2::<SimpleHmac<blake2::Blake2s256>>(secret, salt, iterations, out)
            }
            Self::Sha1 => pbkdf2::<Hmac<sha1::Sha1>>(secret, salt, iterations, out),
            Self::Sha224 => pbkdf2::<Hmac<sha2::Sha224>>(secret, salt, iterations, out),
            Self::Sha256 => pbkdf2::<Hmac<sha2::Sha256>>(secret, salt, iterations, out),
            Self::Sha384 => pbkdf2::<Hmac<sha2::Sha384>>(secret, salt, iterations, out),
            Self::Sha512 => pbkdf2::<Hmac<sha2::Sha512>>(secret, salt, iterations, out),
            Self::Sha3_224 => pbkdf2::<SimpleHmac<sha3::Sha3_224>>(secret, salt, iterations, out),
            Self::Sha3_256 => pbkdf2::<SimpleHmac<sha3::Sha3_256>>(secret, salt, iterations, out),
            Self::Sha3_384 => pbkdf2::<SimpleHmac<sha3::Sha3_384>>(secret, salt, iterations, out),
            Self::Sha3_512 => pbkdf2::<SimpleHmac<sha3::Sha3_512>>(secret, salt, iterations, out),
            Self::Ripemd160 => pbkdf2::<Hmac<ripemd::Ripemd160>>(secret, salt, iterations, out),
            Self::Whirlpool => pbkdf2::<Hmac<whirlpool::Whirlpool>>(secret, salt, iterations, out),
        };
        debug_assert!(done.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn names_are_those_of_cryptsetup() {
        for (name, length) in [
            ("sha1", 20),
            ("sha224", 28),
            ("SHA256", 32),
            ("sha384", 48),
            ("sha512", 64),
            ("sha3-224", 28),
            ("sha3-256", 32),
            ("sha3-384", 48),
            ("sha3-512", 64),
            ("ripemd160", 20),
            ("whirlpool", 64),
            ("blake2b-512", 64),
            ("blake2s-256", 32),
        ] {
            let hash = Hash::parse(name).unwrap();
            assert_eq!(hash.length(), length);
            assert_eq!(hash.digest(&[b"a", b"bc"]), hash.digest(&[b"abc"]));
            let mut out = [0; 40];
            hash.pbkdf2(b"secret", b"salt", 3, &mut out);
            assert_ne!(out, [0; 40], "{name}");
        }
        assert!(Hash::parse("sm3").is_err());
    }

    #[test]
    fn pbkdf2_is_that_of_rfc_6070() {
        let mut out = [0; 20];
        Hash::Sha1.pbkdf2(b"password", b"salt", 4096, &mut out);
        assert_eq!(hex(&out), "4b007901b765489abead49d926f721d065a429c1");
        assert_eq!(
            hex(&Hash::Ripemd160.digest(&[b"abc"])),
            "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"
        );
    }
}
