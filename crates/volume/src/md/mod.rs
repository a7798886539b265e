//! Software RAID of Linux: md.
//!
//! Every member has a superblock, which says who it is, what its array looks like, and how often the
//! state of that has changed. Members are collected as discovery comes across them, on whatever they
//! lie; an array is put together once all of them are there, or once nothing more is to be found.
//! Who did not see the last changes is out of date, and never read: [`assemble`] says who is.
//!
//! Read are linear arrays and the levels 0, 1, 4, 5, 6 and 10 in every layout that Linux knows, with
//! as many members missing as the level can do without. An array that is being reshaped and one with
//! a journal are listed and refused; what firmware writes (Intel, DDF) is another format.

mod assemble;
mod geometry;
mod reader;
mod standing;
mod superblock;
mod version0;
mod version1;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use crate::budget::Budget;
use crate::volume::VolumeId;
use assemble::Member;
use superblock::Superblock;

pub(crate) use assemble::AssembledArray;

/// What is read of a member: its superblock, and perhaps a list of bad blocks.
const METADATA: u64 = 8 << 10;

/// The members found so far.
#[derive(Default)]
pub(crate) struct Md {
    /// By the UUID of their array.
    arrays: BTreeMap<String, Vec<Member>>,
    /// Those that are not yet put together.
    open: BTreeSet<String>,
    /// Those of which members were found since it was looked whether they are complete.
    grown: BTreeSet<String>,
}

/// A member of an array.
pub(crate) struct Joined {
    pub(crate) array: String,
    pub(crate) role: String,
    /// Why it is not used.
    pub(crate) problem: Option<Error>,
}

impl Md {
    /// Takes note of a member whose superblock is recognised at these places. It has several when
    /// it was used for another array before; the one that was made last is meant.
    pub(crate) fn add(
        &mut self,
        volume: &VolumeId,
        reader: &Arc<dyn ReadAt>,
        places: &[u64],
        budget: &mut Budget,
    ) -> Result<Joined> {
        budget.spend(METADATA * places.len() as u64, superblock::WHAT)?;
        let superblock = latest(&**reader, places)?;
        let array = superblock.uuid.clone();
        let role = superblock.own_role().to_string();
        if self.arrays.contains_key(&array) && !self.open.contains(&array) {
            let why = "it turned up after its array had been put together";
            let problem = Error::corrupt(format!("member of md array {array}"), 0, why);
            return Ok(Joined { array, role, problem: Some(problem) });
        }
        let member = Member { volume: volume.clone(), reader: reader.clone(), superblock };
        self.arrays.entry(array.clone()).or_default().push(member);
        self.open.insert(array.clone());
        self.grown.insert(array.clone());
        Ok(Joined { array, role, problem: None })
    }

    /// The next array of which all members were found; of those that lack some too, if
    /// `incomplete`, since these may yet turn up on what the others hold.
    pub(crate) fn next_array(&mut self, incomplete: bool) -> Option<AssembledArray> {
        while let Some(array) = self.grown.pop_first() {
            if self.arrays.get(&array).is_some_and(|members| assemble::is_complete(members)) {
                return self.assemble(&array);
            }
        }
        let next = self.open.first().filter(|_| incomplete)?.clone();
        self.assemble(&next)
    }

    fn assemble(&mut self, array: &str) -> Option<AssembledArray> {
        self.open.remove(array);
        assemble::assemble(self.arrays.get(array)?)
    }
}

/// The superblock at one of these places that was made last.
fn latest(member: &dyn ReadAt, places: &[u64]) -> Result<Superblock> {
    let mut latest: Option<Superblock> = None;
    let mut damage = None;
    for at in places {
        match superblock::read(member, *at) {
            Ok(other) if latest.as_ref().is_none_or(|latest| latest.created < other.created) => {
                latest = Some(other);
            }
            Ok(_) => {}
            Err(error) => damage = damage.or(Some(error)),
        }
    }
    let nothing = || Error::corrupt(superblock::WHAT, 0, "there is none");
    latest.ok_or_else(|| damage.unwrap_or_else(nothing))
}

#[cfg(test)]
pub(crate) mod tests;
