//! RAID 4, 5 and 6: stripes of a chunk on every member, of which one is the parity of the others, or
//! two are. The layouts differ in where these stand and in the order of the rest.

use fathom_block::{Error, Result};

use super::galois::Power;
use super::{Place, Shape, chunk, contradiction};
use crate::md::superblock::Level;

/// The most members of RAID 6: more elements than these its field does not have.
const MAX_DEVICES: u64 = 255;

#[derive(Debug)]
pub(in super::super) struct Parity {
    layout: Layout,
    devices: u64,
    /// How many of the devices hold parity in every stripe.
    parities: u64,
    chunk: u64,
    used: u64,
    length: u64,
}

/// Where the parity stands, and where the data starts.
#[derive(Clone, Copy, Debug)]
struct Layout {
    parity: Turn,
    order: Order,
    second: Second,
}

/// On which member the parity of a stripe stands.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// On the last member first, and one earlier in each stripe.
    Left,
    /// On the first member first, and one later in each stripe.
    Right,
    /// As left, but the last member has its first turn behind all others.
    LeftRestart,
    /// Always on the first member.
    First,
    /// Always on the last one, which may have the second parity behind it.
    Last,
}

/// How the data of a stripe is ordered.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// From the first member on, leaving out the parity.
    Asymmetric,
    /// From the member behind the parity on, around the end.
    Symmetric,
}

/// Where the second parity stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    Absent,
    Behind,
    Before,
    /// On the last member, while the others are as in RAID 5.
    Last,
    /// Behind, and its coefficients are counted over all members, as DDF does.
    BehindAsDdf,
}

/// Where the members of a stripe stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Stripe {
    /// Where the byte lies on all of them.
    pub(in super::super) at: u64,
    pub(in super::super) parity: usize,
    pub(in super::super) second: Option<usize>,
    /// Which member the coefficients of the second parity are counted from; `None` where they are
    /// the numbers of the members.
    counted_from: Option<usize>,
    devices: usize,
}

impl Layout {
    fn of(shape: &Shape) -> Option<Self> {
        use {Order::*, Second::*, Turn::*};
        let (parity, order, second) = match (shape.level, shape.layout) {
            (Level::Raid4, _) | (Level::Raid5, 5) => (Turn::Last, Asymmetric, Absent),
            (Level::Raid5, 0) => (Left, Asymmetric, Absent),
            (Level::Raid5, 1) => (Right, Asymmetric, Absent),
            (Level::Raid5, 2) => (Left, Symmetric, Absent),
            (Level::Raid5, 3) => (Right, Symmetric, Absent),
            (Level::Raid5, 4) => (First, Asymmetric, Absent),
            (Level::Raid6, 0) => (Left, Asymmetric, Behind),
            (Level::Raid6, 1) => (Right, Asymmetric, Behind),
            (Level::Raid6, 2) => (Left, Symmetric, Behind),
            (Level::Raid6, 3) => (Right, Symmetric, Behind),
            (Level::Raid6, 4) => (First, Asymmetric, Behind),
            (Level::Raid6, 5) => (Turn::Last, Asymmetric, Behind),
            (Level::Raid6, 8) => (Right, Asymmetric, BehindAsDdf),
            (Level::Raid6, 9) => (LeftRestart, Asymmetric, BehindAsDdf),
            (Level::Raid6, 10) => (Left, Symmetric, Before),
            (Level::Raid6, 16) => (Left, Asymmetric, Second::Last),
            (Level::Raid6, 17) => (Right, Asymmetric, Second::Last),
            (Level::Raid6, 18) => (Left, Symmetric, Second::Last),
            (Level::Raid6, 19) => (Right, Symmetric, Second::Last),
            (Level::Raid6, 20) => (First, Asymmetric, Second::Last),
            _ => return None,
        };
        Some(Self { parity, order, second })
    }
}

