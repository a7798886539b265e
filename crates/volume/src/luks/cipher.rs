//! What cryptsetup calls a cipher, `aes-cbc-essiv:sha256`: a block cipher, the mode that chains its
//! blocks within a sector, and how the sector's number becomes the mode's initial vector.
//!
//! The names and what they mean are those of the kernel's dm-crypt.

use cipher::consts::U16;
use cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit};
use fathom_block::{Error, Result};

use super::hash::Hash;
use super::modes::{Cbc, Ecb, Lrw, Null, Xts};

/// The unit in which initial vectors are counted.
pub(super) const SECTOR: usize = 512;

/// A block cipher of 16-byte blocks, as all of those are that are still in use.
pub(super) trait Cipher:
    BlockSizeUser<BlockSize = U16>
    + BlockCipherEncrypt
    + BlockCipherDecrypt
    + KeyInit
    + Send
    + Sync
    + 'static
{
}

impl<T> Cipher for T where
    T: BlockSizeUser<BlockSize = U16>
        + BlockCipherEncrypt
        + BlockCipherDecrypt
        + KeyInit
        + Send
        + Sync
        + 'static
{
}

/// Decrypts sectors in place.
pub(super) trait Decrypt: Send + Sync {
    /// Decrypts `data`, a whole number of sectors of `sector_size` bytes, the first of which has
    /// the number `number`, counted in 512 bytes.
    fn decrypt(&self, number: u64, sector_size: usize, data: &mut [u8]);
}

/// How a sector's number becomes an initial vector.
pub(super) enum Iv {
    Null,
    /// 32 bits, little-endian.
    Plain,
    Plain64,
    Plain64Be,
    /// The number of the first block, from 1, at the end.
    Benbi,
    /// The number, encrypted with a hash of the key.
    Essiv(Box<dyn Encrypt>),
}

/// Encrypts one block.
pub(super) trait Encrypt: Send + Sync {
    fn encrypt(&self, block: &mut [u8; 16]);
}

/// A cipher with its key, for single blocks.
struct One<C>(C);

impl<C: Cipher> Encrypt for One<C> {
    fn encrypt(&self, block: &mut [u8; 16]) {
        let mut one = Block::<C>::from(*block);
        self.0.encrypt_block(&mut one);
        block.copy_from_slice(&one);
    }
}

impl Iv {
    /// The initial vector of the sector `number`.
    pub(super) fn of(&self, number: u64) -> [u8; 16] {
        let mut iv = [0; 16];
        match self {
            Self::Null => {}
            Self::Plain => iv[..4].copy_from_slice(&(number as u32).to_le_bytes()),
            Self::Plain64 => iv[..8].copy_from_slice(&number.to_le_bytes()),
            Self::Plain64Be => iv[8..].copy_from_slice(&number.to_be_bytes()),
            Self::Benbi => {
                let block = (number << 5).wrapping_add(1);
                iv[8..].copy_from_slice(&block.to_be_bytes());
            }
            Self::Essiv(cipher) => {
                iv[..8].copy_from_slice(&number.to_le_bytes());
                cipher.encrypt(&mut iv);
            }
        }
        iv
    }
}

/// Calls `$body` with `$type` standing for the block cipher called `$name` with a key of `$bits`
/// bytes; `None` where there is none.
macro_rules! with_cipher {
    ($name:expr, $bytes:expr, $type:ident => $body:expr) => {
        match ($name, $bytes) {
            ("aes", 16) => with_cipher!(@ $type = aes::Aes128; $body),
            ("aes", 24) => with_cipher!(@ $type = aes::Aes192; $body),
            ("aes", 32) => with_cipher!(@ $type = aes::Aes256; $body),
            ("serpent", 16 | 24 | 32) => with_cipher!(@ $type = serpent::Serpent; $body),
            ("twofish", 16 | 24 | 32) => with_cipher!(@ $type = twofish::Twofish; $body),
            ("camellia", 16) => with_cipher!(@ $type = camellia::Camellia128; $body),
            ("camellia", 24) => with_cipher!(@ $type = camellia::Camellia192; $body),
            ("camellia", 32) => with_cipher!(@ $type = camellia::Camellia256; $body),
            ("cast6", 16 | 20 | 24 | 28 | 32) => with_cipher!(@ $type = cast6::Cast6; $body),
            _ => None,
        }
    };
    (@ $type:ident = $actual:ty; $body:expr) => {{
        type $type = $actual;
        Some($body)
    }};
}

