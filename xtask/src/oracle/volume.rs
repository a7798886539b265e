//! What partition tables, software RAID, LVM and LUKS must read.
//!
//! The kernel of the test machine has no parser of partition tables, no device-mapper and no
//! `AF_ALG`, so the tables are compared with what libblkid (`partx`) and libfdisk (`sfdisk`) say;
//! logical volumes with files that were cut to pieces by what `lvs` says; and LUKS payloads with
//! what qemu's own cryptography, or a script over libgcrypt, encrypted.

pub(crate) mod arrays;
mod luks;
pub(crate) mod lvm;
mod partitions;

use anyhow::{Context as _, Result, bail};
use fathom_block::ReadAt;
use fathom_volume::{Discovery, Volume};

use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    [partitions::cases(), arrays::cases(), lvm::cases(), luks::cases()]
        .into_iter()
        .flatten()
        .collect()
}

/// The volume called `id`.
fn volume<'a>(discovery: &'a Discovery, id: &str) -> Result<&'a Volume> {
    discovery.find(id).with_context(|| {
        let all: Vec<&str> = discovery.volumes.iter().map(|volume| volume.id.as_str()).collect();
        format!("there is no {id} in {all:?}; problems: {:?}", discovery.problems)
    })
}

/// All bytes of a volume, read in pieces of every shape.
fn bytes(volume: &Volume) -> Result<Vec<u8>> {
    let reader: &dyn ReadAt = match (&volume.reader, &volume.problem) {
        (Some(reader), None) => reader,
        (_, problem) => bail!("{}: {problem:?}", volume.id),
    };
    if reader.len() != volume.size {
        bail!("{}: {} bytes can be read of {}", volume.id, reader.len(), volume.size);
    }
    let mut bytes = vec![0; volume.size as usize];
    let mut rest = bytes.as_mut_slice();
    let (mut at, mut turn) = (0, 0);
    while !rest.is_empty() {
        let lengths = [1, 511, 4096, 70_001, 3 << 20, 512, 65_536];
        let length = rest.len().min(lengths[turn % lengths.len()]);
        let (now, later) = rest.split_at_mut(length);
        reader.read_at(at, now)?;
        at += length as u64;
        turn += 1;
        rest = later;
    }
    Ok(bytes)
}

/// Fails unless the volume holds what the file holds.
fn check_bytes(work: &Work, volume: &Volume, file: &str) -> Result<()> {
    let expected = std::fs::read(work.path(file))?;
    let actual = bytes(volume)?;
    if expected.len() != actual.len() {
        bail!("{}: {} bytes, {file} has {}", volume.id, actual.len(), expected.len());
    }
    match expected.iter().zip(&actual).position(|(one, other)| one != other) {
        Some(at) => bail!("{}: differs from {file} at byte {at}", volume.id),
        None => Ok(()),
    }
}

/// Fails unless the volume is refused, with a problem that names all of `words`.
fn check_refused(volume: &Volume, words: &[&str]) -> Result<()> {
    let problem = volume.problem.as_ref().map(ToString::to_string).unwrap_or_default();
    if words.iter().all(|word| problem.contains(word)) && !problem.is_empty() {
        return Ok(());
    }
    bail!("{}: should be refused by {words:?}, says {problem:?}", volume.id)
}
