//! The base block: the first 4096 bytes of a hive, of which 512 are used. A transaction log starts
//! with a copy of these.

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

use crate::filetime::Filetime;

/// How long it is in a hive: cells are counted from its end.
pub(crate) const LENGTH: u64 = 4096;

/// How long its copy in a log is.
pub(crate) const COPY: u64 = 512;

/// The size that bins are a multiple of.
pub(crate) const ALIGNMENT: u32 = 4096;

/// The place of the root key wherever Windows made the hive: the first cell of the first bin.
const FIRST_CELL: u32 = 32;

/// The newest version that is known.
const NEWEST: u32 = 6;

/// What kind of file the block starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileType {
    Primary,
    /// A log that holds one set of sectors.
    OldLog,
    /// A log that holds a sequence of entries, since Windows 8.1.
    NewLog,
}

/// The fields that matter.
#[derive(Clone, Debug)]
pub(crate) struct BaseBlock {
    pub(crate) primary_sequence: u32,
    pub(crate) secondary_sequence: u32,
    pub(crate) last_written: Filetime,
    /// The version is 1 and this.
    pub(crate) minor: u32,
    pub(crate) file_type: FileType,
    pub(crate) root: u32,
    /// How long all bins together are.
    pub(crate) bins_size: u32,
}

impl BaseBlock {
    /// Reads and checks the block at the start of `source`.
    pub(crate) fn read(source: &dyn ReadAt) -> Result<Self> {
        const WHAT: &str = "registry base block";
        if source.len() < COPY {
            return Err(Error::truncated(WHAT, source.len(), COPY));
        }
        let bytes = read_array::<{ COPY as usize }>(source, WHAT, 0)?;
        let fields = Fields::new(WHAT, 0, &bytes);
        if fields.bytes(0, 4)? != b"regf" {
            return Err(fields.corrupt(0, "it does not start with \"regf\""));
        }
        let stored = fields.le_u32(508)?;
        if stored != checksum(&bytes) {
            return Err(fields.corrupt(508, "its checksum is wrong"));
        }
        Self::parse(&fields)
    }

    /// What a block says whose checksum is wrong, as far as that can be: of a hive whose bins are
    /// `bins_size` long.
    pub(crate) fn salvage(source: &dyn ReadAt, bins_size: u32, last_written: Filetime) -> Self {
        let parsed = read_array::<{ COPY as usize }>(source, "registry base block", 0)
            .and_then(|bytes| Self::parse(&Fields::new("registry base block", 0, &bytes)));
        let block = parsed.ok().filter(|block| block.file_type == FileType::Primary);
        Self {
            primary_sequence: 0,
            secondary_sequence: 0,
            last_written,
            minor: block.as_ref().map_or(5, |block| block.minor),
            file_type: FileType::Primary,
            root: block
                .map(|block| block.root)
                .filter(|root| *root < bins_size)
                .unwrap_or(FIRST_CELL),
            bins_size,
        }
    }

    fn parse(fields: &Fields<'_>) -> Result<Self> {
        let (major, minor) = (fields.le_u32(20)?, fields.le_u32(24)?);
        if major != 1 || minor > NEWEST {
            return Err(Error::unsupported(
                "registry hive",
                format!("it has version {major}.{minor}, and known are 1.0 to 1.{NEWEST}"),
            ));
        }
        let file_type = match fields.le_u32(28)? {
            0 => FileType::Primary,
            1 | 2 => FileType::OldLog,
            6 => FileType::NewLog,
            other => return Err(fields.corrupt(28, format!("no file has the type {other}"))),
        };
        let format = fields.le_u32(32)?;
        if format != 1 {
            return Err(Error::unsupported("registry hive", format!("it has the format {format}")));
        }
        let bins_size = fields.le_u32(40)?;
        if !is_bins_size(bins_size) {
            return Err(fields.corrupt(40, format!("bins cannot be {bins_size} bytes long")));
        }
        Ok(Self {
            primary_sequence: fields.le_u32(4)?,
            secondary_sequence: fields.le_u32(8)?,
            last_written: Filetime(fields.le_u64(12)?),
            minor,
            file_type,
            root: fields.le_u32(36)?,
            bins_size,
        })
    }

    /// Whether what it stands for was begun to be written and not finished.
    pub(crate) fn is_dirty(&self) -> bool {
        self.primary_sequence != self.secondary_sequence
    }
}

/// Whether all bins together can be that long.
pub(crate) fn is_bins_size(size: u32) -> bool {
    size > 0 && size.is_multiple_of(ALIGNMENT)
}

/// All words before it, one upon the other; two results are kept for other purposes.
pub(crate) fn checksum(block: &[u8; COPY as usize]) -> u32 {
    let (words, _) = block[..508].as_chunks::<4>();
    match words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{base_block, seal};

    fn check(change: impl Fn(&mut [u8]), expected: &str) {
        let mut block = base_block(7, 7, 4096);
        change(&mut block);
        let said = match BaseBlock::read(&block) {
            Ok(block) => format!("{block:?}"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expected), "{said}");
    }

    fn set(at: usize, value: u32) -> impl Fn(&mut [u8]) {
        move |block| {
            block[at..at + 4].copy_from_slice(&value.to_le_bytes());
            seal(block);
        }
    }

    #[test]
    fn blocks_right_and_wrong() {
        check(|_| (), "minor: 5");
        check(set(24, 0), "minor: 0");
        check(|block| block[0] = b'R', "at byte 0: it does not start");
        check(|block| block[60] ^= 1, "at byte 508: its checksum");
        check(set(20, 2), "unsupported: registry hive: it has version 2.5");
        check(set(24, 7), "unsupported: registry hive: it has version 1.7");
        check(set(28, 5), "at byte 28: no file has the type 5");
        check(set(28, 2), "OldLog");
        check(set(32, 0), "unsupported: registry hive: it has the format 0");
        check(set(40, 0), "at byte 40");
        check(set(40, 4097), "at byte 40");
        assert!(BaseBlock::read(&vec![0; 511]).is_err());
    }

    #[test]
    fn sums_that_are_kept_for_other_purposes() {
        let mut block = [0; 512];
        assert_eq!(checksum(&block), 1);
        block[..4].fill(0xFF);
        assert_eq!(checksum(&block), 0xFFFF_FFFE);
    }

    #[test]
    fn what_a_damaged_block_still_says() {
        let mut block = base_block(7, 7, 4096);
        block[36] = 0x80;
        block[508] ^= 1;
        let salvaged = BaseBlock::salvage(&block, 8192, Filetime(1));
        assert_eq!((salvaged.root, salvaged.bins_size), (0x80, 8192));
        let salvaged = BaseBlock::salvage(&vec![0xFF; 4096], 8192, Filetime(1));
        assert_eq!((salvaged.root, salvaged.minor), (FIRST_CELL, 5));
    }
}
