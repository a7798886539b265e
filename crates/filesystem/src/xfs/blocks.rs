//! Reading metadata blocks, and checking that a block is what and whose it should be.
//!
//! Version 5 metadata says of itself which block it is, of which filesystem, and which inode owns
//! it, under one CRC-32C. Version 4 metadata has nothing but a magic number.

use std::collections::HashSet;
use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, Fields, MAX_ALLOCATION, ReadAt, Result};

use super::bmap::Mapping;
use super::directory::DirectoryBlock;
use super::remap::Remaps;
use super::superblock::{BASIC_BLOCK, Superblock};

/// How many bytes of directory blocks are kept.
const DIRECTORIES: usize = 8 << 20;

/// Where a kind of version 5 metadata keeps what identifies it.
#[derive(Clone, Copy)]
pub(super) struct Identity {
    crc: usize,
    block: usize,
    uuid: usize,
    owner: usize,
}

#[cfg(test)]
impl Identity {
    /// Where the checksum, the block, the UUID and the owner lie.
    pub(super) fn places(self) -> [usize; 4] {
        [self.crc, self.block, self.uuid, self.owner]
    }
}

/// `xfs_btree_block` with long pointers.
pub(super) const BTREE: Identity = Identity { crc: 64, block: 24, uuid: 40, owner: 56 };
/// `xfs_dir3_blk_hdr`.
pub(super) const DIR3: Identity = Identity { crc: 4, block: 8, uuid: 24, owner: 40 };
/// `xfs_da3_blkinfo`.
pub(super) const DA3: Identity = Identity { crc: 12, block: 16, uuid: 32, owner: 48 };
/// `xfs_attr3_rmt_hdr` and `xfs_dsymlink_hdr`.
pub(super) const REMOTE: Identity = Identity { crc: 12, block: 40, uuid: 16, owner: 32 };

/// The CRC-32C of `bytes` with the four bytes at `at` taken for zeros.
pub(super) fn crc_without(bytes: &[u8], at: usize) -> u32 {
    let (before, after) = bytes.split_at(at.min(bytes.len()));
    let crc = crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]);
    crc32c::crc32c_append(crc, after.get(4..).unwrap_or(&[]))
}

/// Checks the CRC-32C that lies at `crc` of the structure.
pub(super) fn checksum(what: &str, at: u64, bytes: &[u8], crc: usize) -> Result<()> {
    let fields = Fields::new(what, at, bytes);
    let (stored, actual) = (fields.le_u32(crc)?, crc_without(bytes, crc));
    if stored == actual {
        return Ok(());
    }
    let why = format!("its checksum is {stored:#010x}, but that of its bytes is {actual:#010x}");
    Err(fields.corrupt(crc, why))
}

/// The volume with its log replayed, and the geometry to find things on it.
pub(super) struct Blocks {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) superblock: Superblock,
    /// Inodes whose extent trees were being handed from one to the other by an interrupted
    /// defragmentation: their blocks still name the other as the owner.
    pub(super) swapped: HashSet<u64>,
    /// What an interrupted chain of transactions has yet to do to the extents of files.
    pub(super) remaps: Remaps,
    /// Blocks of directories that were read lately, by inode and block of the directory.
    pub(super) directories: Decoded<(u64, u64), DirectoryBlock>,
}

impl Blocks {
    /// The blocks of `volume`.
    pub(super) fn new(
        volume: Arc<dyn ReadAt>,
        superblock: Superblock,
        swapped: HashSet<u64>,
        remaps: Remaps,
    ) -> Self {
        Self { volume, superblock, swapped, remaps, directories: Decoded::new(DIRECTORIES) }
    }

    /// Whether metadata carries checksums.
    pub(super) fn crc(&self) -> bool {
        self.superblock.features.crc
    }

    /// Reads `count` blocks at the filesystem block `block`.
    pub(super) fn read(&self, what: &str, block: u64, count: u64) -> Result<(u64, Vec<u8>)> {
        let at = self.locate(what, block, count)?;
        let length = count << self.superblock.block_log;
        Ok((at, fathom_block::read_vec(&self.volume, what, at, length)?))
    }

