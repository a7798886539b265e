//! The log: what was fsynced since the last commit.
//!
//! A commit writes all trees anew and then the superblock, which takes long. An fsync writes only
//! the items of the files it is about, into a tree of their own for each subvolume, and hangs that
//! from the superblock. When the filesystem is mounted again after a crash the kernel merges those
//! items into the subvolumes. We do the same, in memory: the outcome is a patch for each
//! subvolume's tree ([`draft`]), laid over the tree as it is read.
//!
//! The rules of the merge ([`mod@replay`], [`names`], [`extents`]) are those of the kernel's
//! `tree-log.c`; there is no other description of them. A log that breaks the rules, which the
//! kernel would refuse to mount, is not merged at all: then the filesystem is shown as of its last
//! commit, is said to be dirty, and the files that the log is about are named.

mod draft;
mod extents;
mod names;
mod replay;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use fathom_block::{Error, Problem, Result};

use super::block::Item;
use super::btree::{Btree, Patch};
use super::directory;
use super::inode;
use super::key::{Key, id, kind};
use super::root::{RootItem, Roots};
use super::store::Store;
use crate::node::Health;

/// The most bytes of logs that are merged.
const MAX_BYTES: usize = 64 << 20;

/// The most items of logs that are merged.
const MAX_ITEMS: usize = 1 << 20;

/// The most files that are named where a log cannot be merged.
const MAX_NAMED: usize = 20;

/// The most directories that one of those names may lead through.
const MAX_DEPTH: usize = 256;

/// What is to be shown instead of what the trees say.
pub(super) struct Replayed {
    pub(super) health: Health,
    pub(super) problems: Vec<Problem>,
    /// The changes to each subvolume.
    pub(super) patches: HashMap<u64, Arc<Patch>>,
    /// The checksums of data that only the log knows, by address.
    pub(super) sums: Sums,
}

/// Checksums one behind the other, by the address of the first sector. They do not overlap.
pub(super) type Sums = BTreeMap<u64, Vec<u8>>;

/// The log of one subvolume.
struct Log {
    subvolume: u64,
    items: BTreeMap<Key, Item>,
}

impl Log {
    fn get(&self, key: &Key) -> Option<&Item> {
        self.items.get(key)
    }

    /// The items of that object and type.
    fn of(&self, objectid: u64, kind: u8) -> impl Iterator<Item = &Item> {
        let range = Key::first(objectid, kind)..=Key::new(objectid, kind, u64::MAX);
        self.items.range(range).map(|(_, item)| item)
    }
}

/// Merges the log, if there is one.
pub(super) fn replay(store: &Arc<Store>, roots: &Roots) -> Replayed {
    let mut replayed = Replayed {
        health: Health::Clean,
        problems: Vec::new(),
        patches: HashMap::new(),
        sums: Sums::new(),
    };
    let mut logs = Vec::new();
    let outcome = read(store, &mut logs).and_then(|()| merge(store, roots, &logs));
    match outcome {
        Ok(None) => {}
        Ok(Some((patches, sums))) => {
            replayed.health = Health::Replayed;
            replayed.patches = patches;
            replayed.sums = sums;
        }
        Err(error) => {
            replayed.health = Health::Dirty;
            replayed.problems.push(error.within("Btrfs log, which is not replayed"));
            replayed.problems.push(Error::unsupported(
                "Btrfs log",
                format!(
                    "what was fsynced after the last commit is not shown; this concerns {}",
                    concerned(roots, &logs)
                ),
            ));
        }
    }
    replayed
}

