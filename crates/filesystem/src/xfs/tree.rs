//! The B+tree over hash values that both large directories and large attribute forks are indexed
//! by (`xfs_da_btree`). Its blocks are blocks of the inode's own fork.

use fathom_block::{Fields, Result};

use super::blocks::{Blocks, DA3};
use super::bmap::Mapping;

/// The tallest such tree (`XFS_DA_NODE_MAXDEPTH`).
const MAX_DEPTH: u16 = 5;

/// `XFS_DA_NODE_MAGIC` and `XFS_DA3_NODE_MAGIC`.
const NODE: u16 = 0xFEBE;
const NODE_V5: u16 = 0x3EBE;

/// What a tree indexes, and where it lies.
pub(super) struct HashTree<'a> {
    pub(super) blocks: &'a Blocks,
    /// What it is called in errors.
    pub(super) what: &'a str,
    pub(super) owner: u64,
    pub(super) map: &'a [Mapping],
    /// The root's block of the fork.
    pub(super) root: u64,
    /// How many blocks of the filesystem a block of the tree has.
    pub(super) span: u64,
    /// The magic numbers of its leaves, without and with checksums.
    pub(super) leaves: [u16; 2],
    pub(super) leaves_v5: [u16; 2],
}

/// One leaf, checked.
pub(super) struct Leaf {
    /// Where it lies.
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
    /// The next leaf's block of the fork; zero for none.
    pub(super) next: u64,
}

impl HashTree<'_> {
    /// The first leaf that may hold the hash value.
    pub(super) fn find(&self, hash: u32) -> Result<Leaf> {
        let mut logical = self.root;
        let mut above: Option<u16> = None;
        loop {
            let (at, bytes) = self.blocks.read_mapped(self.what, self.map, logical, self.span)?;
            let fields = Fields::new(self.what, at, &bytes);
            let magic = self.check(at, &fields)?;
            if magic != if self.blocks.crc() { NODE_V5 } else { NODE } {
                if above.is_some_and(|level| level != 1) {
                    return Err(fields.corrupt(8, "a leaf lies where a node should"));
                }
                return self.leaf(at, bytes, magic);
            }
            let (counts, entries) = if self.blocks.crc() { (56, 64) } else { (12, 16) };
            let (count, level) = (fields.be_u16(counts)?, fields.be_u16(counts + 2)?);
            let room = (fields.len() - entries) / 8;
            let expected = above.map_or(1..=MAX_DEPTH, |level| level - 1..=level - 1);
            if count == 0 || usize::from(count) > room || level == 0 || !expected.contains(&level) {
                let why = format!("the node has level {level} and {count} of {room} entries");
                return Err(fields.corrupt(counts, why));
            }
            // An entry's hash value is the greatest beneath it.
            let mut index = first_not_below(&fields, entries, count.into(), hash)?;
            index = index.min(usize::from(count) - 1);
            logical = fields.be_u32(entries + index * 8 + 4)?.into();
            above = Some(level);
        }
    }

    /// The leaf at the fork's block `logical`, which another leaf names as the next.
    pub(super) fn next(&self, logical: u64) -> Result<Leaf> {
        let (at, bytes) = self.blocks.read_mapped(self.what, self.map, logical, self.span)?;
        let magic = self.check(at, &Fields::new(self.what, at, &bytes))?;
        self.leaf(at, bytes, magic)
    }

    /// Verifies a block and gives its magic.
    fn check(&self, at: u64, fields: &Fields<'_>) -> Result<u16> {
        let magic = fields.be_u16(8)?;
        let leaves = if self.blocks.crc() { self.leaves_v5 } else { self.leaves };
        let node = if self.blocks.crc() { NODE_V5 } else { NODE };
        if magic != node && !leaves.contains(&magic) {
            return Err(fields.corrupt(8, format!("the magic {magic:#06x} is not of this index")));
        }
        if self.blocks.crc() {
            self.blocks.verify(self.what, at, fields.as_bytes(), DA3, self.owner)?;
        }
        Ok(magic)
    }

    fn leaf(&self, at: u64, bytes: Vec<u8>, magic: u16) -> Result<Leaf> {
        let fields = Fields::new(self.what, at, &bytes);
        let leaves = if self.blocks.crc() { self.leaves_v5 } else { self.leaves };
        if !leaves.contains(&magic) {
            return Err(fields.corrupt(8, "a node lies where a leaf should"));
        }
        let next = fields.be_u32(0)?.into();
        Ok(Leaf { at, bytes, next })
    }
}

/// The index of the first of `count` entries at `at` whose hash value is not below `hash`.
pub(super) fn first_not_below(
    fields: &Fields<'_>,
    at: usize,
    count: usize,
    hash: u32,
) -> Result<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if fields.be_u32(at + middle * 8)? < hash {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
