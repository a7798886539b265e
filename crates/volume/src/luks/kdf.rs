//! From a passphrase to the key of a slot.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use fathom_block::{Error, Result};
use zeroize::Zeroizing;

use super::hash::Hash;
use crate::key::Limits;

/// How a slot derives its key. Its cost is the image's choice, and bounded by [`Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kdf {
    Pbkdf2 { hash: Hash, iterations: u32, salt: Vec<u8> },
    Argon2 { algorithm: Algorithm, passes: u32, kibibytes: u32, lanes: u32, salt: Vec<u8> },
}

impl Kdf {
    /// Fails where one try would cost more than the limits allow, or where the numbers make no
    /// sense.
    pub(super) fn check(&self, length: usize, limits: Limits) -> Result<()> {
        let (work, memory) = match self {
            Self::Pbkdf2 { iterations: 0, .. } => {
                return Err(Error::corrupt("LUKS key slot", 0, "PBKDF2 with no iterations"));
            }
            Self::Pbkdf2 { hash, iterations, .. } => {
                (u64::from(*iterations) * length.div_ceil(hash.length()) as u64, 0)
            }
            Self::Argon2 { passes, kibibytes, .. } => {
                self.argon2(length)?;
                (
                    u64::from(*passes).saturating_mul(u64::from(*kibibytes)),
                    u64::from(*kibibytes) << 10,
                )
            }
        };
        let name = self.name();
        if memory > limits.memory {
            let why = format!("it wants {memory} bytes of memory, of {} allowed", limits.memory);
            return Err(Error::unsupported(name, why));
        }
        if work > limits.work {
            let why = format!("it wants {work} rounds of work, of {} allowed", limits.work);
            return Err(Error::unsupported(name, why));
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Pbkdf2 { .. } => "pbkdf2",
            Self::Argon2 { algorithm: Algorithm::Argon2i, .. } => "argon2i",
            Self::Argon2 { .. } => "argon2id",
        }
    }

    fn argon2(&self, length: usize) -> Result<Argon2<'static>> {
        let Self::Argon2 { algorithm, passes, kibibytes, lanes, .. } = self else {
            return Err(Error::invalid(self.name(), "it is not argon2"));
        };
        // `Params` multiplies before it compares.
        let params = match lanes {
            1..=0xFF => Params::new(*kibibytes, *passes, *lanes, Some(length)),
            _ => Err(argon2::Error::ThreadsTooMany),
        };
        let params = params.map_err(|error| {
            Error::corrupt("LUKS key slot", 0, format!("{}: {error}", self.name()))
        })?;
        Ok(Argon2::new(*algorithm, Version::V0x13, params))
    }

    /// A key of `length` bytes for `secret`.
    pub(super) fn derive(
        &self,
        secret: &[u8],
        length: usize,
        limits: Limits,
    ) -> Result<Zeroizing<Vec<u8>>> {
        self.check(length, limits)?;
        let mut key = Zeroizing::new(vec![0; length]);
        match self {
            Self::Pbkdf2 { hash, iterations, salt } => {
                hash.pbkdf2(secret, salt, *iterations, &mut key);
            }
            Self::Argon2 { salt, .. } => {
                let argon2 = self.argon2(length)?;
                let count = argon2.params().block_count();
                // The one large allocation there is, made only when a key is tried; where there is
                // not so much memory, that is an error and not the end of the process.
                let mut blocks: Vec<Block> = Vec::new();
                blocks.try_reserve_exact(count).map_err(|_| {
                    let why = format!("{count} KiB of memory, which it wants, cannot be had");
                    Error::unsupported(self.name(), why)
                })?;
                blocks.resize(count, Block::default());
                let failed = |error| Error::invalid(self.name(), format!("{error}"));
                argon2
                    .hash_password_into_with_memory(secret, salt, &mut key, &mut blocks[..])
                    .map_err(failed)?;
            }
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argon2(passes: u32, kibibytes: u32, lanes: u32) -> Kdf {
        let salt = vec![2; 16];
        Kdf::Argon2 { algorithm: Algorithm::Argon2id, passes, kibibytes, lanes, salt }
    }

    #[test]
    fn argon2id_is_that_of_the_reference_implementation() {
        // echo -n password | argon2 somesalt -id -v 13 -t 2 -m 16 -p 1 -l 32
        let kdf = Kdf::Argon2 {
            algorithm: Algorithm::Argon2id,
            passes: 2,
            kibibytes: 65536,
            lanes: 1,
            salt: b"somesalt".to_vec(),
        };
        let key = kdf.derive(b"password", 32, Limits::default()).unwrap();
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
    }

    #[test]
    fn what_costs_too_much_is_refused_by_name() {
        let limits = Limits { memory: 1 << 20, work: 10_000 };
        for (kdf, named) in [
            (argon2(1, 2000, 1), "memory"),
            (argon2(1000, 1000, 1), "work"),
            (argon2(1, 1000, 0), "argon2id"),
            (argon2(1, 1000, u32::MAX), "argon2id"),
            (argon2(1, 8, 4), "argon2id"),
            (argon2(0, 1000, 1), "argon2id"),
            (Kdf::Pbkdf2 { hash: Hash::Sha256, iterations: 6000, salt: vec![] }, "work"),
            (Kdf::Pbkdf2 { hash: Hash::Sha256, iterations: 0, salt: vec![] }, "iterations"),
        ] {
            let error = kdf.derive(b"secret", 64, limits).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
        assert!(argon2(1, 1000, 4).derive(b"secret", 64, limits).is_ok());
    }
}
