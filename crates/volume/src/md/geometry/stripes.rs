//! RAID 0: a chunk of every member in turn. Where members are larger than the smallest, what they
//! have more makes up further zones, each striped over fewer members.

use fathom_block::{Error, Result};

use super::{Place, Shape, chunk, contradiction};

/// The layout that Linux had before 3.14 and has again since 5.4.
const ORIGINAL: u32 = 1;

/// The layout of the versions between.
const ALTERNATE: u32 = 2;

#[derive(Debug)]
pub(in super::super) struct Stripes {
    chunk: u64,
    /// The turns are counted from the start of the array, not from that of the zone.
    original: bool,
    zones: Vec<Zone>,
}

#[derive(Debug)]
struct Zone {
    /// Where it starts and ends in the array.
    start: u64,
    end: u64,
    /// Where it starts on each of its members.
    on_member: u64,
    slots: Vec<u16>,
}

impl Stripes {
    pub(super) fn new(shape: &Shape, lengths: &[u64]) -> Result<Self> {
        let chunk = chunk(shape)?;
        let lengths: Vec<u64> = lengths.iter().map(|length| length - length % chunk).collect();
        let zones =
            zones(&lengths).ok_or_else(|| contradiction(shape, "it is larger than any disk"))?;
        let differ = |zone: &Zone| !(zone.start / chunk).is_multiple_of(zone.slots.len() as u64);
        let original = match shape.layout {
            ORIGINAL => true,
            ALTERNATE => false,
            // Where both come to the same it need not be said.
            0 if !zones.iter().any(differ) => true,
            0 => {
                let why = "its members differ in size, and its metadata does not say whether the \
                           layout of Linux 3.14 to 5.3 is used or that of all others";
                return Err(Error::unsupported("md array of level raid0", why));
            }
            other => return Err(contradiction(shape, &format!("there is no layout {other}"))),
        };
        Ok(Self { chunk, original, zones })
    }

    pub(super) fn length(&self) -> u64 {
        self.zones.last().map_or(0, |zone| zone.end)
    }

    pub(super) fn run(&self, at: u64) -> u64 {
        // Zones start and end with a chunk.
        self.chunk - at % self.chunk
    }

    pub(super) fn place(&self, at: u64) -> Place {
        let index = self.zones.partition_point(|zone| zone.end <= at);
        let zone = &self.zones[index];
        let (within, count) = (at - zone.start, zone.slots.len() as u64);
        let turn = if self.original { at } else { within } / self.chunk % count;
        let row = within / (self.chunk * count);
        let slot = usize::from(zone.slots[turn as usize]);
        Place { slot, at: zone.on_member + row * self.chunk + at % self.chunk }
    }
}

/// The zones of members of these lengths, which are whole chunks; `None` where they are too large.
fn zones(lengths: &[u64]) -> Option<Vec<Zone>> {
    let mut steps: Vec<u64> = lengths.iter().copied().filter(|length| *length > 0).collect();
    steps.sort_unstable();
    steps.dedup();
    let (mut start, mut on_member) = (0_u64, 0);
    let mut zones = Vec::with_capacity(steps.len());
    for step in steps {
        let longer = lengths.iter().enumerate().filter(|(_, length)| **length > on_member);
        let slots: Vec<u16> = longer.map(|(slot, _)| slot as u16).collect();
        let length = (step - on_member).checked_mul(slots.len() as u64)?;
        let end = start.checked_add(length)?;
        zones.push(Zone { start, end, on_member, slots });
        (start, on_member) = (end, step);
    }
    Some(zones)
}
