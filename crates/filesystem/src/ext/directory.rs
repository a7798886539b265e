//! Directories: blocks of entries, one behind the other.
//!
//! An entry says how far it is to the next one; an entry for inode 0 is free. An index, where
//! there is one, hides in blocks that read as free entries, so that the names of every directory
//! can be read in the same way. With `metadata_csum` each block ends with its checksum, in what
//! reads as one more free entry.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use fathom_block::{Error, Fields, Result};

use super::checksum::crc32c;
use super::inode::{I_BLOCK, Inode};
use super::store::Store;
use super::{inline, tree};
use crate::node::FileType;

pub(super) const WHAT: &str = "ext directory";

/// An entry without its name.
const ENTRY: usize = 8;

/// The shortest entry: with a name of up to four bytes.
const SHORTEST: usize = 12;

/// The free entry that holds a block's checksum.
const TAIL: usize = 12;

/// How many runs of a directory's map are compared with each other. One of that many pieces has a
/// million names or more.
const MAX_COMPARED: usize = 64 << 10;

/// How many bytes of a directory are read at once.
const PORTION: u64 = 256 << 10;

/// One name.
pub(super) struct Entry<'a> {
    pub(super) inode: u32,
    pub(super) name: &'a [u8],
    pub(super) file_type: Option<FileType>,
}

/// What is called for every name; `Break` ends the walk.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>;

/// Shows every name of the directory but `.` and `..`. All that can be read is shown before the
/// first damage is told.
pub(super) fn scan(store: &Store, directory: &Inode, visit: Visit<'_>) -> Result<()> {
    let amended = store.amendments.of(directory.number);
    let mut flow = ControlFlow::Continue(());
    let mut outcome = Ok(());
    if !amended.is_some_and(|amended| amended.is_fresh()) {
        let mut kept = |entry: &Entry<'_>| {
            if amended.is_some_and(|amended| amended.name(entry.name).is_some()) {
                return ControlFlow::Continue(());
            }
            flow = visit(entry);
            flow
        };
        outcome = match directory.has_inline_data() {
            true => inline::scan(store, directory, &mut kept),
            false => scan_blocks(store, directory, &mut kept),
        };
    }
    if flow.is_continue() {
        for (name, inode) in amended.into_iter().flat_map(|amended| amended.gained()) {
            if visit(&Entry { inode, name, file_type: None }).is_break() {
                break;
            }
        }
    }
    outcome
}

fn scan_blocks(store: &Store, directory: &Inode, visit: Visit<'_>) -> Result<()> {
    let superblock = &store.superblock;
    let block_size = u64::from(superblock.block_size);
    let blocks = directory.size.div_ceil(block_size);
    let mut damage = None;
    // The block that must come next, and how many there may still be before they cannot all be
    // blocks of this volume.
    let mut next = 0;
    let mut left = superblock.blocks_count;
    let mut places = Places::default();
    let outcome = tree::visit(store, directory, 0..blocks, &mut |run| {
        if run.logical != next || run.physical.is_none() {
            damage.get_or_insert_with(|| hole(directory, next));
        }
        next = run.end();
        let Some(physical) = run.physical else {
            return ControlFlow::Continue(());
        };
        if run.blocks > left {
            damage
                .get_or_insert_with(|| directory.corrupt(4, "it has more blocks than the volume"));
            return ControlFlow::Break(());
        }
        left -= run.blocks;
        // Names that were shown are not shown again; those that should be here are lost.
        let overlaps = !places.add(physical, run.blocks);
        if overlaps {
            damage.get_or_insert_with(|| taken(directory, &run, physical));
        }
        let portion = PORTION / block_size;
        let mut done = 0;
        while done < run.blocks {
            let count = portion.min(run.blocks - done);
            let offset = superblock.offset(physical + done);
            match fathom_block::read_vec(&*store.volume, WHAT, offset, count * block_size) {
                Err(error) => {
                    damage.get_or_insert(error);
                }
                Ok(bytes) => {
                    for (index, block) in bytes.chunks_exact(block_size as usize).enumerate() {
                        if overlaps && places.have(physical + done + index as u64) {
                            continue;
                        }
                        let at = offset + index as u64 * block_size;
                        let fields = Fields::new(WHAT, at, block);
                        let logical = run.logical + done + index as u64;
                        let shown = check_checksum(store, directory, &fields, logical)
                            .and_then(|()| entries(store, directory, &fields, visit));
                        match shown {
                            Ok(ControlFlow::Continue(())) => {}
                            Ok(ControlFlow::Break(())) => return ControlFlow::Break(()),
                            Err(error) => {
                                damage.get_or_insert(error);
                            }
                        }
                    }
                }
            }
            done += count;
        }
        ControlFlow::Continue(())
    });
    outcome?;
    if let Some(damage) = damage {
        return Err(damage);
    }
    Ok(())
}

/// Where the blocks of a directory lie that were shown so far. No two can be at the same place; a
/// damaged list of blocks may have it so, and nothing else would tell.
#[derive(Default)]
struct Places(BTreeMap<u64, u64>);

