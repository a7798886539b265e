//! Trees: finding items by key and walking on from there.
//!
//! What log replay changed is kept beside the tree as a [`Patch`] and merged in as items are read,
//! so that nobody above has to know that there ever was a log.

use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;
use std::sync::Arc;

use fathom_block::Result;

use super::block::{Block, Expected, Item, Pointer, owner_of};
use super::key::Key;
use super::store::Store;
use super::superblock::Top;

/// Items that replay put in the place of those on the disk, or took away.
pub(super) type Patch = BTreeMap<Key, Option<Patched>>;

/// The bytes of an item and where on the volume they came from.
#[derive(Clone)]
pub(super) struct Patched {
    pub(super) bytes: Arc<[u8]>,
    pub(super) place: u64,
}

/// A tree.
#[derive(Clone)]
pub(super) struct Btree {
    pub(super) store: Arc<Store>,
    top: Top,
    owner: Option<u64>,
    pub(super) patch: Arc<Patch>,
}

impl Btree {
    /// The tree with the number `tree` that starts at `top`.
    pub(super) fn new(store: Arc<Store>, top: Top, tree: u64) -> Self {
        Self { store, top, owner: owner_of(tree), patch: Arc::default() }
    }

    /// The same tree with other items in places.
    pub(super) fn patched(&self, patch: Arc<Patch>) -> Self {
        Self { patch, ..self.clone() }
    }

    fn top(&self) -> Result<Arc<Block>> {
        let Top { bytenr, generation, level } = self.top;
        let owner = self.owner;
        self.store.block(&Expected { bytenr, generation, level, owner, first: None })
    }

    /// The block beneath `parent` that `pointer` leads to.
    fn child(&self, parent: &Block, pointer: &Pointer) -> Result<Arc<Block>> {
        self.store.block(&Expected {
            bytenr: pointer.bytenr,
            generation: pointer.generation,
            // A node is on level 1 or above.
            level: parent.level - 1,
            owner: self.owner,
            first: Some(pointer.key),
        })
    }

    /// The item with that key.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Item>> {
        match self.patch.get(key) {
            Some(Some(Patched { bytes, place })) => {
                return Ok(Some(Item::patched(*key, bytes.clone(), *place)));
            }
            Some(None) => return Ok(None),
            None => {}
        }
        Ok(self.last_on_disk(key)?.filter(|item| item.key == *key))
    }

    /// The last item on the disk whose key is not past `key`.
    fn last_on_disk(&self, key: &Key) -> Result<Option<Item>> {
        let mut block = self.top()?;
        while block.level > 0 {
            let Some(pointer) = block.pointer(block.search(key)) else {
                return Ok(None);
            };
            block = self.child(&block, &pointer.clone())?;
        }
        let next = block.search(key);
        // Of a leaf that was reached through a pointer, the first key is at or before `key`,
        // unless the tree has nothing before it.
        let at = block.item(next).filter(|item| item.key == *key);
        Ok(at.or_else(|| block.item(next.checked_sub(1)?)))
    }

    /// The last item whose key is not past `key`.
    pub(super) fn last(&self, key: &Key) -> Result<Option<Item>> {
        let patched = self.patch.range(..=*key).rev().find_map(|(key, patched)| {
            let Patched { bytes, place } = patched.as_ref()?;
            Some(Item::patched(*key, bytes.clone(), *place))
        });
        let mut until = Some(*key);
        while let Some(key) = until {
            let Some(item) = self.last_on_disk(&key)? else {
                break;
            };
            if patched.as_ref().is_some_and(|patched| patched.key >= item.key) {
                break;
            }
            if !self.patch.contains_key(&item.key) {
                return Ok(Some(item));
            }
            until = item.key.before();
        }
        Ok(patched)
    }

    /// A walk over all items from `from` on.
    pub(super) fn cursor(&self, from: Key) -> Cursor<'_> {
        Cursor {
            disk: Disk { tree: self, from: Some(from), path: Vec::new() },
            ahead: None,
            patch: self.patch.range(from..).peekable(),
        }
    }

    /// A walk over all items of the same object and type as `key`, from the last one that is not
    /// past `key` on.
    pub(super) fn cursor_around(&self, key: Key) -> Result<Cursor<'_>> {
        let before = self.last(&key)?.filter(|item| item.key.is(key.objectid, key.kind));
        Ok(self.cursor(before.map_or(key, |item| item.key)))
    }
}

/// A walk over the items of a tree in the order of their keys. After an error the next call goes
/// on behind the block that could not be read.
pub(super) struct Cursor<'a> {
    disk: Disk<'a>,
    /// The next item of the disk, where it is known.
    ahead: Option<Item>,
    patch: Peekable<btree_map::Range<'a, Key, Option<Patched>>>,
}

impl Cursor<'_> {
    pub(super) fn next(&mut self) -> Result<Option<Item>> {
        loop {
            if self.ahead.is_none() {
                self.ahead = self.disk.next()?;
            }
            let disk = self.ahead.as_ref().map(|item| item.key);
            let patch = self.patch.peek().map(|(key, _)| **key);
            match (disk, patch) {
                (Some(disk), Some(patch)) if disk < patch => return Ok(self.ahead.take()),
                (Some(_), None) | (None, None) => return Ok(self.ahead.take()),
                (disk, Some(patch)) => {
                    if disk == Some(patch) {
                        self.ahead = None;
                    }
                    if let Some((key, Some(Patched { bytes, place }))) = self.patch.next() {
                        return Ok(Some(Item::patched(*key, bytes.clone(), *place)));
                    }
                }
            }
        }
    }
}

/// The part of a walk that reads the disk.
struct Disk<'a> {
    tree: &'a Btree,
    /// The key to start at, until that has been sought.
    from: Option<Key>,
    /// The blocks from the top down, each with the index of what comes next in it. It is at most
    /// as long as a tree is high, since every block is one level beneath its parent.
    path: Vec<(Arc<Block>, usize)>,
}

impl Disk<'_> {
    fn next(&mut self) -> Result<Option<Item>> {
        if let Some(from) = self.from.take() {
            let top = self.tree.top()?;
            self.descend(top, Some(&from))?;
        }
        while let Some((block, index)) = self.path.last_mut() {
            if *index >= block.len() {
                self.path.pop();
                continue;
            }
            let at = *index;
            *index += 1;
            if block.level == 0 {
                return Ok(block.item(at));
            }
            let Some(pointer) = block.pointer(at).copied() else {
                continue;
            };
            let block = block.clone();
            let child = self.tree.child(&block, &pointer)?;
            self.descend(child, None)?;
        }
        Ok(None)
    }

    /// Goes down from `block` to the leaf that holds `key`, or the first one.
    fn descend(&mut self, mut block: Arc<Block>, key: Option<&Key>) -> Result<()> {
        loop {
            let index = key.map_or(0, |key| block.search(key));
            if block.level == 0 {
                self.path.push((block, index));
                return Ok(());
            }
            self.path.push((block.clone(), index + 1));
            let Some(pointer) = block.pointer(index).copied() else {
                return Ok(());
            };
            block = self.tree.child(&block, &pointer)?;
        }
    }
}
