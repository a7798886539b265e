//! The one door: what filesystem lies on a volume, and opening it.

use std::fmt;
use std::sync::Arc;

use fathom_block::{Error, ErrorKind, ReadAt, Result};

use crate::node::Filesystem;
use crate::signature::{self, Evidence};
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
    Hfs,
    HfsPlus,
    Apfs,
    Hpfs,
    Befs,
    Vxfs,
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
    /// Those of which files are read.
    pub fn readable() -> impl Iterator<Item = Self> {
        READERS.iter().map(|reader| reader.kind)
    }

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
            Self::Hfs => "hfs",
            Self::HfsPlus => "hfs+",
            Self::Apfs => "apfs",
            Self::Hpfs => "hpfs",
            Self::Befs => "befs",
            Self::Vxfs => "vxfs",
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

/// One of the filesystems that are read.
struct Reader {
    kind: Kind,
    probe: fn(&dyn ReadAt) -> Result<bool>,
    open: Open,
}

type Open = fn(Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>>;

const READERS: [Reader; 5] = [
    Reader { kind: Kind::Ext, probe: ext::probe, open: ext::open },
    Reader { kind: Kind::Xfs, probe: xfs::probe, open: xfs::open },
    Reader { kind: Kind::Btrfs, probe: btrfs::probe, open: btrfs::open },
    Reader { kind: Kind::Ntfs, probe: ntfs::probe, open: ntfs::open },
    Reader { kind: Kind::Fat, probe: fat::probe, open: fat::open },
];

/// Says by name what lies on the volume; `None` where nothing known does.
///
/// A filesystem rarely wipes all that was there before it, so several may be recognised at once.
/// Then those count that are in order: of the ones we read, those that can be opened, and of the
/// others, those whose superblock is sound. Where that leaves several, the volume is ambiguous, and
/// the error says between what.
pub fn detect(volume: &Arc<dyn ReadAt>) -> Result<Option<Kind>> {
    let mut found = signature::near(&**volume)?;
    let mut read = Vec::new();
    for reader in &READERS {
        if (reader.probe)(&**volume)? {
            read.push(reader);
        }
    }
    if let ([reader], []) = (read.as_slice(), found.as_slice()) {
        return Ok(Some(reader.kind));
    }
    for reader in read {
        let evidence = match (reader.open)(volume.clone()) {
            Ok(_) => Evidence::Valid,
            // What is refused by name is there, whether we read it or not.
            Err(error) if error.kind() == ErrorKind::Unsupported => Evidence::Valid,
            Err(error) if error.kind() == ErrorKind::Encrypted => Evidence::Valid,
            Err(error) if error.kind() == ErrorKind::Corrupt => Evidence::Magic,
            Err(error) => return Err(error),
        };
        found.push((reader.kind, evidence));
    }
    if found.iter().all(|(_, evidence)| *evidence < Evidence::Valid) {
        found.extend(signature::far(&**volume)?);
    }
    if found.is_empty() {
        // Last of all, since the copies of boot sectors and superblocks outlive that the volume was
        // formatted anew.
        let copies = [
            (Kind::Btrfs, btrfs::probe_mirrors(&**volume)?),
            (Kind::Ntfs, ntfs::probe_backup(&**volume)),
            (Kind::Ext, ext::probe_backups(&**volume)),
        ];
        let there = copies.into_iter().filter(|(_, there)| *there);
        found.extend(there.map(|(kind, _)| (kind, Evidence::Magic)));
    }
    choose(found)
}

/// The one that is there, of those that were recognised.
fn choose(mut found: Vec<(Kind, Evidence)>) -> Result<Option<Kind>> {
    let best = found.iter().map(|(_, evidence)| *evidence).max();
    found.retain(|(_, evidence)| Some(*evidence) == best);
    for (kind, over) in YIELDING {
        if found
            .iter()
            .any(|(other, _)| *other != kind && (over.is_empty() || over.contains(other)))
        {
            found.retain(|(other, _)| *other != kind);
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [(kind, _)] => Ok(Some(*kind)),
        several => {
            let names: Vec<_> = several.iter().map(|(kind, _)| kind.name()).collect();
            Err(Error::unsupported(
                "filesystem",
                format!(
                    "the volume is ambiguous: it looks like {} at once; one was made over the other",
                    names.join(" and like ")
                ),
            ))
        }
    }
}

/// What gives way to what is named, or to anything else. Whatever was made over a disc has the
/// descriptors of ISO 9660 too, as has a disc in the form of UDF; but discs for a Macintosh have its
/// filesystem beside theirs. Little proves a Minix; an HPFS starts as a FAT does, and an HFS may be
/// the wrapper of an HFS+.
const YIELDING: [(Kind, &[Kind]); 5] = [
    (Kind::Minix, &[]),
    (Kind::Iso9660, &[Kind::Udf, Kind::Ext, Kind::Xfs, Kind::Btrfs, Kind::Ntfs, Kind::Fat]),
    (Kind::HfsPlus, &[Kind::Iso9660, Kind::Udf]),
    (Kind::Hfs, &[]),
    (Kind::Fat, &[Kind::Hpfs]),
];

/// Opens the filesystem on the volume.
pub fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    let Some(kind) = detect(&volume)? else {
        return Err(Error::not_found("filesystem", "nothing on this volume is recognised"));
    };
    match READERS.iter().find(|reader| reader.kind == kind) {
        Some(reader) => (reader.open)(volume),
        None => Err(Error::unsupported(
            format!("filesystem {kind}"),
            "it is recognised, but there is no reader for it yet",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Evidence::{Magic, Valid};

    fn check(found: &[(Kind, Evidence)], wanted: Option<Kind>) {
        assert_eq!(choose(found.to_vec()).unwrap(), wanted, "{found:?}");
    }

    #[test]
    fn what_is_in_order_counts() {
        check(&[], None);
        check(&[(Kind::Swap, Magic)], Some(Kind::Swap));
        check(&[(Kind::Swap, Magic), (Kind::Xfs, Valid)], Some(Kind::Xfs));
        check(&[(Kind::Iso9660, Valid), (Kind::Udf, Valid)], Some(Kind::Udf));
        check(&[(Kind::Iso9660, Valid), (Kind::Ext, Valid)], Some(Kind::Ext));
        check(&[(Kind::Iso9660, Valid), (Kind::Hfs, Valid)], Some(Kind::Iso9660));
        check(&[(Kind::HfsPlus, Valid), (Kind::Hfs, Valid)], Some(Kind::HfsPlus));
        check(&[(Kind::Iso9660, Valid), (Kind::Ext, Magic)], Some(Kind::Iso9660));
        check(&[(Kind::Fat, Valid), (Kind::Hpfs, Valid)], Some(Kind::Hpfs));
        check(&[(Kind::Minix, Valid), (Kind::Erofs, Valid)], Some(Kind::Erofs));
        let error = choose(vec![(Kind::Swap, Valid), (Kind::Btrfs, Valid)]).unwrap_err();
        assert!(error.to_string().contains("swap and like btrfs"), "{error}");
    }

    #[test]
    fn what_is_only_recognised_is_refused_by_name() {
        let mut volume = vec![0; 8192];
        volume[4086..4096].copy_from_slice(b"SWAPSPACE2");
        let volume: Arc<dyn ReadAt> = Arc::new(volume);
        assert_eq!(detect(&volume).unwrap(), Some(Kind::Swap));
        let error = open(volume).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("swap"), "{error}");
        let nothing: Arc<dyn ReadAt> = Arc::new(vec![0; 8192]);
        assert_eq!(open(nothing).err().unwrap().kind(), ErrorKind::NotFound);
    }
}
