//! What both versions of the header come down to.

use fathom_block::{Error, Problem};

use super::cipher::Spec;
use super::hash::Hash;
use super::kdf::Kdf;

/// The longest key there is: two of 256 bits, and room to spare.
pub(super) const MAX_KEY: usize = 256;

/// A LUKS header.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) version: u8,
    pub(crate) uuid: String,
    pub(crate) label: Option<String>,
    /// The payload's cipher, as cryptsetup spells it.
    pub(crate) cipher: String,
    /// The key slots, those to be tried first in front.
    pub(super) slots: Vec<Slot>,
    /// Where the payload is, or why it cannot be read whatever the key.
    pub(super) payload: Result<Payload, Error>,
    /// What was wrong with the header without stopping us.
    pub(crate) problems: Vec<Problem>,
}

/// One way to the volume key.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) number: u32,
    /// How to use it, or why it cannot be.
    pub(super) way: Result<Way, Error>,
}

/// How a slot is opened.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) kdf: Kdf,
    /// Where the split key lies, encrypted.
    pub(super) offset: u64,
    pub(super) cipher: Spec,
    /// How long the key is that decrypts it.
    pub(super) cipher_key: usize,
    pub(super) stripes: usize,
    pub(super) stripe_hash: Hash,
    /// How long the volume key is.
    pub(super) key: usize,
    /// What the volume key is known by.
    pub(super) digest: Digest,
}

/// A hash of the volume key.
#[derive(Clone, Debug)]
pub(super) struct Digest {
    pub(super) kdf: Kdf,
    pub(super) expected: Vec<u8>,
}

/// Where the encrypted sectors are.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub(super) offset: u64,
    /// Up to the end of the volume where there is none.
    pub(super) length: Option<u64>,
    pub(super) cipher: Spec,
    pub(super) sector_size: usize,
    /// The number of the first sector, in 512 bytes.
    pub(super) first: u64,
}

/// A text field, which ends at its first zero. It goes to terminals, so nothing in it may be
/// anything but text.
pub(super) fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).chars().filter(|c| !c.is_control()).collect()
}
