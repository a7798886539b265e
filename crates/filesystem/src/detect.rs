//! The one door: what filesystem lies on a volume, and opening it.

use std::fmt;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use crate::node::Filesystem;
use crate::{btrfs, ext, fat, ntfs, xfs};

/// A filesystem, or something else that lies where one could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is its own name")]
pub enum Kind {
    Ext,
    Xfs,
    Btrfs,
    Ntfs,
    Fat,
    ExFat,
    Iso9660,
    Udf,
    Squashfs,
    Erofs,
    F2fs,
    HfsPlus,
    Apfs,
    Ufs,
    Zfs,
    Refs,
    Reiserfs,
    Jfs,
    Nilfs2,
    Bcachefs,
    Gfs2,
    Ocfs2,
    Minix,
    Cramfs,
    Romfs,
    Vmfs,
    Swap,
    /// It is not known which.
    Unknown,
}

impl Kind {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext => "ext",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Ntfs => "ntfs",
            Self::Fat => "fat",
            Self::ExFat => "exfat",
            Self::Iso9660 => "iso9660",
            Self::Udf => "udf",
            Self::Squashfs => "squashfs",
            Self::Erofs => "erofs",
            Self::F2fs => "f2fs",
            Self::HfsPlus => "hfs+",
            Self::Apfs => "apfs",
            Self::Ufs => "ufs",
            Self::Zfs => "zfs",
            Self::Refs => "refs",
            Self::Reiserfs => "reiserfs",
            Self::Jfs => "jfs",
            Self::Nilfs2 => "nilfs2",
            Self::Bcachefs => "bcachefs",
            Self::Gfs2 => "gfs2",
            Self::Ocfs2 => "ocfs2",
            Self::Minix => "minix",
            Self::Cramfs => "cramfs",
            Self::Romfs => "romfs",
            Self::Vmfs => "vmfs",
            Self::Swap => "swap",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether one filesystem lies on a volume.
type Probe = fn(&dyn ReadAt) -> Result<bool>;

/// Says by name what lies on the volume; `None` where nothing known does.
pub fn detect(volume: &dyn ReadAt) -> Result<Option<Kind>> {
    let probes: [(Kind, Probe); 5] = [
        (Kind::Ext, ext::probe),
        (Kind::Xfs, xfs::probe),
        (Kind::Btrfs, |volume| Ok(btrfs::trace(volume, false)? > btrfs::Trace::None)),
        (Kind::Ntfs, ntfs::probe),
        (Kind::Fat, fat::probe),
    ];
    for (kind, probe) in probes {
        if probe(volume)? {
            return Ok(Some(kind));
        }
    }
    // Last of all, since a volume may still hold backups of what it once was: a damaged boot sector
    // or superblock has copies, which outlive that the volume was formatted anew.
    if ntfs::probe_backup(volume) {
        return Ok(Some(Kind::Ntfs));
    }
    Ok(ext::probe_backups(volume).then_some(Kind::Ext))
}

/// Opens the filesystem on the volume.
pub fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    match detect(&*volume)? {
        Some(Kind::Ext) => ext::open(volume),
        Some(Kind::Xfs) => xfs::open(volume),
        Some(Kind::Btrfs) => btrfs::open(volume),
        Some(Kind::Ntfs) => ntfs::open(volume),
        Some(Kind::Fat) => fat::open(volume),
        Some(other) => Err(Error::unsupported(
            format!("filesystem {other}"),
            "it is recognised, but there is no reader for it yet",
        )),
        None => Err(Error::not_found("filesystem", "nothing on this volume is recognised")),
    }
}
