//! The container formats. Every folder looks alike: `probe` says from the first bytes whether this
//! is the format, `open` turns a source into a [`Disk`](crate::Disk).
//!
//! What several of them need stands beside the folders: `table` for arrays of numbers on disk,
//! `mapped` for disks kept in units that a map finds, `joined` for disks in several files,
//! and `foreign` for what is none of these formats and must not pass for a raw disk.

pub(crate) mod foreign;
pub(crate) mod joined;
pub(crate) mod mapped;
pub(crate) mod ova;
pub(crate) mod qcow2;
pub(crate) mod raw;
pub(crate) mod table;
pub(crate) mod vdi;
pub(crate) mod vhd;
pub(crate) mod vhdx;
pub(crate) mod vmdk;

use std::fmt;

/// A container format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The bytes as they are.
    Raw,
    /// QEMU copy-on-write, versions 2 and 3.
    Qcow2,
    /// VMware virtual disk, every kind.
    Vmdk,
    /// Connectix and Microsoft virtual hard disk, fixed and dynamic.
    Vhd,
    /// Hyper-V virtual hard disk, version 2.
    Vhdx,
    /// VirtualBox disk image.
    Vdi,
    /// An open virtualization archive, a tar of disks and their description.
    Ova,
    /// An open virtualization description beside its disks.
    Ovf,
}

impl Format {
    /// Every format, by the name that `--image-format` takes.
    pub const ALL: [Self; 8] = [
        Self::Raw,
        Self::Qcow2,
        Self::Vmdk,
        Self::Vhd,
        Self::Vhdx,
        Self::Vdi,
        Self::Ova,
        Self::Ovf,
    ];

    /// The name people know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Vdi => "vdi",
            Self::Ova => "ova",
            Self::Ovf => "ovf",
        }
    }

    /// The format called `name`; qemu calls VHD `vpc`.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "vpc" {
            return Some(Self::Vhd);
        }
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
