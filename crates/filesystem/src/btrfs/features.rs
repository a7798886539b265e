//! The feature bits: which this reader understands, and what they are called.

use fathom_block::{Error, Result};

pub(super) const DEFAULT_SUBVOL: u64 = 1 << 1;
pub(super) const NO_HOLES: u64 = 1 << 9;
pub(super) const METADATA_UUID: u64 = 1 << 10;

/// Every incompatible feature that has a name, and whether it is read. What RAID there is shows
/// in the chunks, so its bits are no reason to refuse here.
const INCOMPAT: [(u64, &str, bool); 17] = [
    (1 << 0, "mixed-backref", true),
    (DEFAULT_SUBVOL, "default-subvol", true),
    (1 << 2, "mixed-groups", true),
    (1 << 3, "compress-lzo", true),
    (1 << 4, "compress-zstd", true),
    (1 << 5, "big-metadata", true),
    (1 << 6, "extended-iref", true),
    (1 << 7, "raid56", true),
    (1 << 8, "skinny-metadata", true),
    (NO_HOLES, "no-holes", true),
    (METADATA_UUID, "metadata-uuid", true),
    (1 << 11, "raid1c34", true),
    (1 << 12, "zoned", false),
    (1 << 13, "extent-tree-v2", false),
    (1 << 14, "raid-stripe-tree", false),
    (1 << 16, "simple-quota", true),
    (1 << 17, "remap-tree", false),
];

/// Features that only matter to those who write.
const COMPAT_RO: [(u64, &str); 4] = [
    (1 << 0, "free-space-tree"),
    (1 << 1, "free-space-tree-valid"),
    (1 << 2, "verity"),
    (1 << 3, "block-group-tree"),
];

/// The field `incompat_flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incompat(pub(super) u64);

impl Incompat {
    pub(super) fn has(self, bit: u64) -> bool {
        self.0 & bit != 0
    }

    /// Refuses by name what is known but not read, and by number what is not known.
    pub(super) fn check(self) -> Result<()> {
        let mut refused = Vec::new();
        let mut unknown = self.0;
        for (bit, name, read) in INCOMPAT {
            unknown &= !bit;
            if self.has(bit) && !read {
                refused.push(name.to_owned());
            }
        }
        if unknown != 0 {
            refused.push(format!("unknown incompatible features {unknown:#x}"));
        }
        match refused.is_empty() {
            true => Ok(()),
            false => Err(Error::unsupported("Btrfs feature", refused.join(", "))),
        }
    }
}

/// The names of all features that are switched on.
pub(super) fn names(incompat: Incompat, compat_ro: u64) -> Vec<String> {
    let mut names = Vec::new();
    names.extend(INCOMPAT.iter().filter(|(bit, ..)| incompat.has(*bit)).map(|(_, name, _)| *name));
    names.extend(COMPAT_RO.iter().filter(|(bit, _)| compat_ro & bit != 0).map(|(_, name)| *name));
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_refused_by_name_or_number() {
        assert!(Incompat(0x361).check().is_ok());
        let error = Incompat(1 << 13 | 1 << 14 | 1 << 40).check().unwrap_err().to_string();
        for word in ["extent-tree-v2", "raid-stripe-tree", "0x10000000000"] {
            assert!(error.contains(word), "{error}");
        }
        assert_eq!(
            names(Incompat(0x341), 0b1011),
            [
                "mixed-backref",
                "extended-iref",
                "skinny-metadata",
                "no-holes",
                "free-space-tree",
                "free-space-tree-valid",
                "block-group-tree"
            ]
        );
    }
}
