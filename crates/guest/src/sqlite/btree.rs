//! The tree of a table: interior pages that lead to leaves, leaves whose cells are the rows, and the
//! chains of pages that long rows run over into.

use std::collections::HashSet;
use std::ops::ControlFlow;

use fathom_block::{Error, Fields, Result};

use super::Visit;
use super::page::{HEADER, Pages};
use super::record::{Record, varint};
use crate::damage::Damage;

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// How deep a tree may be, as in SQLite.
const MAX_DEPTH: usize = 20;

/// The longest row that is read.
const MAX_ROW: u64 = 64 << 20;

/// Shows every row of the tree that begins at the page `root`.
pub(super) fn walk(pages: &Pages, root: u32, visit: Visit<'_>) {
    let mut walk = Walk { pages, used: HashSet::new(), damage: Damage::default(), visit };
    let mut todo = vec![(root, 0)];
    while let Some((page, depth)) = todo.pop() {
        let flow = match walk.page(page, depth) {
            Ok((children, flow)) => {
                todo.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
                flow
            }
            Err(error) => walk.damaged(error),
        };
        if flow.is_break() {
            return;
        }
    }
}

struct Walk<'a, 'b> {
    pages: &'a Pages,
    /// The pages that have been read, each of which has one use.
    used: HashSet<u32>,
    damage: Damage,
    visit: Visit<'b>,
}

impl Walk<'_, '_> {
    fn damaged(&mut self, error: Error) -> ControlFlow<()> {
        self.damage.tell(error, "tree", |error| (self.visit)(Err(error)))
    }

    fn take(&mut self, number: u32) -> Result<Vec<u8>> {
        let bytes = self.pages.read(number)?;
        if !self.used.insert(number) {
            let why = format!("page {number} is linked to twice");
            return Err(Error::corrupt("page", self.pages.offset(number), why));
        }
        Ok(bytes)
    }

    /// Shows the rows of a leaf; gives the children of an interior page.
    fn page(&mut self, number: u32, depth: usize) -> Result<(Vec<u32>, ControlFlow<()>)> {
        let bytes = self.take(number)?;
        let page = Fields::new("page", self.pages.offset(number), &bytes);
        if depth >= MAX_DEPTH {
            return Err(page.corrupt(0, format!("the tree is deeper than {MAX_DEPTH} pages")));
        }
        let start = if number == 1 { HEADER } else { 0 };
        let cells = usize::from(page.be_u16(start + 3)?);
        match page.u8(start)? {
            INTERIOR => {
                let mut children = Vec::new();
                for cell in 0..cells {
                    let at = page.be_u16(start + 12 + 2 * cell)?;
                    children.push(page.be_u32(at.into())?);
                }
                children.push(page.be_u32(start + 8)?);
                Ok((children, ControlFlow::Continue(())))
            }
            LEAF => {
                // Cells do not share bytes, so together they are no longer than the page.
                let mut room = self.pages.usable();
                for cell in 0..cells {
                    let at = usize::from(page.be_u16(start + 8 + 2 * cell)?);
                    let flow = match self.row(&page, at, &mut room) {
                        Ok((id, row)) => (self.visit)(Ok(Record::new(id, &row))),
                        Err(error) => self.damaged(error),
                    };
                    if flow.is_break() {
                        return Ok((Vec::new(), flow));
                    }
                }
                Ok((Vec::new(), ControlFlow::Continue(())))
            }
            kind => Err(page.corrupt(start, format!("page {number} of a table has type {kind}"))),
        }
    }

    /// The row of the cell at `at`.
    fn row(&mut self, page: &Fields<'_>, at: usize, room: &mut usize) -> Result<(i64, Vec<u8>)> {
        let (length, length_size) = varint(page, at)?;
        let (id, id_size) = varint(page, at + length_size)?;
        let content = at + length_size + id_size;
        if length > MAX_ROW {
            let why = format!("a row of {length} bytes; at most {MAX_ROW} are read");
            return Err(page.corrupt(at, why));
        }
        let length = length as usize;
        let local = local(length, self.pages.usable());
        *room = room.checked_sub(local).ok_or_else(|| page.corrupt(at, "cells share bytes"))?;
        let mut row = page.bytes(content, local)?.to_vec();
        if local < length {
            let mut next = page.be_u32(content + local)?;
            while row.len() < length {
                let bytes = self.take(next).map_err(|error| error.within("overflow"))?;
                let overflow = Fields::new("overflow", self.pages.offset(next), &bytes);
                let portion = (length - row.len()).min(self.pages.usable() - 4);
                row.extend_from_slice(overflow.bytes(4, portion)?);
                next = overflow.be_u32(0)?;
            }
        }
        Ok((id as i64, row))
    }
}

/// How many of the bytes of a row lie in its leaf.
fn local(length: usize, usable: usize) -> usize {
    let most = usable - 35;
    if length <= most {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (length - least) % (usable - 4);
    if fitting <= most { fitting } else { least }
}
