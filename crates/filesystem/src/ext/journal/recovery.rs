//! How far the log is valid, and which copy of each block is the last.
//!
//! The log starts where its superblock says, with the transaction that it says, and goes on as long
//! as there is a commit for each. What ends it is judged as the kernel does: blocks that belong to
//! an older round of the ring simply end it, while a checksum that fails inside a transaction that
//! was committed is damage.

use std::collections::{BTreeMap, HashMap};

use fathom_block::{Error, Fields, Problem, ReadAt as _, Result};

use super::super::checksum::crc32_be;
use super::super::superblock::Superblock;
use super::block::{self, Kind, Tag};
use super::log::Log;
use super::superblock::MAGIC;
use crate::overlay::{Overlay, Patch};

const WHAT: &str = "ext journal";

/// The most blocks that are replayed: a journal of 16 GiB in blocks of 4 KiB.
const MAX_BLOCKS: usize = 4 << 20;

/// How many bytes of copies are read at once to verify their checksums.
const PORTION: usize = 1 << 20;

/// The last copy of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Copy {
    /// Where it is in the journal.
    at: u64,
    sequence: u32,
    tag: Tag,
}

/// What a scan of the log finds.
#[derive(Default)]
pub(super) struct Scan {
    copies: BTreeMap<u64, Copy>,
    /// The last transaction that revoked each block.
    revoked: HashMap<u64, u32>,
    /// The transaction that would come next.
    pub(super) sequence: u32,
    /// Nothing suggests that the log should go on.
    pub(super) complete: bool,
    pub(super) problems: Vec<Problem>,
}

/// A transaction that has no commit yet.
struct Open {
    copies: Vec<Copy>,
    revoked: Vec<u64>,
    /// The checksum over all its blocks.
    sum: u32,
    /// The first of its blocks with a wrong checksum.
    damage: Option<Error>,
}

impl Default for Open {
    fn default() -> Self {
        Self { copies: Vec::new(), revoked: Vec::new(), sum: !0, damage: None }
    }
}

/// Goes through the log.
pub(super) fn scan(log: &Log) -> Result<Scan> {
    let journal = &log.superblock;
    let mut scan = Scan { sequence: journal.sequence, complete: true, ..Scan::default() };
    let mut open = Open::default();
    let mut at = u64::from(journal.start);
    // What may still be read before the log has gone round.
    let mut left = u64::from(journal.last - journal.first);
    let mut last_seconds = 0;
    while left > 0 {
        let (offset, bytes) = match log.block(at) {
            Ok(found) => found,
            Err(error) => {
                scan.end(error);
                break;
            }
        };
        let fields = Fields::new(WHAT, offset, &bytes);
        let Some((kind, sequence)) = block::header(&fields)? else {
            break;
        };
        if sequence != scan.sequence {
            break;
        }
        left -= 1;
        at = journal.wrap(at + 1);
        match kind {
            Kind::Descriptor => {
                open.check_tail(log, &fields)?;
                let tags = block::tags(journal, &fields)?;
                let count = tags.len() as u64;
                if count > left {
                    break;
                }
                open.add(log, &fields, tags, at, sequence)?;
                if scan.copies.len() + open.copies.len() > MAX_BLOCKS {
                    let why = format!("it holds more than {MAX_BLOCKS} blocks");
                    return Err(Error::unsupported(WHAT, why));
                }
                left -= count;
                at = journal.wrap(at + count);
            }
            Kind::Revocation => {
                open.check_tail(log, &fields)?;
                match block::revoked(journal, &fields) {
                    Ok(blocks) => open.revoked.extend(blocks),
                    Err(damage) => open.damage = open.damage.or(Some(damage)),
                }
            }
            Kind::Commit => {
                let commit = block::commit(&fields)?;
                let damage = open.damage(log, &fields, &commit)?;
                match damage {
                    None => {
                        last_seconds = commit.seconds;
                        scan.commit(std::mem::take(&mut open));
                    }
                    // Older than the one before it: left from an earlier round.
                    Some(_) if commit.seconds < last_seconds => break,
                    // The commit may have been written first, and the machine have stopped then;
                    // unless the log goes on behind it.
                    Some(Damage::Commit(_))
                        if journal.async_commit && !goes_on(log, at, sequence) =>
                    {
                        break;
                    }
                    Some(Damage::Commit(damage) | Damage::Block(damage)) => {
                        scan.end(damage);
                        break;
                    }
                }
            }
            Kind::Other => break,
        }
    }
    Ok(scan)
}

/// Whether the next transaction starts at `at`.
fn goes_on(log: &Log, at: u64, sequence: u32) -> bool {
    let header =
        log.block(at).and_then(|(offset, bytes)| block::header(&Fields::new(WHAT, offset, &bytes)));
    matches!(header, Ok(Some((_, next))) if next == sequence.wrapping_add(1))
}

/// What is wrong with a transaction that has a commit.
enum Damage {
    /// A descriptor or a revocation.
    Block(Error),
    /// What the commit says.
    Commit(Error),
}

impl Open {
    fn check_tail(&mut self, log: &Log, fields: &Fields<'_>) -> Result<()> {
        if self.damage.is_none() && !block::has_valid_tail(&log.superblock, fields)? {
            self.damage = Some(fields.corrupt(fields.len() - 4, "the checksum fails"));
        }
        Ok(())
    }

