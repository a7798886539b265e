//! Intents: what a chain of transactions has yet to do, so that a mount can finish it.
//!
//! Most are about free space, reverse mappings and reference counts, which no reader sees. Three
//! change what is read: extents mapped to a file (by a reflink), attributes set in steps, and
//! extents exchanged between files. Such an intent without its *done* item is not carried out here;
//! it is reported.

use std::collections::BTreeMap;

use fathom_block::{Error, Problem, Result};

use super::transaction::Item;

/// The most unfinished intents that are held in memory.
const MAX_UNFINISHED: usize = 1 << 20;

/// Kinds of items: the intent; its done item is the next number.
const EXTENTS: u16 = 0x1244;
const ATTRIBUTE: u16 = 0x1246;
const EXCHANGE: u16 = 0x1248;

/// Attribute operations from this one on are about parent pointers, which are not shown.
const PARENT_POINTERS: u32 = 4;

/// The intents that no done item has been seen for, by kind and identifier.
#[derive(Default)]
pub(super) struct Intents {
    unfinished: BTreeMap<(u16, u64), u64>,
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
                    self.unfinished.insert((kind, fields.le_u64(8)?), fields.le_u64(16)?);
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

    /// What a mount would still do, the first few in words.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let named = self.unfinished.iter().take(16).map(|((kind, _), inode)| {
            let what = match *kind {
                EXTENTS => "a change of extents (BUI)",
                ATTRIBUTE => "a change of attributes (ATTRI)",
                _ => "an exchange of extents (XMI)",
            };
            let why = format!("{what} of inode {inode} was under way and is not shown");
            Error::unsupported("XFS log", why)
        });
        named.collect()
    }
}
