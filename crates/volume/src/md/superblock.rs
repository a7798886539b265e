//! What the superblock of a member says, whichever version it is of.

use std::fmt;
use std::ops::Range;

use fathom_block::{Error, ReadAt, Result, read_vec};

use super::{version0, version1};

/// md counts in sectors of 512 bytes, whatever the disk has.
pub(super) const SECTOR: u64 = 512;

/// What a superblock is called in messages.
pub(super) const WHAT: &str = "md superblock";

/// How many bytes a superblock has at most.
const LENGTH: u64 = 4096;

/// The most members that any version can list: 1920 of two bytes each fill its superblock.
pub(super) const MAX_DEVICES: u32 = 1920;

/// What one member says of itself and of its array.
#[derive(Clone, Debug)]
pub(super) struct Superblock {
    /// `0.90`, `1.0`, `1.1`, `1.2`.
    pub(super) version: &'static str,
    /// The array's UUID, as mdadm spells it.
    pub(super) uuid: String,
    /// The array's name, led by the host that made it. Version 0.90 has none.
    pub(super) name: Option<String>,
    /// The number of the array's device. Only version 0.90 has one.
    pub(super) minor: Option<u32>,
    pub(super) shape: Shape,
    pub(super) state: State,
    /// When the array was made, in seconds.
    pub(super) created: u64,
    /// Grows with every change of state: who has the most saw the last of them.
    pub(super) events: u64,
    /// The roles of all devices, by their numbers, as version 1 spells them.
    pub(super) roles: Vec<u16>,
    /// The number of this device.
    pub(super) number: u32,
    /// Where its data lies on it, in bytes.
    pub(super) data: Range<u64>,
    /// It is a spare that has not yet got everything that it should hold.
    pub(super) rebuilding: bool,
    /// It is to take the place of another device with the same role.
    pub(super) replacement: bool,
    /// What cannot be read of it, in bytes from the start of its data, sorted.
    pub(super) bad: Vec<Range<u64>>,
}

/// What all members must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) level: Level,
    /// Its meaning depends on the level.
    pub(super) layout: u32,
    /// In bytes; zero where the level has none.
    pub(super) chunk: u64,
    /// How much of every member is used, in bytes; not said by levels that use all of it.
    pub(super) size: u64,
    /// How many members the array has when it is whole.
    pub(super) devices: u32,
}

/// What the array was at when it was last seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// It was being written, or was still being made: its copies and its parity may not match.
    pub(super) dirty: bool,
    /// Its shape is being changed: some of it lies as before, the rest as it will be.
    pub(super) reshaping: bool,
    /// What is written goes through a journal on a device of its own.
    pub(super) journal: bool,
}

/// What the data is spread over the members by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Linear,
    Raid0,
    Raid1,
    Raid4,
    Raid5,
    Raid6,
    Raid10,
    /// Not read here.
    Other(i32),
}

/// What a device is in its array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It holds this part of the data.
    Active(u32),
    Spare,
    Faulty,
    Journal,
}

impl Level {
    pub(super) fn from_number(number: u32) -> Self {
        match number.cast_signed() {
            -1 => Self::Linear,
            0 => Self::Raid0,
            1 => Self::Raid1,
            4 => Self::Raid4,
            5 => Self::Raid5,
            6 => Self::Raid6,
            10 => Self::Raid10,
            other => Self::Other(other),
        }
    }

    /// Whether it keeps anything twice, or can compute it.
    pub(super) fn is_redundant(self) -> bool {
        !matches!(self, Self::Linear | Self::Raid0 | Self::Other(_))
    }

    /// Whether what a member held is computed from the others.
    pub(super) fn has_parity(self) -> bool {
        matches!(self, Self::Raid4 | Self::Raid5 | Self::Raid6)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear => f.write_str("linear"),
            Self::Raid0 => f.write_str("raid0"),
            Self::Raid1 => f.write_str("raid1"),
            Self::Raid4 => f.write_str("raid4"),
            Self::Raid5 => f.write_str("raid5"),
            Self::Raid6 => f.write_str("raid6"),
            Self::Raid10 => f.write_str("raid10"),
            Self::Other(-4) => f.write_str("multipath"),
            Self::Other(-5) => f.write_str("faulty"),
            Self::Other(-100) => f.write_str("container"),
            Self::Other(number) => write!(f, "level {number}"),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active(slot) => write!(f, "device {slot}"),
            Self::Spare => f.write_str("spare"),
            Self::Faulty => f.write_str("faulty"),
            Self::Journal => f.write_str("journal"),
        }
    }
}

/// The role of a spare, and of no device at all.
pub(super) const SPARE: u16 = 0xFFFF;
pub(super) const FAULTY: u16 = 0xFFFE;
const JOURNAL: u16 = 0xFFFD;

/// What is no role of a device with data.
pub(super) const MAX_ROLE: u16 = 0xFF00;

impl Superblock {
    /// The role of the device with this number.
    pub(super) fn role_of(&self, number: u32) -> Role {
        match self.roles.get(number as usize).copied().unwrap_or(SPARE) {
            FAULTY => Role::Faulty,
            JOURNAL => Role::Journal,
            slot if slot < MAX_ROLE => Role::Active(u32::from(slot)),
            _ => Role::Spare,
        }
    }

    /// What it says that it is itself.
    pub(super) fn own_role(&self) -> Role {
        self.role_of(self.number)
    }
}

/// Reads the superblock that is recognised at the byte offset `at` of a member.
pub(super) fn read(member: &dyn ReadAt, at: u64) -> Result<Superblock> {
    let bytes = read_vec(member, WHAT, at, LENGTH)?;
    let superblock = match bytes.get(4..8) {
        Some([1, 0, 0, 0]) => version1::parse(member, &bytes, at),
        _ => version0::parse(&bytes, at),
    }?;
    let devices = superblock.shape.devices;
    if devices == 0 || devices > MAX_DEVICES {
        return Err(Error::corrupt(WHAT, at, format!("an array of {devices} devices")));
    }
    Ok(superblock)
}

/// The sixteen bytes of a UUID as mdadm spells them: four groups of eight digits.
pub(super) fn uuid_text(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(35);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 8 | 12) {
            text.push(':');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The sum of little-endian words, in which what is carried out of 32 bits is added again.
pub(super) fn fold(sum: u64) -> u32 {
    ((sum & 0xFFFF_FFFF) as u32).wrapping_add((sum >> 32) as u32)
}
