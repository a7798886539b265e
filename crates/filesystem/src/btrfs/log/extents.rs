//! Extents in the merge: those of the log take the place of whatever parts of others they overlap.

use fathom_block::{Error, Fields, Result};

use super::Sums;
use super::draft::{Draft, field};
use crate::btrfs::block::Item;
use crate::btrfs::extent::{REGULAR, TYPE_INLINE, TYPE_PREALLOCATED, TYPE_REGULAR};
use crate::btrfs::features;
use crate::btrfs::key::{Key, kind};

/// What the merge has to know of an extent item. It is not otherwise judged here: whoever reads the
/// file does that.
struct Span {
    kind: u8,
    /// Whether it has space on the disk.
    has_space: bool,
    offset: u64,
    length: u64,
}

impl Span {
    fn parse(fields: &Fields<'_>) -> Result<Self> {
        let kind = fields.u8(20)?;
        match kind {
            TYPE_INLINE => Ok(Self { kind, has_space: true, offset: 0, length: fields.le_u64(8)? }),
            TYPE_REGULAR | TYPE_PREALLOCATED => Ok(Self {
                kind,
                has_space: fields.le_u64(21)? != 0,
                offset: fields.le_u64(37)?,
                length: fields.le_u64(45)?,
            }),
            other => Err(fields.corrupt(20, format!("type {other}"))),
        }
    }
}

impl Draft {
    /// Cuts the bytes from `start` to `end` out of the extents of a file (`btrfs_drop_extents`) and
    /// says how many of them had space.
    pub(super) fn cut_extents(&mut self, number: u64, start: u64, end: u64) -> Result<u64> {
        let mut hit: Vec<(Item, Span, u64)> = Vec::new();
        let mut cursor = self.tree.cursor_around(Key::new(number, kind::EXTENT_DATA, start))?;
        while let Some(item) = cursor.next()? {
            if !item.key.is(number, kind::EXTENT_DATA) || item.key.offset >= end {
                break;
            }
            let fields = item.fields("Btrfs file extent");
            let span = Span::parse(&fields)?;
            let Some(extent_end) = item.key.offset.checked_add(span.length) else {
                return Err(fields.corrupt(45, format!("{} bytes", span.length)));
            };
            // One without any length is taken away with those around it.
            if extent_end > start || (span.length == 0 && extent_end == start) {
                hit.push((item, span, extent_end));
            }
        }
        let mut found: u64 = 0;
        for (item, span, extent_end) in hit {
            let first = item.key.offset;
            let (left, right) = (first < start, end < extent_end);
            if span.kind == TYPE_INLINE && (left || right) {
                let why = "bytes in the middle of an inline extent are replaced";
                return Err(Error::corrupt("Btrfs log", item.place(), why));
            }
            if span.has_space {
                found = found.saturating_add(extent_end.min(end) - first.max(start));
            }
            self.remove(item.key);
            if left {
                self.put_part(&item, first, span.offset, start - first)?;
            }
            if right {
                let skipped = end - first;
                let offset = span.offset.checked_add(skipped).ok_or_else(|| {
                    Error::corrupt("Btrfs file extent", item.place(), "its offset is too large")
                })?;
                self.put_part(&item, end, offset, extent_end - end)?;
            }
        }
        Ok(found)
    }

    /// Puts a part of an extent as one of its own.
    fn put_part(&mut self, item: &Item, start: u64, offset: u64, length: u64) -> Result<()> {
        let mut bytes = item.fields("Btrfs file extent").bytes(0, REGULAR)?.to_vec();
        bytes[37..45].copy_from_slice(&offset.to_le_bytes());
        bytes[45..53].copy_from_slice(&length.to_le_bytes());
        self.put(Key { offset: start, ..item.key }, bytes, item.place())
    }

    /// Merges an extent of the log (`replay_one_extent`).
    pub(super) fn replay_extent(&mut self, item: &Item) -> Result<()> {
        let superblock = &self.tree.store.superblock;
        let sector = u64::from(superblock.sector_size);
        let no_holes = superblock.incompat.has(features::NO_HOLES);
        let fields = item.fields("Btrfs file extent");
        let span = Span::parse(&fields)?;
        let (number, start) = (item.key.objectid, item.key.offset);
        let inline = span.kind == TYPE_INLINE;
        let nbytes = if span.has_space { span.length } else { 0 };
        let end = start.checked_add(span.length).and_then(|end| match inline {
            true => end.checked_next_multiple_of(sector),
            false => Some(end),
        });
        let Some(end) = end else {
            return Err(fields.corrupt(45, format!("{} bytes at byte {start}", span.length)));
        };
        self.needs_inode(number, item.place())?;
        if !inline
            && let Some(known) = self.get(&item.key)?
            && known.bytes() == item.bytes()
        {
            return Ok(());
        }
        let found = self.cut_extents(number, start, end)?;
        if inline || span.has_space || !no_holes {
            self.put(item.key, item.bytes().to_vec(), item.place())?;
        }
        self.change(number, field::NBYTES, |before| {
            before.saturating_add(nbytes).saturating_sub(found)
        })
    }
}

/// Adds the checksums that start with that of the sector at `start`; where some are known already,
/// the new ones count.
pub(super) fn add_sums(sums: &mut Sums, start: u64, bytes: &[u8], sector: u64, size: usize) {
    let end_of =
        |start: u64, bytes: &[u8]| start.saturating_add((bytes.len() / size) as u64 * sector);
    let end = end_of(start, bytes);
    let over: Vec<u64> = sums
        .range(..end)
        .rev()
        .take_while(|(other, bytes)| end_of(**other, bytes) > start)
        .map(|(other, _)| *other)
        .collect();
    for other in over {
        let Some(mut known) = sums.remove(&other) else {
            continue;
        };
        if end_of(other, &known) > end {
            let from = ((end - other) / sector) as usize * size;
            sums.insert(end, known[from..].to_vec());
        }
        if other < start {
            known.truncate(((start - other) / sector) as usize * size);
            sums.insert(other, known);
        }
    }
    if end > start {
        sums.insert(start, bytes.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_do_not_overlap_and_the_last_ones_count() {
        let mut sums = Sums::new();
        add_sums(&mut sums, 0, &[1, 2, 3, 4, 5, 6], 4096, 1);
        add_sums(&mut sums, 8192, &[9, 9], 4096, 1);
        assert_eq!(
            sums.clone().into_iter().collect::<Vec<_>>(),
            [(0, vec![1, 2]), (8192, vec![9, 9]), (16384, vec![5, 6])]
        );
        add_sums(&mut sums, 4096, &[7; 4], 4096, 1);
        assert_eq!(
            sums.into_iter().collect::<Vec<_>>(),
            [(0, vec![1]), (4096, vec![7; 4]), (20480, vec![6])]
        );
    }
}
