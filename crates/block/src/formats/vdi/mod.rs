//! VirtualBox disk images.

use crate::error::{Error, Result};
use crate::open::{Chain, Disk, Source};
use crate::read::ReadAt;

pub(crate) fn probe(head: &[u8], _reader: &dyn ReadAt) -> bool {
    head.get(0x40..0x44) == Some(&[0x7f, 0x10, 0xda, 0xbe][..])
}

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Disk> {
    Err(Error::unsupported(source.location.to_string(), "no reader yet"))
}
