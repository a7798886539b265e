//! The guest's bytes.
//!
//! A read is mapped in full before anything is fetched. Then everything that lies in this image is
//! fetched with one call to what is beneath, and everything that does not with one call to the
//! backing file, each straight into the caller's buffers.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::l2::Place;
use super::map::Map;
use super::unpack::{Packed, Unpacker};
use crate::error::{Error, Result};
use crate::read::{ReadAt, check_range};

/// A plan with more pieces than this is carried out before it grows further.
const MAX_PIECES: usize = 16 << 10;

/// How many runs the search for data looks at before it calls what follows data.
const MAX_RUNS: usize = 16 << 10;

/// How many ranges of the file one hint becomes.
const MAX_HINTS: usize = 1024;

/// The guest disk of one image, or of one snapshot in it.
pub(super) struct Reader {
    pub(super) size: u64,
    pub(super) map: Map,
    /// What the image goes by in messages.
    pub(super) name: String,
    /// Where plain clusters are: the image itself, or its external data file.
    pub(super) data: Arc<dyn ReadAt>,
    pub(super) data_name: String,
    /// Where compressed clusters are: never in an external data file.
    pub(super) unpacker: Unpacker,
    pub(super) backing: Option<Backing>,
}

/// What lies beneath an image.
pub(super) struct Backing {
    reader: Arc<dyn ReadAt>,
    /// The last place asked for data, and the answer. Holes of this image are asked for one after
    /// another, and an answer may have cost a search to the end of the disk.
    answer: Mutex<Option<(u64, Option<Range<u64>>)>>,
}

/// What a read comes down to.
#[derive(Default)]
struct Plan<'a> {
    data: Vec<(u64, &'a mut [u8])>,
    packed: Vec<Packed<'a>>,
    backing: Vec<(u64, &'a mut [u8])>,
}

impl Plan<'_> {
    fn pieces(&self) -> usize {
        self.data.len() + self.packed.len() + self.backing.len()
    }
}

impl Reader {
    fn named(&self, error: Error) -> Error {
        error.of_image(&self.name)
    }

    /// Adds the read of `buf` at `offset` to the plan.
    fn plan<'a>(&self, offset: u64, mut buf: &'a mut [u8], plan: &mut Plan<'a>) -> Result<()> {
        let end = offset + buf.len() as u64;
        let mut at = offset;
        while !buf.is_empty() {
            let extent = self.map.extent(at, end).map_err(|error| self.named(error))?;
            let piece;
            (piece, buf) = buf.split_at_mut(extent.length as usize);
            match extent.place {
                Place::Zero => piece.fill(0),
                Place::Hole => self.plan_beneath(at, piece, plan),
                Place::Data(host) => plan.data.push((host, piece)),
                Place::Compressed { cluster, within } => {
                    let mut part = Packed { cluster, within: within as usize, buf: piece };
                    if !self.unpacker.recall(&mut part) {
                        plan.packed.push(part);
                    }
                }
            }
            at += extent.length;
            if plan.pieces() >= MAX_PIECES {
                self.carry_out(std::mem::take(plan))?;
            }
        }
        Ok(())
    }

    /// Plans to read what this image does not have: from the backing file as far as that goes.
    fn plan_beneath<'a>(&self, at: u64, piece: &'a mut [u8], plan: &mut Plan<'a>) {
        let there = self.backing.as_ref().map_or(0, |backing| backing.reader.len());
        let there = (piece.len() as u64).min(there.saturating_sub(at));
        let (beneath, beyond) = piece.split_at_mut(there as usize);
        beyond.fill(0);
        if !beneath.is_empty() {
            plan.backing.push((at, beneath));
        }
    }

    /// The first data among allocated clusters. A preallocated image has clusters for everything,
    /// and the file beneath holes where they are.
    fn data_on_disk(&self, host: u64, guest: Range<u64>) -> Option<Range<u64>> {
        let stop = host.saturating_add(guest.end - guest.start);
        if stop > self.data.len() {
            // Reading it will fail, which must be seen.
            return Some(guest);
        }
        let data = self.data.next_data(host)?;
        let (start, end) = (data.start.max(host), data.end.min(stop));
        (start < end).then(|| guest.start + (start - host)..guest.start + (end - host))
    }

    fn carry_out(&self, mut plan: Plan<'_>) -> Result<()> {
        if !plan.packed.is_empty() {
            self.unpacker
                .read(&*self.data, plan.data, plan.packed)
                .map_err(|error| self.named(error))?;
        } else if !plan.data.is_empty() {
            self.data.read_many(&mut plan.data).map_err(|error| error.of_image(&self.data_name))?;
        }
        match &self.backing {
            Some(backing) if !plan.backing.is_empty() => {
                backing.reader.read_many(&mut plan.backing)
            }
            _ => Ok(()),
        }
    }
}

