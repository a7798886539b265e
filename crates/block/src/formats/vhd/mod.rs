//! Virtual hard disks, fixed and dynamic.
//!
//! A fixed disk is its bytes and a [`mod@footer`]. A dynamic one keeps [`blocks`] where a table says,
//! and has a copy of the footer at its beginning. Differencing disks are refused by name.

mod blocks;
mod footer;

use std::sync::Arc;

use self::blocks::Blocks;
use self::footer::{COOKIE, DiskType, Footer, SECTOR};
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::formats::Format;
use crate::formats::mapped::Mapped;
use crate::open::{Chain, Disk, Source};
use crate::read::{ReadAt, Window};

pub(crate) fn probe(head: &[u8], _length: u64) -> bool {
    head.starts_with(COOKIE)
}

/// A fixed disk has nothing but a footer in its last 512 bytes.
pub(crate) fn probe_tail(tail: &[u8; 512]) -> bool {
    tail.starts_with(COOKIE)
}

pub(crate) fn open(source: Source, _chain: &Chain<'_>) -> Result<Disk> {
    let Source { reader, location, .. } = source;
    let (footer, problem) = footer(&*reader)?;
    let mut problems = Vec::from_iter(problem);
    if footer.saved_state {
        problems.push(Error::unsupported(
            "VHD saved state",
            "a machine was suspended with this disk; what its memory held is not on it",
        ));
    }
    let mut disk = match footer.disk_type {
        DiskType::Fixed => {
            let data = Window::clipped(reader.clone(), 0, reader.len().saturating_sub(SECTOR));
            let data = Window::new(Arc::new(data), 0, footer.size)
                .map_err(|error| error.within("VHD fixed disk"))?;
            let detail = format!("fixed, made by {:?}", footer.creator);
            Disk::new(Format::Vhd, location, Arc::new(data)).detail(detail)
        }
        DiskType::Dynamic => {
            let blocks = Blocks::open(reader.clone(), &footer)?;
            let detail = format!(
                "dynamic, {} KiB blocks, made by {:?}",
                blocks.block_size >> 10,
                footer.creator
            );
            let data = Mapped::new(blocks, reader);
            Disk::new(Format::Vhd, location, Arc::new(data)).detail(detail)
        }
    };
    disk.problems = problems;
    Ok(disk)
}

