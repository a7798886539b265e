//! Open virtualization archives, and descriptions beside their disks.

use crate::error::{Error, Result};
use crate::open::{Chain, Disk, Source};
use crate::read::ReadAt;

pub(crate) fn probe(head: &[u8], _reader: &dyn ReadAt) -> bool {
    head.get(257..262) == Some(b"ustar".as_slice())
}

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Vec<Disk>> {
    Err(Error::unsupported(source.location.to_string(), "no reader yet"))
}