    /// Adds the copies that follow a descriptor from `at` on.
    fn add(
        &mut self,
        log: &Log,
        fields: &Fields<'_>,
        tags: Vec<Tag>,
        at: u64,
        sequence: u32,
    ) -> Result<()> {
        let journal = &log.superblock;
        let places = (0..tags.len() as u64).map(|index| journal.wrap(at + index));
        if journal.transaction_checksums && self.damage.is_none() {
            self.sum = crc32_be(self.sum, fields.as_bytes());
            for place in places.clone() {
                match log.block(place) {
                    Ok((_, bytes)) => self.sum = crc32_be(self.sum, &bytes),
                    Err(error) => self.damage = Some(error),
                }
            }
        }
        self.copies.extend(places.zip(tags).map(|(at, tag)| Copy { at, sequence, tag }));
        Ok(())
    }

    /// What is wrong with the transaction, given its commit.
    fn damage(
        &self,
        log: &Log,
        fields: &Fields<'_>,
        commit: &block::Commit,
    ) -> Result<Option<Damage>> {
        /// `JBD2_CRC32_CHKSUM` and the size of such a checksum.
        const CRC32: (u8, u8) = (1, 4);
        let journal = &log.superblock;
        if let Some(damage) = &self.damage {
            return Ok(Some(Damage::Block(damage.clone())));
        }
        let (kind, size, sum) = commit.transaction;
        if journal.transaction_checksums
            && (kind, size, sum) != (0, 0, 0)
            && ((kind, size) != CRC32 || sum != self.sum)
        {
            let why = format!(
                "the checksum of the transaction is {sum:#010x}, but its blocks give {:#010x}",
                self.sum
            );
            return Ok(Some(Damage::Commit(fields.corrupt(16, why))));
        }
        if !block::is_valid_commit(journal, fields)? {
            return Ok(Some(Damage::Commit(fields.corrupt(16, "the checksum fails"))));
        }
        Ok(None)
    }
}

impl Scan {
    fn commit(&mut self, open: Open) {
        for copy in open.copies {
            self.copies.insert(copy.tag.block, copy);
        }
        for block in open.revoked {
            self.revoked.insert(block, self.sequence);
        }
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Ends the log with damage.
    fn end(&mut self, damage: Error) {
        self.complete = false;
        self.problems.push(damage.within(format!("transaction {}", self.sequence)));
    }

    /// The copies to show: the last one of each block, unless it has been revoked since.
    fn shown(&self) -> impl Iterator<Item = &Copy> {
        self.copies.values().filter(|copy| {
            // Numbers of transactions go round as clocks do.
            self.revoked
                .get(&copy.tag.block)
                .is_none_or(|revoked| (copy.sequence.wrapping_sub(*revoked) as i32) > 0)
        })
    }
}

/// Puts the copies in the place of the blocks. False if some are damaged: reading those blocks is
/// an error from then on.
pub(super) fn apply(
    log: &Log,
    scan: &Scan,
    superblock: &Superblock,
    overlay: &mut Overlay,
    problems: &mut Vec<Problem>,
) -> bool {
    /// One problem of a kind is enough.
    const SAID: usize = 8;
    let block_size = log.block_size as usize;
    let mut complete = true;
    let mut buffer = vec![0; PORTION.max(block_size)];
    let copies: Vec<&Copy> = scan.shown().collect();
    for portion in copies.chunks(PORTION / block_size) {
        let valid = verified(log, portion, &mut buffer);
        for (copy, outcome) in portion.iter().zip(valid) {
            let block = copy.tag.block;
            let outcome = outcome.and_then(|place| {
                if block < superblock.blocks_count {
                    return Ok(place);
                }
                let why = format!("a copy is for block {block} of {}", superblock.blocks_count);
                Err(Error::corrupt(WHAT, place, why))
            });
            let patch = match outcome {
                Ok(place) if copy.tag.escaped => Patch::Headed(place, MAGIC.to_be_bytes()),
                Ok(place) => Patch::Moved(place),
                Err(damage) => {
                    if problems.len() < SAID {
                        problems.push(damage.clone());
                    }
                    complete = false;
                    Patch::Lost(damage)
                }
            };
            overlay.replace(block, patch);
        }
    }
    complete
}

/// Where each copy is on the volume, if it is what its tag says.
fn verified(log: &Log, portion: &[&Copy], buffer: &mut [u8]) -> Vec<Result<u64>> {
    let journal = &log.superblock;
    let places: Vec<Result<u64>> = portion.iter().map(|copy| log.offset(copy.at)).collect();
    if !journal.has_checksums() {
        return places;
    }
    let mut reads: Vec<(u64, &mut [u8])> = places
        .iter()
        .zip(buffer.chunks_exact_mut(log.block_size as usize))
        .filter_map(|(place, part)| Some((*place.as_ref().ok()?, part)))
        .collect();
    let together = log.volume.read_many(&mut reads);
    let mut bytes = reads.into_iter();
    portion
        .iter()
        .zip(places)
        .map(|(copy, place)| {
            let place = place?;
            if let Some((offset, part)) = bytes.next() {
                if together.is_err() {
                    // One that cannot be read must not take the others with it.
                    log.volume.read_at(offset, part)?;
                }
                if block::is_valid_copy(journal, &copy.tag, copy.sequence, part) {
                    return Ok(place);
                }
            }
            let why = format!("the checksum of the copy of block {} fails", copy.tag.block);
            Err(Error::corrupt(WHAT, place, why))
        })
        .collect()
}
