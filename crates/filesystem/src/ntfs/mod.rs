//! NTFS.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_array};

use crate::node::Filesystem;

pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= 512 && read_array::<8>(volume, "NTFS boot sector", 3)? == *b"NTFS    ")
}

pub(crate) fn open(_volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    Err(Error::unsupported("ntfs", "no reader yet"))
}
