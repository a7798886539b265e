//! Where the log ends and where its replay starts.
//!
//! The head is where the cycle numbers drop. Writes near it may have been under way when the
//! machine stopped, several at once and in any order, so what lies shortly before the drop is gone
//! through again: for blocks that an older cycle left there, for a record that is cut short, and
//! for records whose checksum fails. The last whole record names the tail. The rules are those of
//! `xlog_find_tail` in Linux.

use fathom_block::{Error, ErrorKind, Result};

use super::record::Header;
use super::ring::{Ring, cycle, is_header};
use crate::xfs::superblock::BASIC_BLOCK;

/// How many records may be under way at once (`XLOG_MAX_ICLOGS`).
const IN_FLIGHT: u64 = 8;

/// `XLOG_UNMOUNT_TRANS`: the operation that a filesystem is unmounted with.
const UNMOUNT: u8 = 0x20;

/// What the log says of the filesystem.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was unmounted, or never mounted.
    Clean,
    /// The records from block `tail` up to block `head` have to be replayed.
    Dirty {
        /// Where the replay starts.
        tail: u64,
        /// Where it ends.
        head: u64,
    },
}

/// Finds the head and the tail.
pub(super) fn find(ring: &Ring) -> Result<State> {
    let Some(head) = by_cycles(ring)? else {
        return Ok(State::Clean);
    };
    let last = last_record(ring, head, head)?;
    if is_unmount(ring, &last, head)? {
        return Ok(State::Clean);
    }
    let (last, head) = whole(ring, last, head)?;
    if is_unmount(ring, &last, head)? {
        return Ok(State::Clean);
    }
    let tail = whole_tail(ring, last.tail, head, last.blocks())?;
    Ok(if tail == head { State::Clean } else { State::Dirty { tail, head } })
}

/// The head as the cycle numbers show it; `None` in a log that was never written.
fn by_cycles(ring: &Ring) -> Result<Option<u64>> {
    let (first, last) = (ring.cycle(0)?, ring.cycle(ring.blocks - 1)?);
    if first == 0 {
        return Ok(None);
    }
    let window = ring.longest * IN_FLIGHT;
    if last == 0 {
        // The first round: what was not reached yet is zero.
        let drop = first_with(ring, 0)?;
        let start = drop.saturating_sub(window);
        let head = find_cycle(ring, start, drop - start, 0)?.unwrap_or(drop);
        let Trim::Head(head) = trim(ring, start, head, 0)? else {
            return Err(no_record(ring));
        };
        return Ok(Some(head));
    }
    // Blocks of `old` are of the round before. Where all have the same cycle the round has just
    // ended.
    let (drop, old) = if first == last {
        (ring.blocks, last.wrapping_sub(1))
    } else {
        (first_with(ring, last)?, last)
    };
    let window = window.min(ring.blocks);
    let mut head = drop;
    if drop >= window {
        head = find_cycle(ring, drop - window, window, old)?.unwrap_or(drop);
    } else {
        let wrapped = window - drop;
        let older = old.wrapping_sub(1);
        match find_cycle(ring, ring.blocks - wrapped, wrapped, older)? {
            Some(found) => head = found,
            None => head = find_cycle(ring, 0, drop, old)?.unwrap_or(head),
        }
    }
    let start = head.saturating_sub(ring.longest);
    head = match trim(ring, start, head, 0)? {
        Trim::Head(head) => head,
        Trim::Beyond if start > 0 => return Err(no_record(ring)),
        Trim::Beyond => {
            // The record that the head lies in started before the end of the ring.
            let start = ring.blocks - (ring.longest - head).min(ring.blocks);
            match trim(ring, start, ring.blocks, head)? {
                Trim::Head(found) if found != ring.blocks => found,
                Trim::Head(_) => head,
                Trim::Beyond => return Err(no_record(ring)),
            }
        }
    };
    Ok(Some(head % ring.blocks))
}

/// The first block of the cycle, given that block 0 has another and the last block has it.
fn first_with(ring: &Ring, wanted: u32) -> Result<u64> {
    let (mut low, mut high) = (0, ring.blocks - 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if ring.cycle(middle)? == wanted { high = middle } else { low = middle }
    }
    Ok(high)
}

/// The first of `count` blocks that has the cycle.
fn find_cycle(ring: &Ring, start: u64, count: u64, wanted: u32) -> Result<Option<u64>> {
    let bytes = ring.read(start, count)?;
    let mut blocks = bytes.chunks(BASIC_BLOCK as usize);
    Ok(blocks.position(|block| cycle(block) == wanted).map(|index| start + index as u64))
}

