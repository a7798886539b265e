//! Where the bytes of an array lie on its members.
//!
//! Every level is a module that says for a byte of the array on which member it lies, at which byte
//! of that one's data, and up to where the next bytes follow it there. Levels with copies say it for
//! each of them; levels with parity say besides from what else a byte can be computed.

mod galois;
mod linear;
mod mirror;
mod parity;
mod stripes;
mod tenth;

use fathom_block::{Error, Result};

use super::superblock::{Level, Shape};
use linear::Linear;
use mirror::Mirror;
use stripes::Stripes;
use tenth::Tenth;

pub(super) use parity::{Parity, Stripe};

/// Some byte of the data of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which member, by its role.
    pub(super) slot: usize,
    pub(super) at: u64,
}

/// How an array is laid out.
#[derive(Debug)]
pub(super) enum Geometry {
    Linear(Linear),
    Stripes(Stripes),
    Mirror(Mirror),
    Parity(Parity),
    Tenth(Tenth),
}

impl Geometry {
    /// Of a level of which all members are used alike. `None` stands for the others, which go by
    /// the sizes of their members.
    pub(super) fn of_shape(shape: &Shape) -> Result<Option<Self>> {
        Ok(Some(match shape.level {
            Level::Raid1 => Self::Mirror(Mirror::new(shape)),
            Level::Raid4 | Level::Raid5 | Level::Raid6 => Self::Parity(Parity::new(shape)?),
            Level::Raid10 => Self::Tenth(Tenth::new(shape)?),
            Level::Linear | Level::Raid0 => return Ok(None),
            Level::Other(_) => {
                let why = "it is recognised, but there is no reader for it";
                return Err(Error::unsupported(format!("md level {}", shape.level), why));
            }
        }))
    }

    /// Of a level that uses all of every member; these are their lengths.
    pub(super) fn of_members(shape: &Shape, lengths: &[u64]) -> Result<Self> {
        match shape.level {
            Level::Linear => Ok(Self::Linear(Linear::new(shape, lengths)?)),
            _ => Ok(Self::Stripes(Stripes::new(shape, lengths)?)),
        }
    }

    /// How many bytes the array has.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Linear(linear) => linear.length(),
            Self::Stripes(stripes) => stripes.length(),
            Self::Mirror(mirror) => mirror.length(),
            Self::Parity(parity) => parity.length(),
            Self::Tenth(tenth) => tenth.length(),
        }
    }

    /// How many bytes of the data of every member are used, where that is the same for all.
    pub(super) fn used(&self) -> u64 {
        match self {
            Self::Linear(_) | Self::Stripes(_) => 0,
            Self::Mirror(mirror) => mirror.length(),
            Self::Parity(parity) => parity.used(),
            Self::Tenth(tenth) => tenth.used(),
        }
    }

    /// How many copies there are of everything.
    pub(super) fn copies(&self) -> usize {
        match self {
            Self::Linear(_) | Self::Stripes(_) | Self::Parity(_) => 1,
            Self::Mirror(mirror) => mirror.copies(),
            Self::Tenth(tenth) => tenth.copies(),
        }
    }

    /// How many bytes from `at` on follow each other on the members.
    pub(super) fn run(&self, at: u64) -> u64 {
        match self {
            Self::Linear(linear) => linear.run(at),
            Self::Stripes(stripes) => stripes.run(at),
            Self::Mirror(mirror) => mirror.length() - at,
            Self::Parity(parity) => parity.run(at),
            Self::Tenth(tenth) => tenth.run(at),
        }
    }

    /// Where the byte `at` lies in this copy.
    pub(super) fn place(&self, at: u64, copy: usize) -> Place {
        match self {
            Self::Linear(linear) => linear.place(at),
            Self::Stripes(stripes) => stripes.place(at),
            Self::Mirror(_) => Place { slot: copy, at },
            Self::Parity(parity) => parity.place(at),
            Self::Tenth(tenth) => tenth.place(at, copy),
        }
    }

    /// Whether everything can be read from the members that are there.
    pub(super) fn is_complete(&self, there: &[bool]) -> bool {
        let missing = there.iter().filter(|there| !**there).count();
        let has = |slot: usize| there.get(slot).copied().unwrap_or(false);
        match self {
            Self::Linear(_) | Self::Stripes(_) => missing == 0,
            Self::Mirror(_) => missing < there.len(),
            Self::Parity(parity) => missing <= parity.spare_devices(),
            Self::Tenth(tenth) => tenth.is_complete(has),
        }
    }
}

/// The chunk of a level that must have one.
fn chunk(shape: &Shape) -> Result<u64> {
    match shape.chunk {
        0 => Err(contradiction(shape, "it has no size of chunks")),
        chunk => Ok(chunk),
    }
}

/// The error that what the superblock says of the array cannot be.
fn contradiction(shape: &Shape, why: &str) -> Error {
    Error::corrupt(format!("md array of level {}", shape.level), 0, why)
}

#[cfg(test)]
mod tests;
