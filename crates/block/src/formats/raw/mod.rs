//! Raw: the bytes as they are, holes included.

use crate::error::Result;
use crate::formats::Format;
use crate::open::{Chain, Disk, Source};

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Disk> {
    let Source { reader, location, .. } = source;
    Ok(Disk::new(Format::Raw, location, reader))
}
