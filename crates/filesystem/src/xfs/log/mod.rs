//! The log, replayed in memory.
//!
//! The log is a ring of records ([`ring`], [`record`]). Where it ends and from where it has to be
//! replayed is found by looking ([`head`]). Records hold pieces of transactions ([`transaction`]);
//! a committed transaction is a list of changed things, which are put over the volume one after the
//! other ([`replay`]): buffers of metadata ([`buffer`]), inodes ([`inode`]), fresh inodes
//! ([`create`]). What a chain of transactions was in the middle of is finished where that can be
//! seen, or reported ([`intent`]).
//!
//! A log that cannot be replayed, or not whole, is not replayed at all: the files are then those of
//! the last time everything was written back, and the filesystem says that it is dirty.

mod buffer;
mod canvas;
mod create;
mod head;
mod inode;
mod intent;
mod record;
mod replay;
mod ring;
#[cfg(test)]
mod tests;
mod transaction;

use std::collections::HashSet;
use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt, Result};

use self::head::State;
use self::record::Header;
use self::ring::Ring;
use super::remap::Remaps;
use super::superblock::Superblock;
use crate::node::Health;

/// The volume as it is after a mount.
pub(super) struct Recovery {
    /// The volume, with the log replayed over it.
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) health: Health,
    pub(super) problems: Vec<Problem>,
    /// Inodes whose extent tree blocks may name another inode as their owner.
    pub(super) swapped: HashSet<u64>,
    /// What is yet to be done to the extents of files.
    pub(super) remaps: Remaps,
}

/// Replays the log of the volume.
pub(super) fn recover(volume: &Arc<dyn ReadAt>, superblock: &Superblock) -> Recovery {
    let dirty = |problem| Recovery {
        volume: Arc::clone(volume),
        health: Health::Dirty,
        problems: vec![problem],
        swapped: HashSet::new(),
        remaps: Remaps::new(),
    };
    match attempt(volume, superblock) {
        Ok(recovery) => recovery,
        Err(error) => dirty(error.within("the log was not replayed")),
    }
}

fn attempt(volume: &Arc<dyn ReadAt>, superblock: &Superblock) -> Result<Recovery> {
    if superblock.log_start == 0 {
        let why = "it lies on another device; whether it holds changes cannot be seen";
        return Err(Error::unsupported("XFS log", why));
    }
    let ring = Ring::new(volume, superblock)?;
    let State::Dirty { tail, head } = head::find(&ring)? else {
        return Ok(Recovery {
            volume: Arc::clone(volume),
            health: Health::Clean,
            problems: Vec::new(),
            swapped: HashSet::new(),
            remaps: Remaps::new(),
        });
    };
    if superblock.features.log_incompat != 0 {
        let why = format!("unknown features {:#x} of the log", superblock.features.log_incompat);
        return Err(Error::unsupported("XFS log", why));
    }
    let replayed = replay::replay(volume, superblock, &ring, tail, head)?;
    let health = if replayed.problems.is_empty() { Health::Replayed } else { Health::Dirty };
    Ok(Recovery {
        volume: Arc::new(replayed.overlay),
        health,
        problems: replayed.problems,
        swapped: replayed.swapped,
        remaps: replayed.remaps,
    })
}

/// Hands the records from block `tail` up to block `head` to `take`, each with the block where it
/// starts, until that says to stop. A record that cannot be read ends the walk.
fn records(
    ring: &Ring,
    tail: u64,
    head: u64,
    mut take: impl FnMut(u64, Result<(Header, Vec<u8>)>) -> Result<bool>,
) -> Result<()> {
    let mut at = tail;
    let mut left = ring.distance(tail, head);
    while left > 0 {
        let record = Header::read(ring, at).and_then(|header| {
            if header.blocks() > left {
                let why = "it passes the head of the log";
                return Err(Error::corrupt("XFS log record", ring.place(at), why));
            }
            header.body(ring).map(|body| (header, body))
        });
        let next = record.as_ref().ok().map(|(header, _)| (header.end(ring), header.blocks()));
        if !take(at, record)? {
            return Ok(());
        }
        let Some((end, blocks)) = next else {
            return Ok(());
        };
        at = end;
        left -= blocks;
    }
    Ok(())
}