impl Parity {
    pub(super) fn new(shape: &Shape) -> Result<Self> {
        let chunk = chunk(shape)?;
        let layout = Layout::of(shape).ok_or_else(|| {
            let why = format!("the layout {} is not known", shape.layout);
            Error::unsupported(format!("md array of level {}", shape.level), why)
        })?;
        let devices = u64::from(shape.devices);
        let parities = if shape.level == Level::Raid6 { 2 } else { 1 };
        if devices < 2 * parities || (parities == 2 && devices > MAX_DEVICES) {
            return Err(contradiction(shape, &format!("it has {devices} devices")));
        }
        let used = shape.size - shape.size % chunk;
        let length = used
            .checked_mul(devices - parities)
            .ok_or_else(|| contradiction(shape, "it is larger than any disk"))?;
        Ok(Self { layout, devices, parities, chunk, used, length })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// How many members it can do without.
    pub(super) fn spare_devices(&self) -> usize {
        self.parities as usize
    }

    pub(super) fn run(&self, at: u64) -> u64 {
        self.chunk - at % self.chunk
    }

    pub(super) fn place(&self, at: u64) -> Place {
        let stripe = self.stripe(at);
        let data = at / self.chunk % (self.devices - self.parities);
        let slot = match self.layout.order {
            Order::Asymmetric => skip(data as usize, stripe.parity, self.skipped(&stripe)),
            Order::Symmetric => {
                let behind = match self.layout.second {
                    Second::Behind | Second::BehindAsDdf => 2,
                    _ => 1,
                };
                ((stripe.parity as u64 + behind + data) % self.turns()) as usize
            }
        };
        Place { slot, at: stripe.at }
    }

    /// The second parity, where the data goes around it.
    fn skipped(&self, stripe: &Stripe) -> Option<usize> {
        stripe.second.filter(|_| self.layout.second != Second::Last)
    }

    /// Over how many members the parity and the data take turns.
    fn turns(&self) -> u64 {
        match self.layout.second {
            Second::Last => self.devices - 1,
            _ => self.devices,
        }
    }

    /// The stripe that the byte `at` of the array lies in.
    pub(in super::super) fn stripe(&self, at: u64) -> Stripe {
        let row = at / self.chunk / (self.devices - self.parities);
        let (turns, last) = (self.turns(), self.turns() - 1);
        let parity = match self.layout.parity {
            Turn::Left => last - row % turns,
            Turn::Right => row % turns,
            Turn::LeftRestart => last - (row + 1) % turns,
            Turn::First => 0,
            Turn::Last => self.devices - self.parities,
        };
        let second = match self.layout.second {
            Second::Absent => None,
            Second::Behind | Second::BehindAsDdf => Some((parity + 1) % self.devices),
            Second::Before => Some((parity + self.devices - 1) % self.devices),
            Second::Last => Some(self.devices - 1),
        };
        let ddf = matches!(self.layout.second, Second::Before | Second::BehindAsDdf);
        let counted_from = second.map(|second| ((second + 1) % self.devices) as usize);
        Stripe {
            at: row * self.chunk + at % self.chunk,
            parity: parity as usize,
            second: second.map(|second| second as usize),
            counted_from: counted_from.filter(|_| !ddf),
            devices: self.devices as usize,
        }
    }
}

impl Stripe {
    /// The members of the stripe that hold data.
    pub(in super::super) fn data(&self) -> impl Iterator<Item = usize> {
        let Self { parity, second, .. } = *self;
        (0..self.devices).filter(move |slot| *slot != parity && Some(*slot) != second)
    }

    /// What the second parity multiplies the data of this member by.
    pub(in super::super) fn coefficient(&self, slot: usize) -> Power {
        let Some(first) = self.counted_from else {
            return Power::new(slot as u64);
        };
        let turn = |slot: usize| (slot + self.devices - first) % self.devices;
        let before = |other: usize| u64::from(turn(other) < turn(slot));
        let parities = before(self.parity) + self.second.map_or(0, before);
        Power::new((turn(slot) as u64).saturating_sub(parities))
    }
}

/// The member that the data with this number stands on, when these are left out.
fn skip(data: usize, parity: usize, second: Option<usize>) -> usize {
    let (first, then) = match second {
        Some(second) => (parity.min(second), Some(parity.max(second))),
        None => (parity, None),
    };
    let slot = if data >= first { data + 1 } else { data };
    slot + usize::from(then.is_some_and(|then| slot >= then))
}
