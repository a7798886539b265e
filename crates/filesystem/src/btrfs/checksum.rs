//! The four checksums that a Btrfs may use for its metadata and its data.

use std::fmt;

use sha2::Digest as _;

/// Which checksum (`csum_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Crc32c,
    XxHash64,
    Sha256,
    Blake2b,
}

/// The space that every checksum has in a header, however long it is.
pub(super) const CHECKSUM_SPACE: usize = 32;

/// A checksum; the bytes past its length are zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum([u8; CHECKSUM_SPACE]);

impl Checksum {
    pub(super) fn from_type(csum_type: u16) -> Option<Self> {
        Some(match csum_type {
            0 => Self::Crc32c,
            1 => Self::XxHash64,
            2 => Self::Sha256,
            3 => Self::Blake2b,
            _ => return None,
        })
    }

    /// How many bytes it has.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Crc32c => 4,
            Self::XxHash64 => 8,
            Self::Sha256 | Self::Blake2b => 32,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32c => "crc32c",
            Self::XxHash64 => "xxhash64",
            Self::Sha256 => "sha256",
            Self::Blake2b => "blake2b",
        }
    }

    /// The checksum of `bytes`.
    pub(super) fn of(self, bytes: &[u8]) -> Sum {
        let mut sum = [0; CHECKSUM_SPACE];
        match self {
            Self::Crc32c => sum[..4].copy_from_slice(&crc32c::crc32c(bytes).to_le_bytes()),
            Self::XxHash64 => {
                let hash = twox_hash::XxHash64::oneshot(0, bytes);
                sum[..8].copy_from_slice(&hash.to_le_bytes());
            }
            Self::Sha256 => sum.copy_from_slice(&sha2::Sha256::digest(bytes)),
            Self::Blake2b => {
                type Blake2b256 = blake2::Blake2b<blake2::digest::consts::U32>;
                sum.copy_from_slice(&Blake2b256::digest(bytes));
            }
        }
        Sum(sum)
    }

    /// The checksum that is stored in the first bytes of `field`.
    pub(super) fn stored(self, field: &[u8]) -> Sum {
        let mut sum = [0; CHECKSUM_SPACE];
        let length = self.size().min(field.len());
        sum[..length].copy_from_slice(&field[..length]);
        Sum(sum)
    }

    /// The text of a checksum.
    pub(super) fn show(self, sum: &Sum) -> String {
        use fmt::Write as _;
        sum.0[..self.size()].iter().fold(String::from("0x"), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The hash of a name in a directory or among the attributes: CRC-32C with the seed `~1` and
/// without the inversion at the end.
pub(super) fn name_hash(name: &[u8]) -> u64 {
    u64::from(!crc32c::crc32c_append(1, name))
}

/// The hash of a name in its parent, by which extended references are found.
pub(super) fn extref_hash(parent: u64, name: &[u8]) -> u64 {
    u64::from(!crc32c::crc32c_append(!(parent as u32), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        let check = |kind: Checksum, wanted: &str| {
            assert_eq!(kind.show(&kind.of(b"123456789")), wanted, "{}", kind.name());
        };
        check(Checksum::Crc32c, "0x839206e3");
        check(Checksum::XxHash64, "0x83aee640db41b88c");
        check(
            Checksum::Sha256,
            "0x15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        );
        check(
            Checksum::Blake2b,
            "0x16e0bf1f85594a11e75030981c0b670370b3ad83a43f49ae58a2fd6f6513cde9",
        );
        assert!(Checksum::from_type(4).is_none());
        let short = Checksum::Crc32c.stored(&[1, 2]);
        assert_eq!(Checksum::Crc32c.show(&short), "0x01020000");
    }

    #[test]
    fn names_hash_as_the_kernel_hashes_them() {
        // The entry of the default subvolume in every root tree: `DIR_ITEM 2378154706`.
        assert_eq!(name_hash(b"default"), 2_378_154_706);
        assert_ne!(extref_hash(256, b"a"), extref_hash(257, b"a"));
    }
}