/// The footer that counts, and what is wrong with the other one.
///
/// A dynamic disk has two, the same unless its writer was interrupted. The copy at the beginning
/// counts where it is whole: qemu and others read it first. A fixed disk has one, at its end; its
/// first sector is the guest's, whatever it looks like.
fn footer(reader: &dyn ReadAt) -> Result<(Footer, Option<Problem>)> {
    let end = reader.len().checked_sub(SECTOR);
    let last = match end {
        Some(at) => Footer::read(reader, at),
        None => Err(Error::corrupt("VHD footer", 0, "the file is shorter than a footer")),
    };
    let fixed = last.as_ref().is_ok_and(|footer| footer.disk_type == DiskType::Fixed);
    let first = match reader.len() {
        SECTOR.. if !fixed => Footer::read(reader, 0),
        _ => return last.map(|footer| (footer, None)),
    };
    match (first, last) {
        (Err(error), _) | (_, Err(error)) if error.kind() == ErrorKind::Unsupported => Err(error),
        (Ok(first), Ok(last)) => {
            let differ = || {
                let why = format!("{last:?}, but its copy at the beginning {first:?}");
                Error::corrupt("VHD footer", end.unwrap_or_default(), why)
            };
            let problem = (first != last).then(differ);
            Ok((first, problem))
        }
        (Ok(first), Err(problem)) if first.disk_type == DiskType::Dynamic => {
            Ok((first, Some(problem)))
        }
        (Err(problem), Ok(last)) => Ok((last, Some(problem))),
        (_, Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::footer::tests::{footer, sum};
    use super::*;
    use crate::location::Location;
    use crate::open::Opener;

    /// A dynamic disk of two blocks of 4 KiB: the first has its sectors 1 and 2, the second none.
    fn dynamic() -> Vec<u8> {
        let mut header = vec![0; 1024];
        header[..8].copy_from_slice(b"cxsparse");
        header[16..24].copy_from_slice(&1536_u64.to_be_bytes());
        header[25] = 1;
        header[31] = 2;
        header[32..36].copy_from_slice(&4096_u32.to_be_bytes());
        sum(&mut header, 36);
        let mut table = vec![0xFF; 512];
        table[..4].copy_from_slice(&4_u32.to_be_bytes());
        let mut bitmap = vec![0; 512];
        bitmap[0] = 0b0110_0000;
        let ends = footer(3, 7000);
        [ends.clone(), header, table, bitmap, vec![b'x'; 4096], ends].concat()
    }

    fn open(image: Vec<u8>) -> Result<Disk> {
        let location = Location::Path("disk.vhd".into());
        let opener = Opener::new().format(Some(Format::Vhd));
        Ok(opener.open_reader(Arc::new(image), &location)?.remove(0))
    }

    fn bytes(disk: &Disk) -> Result<Vec<u8>> {
        let mut bytes = vec![0xEE; disk.reader.len() as usize];
        disk.reader.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    fn expected() -> Vec<u8> {
        [vec![0; 512], vec![b'x'; 1024], vec![0; 7000 - 1536]].concat()
    }

    #[test]
    fn a_dynamic_disk_shows_the_sectors_its_bitmaps_name() {
        let image = dynamic();
        assert!(probe(&image[..512], image.len() as u64));
        let disk = open(image).unwrap();
        assert_eq!(bytes(&disk).unwrap(), expected());
        assert!(disk.problems.is_empty());
        assert!(disk.layers[0].detail.contains("4 KiB blocks"), "{}", disk.layers[0].detail);
        assert_eq!(disk.reader.next_data(0), Some(512..1536));
        assert_eq!(disk.reader.next_data(1536), None);
    }

    #[test]
    fn either_footer_suffices() {
        let end = dynamic().len() - 512;
        for at in [70, end + 70] {
            let mut image = dynamic();
            image[at] ^= 1;
            let disk = open(image).unwrap();
            assert_eq!(bytes(&disk).unwrap(), expected());
            assert_eq!(disk.problems.len(), 1, "{:?}", disk.problems);
        }
        let mut other = dynamic();
        other[end..].copy_from_slice(&footer(3, 6000));
        assert_eq!(open(other).unwrap().problems.len(), 1);
        let mut neither = dynamic();
        (neither[70], neither[end + 70]) = (1, 1);
        assert_eq!(open(neither).err().unwrap().kind(), ErrorKind::Corrupt);
        assert!(open(vec![0; 100]).is_err());
    }

    #[test]
    fn a_fixed_disk_is_all_but_its_footer() {
        let mut suspended = footer(2, 1024);
        suspended[84] = 1;
        sum(&mut suspended, 64);
        // Its guest keeps the beginning of another disk in its first sector.
        let image = [footer(3, 77), vec![5; 512], suspended].concat();
        assert!(probe_tail(image.last_chunk().unwrap()));
        let disk = open(image.clone()).unwrap();
        assert_eq!(bytes(&disk).unwrap(), image[..1024]);
        assert_eq!(disk.problems.len(), 1);
        assert!(open([vec![0; 512], footer(2, 1024)].concat()).is_err());
    }

    #[test]
    fn what_contradicts_the_format_is_corrupt() {
        let cases: [(usize, &[u8]); 6] = [
            (512, b"C"),
            (512 + 28, &[0, 0, 0, 1]),
            (512 + 32, &[0, 0, 0, 1]),
            (512 + 32, &[0, 0, 0x11, 0]),
            (512 + 16, &[0, 0, 1]),
            (512 + 700, &[1]),
        ];
        for (at, new) in cases {
            let mut image = dynamic();
            image[at..at + new.len()].copy_from_slice(new);
            if at != 512 + 700 {
                sum(&mut image[512..1536], 36);
            }
            assert_eq!(open(image).err().unwrap().kind(), ErrorKind::Corrupt, "{at}");
        }
        for (at, new) in [(512 + 25, [2, 0, 0]), (512 + 32, [0x40, 0, 0])] {
            let mut image = dynamic();
            image[at..at + 3].copy_from_slice(&new);
            sum(&mut image[512..1536], 36);
            assert_eq!(open(image).err().unwrap().kind(), ErrorKind::Unsupported, "{at}");
        }
        for entry in [0, 0xFFFF_FFF0_u32] {
            let mut image = dynamic();
            image[1536..1540].copy_from_slice(&entry.to_be_bytes());
            let disk = open(image).unwrap();
            assert_eq!(bytes(&disk).unwrap_err().kind(), ErrorKind::Corrupt);
            assert_eq!(disk.reader.next_data(0), Some(0..7000));
        }
        let mut differencing = footer(4, 512);
        sum(&mut differencing, 64);
        let error = open([vec![0; 512], differencing].concat()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
