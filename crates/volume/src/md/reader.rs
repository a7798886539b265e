//! The bytes of an array: from where they are, from another copy, or computed from the rest of their
//! stripe.

use std::ops::Range;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, check_range};

use super::geometry::{Geometry, Parity, Stripe};

/// How much is computed at once.
const PIECE: u64 = 64 << 10;

/// A member that is read.
pub(super) struct Device {
    /// Its data, from the first byte of that on.
    pub(super) data: Arc<dyn ReadAt>,
    /// What it is known not to hold, sorted.
    pub(super) bad: Vec<Range<u64>>,
}

/// An array.
pub(super) struct ArrayReader {
    /// What it is called in messages.
    pub(super) name: String,
    pub(super) geometry: Geometry,
    /// The members by their roles; `None` where none is there that may be read.
    pub(super) devices: Vec<Option<Device>>,
}

/// Where a stretch of bytes comes from.
enum Source {
    /// It lies on this member, at this byte of it.
    Member(usize, u64),
    /// It would lie on this member of the stripe, and is computed from the others.
    Computed(usize, Stripe),
}

impl Device {
    /// How many of `length` bytes from `at` on can be read; `None` where the first cannot.
    fn readable(&self, at: u64, length: u64) -> Option<u64> {
        if self.bad.iter().any(|bad| bad.contains(&at)) {
            return None;
        }
        let next = self.bad.iter().map(|bad| bad.start).filter(|start| *start > at).min();
        Some(next.map_or(length, |next| length.min(next - at)))
    }

    /// How many of `length` bytes from `at` on can be read or cannot, as the first.
    fn alike(&self, at: u64, length: u64) -> u64 {
        let end = self.bad.iter().find(|bad| bad.contains(&at)).map(|bad| bad.end);
        match end {
            Some(end) => length.min(end - at),
            None => self.readable(at, length).unwrap_or(length),
        }
    }
}

impl ArrayReader {
    fn device(&self, slot: usize) -> Option<&Device> {
        self.devices.get(slot)?.as_ref()
    }

    /// Where at most `length` bytes at `at` come from, and how many of them do.
    fn source(&self, at: u64, length: u64) -> Result<(Source, u64)> {
        let length = length.min(self.geometry.run(at));
        for copy in 0..self.geometry.copies() {
            let place = self.geometry.place(at, copy);
            let device = self.device(place.slot);
            if let Some(length) = device.and_then(|device| device.readable(place.at, length)) {
                return Ok((Source::Member(place.slot, place.at), length));
            }
        }
        let Geometry::Parity(parity) = &self.geometry else {
            return Err(self.lost(at));
        };
        Ok(self.computed(parity, at, length))
    }

    /// How bytes that no member holds come out of their stripe: as many at once as there is the
    /// same to compute them from.
    fn computed(&self, parity: &Parity, at: u64, length: u64) -> (Source, u64) {
        let stripe = parity.stripe(at);
        let length = self
            .devices
            .iter()
            .flatten()
            .fold(length.min(PIECE), |length, device| device.alike(stripe.at, length));
        (Source::Computed(self.geometry.place(at, 0).slot, stripe), length)
    }

    fn lost(&self, at: u64) -> Error {
        let why = "no member holds it, and it cannot be computed from the others";
        Error::corrupt(&self.name, at, why)
    }

    /// Computes what the member `slot` would hold of the stripe.
    fn compute(&self, at: u64, slot: usize, stripe: &Stripe, buf: &mut [u8]) -> Result<()> {
        let readable = |slot: usize| {
            self.device(slot).is_some_and(|device| device.readable(stripe.at, 1).is_some())
        };
        let parity = readable(stripe.parity);
        let second = stripe.second.filter(|second| readable(*second));
        let mut lost = stripe.data().filter(|data| *data != slot && !readable(*data));
        match (lost.next(), lost.next(), parity, second) {
            (None, _, true, _) => self.by_parity(slot, stripe, buf),
            (None, _, false, Some(second)) => self.by_second(slot, second, stripe, buf),
            (Some(other), None, true, Some(second)) => {
                self.by_both([slot, other], second, stripe, buf)
            }
            _ => Err(self.lost(at)),
        }
    }

    /// All of a stripe sum up to zero.
    fn by_parity(&self, slot: usize, stripe: &Stripe, buf: &mut [u8]) -> Result<()> {
        self.read_member(stripe.parity, stripe.at, buf)?;
        self.each_other(&[slot], stripe, buf.len(), |_, bytes| add(buf, bytes))
    }

    /// The second parity is the sum of all data, each multiplied by a coefficient of its own.
    fn by_second(&self, slot: usize, second: usize, stripe: &Stripe, buf: &mut [u8]) -> Result<()> {
        self.read_member(second, stripe.at, buf)?;
        self.each_other(&[slot], stripe, buf.len(), |other, bytes| {
            add_products(buf, bytes, &stripe.coefficient(other).table());
        })?;
        multiply(buf, &stripe.coefficient(slot).inverse().table());
        Ok(())
    }

