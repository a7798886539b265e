//! VMware virtual disks of every kind.

use crate::error::{Error, Result};
use crate::open::{Chain, Disk, Source};
use crate::read::ReadAt;

pub(crate) fn probe(head: &[u8], _reader: &dyn ReadAt) -> bool {
    head.starts_with(b"KDMV")
        || head.starts_with(b"COWD")
        || head.starts_with(b"# Disk DescriptorFile")
}

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Disk> {
    Err(Error::unsupported(source.location.to_string(), "no reader yet"))
}
