//! The journal, jbd2: what was written last and may not have reached its place yet.
//!
//! The log is a ring of blocks in a file ([`log`]). A transaction is descriptors with copies of
//! blocks behind them, revocations, and a commit ([`block`]); [`recovery`] finds out how far the
//! log is valid and which copy of each block is the last one. Nothing is written: the volume is
//! shown with the copies in the place of the blocks.

mod block;
mod log;
mod recovery;
mod superblock;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt, Result};

use super::superblock::{PRIMARY, Superblock};
use crate::overlay::Overlay;
use log::Log;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There was nothing to replay.
    Clean,
    /// All that the journal promises is shown.
    Replayed,
    /// Not all of it is.
    Incomplete,
}

/// The volume as the journal says it should be.
pub(super) struct Replay {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) outcome: Outcome,
    /// How many blocks are shown from the journal.
    pub(super) blocks: usize,
    pub(super) problems: Vec<Problem>,
    /// Blocks of the area of fast commits, and the transaction they must belong to.
    pub(super) fast_commits: Option<FastCommits>,
}

/// The area of fast commits.
pub(super) struct FastCommits {
    log: Log,
    /// What every commit in it must say it belongs to.
    pub(super) sequence: u32,
}

impl FastCommits {
    /// How many blocks it has.
    pub(super) fn blocks(&self) -> u64 {
        let superblock = &self.log.superblock;
        u64::from(superblock.end).saturating_sub(superblock.fast_start())
    }

    /// One of its blocks: where it is on the volume, and its bytes.
    pub(super) fn block(&self, index: u64) -> Result<(u64, Vec<u8>)> {
        self.log.block(self.log.superblock.fast_start().saturating_add(index))
    }
}

/// Replays the journal in memory, where the superblock asks for it. A superblock that is only a
/// copy (`rescued`) cannot know; there the journal itself is asked.
pub(super) fn replay(
    volume: &Arc<dyn ReadAt>,
    superblock: &Superblock,
    rescued: bool,
) -> Result<Replay> {
    let mut replay = Replay {
        volume: volume.clone(),
        outcome: Outcome::Clean,
        blocks: 0,
        problems: Vec::new(),
        fast_commits: None,
    };
    let features = &superblock.features;
    let asked = features.needs_recovery() || rescued && features.has_journal();
    if !asked {
        return Ok(replay);
    }
    if superblock.journal_inum == 0 {
        if features.has_journal() && features.needs_recovery() {
            return Err(Error::unsupported(
                "ext external journal",
                "what was written last is in a journal on another device, and must be replayed \
                 before the filesystem can be read",
            ));
        }
        return Ok(replay);
    }
    let log = match Log::open(volume, superblock, &mut replay.problems) {
        Ok(log) => log,
        Err(error) => {
            replay.problems.push(error.within("the journal is not replayed"));
            replay.outcome = Outcome::Incomplete;
            return Ok(replay);
        }
    };
    if rescued && log.superblock.start == 0 {
        return Ok(replay);
    }
    replay.outcome = Outcome::Replayed;
    if log.superblock.start == 0 {
        // In use, but everything had reached its place.
        return Ok(replay);
    }
    let scan = recovery::scan(&log)?;
    let mut overlay = Overlay::new(volume.clone(), superblock.block_size);
    let complete = recovery::apply(&log, &scan, superblock, &mut overlay, &mut replay.problems);
    if !complete || !scan.complete {
        replay.outcome = Outcome::Incomplete;
    }
    replay.problems.extend(scan.problems);
    replay.blocks = overlay.replaced();
    if replay.blocks > 0 {
        replay.volume = Arc::new(overlay);
    }
    if log.superblock.fast_commit && scan.complete {
        replay.fast_commits = Some(FastCommits { log, sequence: scan.sequence });
    }
    if replay.outcome == Outcome::Incomplete {
        replay.problems.push(Error::corrupt(
            "ext journal",
            PRIMARY,
            "not all of it could be replayed; what is shown may be older than what was written",
        ));
    }
    Ok(replay)
}
