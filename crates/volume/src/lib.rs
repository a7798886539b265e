//! What lies on the bytes: partition tables, software RAID, LVM and LUKS over any number of disks.
//!
//! [`discover()`] is the one door. It takes all the disks of one machine and gives back every volume
//! it finds on them, each with what it lies on and, where it can be read, a reader of its bytes.
//! Volumes that are recognised but cannot be read are listed too, with the reason.
//!
//! This crate knows nothing of filesystems: a volume whose content it does not recognise is left
//! to them.

#![forbid(unsafe_code)]

mod budget;
mod discover;
mod key;
mod luks;
mod lvm;
mod md;
mod partition;
mod recognise;
mod tree;
mod volume;

pub use discover::discover;
pub use key::{Key, Keys, Limits};
pub use lvm::lost_label;
pub use tree::render;
pub use volume::{Content, Discovery, Disk, Layer, Table, Volume, VolumeId};