/// A cipher that a header names, of which it is not yet known whether we have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    cipher: String,
    mode: String,
    iv: String,
}

impl Spec {
    /// Splits a name such as `aes-xts-plain64`.
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        Self { cipher: part(), mode: part(), iv: part() }
    }

    /// Whether nothing is encrypted at all. It is what `cryptsetup reencrypt --decrypt` leaves
    /// for a while, and what its tests use.
    pub(super) fn is_null(&self) -> bool {
        self.cipher == "cipher_null"
    }

    /// The cipher, keyed with all of `key`.
    pub(super) fn keyed(&self, key: &[u8]) -> Result<Box<dyn Decrypt>> {
        let unsupported = |why: &str| Error::unsupported(format!("LUKS cipher {self}"), why);
        if self.is_null() {
            return Ok(Box::new(Null));
        }
        let name = self.cipher.as_str();
        // What follows the colon is for ESSIV; with the others dm-crypt takes no notice of it, and
        // qemu writes it all the same.
        let (iv, option) = self.iv.split_once(':').unwrap_or((&self.iv, ""));
        let iv = match iv {
            "plain" => Iv::Plain,
            "plain64" => Iv::Plain64,
            "plain64be" => Iv::Plain64Be,
            "benbi" => Iv::Benbi,
            "null" => Iv::Null,
            "" if self.mode == "ecb" => Iv::Null,
            "essiv" => Iv::Essiv(essiv(name, Hash::parse(option)?, key).ok_or_else(|| {
                unsupported("the hash's size is none that the cipher's key may have")
            })?),
            _ => return Err(unsupported("the initial vector is not known")),
        };
        let keyed = match self.mode.as_str() {
            // Two keys of one size: for the data, and for the tweak.
            "xts" => {
                let (data, tweak) = key.split_at(key.len() / 2);
                if data.len() != tweak.len() {
                    return Err(unsupported("its key has an odd number of bytes"));
                }
                with_cipher!(name, data.len(), C => boxed(Xts::<C>::new(data, tweak, iv)))
            }
            "cbc" => with_cipher!(name, key.len(), C => boxed(Cbc::<C>::new(key, iv))),
            // The last 16 bytes are the tweak's key.
            "lrw" => key.split_last_chunk::<16>().and_then(|(data, tweak)| {
                with_cipher!(name, data.len(), C => boxed(Lrw::<C>::new(data, *tweak, iv)))
            }),
            "ecb" => with_cipher!(name, key.len(), C => boxed(Ecb::<C>::new(key))),
            _ => return Err(unsupported("the mode is not known")),
        };
        keyed.flatten().ok_or_else(|| {
            unsupported(&format!("it is not known with a key of {} bits", key.len() * 8))
        })
    }
}

fn boxed<T: Decrypt + 'static>(keyed: Option<T>) -> Option<Box<dyn Decrypt>> {
    keyed.map(|keyed| Box::new(keyed) as Box<dyn Decrypt>)
}

/// The cipher that encrypts sector numbers: keyed with the hash of the key.
fn essiv(name: &str, hash: Hash, key: &[u8]) -> Option<Box<dyn Encrypt>> {
    let salt = zeroize::Zeroizing::new(hash.digest(&[key]));
    with_cipher!(name, salt.len(), C => {
        C::new_from_slice(&salt).ok().map(|cipher| Box::new(One(cipher)) as Box<dyn Encrypt>)
    })
    .flatten()
}

impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It comes from the disk and goes to a terminal.
        write!(f, "{}", self.cipher.escape_debug())?;
        for part in [&self.mode, &self.iv] {
            if !part.is_empty() {
                write!(f, "-{}", part.escape_debug())?;
            }
        }
        Ok(())
    }
}
