//! XFS, versions 4 and 5.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_array};

use crate::node::Filesystem;

pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= 512 && read_array::<4>(volume, "XFS superblock", 0)? == *b"XFSB")
}

pub(crate) fn open(_volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    Err(Error::unsupported("xfs", "no reader yet"))
}
