//! Intents: what a chain of transactions has yet to do, so that a mount can finish it.
//!
//! Most are about free space, reverse mappings and reference counts, which no reader sees. Three
//! change what is read: extents mapped to a file or taken from it, attributes set in steps, and
//! extents exchanged between files in one go. The first kind, without its *done* item, is carried
//! out on the [extents as they are read](crate::xfs::remap); the others are reported.

use std::collections::BTreeMap;

use fathom_block::{Error, Problem, Result};

use super::transaction::Item;
use crate::xfs::remap::{Remap, Remaps};

/// The most unfinished intents that are held in memory.
const MAX_UNFINISHED: usize = 1 << 20;

/// How many of what is not done are told.
const MAX_PROBLEMS: usize = 16;

/// Kinds of items: the intent; its done item is the next number.
const EXTENTS: u16 = 0x1244;
const ATTRIBUTE: u16 = 0x1246;
const EXCHANGE: u16 = 0x1248;

/// Attribute operations from this one on are about parent pointers, which are not shown.
const PARENT_POINTERS: u32 = 4;

/// The intents that no done item has been seen for, by kind and identifier.
#[derive(Default)]
pub(super) struct Intents {
    unfinished: BTreeMap<(u16, u64), Intent>,
    /// How many there were, the finished ones too.
    seen: u64,
}

/// What is to be done to a file.
struct Intent {
    /// Its place among all: a mount keeps to the order of the log.
    order: u64,
    inode: u64,
    /// How it is done, where it can be.
    remap: Option<Remap>,
}

impl Intents {
    /// Notes an intent, or that one is done; says whether the item is either.
    pub(super) fn take(&mut self, item: &Item) -> Result<bool> {
        let kind = item.kind();
        let fields = item.fields();
        match kind {
            EXTENTS | ATTRIBUTE | EXCHANGE => {
                let parent = kind == ATTRIBUTE && fields.le_u32(24)? & 0xFF >= PARENT_POINTERS;
                // An intent about several extents is about one file.
                if !parent && (kind != EXTENTS || fields.le_u32(4)? > 0) {
                    let found = if kind == EXTENTS { Remap::parse(&fields)? } else { None };
                    let remap = found.map(|(_, remap)| remap);
                    let intent = Intent { order: self.seen, inode: fields.le_u64(16)?, remap };
                    self.seen += 1;
                    self.unfinished.insert((kind, fields.le_u64(8)?), intent);
                }
                if self.unfinished.len() > MAX_UNFINISHED {
                    let why = format!("more than {MAX_UNFINISHED} unfinished intents");
                    return Err(Error::unsupported("XFS log", why));
                }
                Ok(true)
            }
            0x1245 | 0x1247 | 0x1249 => {
                self.unfinished.remove(&(kind - 1, fields.le_u64(8)?));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// What a mount would still do: to the extents of files, and what is not done here, the first
    /// few in words.
    pub(super) fn finish(self) -> (Remaps, Vec<Problem>) {
        let mut remaps = Remaps::new();
        let mut problems = Vec::new();
        let mut intents: Vec<_> = self.unfinished.into_iter().collect();
        intents.sort_unstable_by_key(|(_, intent)| intent.order);
        for ((kind, _), intent) in intents {
            if let Some(remap) = intent.remap {
                remaps.entry(intent.inode).or_default().push(remap);
                continue;
            }
            if problems.len() >= MAX_PROBLEMS {
                continue;
            }
            let what = match kind {
                EXTENTS => "a change of extents (BUI)",
                ATTRIBUTE => "a change of attributes (ATTRI)",
                _ => "an exchange of extents (XMI)",
            };
            let why = format!("{what} of inode {} was under way and is not shown", intent.inode);
            problems.push(Error::unsupported("XFS log", why));
        }
        (remaps, problems)
    }
}