impl Places {
    /// Adds blocks, unless some of them are there already.
    fn add(&mut self, start: u64, blocks: u64) -> bool {
        let end = start.saturating_add(blocks);
        let free = self.0.range(..end).next_back().is_none_or(|(_, last)| *last <= start);
        if free && self.0.len() < MAX_COMPARED {
            self.0.insert(start, end);
        }
        free
    }

    fn have(&self, block: u64) -> bool {
        self.0.range(..=block).next_back().is_some_and(|(_, last)| block < *last)
    }
}

fn taken(directory: &Inode, run: &tree::Run, physical: u64) -> Error {
    let why = format!(
        "the directory's block {} lies where another of its blocks does, at block {physical} of \
         the volume: names are missing",
        run.logical
    );
    directory.corrupt(I_BLOCK, why)
}

fn hole(directory: &Inode, block: u64) -> Error {
    directory.corrupt(4, format!("the directory's block {block} is missing"))
}

/// The block of the directory: where it is, and its bytes.
pub(super) fn block(store: &Store, directory: &Inode, logical: u64) -> Result<(u64, Vec<u8>)> {
    let physical =
        tree::find(store, directory, logical)?.ok_or_else(|| hole(directory, logical))?;
    let offset = store.superblock.offset(physical);
    let bytes = store.block(WHAT, physical)?;
    check_checksum(store, directory, &Fields::new(WHAT, offset, &bytes), logical)?;
    Ok((offset, bytes))
}

/// Shows the names among the entries that fill `fields`.
pub(super) fn entries(
    store: &Store,
    directory: &Inode,
    fields: &Fields<'_>,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>> {
    let mut at = 0;
    let mut damage = None;
    while at < fields.len() {
        let inode = fields.le_u32(at)?;
        let length = record_length(store, fields, at)?;
        let name_len = usize::from(fields.u8(at + 6)?);
        let left = fields.len() - at;
        if length < SHORTEST
            || length % 4 != 0
            || length < ENTRY + name_len
            || length > left
            || left - length > 0 && left - length < SHORTEST
        {
            let why = format!(
                "an entry is {length} bytes long, its name {name_len}; {left} bytes are left"
            );
            return Err(fields.corrupt(at + 4, why));
        }
        let name = fields.bytes(at + ENTRY, name_len)?;
        if inode != 0 && name != b"." && name != b".." {
            // What is encrypted may be any bytes.
            let odd = name.is_empty() || name.contains(&b'/') || name.contains(&0);
            if odd && !directory.is_encrypted() {
                let why = format!("a file is called \"{}\"", name.escape_ascii());
                damage.get_or_insert_with(|| fields.corrupt(at + ENTRY, why));
            } else {
                let file_type = match store.superblock.features.filetype() {
                    true => file_type(fields.u8(at + 7)?),
                    false => None,
                };
                if visit(&Entry { inode, name, file_type }).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        at += length;
    }
    damage.map_or(Ok(ControlFlow::Continue(())), Err)
}

/// `rec_len`. Sixteen bits are too few for a block of 64 KiB that is one entry.
fn record_length(store: &Store, fields: &Fields<'_>, at: usize) -> Result<usize> {
    let rec_len = fields.le_u16(at + 4)?;
    Ok(match (store.superblock.block_size, rec_len) {
        (65536, 0 | 65535) => 65536,
        (65536, rec_len) => usize::from(rec_len & !3) | usize::from(rec_len & 3) << 16,
        (_, rec_len) => usize::from(rec_len),
    })
}

fn file_type(stored: u8) -> Option<FileType> {
    FileType::from_directory(stored & 7)
}

/// Fails unless the block's checksum is right, where it has one. Blocks of an index keep it
/// elsewhere than blocks of names.
fn check_checksum(
    store: &Store,
    directory: &Inode,
    fields: &Fields<'_>,
    logical: u64,
) -> Result<()> {
    if !store.superblock.features.metadata_csum() {
        return Ok(());
    }
    let seed = directory.csum_seed(&store.superblock);
    let whole = fields.le_u32(0)? == 0 && record_length(store, fields, 0)? == fields.len();
    let (at, computed) = if directory.is_indexed() && (logical == 0 || whole) {
        // Behind the root's entries for `.` and `..` and its own facts; behind a node's free entry.
        let count_offset = if whole { 8 } else { 32 };
        let limit = usize::from(fields.le_u16(count_offset)?);
        let count = usize::from(fields.le_u16(count_offset + 2)?);
        let tail = count_offset + limit * 8;
        let sum = crc32c(seed, fields.bytes(0, count_offset + count * 8)?);
        let sum = crc32c(sum, fields.bytes(tail, 4)?);
        (tail + 4, crc32c(sum, &[0; 4]))
    } else {
        let tail = fields.len() - TAIL;
        if fields.bytes(tail, 8)? != [0, 0, 0, 0, TAIL as u8, 0, 0, 0xDE] {
            return Err(fields.corrupt(tail, "the block does not end with a checksum"));
        }
        (tail + 8, crc32c(seed, fields.bytes(0, tail)?))
    };
    let stored = fields.le_u32(at)?;
    if stored != computed {
        let why = format!("its checksum is {stored:#010x}, but its bytes give {computed:#010x}");
        return Err(fields.corrupt(at, why));
    }
    Ok(())
}
