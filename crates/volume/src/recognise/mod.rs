//! What is known by name and not read: the members of arrays and pools, and the disk labels of
//! other machines than PCs.
//!
//! A member of an array must not be taken for what its first bytes look like: half a mirror looks
//! like a disk, and one stripe of a stripe set like a damaged one.

mod ends;
mod label;
mod start;

pub(crate) use ends::array_member;
pub(crate) use label::{disk_label, is_slice};
pub(crate) use start::{foreign_superblock, member, vmfs_member};

/// The name of a member of Linux's own software RAID, which is the one that is read.
pub(crate) const LINUX_RAID: &str = "Linux RAID member";

/// How much of a volume's start is looked at.
pub(crate) const HEAD: u64 = 20 << 10;

/// Something recognised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// What it is.
    pub(crate) name: &'static str,
    /// Its UUID, where it is easily had.
    pub(crate) uuid: Option<String>,
    /// Where the signature was found.
    pub(crate) at: u64,
}

impl Recognised {
    fn new(name: &'static str, at: u64) -> Self {
        Self { name, uuid: None, at }
    }

    fn uuid(mut self, uuid: impl Into<String>) -> Self {
        self.uuid = Some(uuid.into());
        self
    }
}

/// Whether `magic` stands at `at`.
fn has(bytes: &[u8], at: usize, magic: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(magic))
}
