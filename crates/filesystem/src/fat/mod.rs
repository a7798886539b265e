//! FAT12, FAT16 and FAT32.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_array};

use crate::node::Filesystem;

pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= 512 && read_array::<3>(volume, "FAT boot sector", 54)? == *b"FAT")
}

pub(crate) fn open(_volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    Err(Error::unsupported("fat", "no reader yet"))
}
