use super::*;

/// A section that is to be: its name, its address, whether the program may write there, its bytes.
pub(crate) type Part<'a> = (&'a str, u64, bool, &'a [u8]);

/// A program for Linux, of 64 bits, with these sections; and without their names if `stripped`.
pub(crate) fn elf(parts: &[Part<'_>], stripped: bool) -> Vec<u8> {
    let mut file = vec![0; 4096];
    let mut names = b"\0.shstrtab\0".to_vec();
    let (mut sections, mut segments) = (vec![[0u64; 6]], Vec::new());
    for (name, address, writable, bytes) in parts {
        let at = file.len() as u64;
        let (length, flags) = (bytes.len() as u64, 2 | u64::from(*writable));
        sections.push([names.len() as u64, 1, flags, *address, at, length]);
        segments.extend([1 | (4 | u64::from(*writable) << 1) << 32, at, *address, *address]);
        segments.extend([length, length, 4096]);
        names.extend(name.as_bytes());
        names.push(0);
        file.extend(*bytes);
        file.resize(file.len().next_multiple_of(16), 0);
    }
    sections.push([1, 3, 0, 0, file.len() as u64, names.len() as u64]);
    file.extend(&names);
    let start = file.len() as u64;
    for [name, kind, flags, address, at, length] in &sections {
        file.extend((name | kind << 32).to_le_bytes());
        [flags, address, at, length, &0, &1, &0]
            .iter()
            .for_each(|it| file.extend(it.to_le_bytes()));
    }
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    let count = sections.len() as u16;
    for (at, half) in
        [(0x36, 56), (0x38, parts.len() as u16), (0x3A, 64), (0x3C, count), (0x3E, count - 1)]
    {
        file[at..at + 2].copy_from_slice(&half.to_le_bytes());
    }
    file[0x20..0x28].copy_from_slice(&64u64.to_le_bytes());
    file[0x28..0x30].copy_from_slice(&if stripped { 0 } else { start }.to_le_bytes());
    for (index, word) in segments.iter().enumerate() {
        file[64 + index * 8..][..8].copy_from_slice(&word.to_le_bytes());
    }
    file
}

fn open(file: Vec<u8>) -> Result<Option<Binary>> {
    Binary::open(Arc::new(file))
}

#[test]
fn sections_and_addresses() {
    let file =
        elf(&[(".text", 0x1000, false, b"code"), (".data", 0x2000, true, b"some data")], false);
    let binary = open(file).unwrap().unwrap();
    assert!(binary.is_named && binary.format == Format::Elf);
    let data = binary.section(".data").unwrap();
    assert_eq!(binary.read(data, 100).unwrap(), b"some data");
    assert!(binary.read(data, 8).is_err());
    assert_eq!(binary.at_address(0x2005, 4, 9).unwrap(), b"data");
    assert!(binary.at_address(0x2005, 5, 9).is_err());
    assert!(binary.at_address(u64::MAX, 2, 9).is_err());
    assert_eq!(binary.writable().count(), 1);
    assert!(binary.section(".bss").is_none());
    let stripped = open(elf(&[(".data", 0x2000, true, b"some data")], true)).unwrap().unwrap();
    assert!(!stripped.is_named);
    assert_eq!(stripped.at_address(0x2000, 4, 9).unwrap(), b"some");
}

#[test]
fn what_is_no_program() {
    for file in
        [vec![], vec![0; 600], b"#!/bin/sh\n".repeat(60), [&b"MZ"[..], &[0xFF; 600]].concat()]
    {
        assert!(open(file).unwrap().is_none());
    }
}

#[test]
fn lies() {
    let good = elf(&[(".data", 0x2000, true, b"some data")], false);
    let check = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        open(file).and_then(|binary| {
            let binary = binary.unwrap();
            binary.section(".data").map(|data| binary.read(data, 1 << 20)).transpose()
        })
    };
    assert!(check(0x28, &u64::MAX.to_le_bytes()).is_err());
    assert!(check(0x28, &(1u64 << 40).to_le_bytes()).is_err());
    assert!(check(0x3C, &u16::MAX.to_le_bytes()).is_err());
    assert!(check(0x3C, &0u16.to_le_bytes()).unwrap().is_none());
    assert!(check(0x3E, &999u16.to_le_bytes()).unwrap().is_none());
    assert!(check(0x3A, &1u16.to_le_bytes()).is_err());
    let table = u64::from_le_bytes(good[0x28..0x30].try_into().unwrap()) as usize;
    // The offset and the size of the section `.data`, and the place of its name.
    assert!(check(table + 64 + 24, &u64::MAX.to_le_bytes()).is_err());
    assert!(check(table + 64 + 32, &u64::MAX.to_le_bytes()).is_err());
    assert!(check(table + 64, &u32::MAX.to_le_bytes()).unwrap().is_none());
}