    /// The byte where `count` blocks at the filesystem block `block` start.
    pub(super) fn locate(&self, what: &str, block: u64, count: u64) -> Result<u64> {
        self.superblock.locate(block, count).ok_or_else(|| {
            let why = format!("{count} blocks at block {block:#x} do not lie on the filesystem");
            Error::corrupt(what, 0, why)
        })
    }

    /// Reads `count` blocks of a file at its block `logical`, wherever they lie. The place returned
    /// is that of the first.
    pub(super) fn read_mapped(
        &self,
        what: &str,
        map: &[Mapping],
        logical: u64,
        count: u64,
    ) -> Result<(u64, Vec<u8>)> {
        let length = (count << self.superblock.block_log) as usize;
        if length > MAX_ALLOCATION {
            return Err(Error::corrupt(what, 0, format!("{length} bytes are wanted at once")));
        }
        let mut bytes = vec![0; length];
        let mut reads = Vec::new();
        let mut rest = bytes.as_mut_slice();
        let mut next = logical;
        while !rest.is_empty() {
            let mapping = Mapping::find(map, next).ok_or_else(|| {
                Error::corrupt(what, 0, format!("block {next} of the inode is a hole"))
            })?;
            let inner = next - mapping.start;
            let run = (mapping.count - inner).min(logical + count - next);
            let at = self.locate(what, mapping.block + inner, run)?;
            let (part, after) = rest.split_at_mut((run << self.superblock.block_log) as usize);
            reads.push((at, part));
            rest = after;
            next += run;
        }
        let at = reads.first().map_or(0, |(at, _)| *at);
        self.volume.read_many(&mut reads).map_err(|error| error.within(what))?;
        Ok((at, bytes))
    }

    /// Checks a version 5 block that lies at the byte `at` and belongs to `owner`.
    pub(super) fn verify(
        &self,
        what: &str,
        at: u64,
        bytes: &[u8],
        identity: Identity,
        owner: u64,
    ) -> Result<()> {
        checksum(what, at, bytes, identity.crc)?;
        let fields = Fields::new(what, at, bytes);
        let (block, here) = (fields.be_u64(identity.block)?, at / BASIC_BLOCK);
        if block != here {
            let why = format!("it says that it is sector {block}, but lies at sector {here}");
            return Err(fields.corrupt(identity.block, why));
        }
        if fields.array::<16>(identity.uuid)? != self.superblock.meta_uuid {
            return Err(fields.corrupt(identity.uuid, "it belongs to a filesystem of another UUID"));
        }
        let named = fields.be_u64(identity.owner)?;
        if named != owner {
            let why = format!("it belongs to inode {named}, not to inode {owner}");
            return Err(fields.corrupt(identity.owner, why));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xfs::testing::{BLOCK, Image};

    #[test]
    fn blocks_must_be_what_and_whose_they_should_be() {
        let mut image = Image::new(true);
        image.block(20, b"XDB3", DIR3, 99);
        let check = |image: &Image, owner| {
            let blocks = image.blocks();
            let (at, bytes) = blocks.read("test", 20, 1).unwrap();
            blocks.verify("test", at, &bytes, DIR3, owner)
        };
        check(&image, 99).unwrap();
        assert!(check(&image, 98).unwrap_err().to_string().contains("inode 99"));
        let mut moved = image.clone();
        moved.bytes.copy_within(21 * BLOCK..22 * BLOCK, 20 * BLOCK);
        assert!(check(&moved, 99).unwrap_err().to_string().contains("checksum"));
        image.be64(20 * BLOCK + 8, 5);
        image.seal(20 * BLOCK, BLOCK, 4);
        assert!(check(&image, 99).unwrap_err().to_string().contains("sector 5"));
        image.be64(20 * BLOCK + 8, 160);
        image.put(20 * BLOCK + 24, &[1]);
        image.seal(20 * BLOCK, BLOCK, 4);
        assert!(check(&image, 99).unwrap_err().to_string().contains("UUID"));
        assert!(image.blocks().read("test", 512, 1).is_ok(), "the second group");
        assert!(image.blocks().read("test", 511, 2).is_err(), "over the end of a group");
        assert!(image.blocks().read("test", 1024, 1).is_err());
        assert!(image.blocks().read_mapped("test", &[], 0, 1).is_err());
        assert!(image.blocks().read_mapped("test", &[], 0, 1 << 20).is_err());
    }
}
