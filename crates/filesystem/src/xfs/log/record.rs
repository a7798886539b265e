//! A record of the log: what was written to it in one go.
//!
//! The first word of every block of a record makes room for the cycle; the words themselves are
//! kept in the header, and in further header blocks where the record is longer than 32 KiB.

use fathom_block::{Error, Fields, Result};

use super::ring::{MAGIC, Ring};
use crate::xfs::superblock::BASIC_BLOCK;

/// How many words one header block keeps.
const WORDS: usize = 64;

/// How many bytes of a record one header block serves (`XLOG_HEADER_CYCLE_SIZE`).
const SERVED: u32 = 32 << 10;

/// The largest record (`XLOG_MAX_RECORD_BSIZE`).
const MAX_LENGTH: u32 = 256 << 10;

/// The bytes of the header that its checksum covers: more on 64-bit machines than on 32-bit ones,
/// where the structure is padded less.
const HEADER_SIZES: [usize; 2] = [328, 324];
/// The bytes of a further header block that it covers.
const FURTHER_SIZE: usize = 260;
const CRC: usize = 32;

/// `XLOG_FMT_LINUX_LE`: items are in the byte order of the machine that wrote them.
const LITTLE_ENDIAN: u32 = 1;

/// The header of a record.
#[derive(Clone, Copy)]
pub(super) struct Header {
    /// The block where it starts.
    pub(super) at: u64,
    /// The place in the log's history: cycle and block.
    pub(super) lsn: u64,
    /// The block where recovery has to start, as of this record.
    pub(super) tail: u64,
    /// How many operations the record holds.
    pub(super) operations: u32,
    /// How many bytes follow the header.
    length: u32,
    /// How many blocks the header has.
    header_blocks: u64,
    format: u32,
}

impl Header {
    /// Reads the header at `block`.
    pub(super) fn read(ring: &Ring, block: u64) -> Result<Self> {
        let bytes = ring.read(block, 1)?;
        let fields = Fields::new("XFS log record", ring.place(block), &bytes);
        if fields.be_u32(0)? != MAGIC {
            return Err(fields.corrupt(0, "the magic is not that of a log record"));
        }
        let version = fields.be_u32(8)?;
        if version == 0 || version > 3 {
            return Err(fields.corrupt(8, format!("its version is {version}")));
        }
        let uuid = fields.array::<16>(304)?;
        if uuid != ring.uuid && uuid != [0; 16] {
            return Err(fields.corrupt(304, "it belongs to a filesystem of another UUID"));
        }
        let length = fields.be_u32(12)?;
        if length == 0 || length > MAX_LENGTH {
            return Err(fields.corrupt(12, format!("its length is {length}")));
        }
        let size = if version & 2 == 0 { SERVED } else { fields.be_u32(320)? };
        if size > MAX_LENGTH {
            return Err(fields.corrupt(320, format!("h_size is {size}")));
        }
        let tail = fields.be_u64(24)? & u64::from(u32::MAX);
        if tail >= ring.blocks {
            return Err(fields.corrupt(24, format!("the tail is at block {tail}")));
        }
        Ok(Self {
            at: block,
            lsn: fields.be_u64(16)?,
            tail,
            operations: fields.be_u32(40)?,
            length,
            header_blocks: size.div_ceil(SERVED).max(1).into(),
            format: fields.be_u32(300)?,
        })
    }

    /// How many blocks the record has.
    pub(super) fn blocks(&self) -> u64 {
        self.header_blocks + u64::from(self.length).div_ceil(BASIC_BLOCK)
    }

    /// The block after the record.
    pub(super) fn end(&self, ring: &Ring) -> u64 {
        ring.after(self.at, self.blocks())
    }

    /// The block where its first operation starts.
    pub(super) fn first_operation(&self, ring: &Ring) -> u64 {
        ring.after(self.at, self.header_blocks)
    }

    /// Reads what follows the header, checks it, and puts the words back that made room for the
    /// cycle.
    pub(super) fn body(&self, ring: &Ring) -> Result<Vec<u8>> {
        let place = ring.place(self.at);
        if self.format != LITTLE_ENDIAN {
            let why = format!("h_fmt is {}: written by a big-endian machine", self.format);
            return Err(Error::unsupported("XFS log record", why).at(place));
        }
        if self.blocks() > ring.blocks {
            let why = format!("{} blocks are more than the log has", self.blocks());
            return Err(Error::corrupt("XFS log record", place, why));
        }
        let bytes = ring.read(self.at, self.blocks())?;
        let (headers, rest) = bytes.split_at((self.header_blocks * BASIC_BLOCK) as usize);
        self.check(ring, headers, rest)?;
        let mut body = rest.to_vec();
        let block_size = BASIC_BLOCK as usize;
        for (index, block) in body.chunks_mut(block_size).enumerate() {
            let word = match (index / WORDS, index % WORDS) {
                (0, word) => 44 + word * 4,
                (header, word) => header * block_size + 4 + word * 4,
            };
            let word = headers.get(word..word + 4).ok_or_else(|| {
                Error::corrupt("XFS log record", place, "its header has too few blocks")
            })?;
            block[..4].copy_from_slice(word);
        }
        body.truncate(self.length as usize);
        Ok(body)
    }

    fn check(&self, ring: &Ring, headers: &[u8], rest: &[u8]) -> Result<()> {
        let fields = Fields::new("XFS log record", ring.place(self.at), headers);
        let stored = fields.le_u32(CRC)?;
        // Version 4 logs were written without checksums for a long time.
        if stored == 0 && !ring.crc {
            return Ok(());
        }
        let actual = |size: usize| -> Result<u32> {
            let crc = crc32c::crc32c_append(crc32c::crc32c(fields.bytes(0, CRC)?), &[0; 4]);
            let mut crc = crc32c::crc32c_append(crc, fields.bytes(CRC + 4, size - CRC - 4)?);
            for index in 1..self.length.div_ceil(SERVED) as usize {
                let further = fields.bytes(index * BASIC_BLOCK as usize, FURTHER_SIZE)?;
                crc = crc32c::crc32c_append(crc, further);
            }
            Ok(crc32c::crc32c_append(crc, rest.get(..self.length as usize).unwrap_or(rest)))
        };
        let [wide, narrow] = HEADER_SIZES;
        let wide = actual(wide)?;
        if wide == stored || actual(narrow)? == stored {
            return Ok(());
        }
        let why = format!("its checksum is {stored:#010x}, but that of its bytes is {wide:#010x}");
        Err(fields.corrupt(CRC, why))
    }
}
