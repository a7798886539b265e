//! Transaction logs, replayed over a hive that was not written completely.
//!
//! Windows writes to a log what it is about to write to the hive, so that a crash leaves one of the
//! two whole. There are two formats. In the [old](dirty_vector) one a log is one set of sectors. In
//! the [new](entry) one, since Windows 8.1, it is a sequence of entries, and the hive may stay
//! behind for an hour; a second log goes on where the first one ends.
//!
//! What is replayed follows Windows, as far as is known from Maxim Suhanov's specification and from
//! what his tools do:
//! - A log whose own base block is damaged or half-written is not used.
//! - Logs whose entries the hive already has are not used. Of the others the earliest comes first,
//!   and the next one only if its entries follow without a gap.
//! - An entry that is damaged or out of order ends the log: what lies behind it is of the past.
//! - Where the hive's own base block is damaged, that of a log stands in, and only the later of two
//!   logs of the new format is used.
//! - Of logs of the old format, that with the latest time is used, if it is not older than the hive.

mod dirty_vector;
mod entry;
mod marvin32;

use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Problem, ReadAt, Result};

use crate::base_block::{ALIGNMENT, BaseBlock, FileType, LENGTH};
use crate::bin;
use crate::filetime::Filetime;
use crate::hive::State;
use crate::patched::Patched;

/// The most bytes of all logs together that are replayed.
const MAX_REPLAYED: u64 = 256 << 20;

/// A hive with its logs replayed.
pub(crate) struct Recovered {
    pub(crate) base: BaseBlock,
    pub(crate) hive: Patched,
    pub(crate) state: State,
    pub(crate) problems: Vec<Problem>,
}

/// A log that may be used.
struct Log {
    reader: Arc<dyn ReadAt>,
    base: BaseBlock,
    /// What it is called in errors.
    name: String,
}

/// The hive as its logs leave it.
pub(crate) fn recover(primary: Arc<dyn ReadAt>, logs: &[Arc<dyn ReadAt>]) -> Result<Recovered> {
    let mut problems = Vec::new();
    let (own, last_written) = match BaseBlock::read(&*primary) {
        Ok(base) if base.file_type != FileType::Primary => {
            return Err(Error::invalid("registry hive", "it is a transaction log"));
        }
        Ok(base) => {
            let last_written = base.last_written;
            (Some(base), last_written)
        }
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            // Without a bin behind the block nothing says that this is a hive at all.
            let Ok(last_written) = bin::first_timestamp(&*primary) else {
                return Err(error);
            };
            problems.push(error);
            (None, last_written)
        }
        Err(error) => return Err(error),
    };
    let size = own.as_ref().map_or_else(|| whole_bins(&*primary), |base| base.bins_size);
    let mut recovery = Recovery {
        hive: Patched::new(primary.clone(), LENGTH + u64::from(size)),
        own,
        last_written,
        replayed: 0,
        problems,
    };
    let dirty = recovery.own.as_ref().is_none_or(BaseBlock::is_dirty);
    let base = if dirty { recovery.replay(logs)? } else { None };
    let state = match (dirty, &base) {
        (false, _) => State::Clean,
        (true, Some(_)) => State::Recovered,
        (true, None) => State::Dirty,
    };
    let Recovery { mut hive, own, mut problems, .. } = recovery;
    let base = base.or(own).unwrap_or_else(|| BaseBlock::salvage(&*primary, size, last_written));
    hive.resize(LENGTH + u64::from(base.bins_size));
    if let Some(end) = hive.missing() {
        problems.push(Error::truncated("registry hive", end, hive.len()));
    }
    Ok(Recovered { base, hive, state, problems })
}

/// How long the bins of a hive are that does not say it.
fn whole_bins(primary: &dyn ReadAt) -> u32 {
    let length = u32::try_from(primary.len().saturating_sub(LENGTH)).unwrap_or(u32::MAX);
    length - length % ALIGNMENT
}

struct Recovery {
    hive: Patched,
    /// What the hive says of itself, if that is sound.
    own: Option<BaseBlock>,
    last_written: Filetime,
    replayed: u64,
    problems: Vec<Problem>,
}