/// Reads the logs of all subvolumes, the last one first.
fn read(store: &Arc<Store>, logs: &mut Vec<Log>) -> Result<()> {
    let Some(top) = store.superblock.log_root else {
        return Ok(());
    };
    let tree = Btree::new(store.clone(), top, id::TREE_LOG);
    let mut cursor = tree.cursor(Key::first(id::TREE_LOG, kind::ROOT_ITEM));
    let (mut bytes, mut count) = (0, 0);
    while let Some(item) = cursor.next()? {
        if !item.key.is(id::TREE_LOG, kind::ROOT_ITEM) {
            break;
        }
        let root = RootItem::parse(&item.fields("Btrfs log root"))?;
        let tree = Btree::new(store.clone(), root.top, id::TREE_LOG);
        let log = Log { subvolume: item.key.offset, items: BTreeMap::new() };
        logs.insert(0, log);
        let mut cursor = tree.cursor(Key::first(0, 0));
        while let Some(item) = cursor.next()? {
            bytes += item.bytes().len();
            count += 1;
            if bytes > MAX_BYTES || count > MAX_ITEMS {
                let why = format!("it has over {MAX_BYTES} bytes or {MAX_ITEMS} items");
                return Err(Error::unsupported("Btrfs log", why));
            }
            logs[0].items.insert(item.key, item);
        }
    }
    Ok(())
}

type Merged = Option<(HashMap<u64, Arc<Patch>>, Sums)>;

/// Merges the logs; nothing where there is none.
fn merge(store: &Arc<Store>, roots: &Roots, logs: &[Log]) -> Result<Merged> {
    if store.superblock.log_root.is_none() {
        return Ok(None);
    }
    let (mut patches, mut sums) = (HashMap::new(), Sums::new());
    for log in logs {
        // A subvolume that was deleted after it was logged needs no log.
        let files = roots.files(log.subvolume)?;
        let Some(files) = files.as_ref() else {
            continue;
        };
        let patch = replay::replay(&files.tree, log)?;
        patches.insert(log.subvolume, patch);
        let sector = u64::from(store.superblock.sector_size);
        let size = store.superblock.checksum.size();
        for item in log.of(id::EXTENT_CSUM, kind::EXTENT_CSUM) {
            extents::add_sums(&mut sums, item.key.offset, item.bytes(), sector, size);
        }
    }
    Ok(Some((patches, sums)))
}

/// The paths of the files that the logs are about.
fn concerned(roots: &Roots, logs: &[Log]) -> String {
    let mut paths = BTreeSet::new();
    let mut more = 0;
    for log in logs {
        let mut inodes: Vec<u64> = log.items.keys().map(|key| key.objectid).collect();
        inodes.dedup();
        for inode in inodes.into_iter().filter(|inode| *inode < 1 << 63) {
            if paths.len() < MAX_NAMED {
                paths.insert(path(roots, log, inode));
            } else {
                more += 1;
            }
        }
    }
    let mut text = paths.into_iter().collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    if text.is_empty() { "files that cannot be told".to_owned() } else { text }
}

/// The path of an inode, by what the log or else the subvolume says of its names. Where neither
/// says enough, its number stands in.
fn path(roots: &Roots, log: &Log, inode: u64) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut at = inode;
    while at != id::FIRST_FREE && parts.len() < MAX_DEPTH {
        let logged = log.of(at, kind::INODE_REF).next().and_then(|item| {
            let fields = item.fields("Btrfs inode reference");
            let reference = inode::references(&fields, &item.key).ok()?.into_iter().next()?;
            Some((reference.parent, reference.name))
        });
        let known =
            || inode::parent(&roots.files(log.subvolume).ok()?.as_ref().as_ref()?.tree, at).ok()?;
        let Some((parent, name)) = logged.or_else(known) else {
            parts.push(format!("inode {at}"));
            break;
        };
        parts.push(name.escape_ascii().to_string());
        at = parent;
    }
    parts.reverse();
    format!("/{} (subvolume {})", parts.join("/"), log.subvolume)
}

/// Whether the log holds that entry of a directory.
fn has_entry(log: &Log, dir: u64, index: u64, name: &[u8]) -> Result<bool> {
    let Some(item) = log.get(&Key::new(dir, kind::DIR_INDEX, index)) else {
        return Ok(false);
    };
    let entries = directory::entries(&item.fields("Btrfs directory index"))?;
    Ok(entries.iter().any(|entry| entry.name == name))
}
