//! Extents: which bytes of a file lie where (`btrfs_file_extent_item`).

use fathom_block::{Error, Fields, Result};

use super::block::Item;
use super::btree::Btree;
use super::compression::{Codec, MAX_LENGTH};
use super::key::{Key, kind};

const WHAT: &str = "Btrfs file extent";

/// Where the fields of an inline extent end and its bytes start.
pub(super) const INLINE: usize = 21;
/// The size of an item that is not inline.
pub(super) const REGULAR: usize = 53;

pub(super) const TYPE_INLINE: u8 = 0;
pub(super) const TYPE_REGULAR: u8 = 1;
pub(super) const TYPE_PREALLOCATED: u8 = 2;

/// A run of a file's bytes.
pub(super) struct Extent {
    /// Where in the file it starts.
    pub(super) start: u64,
    /// How many bytes of the file it holds.
    pub(super) length: u64,
    pub(super) body: Body,
}

/// Where the bytes are.
pub(super) enum Body {
    /// Nowhere: a hole, or space that was never written.
    Zeros,
    /// In the item itself.
    Inline { item: Item, codec: Option<Codec> },
    /// At an address of the filesystem.
    Plain { logical: u64 },
    /// In a compressed extent, from the byte `from` of what it unpacks to.
    Packed { packed: Packed, from: u64 },
}

/// A compressed extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Packed {
    pub(super) logical: u64,
    pub(super) packed_length: u64,
    pub(super) length: u64,
    pub(super) codec: Codec,
}

impl Extent {
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    pub(super) fn parse(item: &Item, sector_size: u32) -> Result<Self> {
        let fields = item.fields(WHAT);
        let start = item.key.offset;
        let ram_bytes = fields.le_u64(8)?;
        let codec = match fields.u8(16)? {
            0 => None,
            1 => Some(Codec::Zlib),
            2 => Some(Codec::Lzo),
            3 => Some(Codec::Zstd),
            other => {
                let why = format!("compression type {other} is not known");
                return Err(Error::unsupported(WHAT, why).at(item.place()));
            }
        };
        if fields.u8(17)? != 0 || fields.le_u16(18)? != 0 {
            return Err(Error::unsupported(WHAT, "it is encrypted or encoded").at(item.place()));
        }
        match fields.u8(20)? {
            TYPE_INLINE => {
                if start != 0 {
                    return Err(fields.corrupt(20, format!("inline bytes at byte {start}")));
                }
                let stored = (fields.len() - INLINE) as u64;
                if ram_bytes > MAX_LENGTH || codec.is_none() && ram_bytes != stored {
                    let why = format!("{ram_bytes} bytes are claimed, {stored} are stored");
                    return Err(fields.corrupt(8, why));
                }
                let body = Body::Inline { item: item.clone(), codec };
                Ok(Self { start, length: ram_bytes, body })
            }
            TYPE_REGULAR => Self::regular(&fields, start, ram_bytes, codec, sector_size),
            TYPE_PREALLOCATED => {
                let extent = Self::regular(&fields, start, ram_bytes, codec, sector_size)?;
                Ok(Self { body: Body::Zeros, ..extent })
            }
            other => Err(fields.corrupt(20, format!("type {other}"))),
        }
    }

    fn regular(
        fields: &Fields<'_>,
        start: u64,
        ram_bytes: u64,
        codec: Option<Codec>,
        sector_size: u32,
    ) -> Result<Self> {
        let logical = fields.le_u64(21)?;
        let disk_length = fields.le_u64(29)?;
        let offset = fields.le_u64(37)?;
        let length = fields.le_u64(45)?;
        let sector = u64::from(sector_size);
        for (at, number) in [(21, logical), (29, disk_length), (37, offset), (45, length)] {
            if !number.is_multiple_of(sector) {
                return Err(fields.corrupt(at, format!("{number} is not a multiple of a sector")));
            }
        }
        if !start.is_multiple_of(sector) || length == 0 || start.checked_add(length).is_none() {
            return Err(fields.corrupt(45, format!("{length} bytes at byte {start} of the file")));
        }
        if logical == 0 {
            return Ok(Self { start, length, body: Body::Zeros });
        }
        // What is referenced must lie within what there is.
        let within = if codec.is_some() { ram_bytes } else { disk_length };
        if offset.checked_add(length).is_none_or(|end| end > within) {
            return Err(fields
                .corrupt(37, format!("bytes {offset}+{length} of an extent that has {within}")));
        }
        let Some(end) = logical.checked_add(disk_length) else {
            return Err(fields.corrupt(21, format!("{disk_length} bytes at address {logical}")));
        };
        debug_assert!(end >= logical);
        let body = match codec {
            None => Body::Plain { logical: logical + offset },
            Some(codec) => {
                if ram_bytes > MAX_LENGTH || disk_length > MAX_LENGTH || disk_length == 0 {
                    return Err(fields.corrupt(
                        8,
                        format!("{disk_length} packed bytes that unpack to {ram_bytes}"),
                    ));
                }
                let packed =
                    Packed { logical, packed_length: disk_length, length: ram_bytes, codec };
                Body::Packed { packed, from: offset }
            }
        };
        Ok(Self { start, length, body })
    }
}

/// Hands the extents of the file `number` to `visit` in order, from the one that holds the byte
/// `from` on, or else the first behind it, until it answers `false`. Extents that overlap are
/// damage.
pub(super) fn walk(
    tree: &Btree,
    number: u64,
    from: u64,
    visit: &mut dyn FnMut(Extent) -> Result<bool>,
) -> Result<()> {
    let mut cursor = tree.cursor_around(Key::new(number, kind::EXTENT_DATA, from))?;
    let mut end = 0;
    while let Some(item) = cursor.next()? {
        if !item.key.is(number, kind::EXTENT_DATA) {
            break;
        }
        let extent = Extent::parse(&item, tree.store.superblock.sector_size)?;
        if extent.start < end {
            return Err(Error::corrupt(
                WHAT,
                item.place(),
                format!("two extents both hold byte {} of the file", extent.start),
            ));
        }
        end = extent.end();
        if end > from && !visit(extent)? {
            break;
        }
    }
    Ok(())
}