impl ReadAt for Reader {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut plan = Plan::default();
        for (offset, buf) in reads {
            check_range(*offset, buf.len(), self.size)?;
            self.plan(*offset, buf, &mut plan)?;
        }
        self.carry_out(plan)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let (mut own, mut beneath) = (Vec::new(), Vec::new());
        for range in ranges {
            let (mut at, end) = (range.start, range.end.min(self.size));
            while at < end && own.len() + beneath.len() < MAX_HINTS {
                let Ok(extent) = self.map.extent(at, end) else {
                    break;
                };
                match extent.place {
                    Place::Data(host) => own.push(host..host.saturating_add(extent.length)),
                    Place::Compressed { cluster, .. } => {
                        own.push(cluster.offset..cluster.offset + cluster.length);
                    }
                    Place::Hole => beneath.push(at..at + extent.length),
                    Place::Zero => {}
                }
                at += extent.length;
            }
        }
        if !own.is_empty() {
            self.data.prefetch(&own);
        }
        match &self.backing {
            Some(backing) if !beneath.is_empty() => backing.reader.prefetch(&beneath),
            _ => {}
        }
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let mut found: Option<Range<u64>> = None;
        let mut at = offset;
        for _ in 0..MAX_RUNS {
            if at >= self.size {
                return found;
            }
            let Ok(extent) = self.map.extent(at, self.size) else {
                return found.or(Some(at..self.size));
            };
            let end = at + extent.length;
            let data = match extent.place {
                Place::Zero => None,
                Place::Compressed { .. } => Some(at..end),
                Place::Data(host) => self.data_on_disk(host, at..end),
                Place::Hole => self.backing.as_ref().and_then(|backing| backing.data(at..end)),
            };
            match (data, &mut found) {
                (Some(data), Some(found)) if data.start == found.end => found.end = data.end,
                (Some(data), None) => found = Some(data),
                (_, Some(_)) => return found,
                (None, None) => {}
            }
            // A piece that ends before its extent does is followed by a hole.
            if found.as_ref().is_some_and(|found| found.end < end) {
                return found;
            }
            at = end;
        }
        // Enough searched for one call. To say "data" is always right, and the next call goes on.
        found.or_else(|| Some(at..(at + self.map.layout.cluster_size()).min(self.size)))
    }
}

impl Backing {
    pub(super) fn new(reader: Arc<dyn ReadAt>) -> Self {
        Self { reader, answer: Mutex::new(None) }
    }

    /// The first data within `hole`, if there is any.
    pub(super) fn data(&self, hole: Range<u64>) -> Option<Range<u64>> {
        let known = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let data = match known {
            Some((asked, data))
                if asked <= hole.start
                    && data.as_ref().is_none_or(|data| hole.start < data.end) =>
            {
                data
            }
            _ => {
                let data = self.reader.next_data(hole.start);
                let answer = Some((hole.start, data.clone()));
                *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
                data
            }
        }?;
        let (start, end) = (data.start.max(hole.start), data.end.min(hole.end));
        (start < end).then_some(start..end)
    }
}
