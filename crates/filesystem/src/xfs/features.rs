//! Which features are switched on, and which of them this reader does not know.

use fathom_block::{Error, Fields, Result};

/// What the feature words of the superblock say.
#[derive(Clone, Debug, Default)]
pub(super) struct Features {
    /// Version 5: metadata carries checksums and says where and whose it is.
    pub(super) crc: bool,
    /// Directory entries carry the type of what they name.
    pub(super) ftype: bool,
    /// Names are looked up without regard to the case of ASCII letters.
    pub(super) ascii_ci: bool,
    pub(super) meta_uuid: bool,
    /// Log records may be longer than 32 KiB.
    pub(super) log_v2: bool,
    /// The kernel would not mount it before `xfs_repair` has run.
    pub(super) needs_repair: bool,
    /// Features that the log may use and this reader does not know.
    pub(super) log_incompat: u32,
    /// By the names that `xfs_info` and `mkfs.xfs` use.
    pub(super) names: Vec<&'static str>,
}

/// Bits of `sb_versionnum`.
const VERSION: [(u16, &str); 10] = [
    (0x0010, "attr"),
    (0x0020, "nlink"),
    (0x0040, "quota"),
    (0x0080, "align"),
    (0x0100, "dalign"),
    (LOG_V2, "logv2"),
    (0x0800, "sector"),
    (0x1000, "extflg"),
    (0x2000, "dirv2"),
    (ASCII_CI, "ascii-ci"),
];
const ASCII_CI: u16 = 0x4000;
const LOG_V2: u16 = 0x0400;
const MORE_BITS: u16 = 0x8000;
/// Without these two a filesystem has directories or extents of before 2000.
const EXTFLG: u16 = 0x1000;
const DIRV2: u16 = 0x2000;

/// Bits of `sb_features2`.
const FEATURES2: [(u32, &str); 5] =
    [(0x2, "lazy-count"), (0x8, "attr2"), (0x80, "projid32bit"), (0x100, "crc"), (FTYPE2, "ftype")];
const FTYPE2: u32 = 0x200;

/// Bits of `sb_features_ro_compat`.
const RO_COMPAT: [(u32, &str); 4] =
    [(0x1, "finobt"), (0x2, "rmapbt"), (0x4, "reflink"), (0x8, "inobtcount")];

/// Bits of `sb_features_incompat`, and whether this reader knows them.
const INCOMPAT: [(u32, &str, bool); 11] = [
    (FTYPE, "ftype", true),
    (0x2, "sparse", true),
    (META_UUID, "meta_uuid", true),
    (0x8, "bigtime", true),
    (NEEDS_REPAIR, "needsrepair", true),
    (0x20, "nrext64", true),
    (0x40, "exchange", true),
    (0x80, "parent", true),
    (0x100, "metadir", false),
    (0x200, "zoned", false),
    (0x400, "zone gaps", false),
];
const FTYPE: u32 = 0x1;
const META_UUID: u32 = 0x4;
const NEEDS_REPAIR: u32 = 0x10;

/// The one bit of `sb_features_log_incompat`: attribute changes are logged as intents.
const LOG_XATTRS: u32 = 0x1;

impl Features {
    /// Reads the words of the superblock; what is not known is refused.
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self> {
        let versionnum = fields.be_u16(100)?;
        let version = versionnum & 0xF;
        if !matches!(version, 4 | 5) {
            let why = format!("version {version}; versions 4 and 5 are read");
            return Err(Error::unsupported("XFS", why).at(100));
        }
        if versionnum & DIRV2 == 0 {
            return Err(Error::unsupported("XFS", "version 1 directories").at(100));
        }
        let mut features = Self {
            crc: version == 5,
            ascii_ci: versionnum & ASCII_CI != 0,
            log_v2: version == 5 || versionnum & LOG_V2 != 0,
            names: names(versionnum.into(), VERSION.map(|(bit, name)| (bit.into(), name))),
            ..Self::default()
        };
        // The word was written to the wrong place for a while, so both count.
        let features2 = match versionnum & MORE_BITS {
            0 => 0,
            _ => fields.be_u32(200)? | fields.be_u32(204)?,
        };
        features.names.extend(names(features2, FEATURES2));
        if version == 5 {
            return features.parse_v5(fields);
        }
        features.ftype = features2 & FTYPE2 != 0;
        let known = VERSION.iter().fold(MORE_BITS | 0xF, |all, (bit, _)| all | bit);
        let known2 = FEATURES2.iter().fold(0, |all, (bit, _)| all | bit);
        if versionnum & EXTFLG == 0 {
            return Err(Error::unsupported("XFS", "extents without the unwritten flag").at(100));
        }
        if versionnum & !known != 0 {
            return Err(unknown("sb_versionnum", (versionnum & !known).into(), 100));
        }
        if features2 & !known2 != 0 {
            return Err(unknown("sb_features2", features2 & !known2, 200));
        }
        Ok(features)
    }

    fn parse_v5(mut self, fields: &Fields<'_>) -> Result<Self> {
        let incompat = fields.be_u32(216)?;
        for (bit, name, known) in INCOMPAT {
            if incompat & bit != 0 && !known {
                return Err(Error::unsupported("XFS", format!("the feature {name}")).at(216));
            }
        }
        let known = INCOMPAT.iter().fold(0, |all, (bit, ..)| all | bit);
        if incompat & !known != 0 {
            return Err(unknown("sb_features_incompat", incompat & !known, 216));
        }
        self.ftype = incompat & FTYPE != 0;
        self.meta_uuid = incompat & META_UUID != 0;
        self.needs_repair = incompat & NEEDS_REPAIR != 0;
        self.log_incompat = fields.be_u32(220)? & !LOG_XATTRS;
        self.names.extend(names(incompat, INCOMPAT.map(|(bit, name, _)| (bit, name))));
        self.names.extend(names(fields.be_u32(212)?, RO_COMPAT));
        Ok(self)
    }
}

fn names<const N: usize>(word: u32, bits: [(u32, &'static str); N]) -> Vec<&'static str> {
    bits.iter().filter(|(bit, _)| word & bit != 0).map(|(_, name)| *name).collect()
}

fn unknown(word: &str, bits: u32, at: u64) -> Error {
    Error::unsupported("XFS", format!("unknown feature bits {bits:#x} of {word}")).at(at)
}
