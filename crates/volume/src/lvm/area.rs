//! A metadata area: one sector of header, then a ring of text.
//!
//! Every change of a group appends its whole text to the ring and only then points the header at
//! it, so a torn write leaves the text before it in force.

use fathom_block::{Error, Fields, MAX_ALLOCATION, ReadAt, Result, read_array};

use super::label::checksum;
use crate::budget::Budget;

/// The header's size; the ring starts behind it.
const HEADER: u64 = 512;

const MAGIC: &[u8; 16] = b"\x20LVM2 x[5A%r0N*>";

/// "Do not use this copy": `vgchange --metadatacopies` or `pvchange --metadataignore` set it.
const RAW_LOCN_IGNORED: u32 = 1;

/// A group's metadata, as text.
#[derive(Debug)]
pub(super) struct Text {
    /// Where its first byte lies on the volume.
    pub(super) at: u64,
    pub(super) checksum: u32,
    pub(super) bytes: Vec<u8>,
}

/// Where areas begin unless somebody wanted it otherwise.
const USUAL: u64 = 4096;

/// Why a volume is no physical volume any more, if an area begins on it and no label leads there.
pub(super) fn without_label(volume: &dyn ReadAt) -> Result<Option<Error>> {
    if volume.len() < USUAL + HEADER {
        return Ok(None);
    }
    let bytes: [u8; HEADER as usize] = read_array(volume, "LVM metadata area", USUAL)?;
    let header = Fields::new("LVM metadata area", USUAL, &bytes);
    let is_one = header.bytes(4, 16)? == MAGIC && header.le_u32(0)? == checksum(&bytes[4..]);
    let why = "it begins there, but the label of the physical volume, which leads there, was lost";
    Ok((is_one && header.le_u64(24)? == USUAL).then(|| header.corrupt(0, why)))
}

/// Reads the text of the area of `size` bytes at `start`; `None` where it belongs to no group.
pub(super) fn read(
    volume: &dyn ReadAt,
    start: u64,
    size: u64,
    budget: &mut Budget,
) -> Result<Option<Text>> {
    let bytes: [u8; HEADER as usize] = read_array(volume, "LVM metadata area", start)?;
    let header = Fields::new("LVM metadata area", start, &bytes);
    let (expected, actual) = (header.le_u32(0)?, checksum(&bytes[4..]));
    if actual != expected {
        let why = format!("the checksum is {actual:08x}, not {expected:08x}");
        return Err(header.corrupt(0, why));
    }
    if header.bytes(4, 16)? != MAGIC {
        return Err(header.corrupt(4, "the magic is missing"));
    }
    let version = header.le_u32(20)?;
    if version != 1 {
        return Err(Error::unsupported("LVM metadata area", format!("its version is {version}")));
    }
    let (own, ring_end) = (header.le_u64(24)?, header.le_u64(32)?);
    if own != start {
        return Err(header.corrupt(24, format!("the area belongs to byte {own}, not {start}")));
    }
    let (offset, length) = (header.le_u64(40)?, header.le_u64(48)?);
    let (text_checksum, flags) = (header.le_u32(56)?, header.le_u32(60)?);
    if offset == 0 || flags & RAW_LOCN_IGNORED != 0 {
        return Ok(None);
    }
    // The ring wraps from the area's end to right behind the header.
    if offset < HEADER
        || offset >= ring_end
        || ring_end > size
        || length > ring_end - HEADER
        || length > MAX_ALLOCATION as u64
    {
        let why = format!("the text claims {length} bytes at {offset} of an area of {ring_end}");
        return Err(header.corrupt(40, why));
    }
    budget.spend(length, "LVM metadata")?;
    let first = length.min(ring_end - offset);
    let end = start.checked_add(offset).and_then(|at| at.checked_add(first));
    if end.is_none_or(|end| end > volume.len()) {
        return Err(header.corrupt(40, "the text passes the end of the volume"));
    }
    let mut text = vec![0; length as usize];
    let (front, wrapped) = text.split_at_mut(first as usize);
    volume.read_many(&mut [(start + offset, front), (start + HEADER, wrapped)])?;
    let actual = checksum(&text);
    if actual != text_checksum {
        let why = format!("the text's checksum is {actual:08x}, not {text_checksum:08x}");
        return Err(Error::corrupt("LVM metadata", start + offset, why));
    }
    Ok(Some(Text { at: start + offset, checksum: text_checksum, bytes: text }))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Makes the header's checksum right.
    pub(in super::super) fn seal(header: &mut [u8]) {
        let sum = checksum(&header[4..512]);
        header[..4].copy_from_slice(&sum.to_le_bytes());
    }

    /// Puts an area of `size` bytes with `text` at its offset `offset` into the volume.
    pub(in super::super) fn put(
        volume: &mut [u8],
        start: usize,
        size: usize,
        offset: usize,
        text: &[u8],
    ) {
        let area = &mut volume[start..start + size];
        for (index, byte) in text.iter().enumerate() {
            let at = offset + index;
            area[if at < size { at } else { at - size + 512 }] = *byte;
        }
        area[4..20].copy_from_slice(MAGIC);
        area[20] = 1;
        area[24..32].copy_from_slice(&(start as u64).to_le_bytes());
        area[32..40].copy_from_slice(&(size as u64).to_le_bytes());
        area[40..48].copy_from_slice(&(offset as u64).to_le_bytes());
        area[48..56].copy_from_slice(&(text.len() as u64).to_le_bytes());
        area[56..60].copy_from_slice(&checksum(text).to_le_bytes());
        seal(area);
    }

    fn text(volume: &Vec<u8>) -> Result<Option<Text>> {
        read(volume, 4096, 8192, &mut Budget::default())
    }

    #[test]
    fn the_ring_wraps() {
        let expected: Vec<u8> = (0..3000).map(|at| at as u8).collect();
        for offset in [512, 5000, 8191] {
            let mut volume = vec![0; 20_000];
            put(&mut volume, 4096, 8192, offset, &expected);
            let found = text(&volume).unwrap().unwrap();
            assert_eq!(found.bytes, expected, "{offset}");
            assert_eq!(found.at, 4096 + offset as u64);
        }
    }

    #[test]
    fn empty_and_ignored_areas_hold_nothing() {
        let mut volume = vec![0; 20_000];
        put(&mut volume, 4096, 8192, 512, b"vg");
        let mut ignored = volume.clone();
        ignored[4096 + 60] = 1;
        seal(&mut ignored[4096..]);
        assert!(text(&ignored).unwrap().is_none());
        volume[4096 + 40..4096 + 48].fill(0);
        seal(&mut volume[4096..]);
        assert!(text(&volume).unwrap().is_none());
    }

    #[test]
    fn damage_is_corrupt() {
        let mut volume = vec![0; 20_000];
        put(&mut volume, 4096, 8192, 512, b"vg0 { }");
        for at in [0, 100, 512] {
            let mut volume = volume.clone();
            volume[4096 + at] ^= 1;
            assert!(text(&volume).is_err(), "{at}");
        }
        for (at, value) in [
            (4, 0),
            (20, 2),
            (24, 7),
            (32, u64::MAX),
            (40, 511),
            (40, 8192),
            (40, u64::MAX),
            (48, u64::MAX),
            (48, 7681),
        ] {
            let mut volume = volume.clone();
            volume[4096 + at..][..8].copy_from_slice(&value.to_le_bytes());
            seal(&mut volume[4096..]);
            assert!(text(&volume).is_err(), "{at} {value}");
        }
        assert!(read(&volume, 19_900, 8192, &mut Budget::default()).is_err());
    }
}
