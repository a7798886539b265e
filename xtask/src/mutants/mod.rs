//! Ten thousand damaged images a format, each with its checksums made right again, so that the
//! damage reaches past the first check. Every one must be read without a panic, in bounded time and
//! memory. The damage follows from a seed: the same run finds the same faults.

mod advisory;
mod boot;
mod btrfs;
mod containers;
#[allow(dead_code, reason = "the fuzz targets use the other half")]
pub(crate) mod exercise;
mod ext;
mod fat;
mod intake;
mod languages;
mod luks;
mod lvm;
mod md;
#[path = "../../../crates/guest/src/memory.rs"]
#[allow(dead_code, reason = "the tests of guest use the other half")]
mod memory;
mod network;
mod ntfs;
mod ova;
mod packages;
mod partitions;
mod qcow2;
mod registry;
mod security;
mod system;
mod vdi;
mod version;
mod vhd;
mod vhdx;
mod vmdk;
mod windows;
mod xfs;

mod damage;
mod run;
#[allow(dead_code, reason = "the fuzz targets use the other half")]
pub(crate) mod sparse;

use anyhow::Result;

use crate::oracle::Work;

pub(crate) use exercise::Outcome;
pub(crate) use run::{Arguments, ChildArguments, child, run};

/// One format to damage.
pub(crate) struct Target {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Makes small healthy images with the tools that own the format; each as small as the tools
    /// allow (a few MiB) and with as many features between them as there are.
    pub(crate) seeds: fn(&Work) -> Result<Vec<Vec<u8>>>,
    /// Makes the checksum right of whatever structure holds the byte at this place, if one does.
    pub(crate) fix: fn(&mut [u8], usize),
    /// Reads everything there is to read in the image.
    pub(crate) exercise: fn(Vec<u8>) -> Outcome,
    /// What is not read of a healthy image either, by words of the errors that say so.
    pub(crate) refused: &'static [&'static str],
}

/// Every format there is.
pub(crate) fn targets() -> Vec<Target> {
    [
        qcow2::targets,
        vmdk::targets,
        vhd::targets,
        vhdx::targets,
        vdi::targets,
        ova::targets,
        partitions::targets,
        lvm::targets,
        md::targets,
        luks::targets,
        ext::targets,
        xfs::targets,
        btrfs::targets,
        ntfs::targets,
        fat::targets,
        packages::targets,
        containers::targets,
        languages::targets,
        security::targets,
        registry::targets,
        network::targets,
        boot::targets,
        system::targets,
        version::targets,
        advisory::targets,
        intake::targets,
        windows::targets,
    ]
    .iter()
    .flat_map(|targets| targets())
    .collect()
}
