//! ext2, ext3 and ext4.
//!
//! The volume is blocks in groups. Every group has a descriptor ([`group`]) that says where its
//! inodes are; an [`inode`] is all that is known of a file but its names; its map ([`tree`]: an
//! [`extent`] tree or [`indirect`] blocks) says where its bytes are, if they are not [`inline`];
//! a [`directory`] is a file of names, perhaps with an index ([`htree`]).
//!
//! What was written last may only be in the [`journal`]. Opening replays it in memory: whole
//! blocks are shown in an overlay over the volume, and what fast commits say is shown through
//! [`amendments`].
//!
//! Where a structure has a checksum it is verified before anything in it is believed.

mod acl;
mod amendments;
mod checksum;
mod directory;
mod extent;
mod fast_commit;
mod features;
mod file;
mod filesystem;
mod group;
mod hash;
mod htree;
mod indirect;
mod inline;
mod inode;
mod journal;
mod mmp;
mod name_table;
mod names;
mod rescue;
mod store;
mod superblock;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod xattr;

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_array};

use crate::node::{Filesystem, Health};
use filesystem::Ext;
use journal::Outcome;
use store::Store;
use superblock::{MAGIC, PRIMARY, SIZE, Superblock};

/// How many groups' descriptors are read on opening: those of 4 TiB, two mebibytes.
const CHECKED_GROUPS: u32 = 1 << 15;

/// Whether the primary superblock says it is an ext filesystem.
pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= PRIMARY + SIZE as u64
        && read_array::<2>(volume, "ext superblock", PRIMARY + 0x38)? == MAGIC.to_le_bytes())
}

/// Whether a backup superblock does. Only asked where nothing else is recognised: a backup may be
/// left over from what the volume once held.
pub(crate) fn probe_backups(volume: &dyn ReadAt) -> bool {
    rescue::find(volume).is_some()
}

/// Opens the filesystem.
pub(crate) fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    let (superblock, damage) = superblock(&*volume)?;
    let rescued = damage.is_some();
    let replay = journal::replay(&volume, &superblock, rescued)?;
    // The journal may hold a newer superblock. If that one is damaged, so is the filesystem.
    let (superblock, damage) = match replay.outcome {
        Outcome::Replayed if replay.blocks > 0 => self::superblock(&*replay.volume)?,
        _ => (superblock, damage),
    };
    let mut store = Store::new(replay.volume, superblock);
    damage.into_iter().chain(replay.problems).for_each(|problem| store.note(problem));
    let mut outcome = replay.outcome;
    if let Some(commits) = replay.fast_commits {
        for problem in fast_commit::apply(&mut store, &commits) {
            outcome = Outcome::Incomplete;
            store.note(problem);
        }
    }
    if rescued {
        store.note(Error::corrupt(
            "ext superblock",
            PRIMARY,
            "it is damaged; a backup copy is used, whose counts and state are not up to date",
        ));
    }
    check_size(&store);
    if let Err(problem) = mmp::check(&store) {
        store.note(problem);
    }
    let groups_are_whole = check_groups(&store);
    let health = match health(&store, outcome) {
        Health::Clean | Health::Replayed if !groups_are_whole => Health::Errors,
        health => health,
    };
    Ok(Arc::new(Ext::new(store, health)))
}

/// The superblock to go by; with the damage of the primary one where it is a copy.
fn superblock(volume: &dyn ReadAt) -> Result<(Superblock, Option<Error>)> {
    match Superblock::read(volume, PRIMARY) {
        Ok(superblock) => Ok((superblock, None)),
        Err(damage) if damage.kind() == fathom_block::ErrorKind::Corrupt => {
            match rescue::find(volume) {
                Some(superblock) => Ok((superblock, Some(damage))),
                None => Err(damage),
            }
        }
        Err(error) => Err(error),
    }
}

fn check_size(store: &Store) {
    let superblock = &store.superblock;
    let (claimed, there) = (superblock.offset(superblock.blocks_count), store.volume.len());
    if claimed > there {
        store.note(Error::truncated("ext volume", there, claimed));
    }
}

/// Reads the descriptors of all groups, unless there are very many, and says whether all are whole.
/// What is wrong with one is noted: without this, only that of those whose inodes are looked at.
fn check_groups(store: &Store) -> bool {
    store.volume.prefetch(&[group::table(&store.superblock, CHECKED_GROUPS)]);
    let mut whole = true;
    for number in 0..store.superblock.groups.min(CHECKED_GROUPS) {
        match group::read(&*store.volume, &store.superblock, number) {
            Ok((_, None)) => {}
            Ok((_, Some(damage))) | Err(damage) => {
                store.note(damage);
                whole = false;
            }
        }
    }
    whole
}

fn health(store: &Store, outcome: Outcome) -> Health {
    let superblock = &store.superblock;
    let unmounted = superblock.valid || superblock.features.has_journal();
    match outcome {
        Outcome::Incomplete => Health::Dirty,
        _ if superblock.errors => Health::Errors,
        Outcome::Replayed => Health::Replayed,
        Outcome::Clean if unmounted => Health::Clean,
        Outcome::Clean => {
            store.note(Error::corrupt(
                "ext filesystem",
                PRIMARY + 0x3A,
                "it was in use when the image was taken and has no journal; what was being \
                 written then may be in disorder",
            ));
            Health::Dirty
        }
    }
}
