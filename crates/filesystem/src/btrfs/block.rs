//! One block of a tree: a leaf with items, or a node that points at blocks one level down.
//!
//! Everything about a block that can be checked without knowing who points at it is checked when
//! it is decoded, so that what the cache holds can be trusted. What only its parent knows (its
//! generation, its level, its first key) is checked each time it is reached, see [`Expected`].

use std::sync::Arc;

use fathom_block::{Error, Fields, Result};

use super::checksum::CHECKSUM_SPACE;
use super::key::{Key, id, is_file_tree};
use super::superblock::Superblock;

/// The highest level of a block: trees have at most eight (`BTRFS_MAX_LEVEL`).
pub(super) const MAX_LEVEL: u8 = 7;

const HEADER: usize = 101;
const ITEM: usize = Key::SIZE + 8;
const POINTER: usize = Key::SIZE + 16;
const WHAT: &str = "Btrfs tree block";

/// A decoded block.
pub(super) struct Block {
    pub(super) generation: u64,
    pub(super) owner: u64,
    pub(super) level: u8,
    /// Where on the volume the copy lies that it was read from.
    place: u64,
    body: Body,
}

enum Body {
    Leaf { slots: Vec<Slot>, bytes: Vec<u8> },
    Node(Vec<Pointer>),
}

/// An item's key and where in the leaf its bytes are.
struct Slot {
    key: Key,
    start: u32,
    length: u32,
}

/// Where a node says that a block is (`btrfs_key_ptr`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer {
    pub(super) key: Key,
    pub(super) bytenr: u64,
    pub(super) generation: u64,
}

/// What whoever points at a block knows of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) bytenr: u64,
    pub(super) generation: u64,
    pub(super) level: u8,
    /// The tree it is to belong to; none for log trees, whose blocks name no single owner.
    pub(super) owner: Option<u64>,
    /// Its first key; none for the top of a tree.
    pub(super) first: Option<Key>,
}

/// An item of a tree: its key and its bytes.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) key: Key,
    bytes: Bytes,
}

#[derive(Clone)]
enum Bytes {
    Leaf {
        block: Arc<Block>,
        slot: usize,
    },
    /// Bytes that log replay put there, and where on the volume they came from.
    Patched {
        bytes: Arc<[u8]>,
        place: u64,
    },
}

impl Item {
    pub(super) fn patched(key: Key, bytes: Arc<[u8]>, place: u64) -> Self {
        Self { key, bytes: Bytes::Patched { bytes, place } }
    }

    /// Its bytes, as the structure called `what`.
    pub(super) fn fields<'a>(&'a self, what: &'a str) -> Fields<'a> {
        Fields::new(what, self.place(), self.bytes())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Patched { bytes, .. } => bytes,
            Bytes::Leaf { block, slot } => block.slot(*slot).map_or(&[], |(_, bytes)| bytes),
        }
    }

    /// Where on the volume its bytes lie.
    pub(super) fn place(&self) -> u64 {
        match &self.bytes {
            Bytes::Patched { place, .. } => *place,
            Bytes::Leaf { block, slot } => match &block.body {
                Body::Leaf { slots, .. } => {
                    block.place + slots.get(*slot).map_or(0, |slot| u64::from(slot.start))
                }
                Body::Node(_) => block.place,
            },
        }
    }
}

impl Block {
    /// Decodes the block that the tree knows as `bytenr`, whose `bytes` lie at `place`.
    pub(super) fn decode(
        superblock: &Superblock,
        bytenr: u64,
        place: u64,
        bytes: Vec<u8>,
    ) -> Result<Self> {
        let fields = Fields::new(WHAT, place, &bytes);
        let checksum = superblock.checksum;
        let stored = checksum.stored(fields.bytes(0, CHECKSUM_SPACE)?);
        let actual = checksum.of(&bytes[CHECKSUM_SPACE.min(bytes.len())..]);
        if stored != actual {
            return Err(fields.corrupt(
                0,
                format!(
                    "its {} is {}, its bytes have {}",
                    checksum.name(),
                    checksum.show(&stored),
                    checksum.show(&actual)
                ),
            ));
        }
        if fields.array::<16>(32)? != superblock.metadata_uuid {
            return Err(fields.corrupt(32, "it belongs to another filesystem"));
        }
        let itself = fields.le_u64(48)?;
        if itself != bytenr {
            return Err(fields.corrupt(48, format!("it is block {itself}, not block {bytenr}")));
        }
        let count = fields.le_u32(96)? as usize;
        let level = fields.u8(100)?;
        let body = match level {
            0 => Body::Leaf { slots: slots(&fields, count)?, bytes: Vec::new() },
            1..=MAX_LEVEL => Body::Node(pointers(&fields, count, superblock.sector_size)?),
            _ => return Err(fields.corrupt(100, format!("level {level}"))),
        };
        let (generation, owner) = (fields.le_u64(80)?, fields.le_u64(88)?);
        let body = match body {
            Body::Leaf { slots, .. } => Body::Leaf { slots, bytes },
            node => node,
        };
        Ok(Self { generation, owner, level, place, body })
    }

