//! ext2, ext3 and ext4.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_array};

use crate::node::Filesystem;

pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= 2048
        && read_array::<2>(volume, "ext superblock", 1024 + 0x38)? == [0x53, 0xEF])
}

pub(crate) fn open(_volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    Err(Error::unsupported("ext", "no reader yet"))
}