/// What [`trim`] found.
enum Trim {
    /// The head, moved to the start of the record that it cuts short.
    Head(u64),
    /// No record starts between the start and the head.
    Beyond,
}

/// Moves the head to the start of the last record before it, unless that record ends just there.
/// `further` blocks of the record lie at the start of the ring.
fn trim(ring: &Ring, start: u64, head: u64, further: u64) -> Result<Trim> {
    let bytes = ring.read(start, head - start)?;
    let blocks = bytes.chunks(BASIC_BLOCK as usize);
    let Some(index) = blocks.rev().position(is_header) else {
        return Ok(Trim::Beyond);
    };
    let at = head - 1 - index as u64;
    let record = Header::read(ring, at)?;
    let whole = record.blocks() == head - at + further;
    Ok(Trim::Head(if whole { head } else { at }))
}

fn no_record(ring: &Ring) -> Error {
    Error::corrupt("XFS log", ring.place(0), "no record is found before its head")
}

/// The last record before `before`, not going past `stop`.
fn last_record(ring: &Ring, before: u64, stop: u64) -> Result<Header> {
    let found = records_before(ring, before, stop, 1)?;
    found.last().map(|at| Header::read(ring, *at)).unwrap_or_else(|| Err(no_record(ring)))
}

/// The blocks where the last `count` records before `before` start, the last one first. Where
/// `before` and `stop` are the same the whole ring is searched.
fn records_before(ring: &Ring, before: u64, stop: u64, count: usize) -> Result<Vec<u64>> {
    let mut left = match ring.distance(stop, before) {
        0 => ring.blocks,
        distance => distance,
    };
    let mut end = before;
    let mut found = Vec::new();
    while left > 0 {
        // Read backwards, no further than the start of the ring at once.
        let end_here = if end == 0 { ring.blocks } else { end };
        let step = left.min(end_here).min(ring.longest);
        let start = end_here - step;
        let bytes = ring.read(start, step)?;
        for (index, block) in bytes.chunks(BASIC_BLOCK as usize).enumerate().rev() {
            if is_header(block) {
                found.push(start + index as u64);
                if found.len() == count {
                    return Ok(found);
                }
            }
        }
        left -= step;
        end = start;
    }
    Ok(found)
}

/// The last record that is whole, and where it ends: records that were under way when the machine
/// stopped are left out.
fn whole(ring: &Ring, last: Header, head: u64) -> Result<(Header, u64)> {
    let recent = records_before(ring, head, last.tail, IN_FLIGHT as usize)?;
    let Some(start) = recent.last() else {
        return Ok((last, head));
    };
    let Some((bad, _)) = first_bad(ring, *start, head)? else {
        return Ok((last, head));
    };
    let last = last_record(ring, bad, last.tail)?;
    Ok((last, bad))
}

/// The tail, moved on past records that the writes under way at the head have run into.
fn whole_tail(ring: &Ring, tail: u64, head: u64, record: u64) -> Result<u64> {
    let mut at = tail;
    for _ in 0..=IN_FLIGHT * record {
        let Some((bad, error)) = first_bad(ring, at, head)? else {
            return Ok(at);
        };
        if ring.distance(head, bad) > IN_FLIGHT * record {
            return Err(error);
        }
        // The next block where a record starts.
        let mut next = ring.after(bad, 1);
        while next != head
            && ring.distance(bad, next) <= 2 * ring.longest
            && !is_header(&ring.read(next, 1)?)
        {
            next = ring.after(next, 1);
        }
        if next == head || ring.distance(bad, next) > 2 * ring.longest {
            return Err(error);
        }
        at = next;
    }
    Ok(at)
}

/// The first record from `tail` up to `head` that is not whole, and what is wrong with it.
fn first_bad(ring: &Ring, tail: u64, head: u64) -> Result<Option<(u64, Error)>> {
    let mut bad = None;
    super::records(ring, tail, head, |header, body| {
        match body {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                bad = Some((header, error));
                Ok(false)
            }
            // What cannot be read is not therefore a write that was under way.
            Err(error) => Err(error),
        }
    })?;
    Ok(bad)
}

/// Whether the record is the one that a filesystem is unmounted with, and the last.
fn is_unmount(ring: &Ring, last: &Header, head: u64) -> Result<bool> {
    if last.end(ring) != head || last.operations != 1 {
        return Ok(false);
    }
    let operation = ring.read(last.first_operation(ring), 1)?;
    Ok(operation.get(9).is_some_and(|flags| flags & UNMOUNT != 0))
}
