//! The two pages that say how the file is divided and where the topmost bucket begins.

use fathom_block::{Error, Fields, ReadAt, Result, read_array};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;

/// The head of every page; the meta follows it.
const HEAD: u64 = 16;

/// How much of the meta the checksum is of.
const SUMMED: usize = 56;

/// The smallest and the largest page: what is the page of some machine.
const SMALLEST: u64 = 1 << 10;
const LARGEST: u64 = 1 << 16;

/// What a meta page says.
pub(super) struct Meta {
    pub(super) page_size: u64,
    /// The first page of the topmost bucket.
    pub(super) root: u64,
    /// The number after that of the last page.
    pub(super) end: u64,
    transaction: u64,
}

/// The meta that counts.
pub(super) fn current(reader: &dyn ReadAt) -> Result<Meta> {
    let first = Meta::read(reader, 0);
    let second = match &first {
        Ok(first) => Meta::read(reader, first.page_size),
        // Without the first, the second is at whichever place a page could end.
        Err(_) => {
            let sizes = (SMALLEST.ilog2()..=LARGEST.ilog2()).map(|bits| 1_u64 << bits);
            let mut found = sizes.map(|size| (size, Meta::read(reader, size)));
            match found.find(|(size, meta)| meta.as_ref().is_ok_and(|it| it.page_size == *size)) {
                Some((_, meta)) => meta,
                None => return first,
            }
        }
    };
    match (first, second) {
        (Ok(first), Ok(second)) if second.transaction > first.transaction => Ok(second),
        (Ok(first), _) => Ok(first),
        (Err(_), second) => second,
    }
}

impl Meta {
    fn read(reader: &dyn ReadAt, at: u64) -> Result<Self> {
        let bytes: [u8; SUMMED + 8] = read_array(reader, "meta", at.saturating_add(HEAD))?;
        let meta = Fields::new("meta", at + HEAD, &bytes);
        if meta.be_u32(0)? == MAGIC {
            let why = "its machine begins numbers with the high byte";
            return Err(Error::unsupported("meta", why));
        }
        if meta.le_u32(0)? != MAGIC {
            return Err(meta.corrupt(0, "it does not begin as a database of bbolt does"));
        }
        if meta.le_u32(4)? != VERSION {
            return Err(Error::unsupported("meta", format!("version {}", meta.le_u32(4)?)));
        }
        if meta.le_u64(SUMMED)? != fnv(meta.bytes(0, SUMMED)?) {
            return Err(meta.corrupt(SUMMED, "its checksum is wrong"));
        }
        let page_size = u64::from(meta.le_u32(8)?);
        if !page_size.is_power_of_two() || !(SMALLEST..=LARGEST).contains(&page_size) {
            return Err(meta.corrupt(8, format!("a page of {page_size} bytes")));
        }
        Ok(Self {
            page_size,
            root: meta.le_u64(16)?,
            end: meta.le_u64(40)?,
            transaction: meta.le_u64(48)?,
        })
    }
}

/// The checksum FNV-1a of 64 bits.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
