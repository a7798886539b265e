//! What all trees are read from: the device, its chunks, and a cache of decoded blocks.

use std::sync::{Arc, Mutex, PoisonError};

use fathom_block::cache::Decoded;
use fathom_block::{Error, Problem, ReadAt, Result, read_vec};

use super::block::{Block, Expected};
use super::btree::Btree;
use super::chunk::{Chunk, ChunkMap};
use super::key::{Key, id, kind};
use super::superblock::Superblock;

/// How much memory decoded blocks may take.
const BLOCK_CACHE: usize = 8 << 20;

/// How many problems are remembered.
const MAX_PROBLEMS: usize = 100;

/// The device of a filesystem and how to find one's way on it.
pub(super) struct Store {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) superblock: Superblock,
    pub(super) chunks: ChunkMap,
    blocks: Decoded<u64, Block>,
    problems: Mutex<Vec<Problem>>,
}

impl Store {
    /// The filesystem that `superblock` describes: reads all of the chunk tree.
    pub(super) fn new(volume: Arc<dyn ReadAt>, superblock: Superblock) -> Result<Arc<Self>> {
        let chunks = ChunkMap::of_system(&superblock)?;
        let make = |volume, superblock, chunks| Self {
            volume,
            superblock,
            chunks,
            blocks: Decoded::new(BLOCK_CACHE),
            problems: Mutex::default(),
        };
        let bootstrap = Arc::new(make(volume.clone(), superblock.clone(), chunks.clone()));
        let tree = Btree::new(bootstrap, superblock.chunk_root, id::CHUNK_TREE);
        let mut chunks = chunks;
        let mut cursor = tree.cursor(Key::first(id::FIRST_CHUNK_TREE, kind::CHUNK_ITEM));
        while let Some(item) = cursor.next()? {
            if !item.key.is(id::FIRST_CHUNK_TREE, kind::CHUNK_ITEM) {
                break;
            }
            let chunk = Chunk::parse(&item.fields("Btrfs chunk item"), &superblock)?;
            chunks.insert(item.key.offset, chunk)?;
        }
        Ok(Arc::new(make(volume, superblock, chunks)))
    }

    /// The block that is expected there. Where one copy is bad, the next is tried.
    pub(super) fn block(&self, expected: &Expected) -> Result<Arc<Block>> {
        if let Some(block) = self.blocks.get(&expected.bytenr) {
            block.check(expected)?;
            return Ok(block);
        }
        let node_size = u64::from(self.superblock.node_size);
        let mut first = None;
        for place in self.chunks.places(expected.bytenr, node_size)? {
            let block = read_vec(&*self.volume, "Btrfs tree block", place, node_size)
                .and_then(|bytes| Block::decode(&self.superblock, expected.bytenr, place, bytes))
                .and_then(|block| block.check(expected).map(|()| Arc::new(block)));
            match block {
                Ok(block) => {
                    if let Some(error) = first {
                        self.note(error);
                    }
                    self.blocks.put(expected.bytenr, block.clone(), block.weight());
                    return Ok(block);
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| {
            Error::corrupt("Btrfs tree block", expected.bytenr, "it has no copy")
        }))
    }

    /// Remembers what was wrong but could be mended from another copy.
    pub(super) fn note(&self, problem: Problem) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.len() < MAX_PROBLEMS {
            problems.push(problem.within("a second copy was used"));
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
