//! VirtualBox disk images, dynamic and fixed.
//!
//! A [`header`], a map with the number of every block's place, and the blocks. Fixed images have a
//! map too. Differencing and undo images are refused by name.

mod header;

use std::sync::Arc;

use self::header::{Header, ImageType, SIGNATURE, SIGNATURE_AT};
use crate::error::Result;
use crate::formats::Format;
use crate::formats::mapped::{Map, Mapped, Place, Run};
use crate::formats::table::{Spelling, Table};
use crate::open::{Chain, Disk, Source};

/// Map entries from this one on are no places: never written, or known to be zeros.
const DISCARDED: u64 = 0xFFFF_FFFE;

pub(crate) fn probe(head: &[u8], _length: u64) -> bool {
    head.get(SIGNATURE_AT..SIGNATURE_AT + 4) == Some(SIGNATURE)
}

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Disk> {
    let Source { reader, location, .. } = source;
    let header = Header::read(&*reader)?;
    let kind = match header.image_type {
        ImageType::Dynamic => "dynamic",
        ImageType::Fixed => "fixed",
    };
    let detail = format!("{kind}, {} KiB blocks", header.block_size >> 10);
    let needed = header.size.div_ceil(header.block_size);
    let map = Table::new(reader.clone(), "VDI block map", header.map, needed, Spelling::Le32)?;
    let data = Mapped::new(Blocks { header, map }, reader);
    Ok(Disk::new(Format::Vdi, location, Arc::new(data)).detail(detail))
}

/// The map of an image.
struct Blocks {
    header: Header,
    map: Table,
}

impl Map for Blocks {
    fn len(&self) -> u64 {
        self.header.size
    }

    fn run(&self, offset: u64) -> Result<Run> {
        let size = self.header.block_size;
        let (block, inner) = (offset / size, offset % size);
        let entry = self.map.get(block)?;
        if entry >= DISCARDED {
            let length = self.map.repeats(block)? * size - inner;
            return Ok(Run { place: Place::Zeros, length });
        }
        if entry >= self.header.blocks {
            let why = format!("block {entry}, but the image has only {}", self.header.blocks);
            return Err(self.map.corrupt(block, why));
        }
        let at = self.header.data + entry * size + inner;
        Ok(Run { place: Place::At(at), length: size - inner })
    }
}

#[cfg(test)]
mod tests {
    use super::header::tests::header;
    use super::*;
    use crate::error::ErrorKind;
    use crate::location::Location;
    use crate::open::Opener;

    /// Three blocks: one that lies second, one that is zeros, one that lies first.
    fn image() -> Vec<u8> {
        let mut map = vec![0xFF; 512];
        for (block, entry) in [1, 0xFFFF_FFFE, 0_u32].iter().enumerate() {
            map[block * 4..block * 4 + 4].copy_from_slice(&entry.to_le_bytes());
        }
        [header(1100), map, vec![b'a'; 512], vec![b'b'; 512]].concat()
    }

    fn open(image: Vec<u8>) -> Result<Disk> {
        assert!(probe(&image[..512], image.len() as u64));
        Ok(Opener::new().open_reader(Arc::new(image), &Location::Path("x.vdi".into()))?.remove(0))
    }

    #[test]
    fn blocks_are_found_through_the_map() {
        let disk = open(image()).unwrap();
        let mut bytes = vec![0xEE; 1100];
        disk.reader.read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, [vec![b'b'; 512], vec![0; 512], vec![b'a'; 76]].concat());
        assert_eq!(disk.reader.next_data(0), Some(0..512));
        assert_eq!(disk.reader.next_data(512), Some(1024..1100));
        assert_eq!(disk.layers[0].detail, "dynamic, 0 KiB blocks");
    }

    #[test]
    fn places_beyond_the_image_are_corrupt() {
        for entry in [2, 3, 0xFFFF_FFFD_u32] {
            let mut image = image();
            image[512..516].copy_from_slice(&entry.to_le_bytes());
            let disk = open(image).unwrap();
            let error = disk.reader.read_at(0, &mut [0; 600]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{entry}");
            disk.reader.read_at(512, &mut [0; 588]).unwrap();
        }
        assert!(open(image()[..516].to_vec()).is_err());
    }
}
