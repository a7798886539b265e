//! Images that are mostly nothing, in few bytes: what a fuzzer changes is then mostly metadata.
//!
//! Four bytes say how many sectors the image has; then come records of a sector's number and its
//! 512 bytes. All numbers are little-endian.

use std::collections::BTreeMap;

use fathom_block::{ReadAt, Result, check_range};

const SECTOR: usize = 512;
const RECORD: usize = 4 + SECTOR;

/// The most sectors an image may claim: 8 GiB.
const MOST: u32 = 1 << 24;

/// An image in that form.
pub(crate) struct Sparse {
    length: u64,
    sectors: BTreeMap<u64, [u8; SECTOR]>,
}

impl Sparse {
    /// Takes any bytes for such an image.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let (head, records) = bytes.split_at(bytes.len().min(4));
        let count =
            |bytes: &[u8]| bytes.iter().rev().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
        let length = u64::from(count(head).min(MOST)) * SECTOR as u64;
        let mut sectors = BTreeMap::new();
        for record in records.chunks(RECORD) {
            let (number, data) = record.split_at(record.len().min(4));
            let mut sector = [0; SECTOR];
            sector[..data.len()].copy_from_slice(data);
            sectors.insert(u64::from(count(number)), sector);
        }
        Self { length, sectors }
    }

    /// Writes an image in that form.
    #[allow(dead_code, reason = "the fuzz targets only read")]
    pub(crate) fn encode(image: &[u8]) -> Vec<u8> {
        let mut bytes = (image.len().div_ceil(SECTOR) as u32).to_le_bytes().to_vec();
        for (index, sector) in image.chunks(SECTOR).enumerate() {
            if sector.iter().any(|byte| *byte != 0) {
                bytes.extend((index as u32).to_le_bytes());
                bytes.extend(sector);
                bytes.resize(bytes.len() + SECTOR - sector.len(), 0);
            }
        }
        bytes
    }
}

impl ReadAt for Sparse {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let range = check_range(offset, buf.len(), self.length)?;
        buf.fill(0);
        let size = SECTOR as u64;
        for (number, sector) in self.sectors.range(range.start / size..range.end.div_ceil(size)) {
            let start = (number * size).max(range.start);
            let end = ((number + 1) * size).min(range.end);
            let from = (start - number * size) as usize;
            let to = (start - range.start) as usize;
            let length = (end - start) as usize;
            buf[to..to + length].copy_from_slice(&sector[from..from + length]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_survives_the_way_there_and_back() {
        let mut image = vec![0; 5000];
        image[700] = 7;
        image[4999] = 9;
        let sparse = Sparse::decode(&Sparse::encode(&image));
        let mut back = vec![1; sparse.len() as usize];
        sparse.read_at(0, &mut back).unwrap();
        image.resize(5120, 0);
        assert_eq!(back, image);
        let mut part = [0; 10];
        sparse.read_at(695, &mut part).unwrap();
        assert_eq!(part[5], 7);
    }
}
