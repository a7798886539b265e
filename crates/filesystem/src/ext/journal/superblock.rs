//! The journal's own superblock, in its first block: how it is laid out and where the log starts.

use fathom_block::{Error, Fields, Result};

use super::super::checksum::crc32c;

const WHAT: &str = "ext journal superblock";

/// How many bytes of the block have a meaning.
pub(super) const SIZE: usize = 1024;

/// `h_magic` of all of the journal's own blocks.
pub(super) const MAGIC: u32 = 0xC03B_3998;

/// How many blocks the area of fast commits has where the superblock does not say.
const DEFAULT_FAST_BLOCKS: u32 = 256;

/// The fewest blocks of log that an area of fast commits must leave.
const MIN_LOG: u32 = 1024;

/// What a reader needs of the journal's superblock.
#[derive(Clone, Debug)]
pub(super) struct JournalSuperblock {
    /// The first block of the log.
    pub(super) first: u32,
    /// The block behind the last one of the log.
    pub(super) last: u32,
    /// The block behind the last one of the journal.
    pub(super) end: u32,
    /// The first transaction in the log.
    pub(super) sequence: u32,
    /// Where it starts; 0 where the log is empty.
    pub(super) start: u32,
    /// Every transaction has one checksum over all its blocks.
    pub(super) transaction_checksums: bool,
    /// Block numbers have 64 bits.
    pub(super) bit64: bool,
    /// A commit block may have been written before the blocks that it commits.
    pub(super) async_commit: bool,
    /// Every block has a checksum, of which 16 bits are kept.
    pub(super) csum_v2: bool,
    /// Every block has a checksum, of which all bits are kept.
    pub(super) csum_v3: bool,
    /// Behind the log there is an area of fast commits.
    pub(super) fast_commit: bool,
    /// Where the checksums of blocks start.
    pub(super) csum_seed: u32,
}

impl JournalSuperblock {
    /// Understands the superblock of a journal that has room for `blocks` blocks.
    pub(super) fn parse(fields: &Fields<'_>, block_size: u32, blocks: u64) -> Result<Self> {
        let h_magic = fields.be_u32(0)?;
        if h_magic != MAGIC {
            return Err(fields.corrupt(0, format!("h_magic is {h_magic:#010x}, not {MAGIC:#010x}")));
        }
        // Version 1 has no features; what a version 2 superblock keeps there means nothing.
        let (compat, incompat) = match fields.be_u32(4)? {
            3 => (0, 0),
            4 => (fields.be_u32(36)?, fields.be_u32(40)?),
            kind => return Err(fields.corrupt(4, format!("h_blocktype is {kind}"))),
        };
        const KNOWN: u32 = 0x3F;
        if incompat & !KNOWN != 0 {
            let why = format!("incompat bits {:#x}", incompat & !KNOWN);
            return Err(Error::unsupported("ext journal feature", why));
        }
        let (csum_v2, csum_v3) = (incompat & 8 != 0, incompat & 16 != 0);
        if csum_v2 || csum_v3 {
            check_checksum(fields, csum_v2 && csum_v3)?;
        }
        let s_blocksize = fields.be_u32(12)?;
        if s_blocksize != block_size {
            let why = format!("s_blocksize is {s_blocksize}; the filesystem has {block_size}");
            return Err(fields.corrupt(12, why));
        }
        let (s_maxlen, s_first) = (fields.be_u32(16)?, fields.be_u32(20)?);
        if u64::from(s_maxlen) > blocks {
            let why = format!("s_maxlen is {s_maxlen}, but the journal has {blocks} blocks");
            return Err(fields.corrupt(16, why));
        }
        let fast_commit = incompat & 32 != 0;
        let mut last = s_maxlen;
        if fast_commit {
            let fast = match fields.be_u32(84)? {
                0 => DEFAULT_FAST_BLOCKS,
                s_num_fc_blks => s_num_fc_blks,
            };
            last = s_maxlen.checked_sub(fast).filter(|log| *log >= MIN_LOG).unwrap_or(s_maxlen);
        }
        if s_first == 0 || s_first >= last {
            return Err(fields.corrupt(20, format!("s_first is {s_first} of {last} blocks")));
        }
        let s_start = fields.be_u32(28)?;
        if s_start != 0 && !(s_first..last).contains(&s_start) {
            let why = format!("s_start is {s_start}, but the log is from {s_first} to {last}");
            return Err(fields.corrupt(28, why));
        }
        Ok(Self {
            first: s_first,
            last,
            end: s_maxlen,
            sequence: fields.be_u32(24)?,
            start: s_start,
            transaction_checksums: compat & 1 != 0,
            bit64: incompat & 2 != 0,
            async_commit: incompat & 4 != 0,
            csum_v2,
            csum_v3,
            fast_commit,
            csum_seed: crc32c(!0, fields.bytes(48, 16)?),
        })
    }

    /// Whether blocks have checksums of their own.
    pub(super) fn has_checksums(&self) -> bool {
        self.csum_v2 || self.csum_v3
    }

    /// The block of the log after `block`, which may be some blocks behind its end.
    pub(super) fn wrap(&self, block: u64) -> u64 {
        let (first, last) = (u64::from(self.first), u64::from(self.last));
        if block < last { block } else { first + (block - last) % (last - first) }
    }

    /// The first block of the area of fast commits.
    pub(super) fn fast_start(&self) -> u64 {
        u64::from(self.last) + 1
    }

    /// An empty structure to name the place of errors with.
    pub(super) fn fields(offset: u64, bytes: &[u8]) -> Fields<'_> {
        Fields::new(WHAT, offset, bytes)
    }
}

fn check_checksum(fields: &Fields<'_>, both: bool) -> Result<()> {
    const S_CHECKSUM: usize = 252;
    const CRC32C: u8 = 4;
    if both {
        return Err(fields.corrupt(40, "it has checksums of version 2 and of version 3"));
    }
    let s_checksum_type = fields.u8(80)?;
    if s_checksum_type != CRC32C {
        let why = format!("type {s_checksum_type} is not crc32c");
        return Err(Error::unsupported("ext journal checksum", why));
    }
    let sum = crc32c(!0, fields.bytes(0, S_CHECKSUM)?);
    let computed =
        crc32c(crc32c(sum, &[0; 4]), fields.bytes(S_CHECKSUM + 4, SIZE - S_CHECKSUM - 4)?);
    let stored = fields.be_u32(S_CHECKSUM)?;
    if stored != computed {
        let why = format!("its checksum is {stored:#010x}, but its bytes give {computed:#010x}");
        return Err(fields.corrupt(S_CHECKSUM, why));
    }
    Ok(())
}
