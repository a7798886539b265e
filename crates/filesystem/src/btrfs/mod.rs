//! Btrfs on one device.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_array};

use crate::node::Filesystem;

pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= 0x11000
        && read_array::<8>(volume, "Btrfs superblock", 0x10040)? == *b"_BHRfS_M")
}

pub(crate) fn open(_volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    Err(Error::unsupported("btrfs", "no reader yet"))
}
