use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::*;

/// A member to be packed.
#[derive(Clone)]
pub(crate) struct Packed {
    name: String,
    method: u16,
    data: Vec<u8>,
    /// The size that the directory is to say.
    pub(crate) size: Option<u32>,
    /// The place that the directory is to say.
    pub(crate) header: Option<u32>,
    length: usize,
    checksum: u32,
}

impl Packed {
    pub(crate) fn stored(name: &str, bytes: &[u8]) -> Self {
        Self::new(name, member::STORED, bytes, bytes.to_vec())
    }

    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        Self::new(name, 8, bytes, encoder.finish().unwrap())
    }

    fn new(name: &str, method: u16, bytes: &[u8], data: Vec<u8>) -> Self {
        let mut checksum = Crc::new();
        checksum.update(bytes);
        Self {
            name: name.to_owned(),
            method,
            data,
            size: None,
            header: None,
            length: bytes.len(),
            checksum: checksum.sum(),
        }
    }

    fn sizes(&self) -> [u8; 12] {
        let mut sizes = [0; 12];
        let size = self.size.unwrap_or(self.length as u32);
        for (part, number) in sizes.chunks_mut(4).zip([self.checksum, self.data.len() as u32, size])
        {
            part.copy_from_slice(&number.to_le_bytes());
        }
        sizes
    }
}

/// An archive of these members.
pub(crate) fn packed(members: &[Packed]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let header = member.header.unwrap_or(file.len() as u32);
        let name = (member.name.len() as u16).to_le_bytes();
        file.extend(b"PK\x03\x04\x14\0\0\0");
        file.extend(member.method.to_le_bytes());
        file.extend([0; 4]);
        file.extend(member.sizes());
        file.extend(name);
        file.extend([0; 2]);
        file.extend(member.name.as_bytes());
        file.extend(&member.data);
        directory.extend(b"PK\x01\x02\x14\0\x14\0\0\0");
        directory.extend(member.method.to_le_bytes());
        directory.extend([0; 4]);
        directory.extend(member.sizes());
        directory.extend(name);
        directory.extend([0; 12]);
        directory.extend(header.to_le_bytes());
        directory.extend(member.name.as_bytes());
    }
    let (start, count) = (file.len() as u32, (members.len() as u16).to_le_bytes());
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].concat());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// What the members of the archive hold, or words of what is wrong with it.
fn check(archive: Vec<u8>, expected: std::result::Result<&[&str], &str>) {
    let read = || -> Result<Vec<String>> {
        let mut budget = Budget::of(archive.len() as u64);
        let mut zip = Zip::open(Arc::new(archive.clone()))?;
        let members = zip.members(100, |_| true)?;
        let read = |member| {
            let bytes = zip.read(member, 1 << 20, &mut budget)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        members.iter().map(read).collect()
    };
    match (read(), expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{words}: {error}"),
        (found, expected) => assert_eq!(format!("{found:?}"), format!("{expected:?}")),
    }
}

fn two() -> Vec<Packed> {
    vec![Packed::stored("a", b"one"), Packed::deflated("b", b"two two two two")]
}

#[test]
fn members() {
    check(packed(&two()), Ok(&["one", "two two two two"]));
    check(packed(&[]), Ok(&[]));
    check([b"#!/bin/sh\n".to_vec(), packed(&two())].concat(), Ok(&["one", "two two two two"]));
    let mut commented = packed(&two());
    let length = commented.len();
    commented[length - 2..].copy_from_slice(&9u16.to_le_bytes());
    commented.extend(b"a comment");
    check(commented, Ok(&["one", "two two two two"]));
}

#[test]
fn wide_numbers() {
    let narrow = packed(&two());
    let end = narrow.len() - 22;
    let record = &narrow[end..];
    let number = |at: usize| u64::from(u32::from_le_bytes(record[at..at + 4].try_into().unwrap()));
    let (size, start) = (number(12), number(16));
    let mut wide = narrow[..end].to_vec();
    wide.extend(b"PK\x06\x06");
    wide.extend(44u64.to_le_bytes());
    wide.extend([0; 12]);
    [2, 2, size, start].iter().for_each(|number: &u64| wide.extend(number.to_le_bytes()));
    wide.extend(b"PK\x06\x07\0\0\0\0");
    wide.extend((end as u64).to_le_bytes());
    wide.extend(1u32.to_le_bytes());
    wide.extend(b"PK\x05\x06\0\0\0\0");
    wide.extend([0xFF; 12]);
    wide.extend([0; 2]);
    check(wide.clone(), Ok(&["one", "two two two two"]));
    check([b"before".to_vec(), wide].concat(), Ok(&["one", "two two two two"]));
}

#[test]
fn lies() {
    let with = |change: fn(&mut Packed)| {
        let mut members = two();
        change(&mut members[1]);
        packed(&members)
    };
    check(with(|member| member.header = Some(0)), Err("bytes of another"));
    check(with(|member| member.header = Some(5)), Err("begin as a member"));
    check(with(|member| member.header = Some(u32::MAX - 1)), Err("behind the end"));
    check(with(|member| member.size = Some(3)), Err("3 bytes"));
    check(with(|member| member.size = Some(300)), Err("300 bytes"));
    check(with(|member| member.size = Some(u32::MAX - 1)), Err("at most"));
    check(with(|member| member.checksum ^= 1), Err("checksum"));
    check(with(|member| member.method = 12), Err("method 12"));
    check(with(|member| member.method = 0), Err("two sizes"));
    check(with(|member| member.data[2] ^= 0xFF), Err(""));
    check(b"PK".to_vec(), Err("does not end"));
    let mut counts = packed(&two());
    let end = counts.len() - 22;
    counts[end + 10] = 3;
    check(counts, Err("3 are said"));
    let mut place = packed(&two());
    place[end + 16] = 0xFF;
    check(place, Err("behind the end"));
    let mut long = packed(&two());
    long[end + 15] = 0x70;
    check(long, Err("longer than the archive"));
}