    /// Whether it is what its parent takes it for.
    pub(super) fn check(&self, expected: &Expected) -> Result<()> {
        let wrong = |at: u64, why: String| Err(Error::corrupt(WHAT, self.place + at, why));
        if self.generation != expected.generation {
            return wrong(
                80,
                format!(
                    "generation {} is wanted, but it is of generation {}: a write was lost",
                    expected.generation, self.generation
                ),
            );
        }
        if self.level != expected.level {
            return wrong(
                100,
                format!("level {} is wanted, but it is of {}", expected.level, self.level),
            );
        }
        if let Some(owner) = expected.owner {
            // Snapshots share blocks, so a subvolume's block may name any other as its owner.
            let fits = match is_file_tree(owner) {
                true => is_file_tree(self.owner),
                false => self.owner == owner,
            };
            if !fits {
                return wrong(88, format!("tree {owner} is read, but it is of {}", self.owner));
            }
        }
        match (expected.first, self.first_key()) {
            (Some(wanted), first) if first != Some(wanted) => {
                wrong(HEADER as u64, format!("its first key is {first:?}, not {wanted:?}"))
            }
            // Only the file trees of old kernels, and trees that may be empty, have empty tops.
            (None, None) if self.level > 0 => wrong(96, "a node without pointers".into()),
            _ => Ok(()),
        }
    }

    fn first_key(&self) -> Option<Key> {
        match &self.body {
            Body::Leaf { slots, .. } => slots.first().map(|slot| slot.key),
            Body::Node(pointers) => pointers.first().map(|pointer| pointer.key),
        }
    }

    /// How many items or pointers it has.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Leaf { slots, .. } => slots.len(),
            Body::Node(pointers) => pointers.len(),
        }
    }

    /// About how much memory it takes.
    pub(super) fn weight(&self) -> usize {
        match &self.body {
            Body::Leaf { slots, bytes } => bytes.len() + slots.len() * size_of::<Slot>(),
            Body::Node(pointers) => pointers.len() * size_of::<Pointer>(),
        }
    }

    /// Where a search for `key` goes on: in a node the last pointer at or before it, or the first;
    /// in a leaf the first item at or after it.
    pub(super) fn search(&self, key: &Key) -> usize {
        match &self.body {
            Body::Leaf { slots, .. } => slots.partition_point(|slot| slot.key < *key),
            Body::Node(pointers) => {
                pointers.partition_point(|pointer| pointer.key <= *key).saturating_sub(1)
            }
        }
    }

    /// The pointer `index` of a node.
    pub(super) fn pointer(&self, index: usize) -> Option<&Pointer> {
        match &self.body {
            Body::Leaf { .. } => None,
            Body::Node(pointers) => pointers.get(index),
        }
    }

    fn slot(&self, index: usize) -> Option<(Key, &[u8])> {
        match &self.body {
            Body::Leaf { slots, bytes } => {
                let slot = slots.get(index)?;
                let start = slot.start as usize;
                Some((slot.key, bytes.get(start..start + slot.length as usize)?))
            }
            Body::Node(_) => None,
        }
    }

    /// The item `index` of a leaf.
    pub(super) fn item(self: &Arc<Self>, index: usize) -> Option<Item> {
        let (key, _) = self.slot(index)?;
        Some(Item { key, bytes: Bytes::Leaf { block: self.clone(), slot: index } })
    }
}

/// The items of a leaf. Headers grow from the front, bytes from the back, without a gap between
/// one item's bytes and the next's.
fn slots(fields: &Fields<'_>, count: usize) -> Result<Vec<Slot>> {
    let room = fields.len().saturating_sub(HEADER);
    if count > room / ITEM {
        return Err(fields.corrupt(96, format!("{count} items do not fit")));
    }
    let mut slots: Vec<Slot> = Vec::with_capacity(count);
    let mut end = room as u64;
    for index in 0..count {
        let at = HEADER + index * ITEM;
        let key = Key::parse(fields, at)?;
        let offset = u64::from(fields.le_u32(at + Key::SIZE)?);
        let length = fields.le_u32(at + Key::SIZE + 4)?;
        if offset + u64::from(length) != end || offset < (count * ITEM) as u64 {
            return Err(fields.corrupt(
                at + Key::SIZE,
                format!("item {index} has bytes {offset}+{length}, they should end at {end}"),
            ));
        }
        if slots.last().is_some_and(|before| before.key >= key) {
            return Err(fields.corrupt(at, format!("the keys are not in order at item {index}")));
        }
        end = offset;
        slots.push(Slot { key, start: (HEADER as u64 + offset) as u32, length });
    }
    Ok(slots)
}

/// The pointers of a node.
fn pointers(fields: &Fields<'_>, count: usize, sector_size: u32) -> Result<Vec<Pointer>> {
    let room = fields.len().saturating_sub(HEADER);
    if count == 0 || count > room / POINTER {
        return Err(fields.corrupt(96, format!("{count} pointers in a node")));
    }
    let mut pointers: Vec<Pointer> = Vec::with_capacity(count);
    for index in 0..count {
        let at = HEADER + index * POINTER;
        let key = Key::parse(fields, at)?;
        let bytenr = fields.le_u64(at + Key::SIZE)?;
        if bytenr == 0 || !bytenr.is_multiple_of(u64::from(sector_size)) {
            return Err(fields.corrupt(at + Key::SIZE, format!("it points at block {bytenr}")));
        }
        if pointers.last().is_some_and(|before| before.key >= key) {
            return Err(fields.corrupt(at, format!("the keys are not in order at {index}")));
        }
        let generation = fields.le_u64(at + Key::SIZE + 8)?;
        pointers.push(Pointer { key, bytenr, generation });
    }
    Ok(pointers)
}

/// The owner that the blocks of the tree `tree` are to name.
pub(super) fn owner_of(tree: u64) -> Option<u64> {
    (tree != id::TREE_LOG).then_some(tree)
}
