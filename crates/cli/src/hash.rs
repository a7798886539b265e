//! Checksums of readers.

use std::fmt::Write as _;

use fathom_block::ReadAt;
use sha2::{Digest, Sha256, Sha512};

use crate::args::Algorithm;
use crate::exit::Failure;
use crate::interrupt;
use crate::progress::Progress;

/// How many bytes are read at once.
const CHUNK: usize = 1 << 20;

/// The checksum of all bytes, in hexadecimal.
pub(crate) fn digest(
    reader: &dyn ReadAt,
    algorithm: Algorithm,
    progress: &Progress,
) -> Result<String, Failure> {
    match algorithm {
        Algorithm::Sha256 => digest_with::<Sha256>(reader, progress),
        Algorithm::Sha512 => digest_with::<Sha512>(reader, progress),
    }
}

fn digest_with<D: Digest>(reader: &dyn ReadAt, progress: &Progress) -> Result<String, Failure> {
    let mut hasher = D::new();
    for_each_chunk(reader, &mut |bytes| {
        hasher.update(bytes);
        progress.add(bytes.len() as u64);
        Ok(())
    })?;
    Ok(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Hands all bytes of the reader to `take`, in order.
pub(crate) fn for_each_chunk(
    reader: &dyn ReadAt,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut buffer = vec![0; CHUNK.min(reader.len() as usize)];
    let mut offset = 0;
    while offset < reader.len() {
        interrupt::check()?;
        let length = buffer.len().min((reader.len() - offset) as usize);
        reader.read_at(offset, &mut buffer[..length])?;
        take(&buffer[..length])?;
        offset += length as u64;
    }
    Ok(())
}