impl Recovery {
    /// Replays what is to be replayed; the base block that then holds, or nothing where no log
    /// could be used, which is a problem.
    fn replay(&mut self, logs: &[Arc<dyn ReadAt>]) -> Result<Option<BaseBlock>> {
        let mut refused = Vec::new();
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (index, reader) in logs.iter().enumerate() {
            // A log that was never used is empty.
            if reader.is_empty() {
                continue;
            }
            let name = format!("transaction log {}", index + 1);
            match open(reader.clone(), name.clone()) {
                Ok(log) if log.base.file_type == FileType::NewLog => new.push(log),
                Ok(log) => old.push(log),
                Err(error) if is_damage(&error) => refused.push(error.within(name)),
                Err(error) => return Err(error.within(name)),
            }
        }
        let mut base = self.replay_new(new, &mut refused)?;
        if base.is_none() {
            base = self.replay_old(old, &mut refused)?;
        }
        if base.is_none() {
            let why = "it was not written completely and no transaction log can be replayed: the \
                       latest changes are missing or halfway";
            self.problems.push(Error::corrupt("registry hive", 0, why));
            self.problems.append(&mut refused);
        }
        Ok(base)
    }

    fn replay_new(
        &mut self,
        mut logs: Vec<Log>,
        refused: &mut Vec<Problem>,
    ) -> Result<Option<BaseBlock>> {
        // Sequence numbers start again behind the last one, so that only their distance counts.
        match &self.own {
            Some(own) => {
                let applied = own.secondary_sequence;
                let distance = |log: &Log| log.base.primary_sequence.wrapping_sub(applied);
                let (mut fit, unfit): (Vec<_>, Vec<_>) =
                    logs.into_iter().partition(|log| distance(log) <= u32::MAX / 2);
                refused.extend(unfit.iter().map(|log| {
                    Error::corrupt(&*log.name, 4, "what it holds was written to the hive before")
                }));
                fit.sort_by_key(distance);
                logs = fit;
            }
            None => {
                let first = logs.first().map_or(0, |log| log.base.primary_sequence);
                let distance =
                    |log: &Log| log.base.primary_sequence.wrapping_sub(first).cast_signed();
                logs = logs.into_iter().max_by_key(distance).into_iter().collect();
            }
        }
        let mut base: Option<BaseBlock> = None;
        let mut next: Option<u32> = None;
        for log in logs {
            let start = log.base.primary_sequence;
            if next.is_some_and(|next| next != start) {
                if next.is_some_and(|next| start.wrapping_sub(next) <= u32::MAX / 2) {
                    let why = format!(
                        "its entries start with number {start}, and those from {} on are missing: \
                         they are not replayed",
                        next.unwrap_or_default()
                    );
                    self.problems.push(Error::corrupt(&*log.name, 4, why));
                }
                continue;
            }
            let replayed =
                match entry::replay(&log.reader, start, &mut self.replayed, &mut self.hive) {
                    Ok(replayed) => replayed,
                    Err(error) => return Err(error.within(&log.name)),
                };
            next = Some(replayed.next);
            if let Some(bins_size) = replayed.bins_size {
                base = Some(BaseBlock { bins_size, ..log.base });
            }
            if let Some(damage) = replayed.damage {
                let damage = damage.within(&log.name);
                if base.is_some() { self.problems.push(damage) } else { refused.push(damage) }
            }
        }
        Ok(base)
    }

    fn replay_old(
        &mut self,
        mut logs: Vec<Log>,
        refused: &mut Vec<Problem>,
    ) -> Result<Option<BaseBlock>> {
        // The first of those that are equally late.
        logs.sort_by_key(|log| std::cmp::Reverse(log.base.last_written));
        for log in logs {
            if log.base.last_written < self.last_written {
                let why = "it is older than the hive";
                refused.push(Error::corrupt(&*log.name, 12, why));
                continue;
            }
            match dirty_vector::replay(&log.reader, log.base.bins_size, &mut self.hive) {
                Ok(()) => return Ok(Some(log.base)),
                Err(error) if is_damage(&error) => refused.push(error.within(&log.name)),
                Err(error) => return Err(error.within(&log.name)),
            }
        }
        Ok(None)
    }
}

fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported)
}

/// Opens a log that may be used.
fn open(reader: Arc<dyn ReadAt>, name: String) -> Result<Log> {
    let base = BaseBlock::read(&*reader)?;
    if base.file_type == FileType::Primary {
        return Err(Error::corrupt("registry base block", 28, "it is no log but a hive"));
    }
    if base.is_dirty() {
        let why = "the log itself was not written completely";
        return Err(Error::corrupt("registry base block", 4, why));
    }
    Ok(Log { reader, base, name })
}

#[cfg(test)]
mod tests;