    /// Of two that are lost, what is left of the first parity is their sum, and of the second their
    /// sum with coefficients: two equations of which the first unknown is solved.
    fn by_both(
        &self,
        [slot, other]: [usize; 2],
        second: usize,
        stripe: &Stripe,
        buf: &mut [u8],
    ) -> Result<()> {
        let (own, others) = (stripe.coefficient(slot), stripe.coefficient(other));
        let Some(sum) = own.plus(others) else {
            return Err(Error::corrupt(&self.name, stripe.at, "two members have one coefficient"));
        };
        let mut first = vec![0; buf.len()];
        self.read_member(stripe.parity, stripe.at, &mut first)?;
        self.read_member(second, stripe.at, buf)?;
        self.each_other(&[slot, other], stripe, buf.len(), |data, bytes| {
            add(&mut first, bytes);
            add_products(buf, bytes, &stripe.coefficient(data).table());
        })?;
        add_products(buf, &first, &others.table());
        multiply(buf, &sum.inverse().table());
        Ok(())
    }

    /// Shows `length` bytes of each member that holds data of the stripe, but of these.
    fn each_other(
        &self,
        but: &[usize],
        stripe: &Stripe,
        length: usize,
        mut show: impl FnMut(usize, &[u8]),
    ) -> Result<()> {
        let mut bytes = vec![0; length];
        for slot in stripe.data().filter(|slot| !but.contains(slot)) {
            self.read_member(slot, stripe.at, &mut bytes)?;
            show(slot, &bytes);
        }
        Ok(())
    }

    fn read_member(&self, slot: usize, at: u64, buf: &mut [u8]) -> Result<()> {
        match self.device(slot) {
            Some(device) => device.data.read_at(at, buf),
            None => Err(self.lost(at)),
        }
    }
}

/// Adds `bytes` to `sum`.
fn add(sum: &mut [u8], bytes: &[u8]) {
    for (sum, byte) in sum.iter_mut().zip(bytes) {
        *sum ^= byte;
    }
}

/// Adds the products of `bytes` and a factor to `sum`.
fn add_products(sum: &mut [u8], bytes: &[u8], factor: &[u8; 256]) {
    for (sum, byte) in sum.iter_mut().zip(bytes) {
        *sum ^= factor[usize::from(*byte)];
    }
}

/// Multiplies `bytes` by a factor.
fn multiply(bytes: &mut [u8], factor: &[u8; 256]) {
    for byte in bytes {
        *byte = factor[usize::from(*byte)];
    }
}

impl ReadAt for ArrayReader {
    fn len(&self) -> u64 {
        self.geometry.length()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut below: Vec<Vec<(u64, &mut [u8])>> = Vec::new();
        below.resize_with(self.devices.len(), Vec::new);
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.len())?;
            let mut at = range.start;
            let mut rest: &mut [u8] = buf;
            while !rest.is_empty() {
                let (source, length) = self.source(at, rest.len() as u64)?;
                let (part, after) = rest.split_at_mut(length as usize);
                match source {
                    Source::Member(slot, place) => below[slot].push((place, part)),
                    Source::Computed(slot, stripe) => self.compute(at, slot, &stripe, part)?,
                }
                rest = after;
                at += length;
            }
        }
        for (device, reads) in self.devices.iter().zip(&mut below) {
            if let Some(device) = device.as_ref().filter(|_| !reads.is_empty()) {
                device.data.read_many(reads)?;
            }
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        /// A hint is not worth more than this.
        const MOST: usize = 4096;
        let mut below: Vec<Vec<Range<u64>>> = vec![Vec::new(); self.devices.len()];
        let mut runs = 0;
        for range in ranges {
            let (mut at, end) = (range.start, range.end.min(self.len()));
            while at < end && runs < MOST {
                let Ok((source, length)) = self.source(at, end - at) else { break };
                if let Source::Member(slot, place) = source {
                    below[slot].push(place..place + length);
                }
                at += length;
                runs += 1;
            }
        }
        for (device, ranges) in self.devices.iter().zip(&below) {
            if let Some(device) = device.as_ref().filter(|_| !ranges.is_empty()) {
                device.data.prefetch(ranges);
            }
        }
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        let mut at = offset;
        while at < self.len() {
            let run = at..at + self.geometry.run(at);
            // Holes are smaller than chunks on few disks; only whole members are asked for them.
            let whole = matches!(self.geometry, Geometry::Linear(_) | Geometry::Mirror(_));
            let Ok((Source::Member(slot, place), length)) = self.source(at, run.end - at) else {
                return Some(at..self.len());
            };
            let Some(device) = self.device(slot).filter(|_| whole && length == run.end - at) else {
                return Some(at..self.len());
            };
            let data = device.data.next_data(place);
            if let Some(data) = data.filter(|data| data.start < place + length) {
                let start = at + data.start.saturating_sub(place);
                return Some(start..at + data.end.saturating_sub(place).min(length));
            }
            at = run.end;
        }
        None
    }
}
