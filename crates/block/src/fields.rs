//! Reading numbers out of on-disk structures without ever indexing by them.

use crate::error::{Error, Result};

/// The bytes of one on-disk structure, together with what it is and where it was read, so that
/// every error names its place.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    what: &'a str,
    base: u64,
    bytes: &'a [u8],
}

macro_rules! number {
    ($name:ident, $type:ty, $from:ident, $doc:literal) => {
        #[doc = $doc]
        #[inline]
        pub fn $name(&self, at: usize) -> Result<$type> {
            Ok(<$type>::$from(self.array(at)?))
        }
    };
}

impl<'a> Fields<'a> {
    /// The structure called `what`, whose `bytes` were read at the byte offset `base`.
    pub fn new(what: &'a str, base: u64, bytes: &'a [u8]) -> Self {
        Self { what, base, bytes }
    }

    /// The whole structure.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// `length` bytes at `at`.
    #[inline]
    pub fn bytes(&self, at: usize, length: usize) -> Result<&'a [u8]> {
        at.checked_add(length).and_then(|stop| self.bytes.get(at..stop)).ok_or_else(|| {
            self.corrupt(
                at,
                format!("{length} bytes are wanted, but the structure has {}", self.bytes.len()),
            )
        })
    }

    /// `N` bytes at `at`.
    #[inline]
    pub fn array<const N: usize>(&self, at: usize) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(at, N)?);
        Ok(array)
    }

    /// The byte at `at`.
    #[inline]
    pub fn u8(&self, at: usize) -> Result<u8> {
        Ok(self.array::<1>(at)?[0])
    }

    number!(le_u16, u16, from_le_bytes, "The little-endian 16-bit number at `at`.");
    number!(le_u32, u32, from_le_bytes, "The little-endian 32-bit number at `at`.");
    number!(le_u64, u64, from_le_bytes, "The little-endian 64-bit number at `at`.");
    number!(be_u16, u16, from_be_bytes, "The big-endian 16-bit number at `at`.");
    number!(be_u32, u32, from_be_bytes, "The big-endian 32-bit number at `at`.");
    number!(be_u64, u64, from_be_bytes, "The big-endian 64-bit number at `at`.");

    /// A part of this structure, as a structure of its own.
    pub fn part(&self, what: &'a str, at: usize, length: usize) -> Result<Fields<'a>> {
        Ok(Fields { what, base: self.base + at as u64, bytes: self.bytes(at, length)? })
    }

    /// The error that the field at `at` contradicts the format.
    #[cold]
    pub fn corrupt(&self, at: usize, why: impl Into<String>) -> Error {
        Error::corrupt(self.what, self.base.saturating_add(at as u64), why)
    }
}
