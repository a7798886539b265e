//! Virtual hard disks, fixed and dynamic.

use crate::error::{Error, Result};
use crate::open::{Chain, Disk, Source};
use crate::read::ReadAt;

pub(crate) fn probe(head: &[u8], reader: &dyn ReadAt) -> bool {
    head.starts_with(b"conectix") || read_tail(reader)
}

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Disk> {
    Err(Error::unsupported(source.location.to_string(), "no reader yet"))
}

/// A fixed disk has nothing but a footer in its last 512 bytes.
fn read_tail(reader: &dyn ReadAt) -> bool {
    let mut cookie = [0; 8];
    reader.len().checked_sub(512).is_some_and(|at| reader.read_at(at, &mut cookie).is_ok())
        && &cookie == b"conectix"
}
