//! What a filesystem says it uses: three words of bits, and what each means for a reader.
//!
//! *Compatible* features may be ignored by all; *read-only compatible* ones by those who only
//! read; of the *incompatible* ones every single one must be known.

use fathom_block::{Error, Result};

/// The three words of the superblock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) s_feature_compat: u32,
    pub(super) s_feature_incompat: u32,
    pub(super) s_feature_ro_compat: u32,
}

macro_rules! features {
    ($($method:ident: $word:ident & $bit:literal;)*) => {
        $(pub(super) fn $method(&self) -> bool {
            self.$word & $bit != 0
        })*
    };
}

impl Features {
    features! {
        has_journal: s_feature_compat & 0x4;
        dir_index: s_feature_compat & 0x20;
        sparse_super2: s_feature_compat & 0x200;
        filetype: s_feature_incompat & 0x2;
        needs_recovery: s_feature_incompat & 0x4;
        meta_bg: s_feature_incompat & 0x10;
        bit64: s_feature_incompat & 0x80;
        mmp: s_feature_incompat & 0x100;
        ea_inode: s_feature_incompat & 0x400;
        csum_seed: s_feature_incompat & 0x2000;
        large_dir: s_feature_incompat & 0x4000;
        sparse_super: s_feature_ro_compat & 0x1;
        huge_file: s_feature_ro_compat & 0x8;
        gdt_csum: s_feature_ro_compat & 0x10;
        bigalloc: s_feature_ro_compat & 0x200;
        metadata_csum: s_feature_ro_compat & 0x400;
    }

    /// Fails unless all that must be known is.
    pub(super) fn check(&self) -> Result<()> {
        if self.s_feature_incompat & 0x8 != 0 {
            return Err(Error::unsupported(
                "ext journal device",
                "this volume is the external journal of another filesystem and holds no files",
            ));
        }
        // filetype, needs_recovery, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode,
        // metadata_csum_seed, large_dir, inline_data, encrypt, casefold
        const KNOWN: u32 = 0x3_E7D6;
        let unknown = self.s_feature_incompat & !KNOWN;
        if unknown == 0 {
            return Ok(());
        }
        let names: Vec<String> = bits(unknown).map(|bit| name(INCOMPAT, "incompat", bit)).collect();
        Err(Error::unsupported("ext feature", names.join(", ")))
    }

    /// `ext2`, `ext3` or `ext4`: the oldest that could mount it for writing.
    pub(super) fn variant(&self) -> &'static str {
        const EXT3_INCOMPAT: u32 = 0x2 | 0x4 | 0x10;
        const EXT3_RO_COMPAT: u32 = 0x1 | 0x2 | 0x4;
        if self.s_feature_incompat & !EXT3_INCOMPAT != 0
            || self.s_feature_ro_compat & !EXT3_RO_COMPAT != 0
        {
            "ext4"
        } else if self.has_journal() {
            "ext3"
        } else {
            "ext2"
        }
    }

    /// The names of all features, as `dumpe2fs` spells them.
    pub(super) fn names(&self) -> Vec<String> {
        let words = [
            (COMPAT, "compat", self.s_feature_compat),
            (INCOMPAT, "incompat", self.s_feature_incompat),
            (RO_COMPAT, "ro_compat", self.s_feature_ro_compat),
        ];
        words
            .iter()
            .flat_map(|(names, word, set)| bits(*set).map(|bit| name(names, word, bit)))
            .collect()
    }
}

fn bits(word: u32) -> impl Iterator<Item = u32> {
    (0..32).filter(move |bit| word >> bit & 1 == 1)
}

fn name(names: &[&str], word: &str, bit: u32) -> String {
    match names.get(bit as usize) {
        Some(name) if !name.is_empty() => (*name).to_owned(),
        _ => format!("{word} bit {bit} ({:#x})", 1_u32 << bit),
    }
}

/// By bit number; empty where nobody has used the bit.
const COMPAT: &[&str] = &[
    "dir_prealloc",
    "imagic_inodes",
    "has_journal",
    "ext_attr",
    "resize_inode",
    "dir_index",
    "lazy_bg",
    "snapshot_inode",
    "snapshot_bitmap",
    "sparse_super2",
    "fast_commit",
    "stable_inodes",
    "orphan_file",
];

const INCOMPAT: &[&str] = &[
    "compression",
    "filetype",
    "needs_recovery",
    "journal_dev",
    "meta_bg",
    "",
    "extent",
    "64bit",
    "mmp",
    "flex_bg",
    "ea_inode",
    "",
    "dirdata",
    "metadata_csum_seed",
    "large_dir",
    "inline_data",
    "encrypt",
    "casefold",
];

const RO_COMPAT: &[&str] = &[
    "sparse_super",
    "large_file",
    "btree_dir",
    "huge_file",
    "uninit_bg",
    "dir_nlink",
    "extra_isize",
    "snapshot",
    "quota",
    "bigalloc",
    "metadata_csum",
    "replica",
    "read-only",
    "project",
    "shared_blocks",
    "verity",
    "orphan_present",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused_by_name_or_number() {
        let with = |s_feature_incompat| Features { s_feature_incompat, ..Features::default() };
        for known in [0x2, 0x4, 0x10, 0x40, 0x80, 0x100, 0x200, 0x400, 0x2000, 0x4000, 0x8000] {
            with(known).check().unwrap();
        }
        with(0x1_0000 | 0x2_0000).check().unwrap();
        let text = with(0x1001 | 1 << 30).check().unwrap_err().to_string();
        assert_eq!(
            text,
            "unsupported: ext feature: compression, dirdata, incompat bit 30 (0x40000000)"
        );
        assert!(with(8).check().unwrap_err().to_string().contains("journal"));
    }

    #[test]
    fn variants() {
        let variant = |s_feature_compat, s_feature_incompat, s_feature_ro_compat| {
            Features { s_feature_compat, s_feature_incompat, s_feature_ro_compat }.variant()
        };
        assert_eq!(variant(0x20, 2, 3), "ext2");
        assert_eq!(variant(0x24, 6, 3), "ext3");
        assert_eq!(variant(0x24, 0x42, 3), "ext4");
        assert_eq!(variant(0, 2, 8), "ext4");
    }
}
