//! A small file made by hand, and what damage does to it.

use super::*;
use crate::error::ErrorKind;
use crate::location::Location;
use crate::open::Opener;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The places of the log, the block table and the metadata.
const LOG: usize = MIB;
const TABLE: usize = 2 * MIB;
const METADATA: usize = 3 * MIB;

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn mend(image: &mut [u8], at: usize, length: usize) {
    put(image, at + 4, &[0; 4]);
    let crc = crc32c::crc32c(&image[at..at + length]);
    put(image, at + 4, &crc.to_le_bytes());
}

fn mend_header(image: &mut [u8], at: usize) {
    mend(image, at, 4096);
}

fn mend_regions(image: &mut [u8]) {
    for at in [192 * KIB, 256 * KIB] {
        mend(image, at, 64 * KIB);
    }
}

/// A disk of three blocks of a mebibyte, less one sector of 4 KiB: at 5 MiB, nowhere, at 4 MiB.
fn image() -> Vec<u8> {
    let mut image = vec![0; 6 * MIB];
    put(&mut image, 0, SIGNATURE);
    for (index, at) in [64 * KIB, 128 * KIB].into_iter().enumerate() {
        put(&mut image, at, b"head");
        image[at + 8] = 5 + index as u8;
        image[at + 66] = 1;
        put(&mut image, at + 68, &(MIB as u32).to_le_bytes());
        put(&mut image, at + 72, &(LOG as u64).to_le_bytes());
        mend_header(&mut image, at);
    }
    let guid = |a: u32, b: u16, c: u16, d: u64| header::Guid::new(a, b, c, d).0;
    for at in [192 * KIB, 256 * KIB] {
        put(&mut image, at, b"regi");
        image[at + 8] = 3;
        let regions = [
            (guid(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08), TABLE),
            (guid(0x8B7C_A206, 0x4790, 0x4B9A, 0xB8FE_575F_050F_886E), METADATA),
            ([9; 16], 0),
        ];
        for (index, (guid, place)) in regions.into_iter().enumerate() {
            put(&mut image, at + 16 + index * 32, &guid);
            put(&mut image, at + 32 + index * 32, &(place as u64).to_le_bytes());
            put(&mut image, at + 40 + index * 32, &(MIB as u32).to_le_bytes());
        }
    }
    mend_regions(&mut image);
    put(&mut image, METADATA, b"metadata");
    image[METADATA + 10] = 5;
    let items: [([u8; 16], u64, u32); 5] = [
        (guid(0xCAA1_6737, 0xFA36, 0x4D43, 0xB3B6_33F0_AA44_E76B), MIB as u64, 8),
        (guid(0x2FA5_4224, 0xCD1B, 0x4876, 0xB211_5DBE_D83B_F4B8), 3 * MIB as u64 - 4096, 8),
        (guid(0x8141_BF1D, 0xA96F, 0x4709, 0xBA47_F233_A8FA_AB5F), 4096, 4),
        (guid(0xBECA_12AB, 0xB2E6, 0x4523, 0x93EF_C309_E000_C746), 0, 16),
        ([8; 16], 0, 8),
    ];
    for (index, (guid, value, length)) in items.into_iter().enumerate() {
        let (entry, place) = (METADATA + 32 + index * 32, 64 * KIB + index * 16);
        put(&mut image, entry, &guid);
        put(&mut image, entry + 16, &(place as u32).to_le_bytes());
        put(&mut image, entry + 20, &length.to_le_bytes());
        put(&mut image, METADATA + place, &value.to_le_bytes());
    }
    put(&mut image, TABLE, &((5 * MIB as u64) | FULLY_PRESENT).to_le_bytes());
    put(&mut image, TABLE + 16, &((4 * MIB as u64) | FULLY_PRESENT).to_le_bytes());
    image[4 * MIB..5 * MIB].fill(b'x');
    image[5 * MIB..].fill(b'y');
    image
}

fn open(image: Vec<u8>) -> Result<Disk> {
    Ok(Opener::new().open_reader(Arc::new(image), &Location::Path("x.vhdx".into()))?.remove(0))
}

fn check(disk: &Disk) {
    let mut bytes = vec![0xEE; disk.reader.len() as usize];
    disk.reader.read_at(0, &mut bytes).unwrap();
    let wanted = [vec![b'y'; MIB], vec![0; MIB], vec![b'x'; MIB - 4096]].concat();
    assert!(bytes == wanted);
}

#[test]
fn blocks_are_found_and_the_sector_size_is_told() {
    let disk = open(image()).unwrap();
    check(&disk);
    assert_eq!(disk.sector_size, Some(4096));
    assert_eq!(disk.layers[0].detail, "dynamic, 1 MiB blocks");
    assert_eq!(disk.reader.next_data(5), Some(5..MIB as u64));
    assert_eq!(disk.reader.next_data(MIB as u64), Some(2 * MIB as u64..3 * MIB as u64 - 4096));
    assert!(disk.problems.is_empty());
    let mut fixed = image();
    fixed[METADATA + 64 * KIB + 4] = 1;
    assert_eq!(open(fixed).unwrap().layers[0].detail, "fixed, 1 MiB blocks");
}

#[test]
fn either_copy_suffices() {
    for at in [64 * KIB + 9, 128 * KIB + 9, 192 * KIB + 20] {
        let mut image = image();
        image[at] ^= 1;
        let disk = open(image).unwrap();
        check(&disk);
        assert_eq!(disk.problems.len(), 1, "{at}");
    }
    for pair in [[64 * KIB + 9, 128 * KIB + 9], [192 * KIB + 20, 256 * KIB + 20]] {
        let mut image = image();
        pair.iter().for_each(|at| image[*at] ^= 1);
        assert_eq!(open(image).err().unwrap().kind(), ErrorKind::Corrupt);
    }
    // The same number twice is forgiven where the headers agree, as those of disk2vhd do.
    let mut twins = image();
    twins.copy_within(64 * KIB..68 * KIB, 128 * KIB);
    check(&open(twins.clone()).unwrap());
    twins[64 * KIB + 20] = 1;
    mend_header(&mut twins, 64 * KIB);
    assert_eq!(open(twins).err().unwrap().kind(), ErrorKind::Corrupt);
}

#[test]
fn what_contradicts_the_format_is_named() {
    let regions = |image: &mut Vec<u8>| mend_regions(image);
    let nothing = |_: &mut Vec<u8>| {};
    let items = METADATA + 64 * KIB;
    type Fix<'a> = &'a dyn Fn(&mut Vec<u8>);
    let cases: [(&str, usize, &[u8], Fix<'_>, ErrorKind); 21] = [
        ("regions count", 192 * KIB + 9, &[255], &regions, ErrorKind::Corrupt),
        ("region required", 192 * KIB + 16 + 64 + 28, &[1], &regions, ErrorKind::Unsupported),
        ("no table", 192 * KIB + 16, &[1], &regions, ErrorKind::Corrupt),
        ("metadata magic", METADATA, b"M", &nothing, ErrorKind::Corrupt),
        ("metadata count", METADATA + 11, &[255], &nothing, ErrorKind::Corrupt),
        ("item required", METADATA + 32 + 4 * 32 + 24, &[4], &nothing, ErrorKind::Unsupported),
        ("item short", METADATA + 32 + 20, &[7], &nothing, ErrorKind::Corrupt),
        ("item in the table", METADATA + 32 + 18, &[0], &nothing, ErrorKind::Corrupt),
        ("item outside", METADATA + 32 + 16, &[255; 4], &nothing, ErrorKind::Corrupt),
        ("no size", METADATA + 64, &[0], &nothing, ErrorKind::Corrupt),
        ("has parent", items + 4, &[2], &nothing, ErrorKind::Unsupported),
        ("block size", items + 2, &[0], &nothing, ErrorKind::Corrupt),
        ("block size odd", items, &[1], &nothing, ErrorKind::Corrupt),
        ("disk size odd", items + 16, &[1], &nothing, ErrorKind::Corrupt),
        ("disk too large", items + 16 + 6, &[1], &nothing, ErrorKind::Corrupt),
        ("disk larger than table", items + 16 + 5, &[1], &nothing, ErrorKind::Corrupt),
        ("sector size", items + 32 + 1, &[8], &nothing, ErrorKind::Corrupt),
        ("metadata region", 192 * KIB + 16 + 32 + 20, &[9], &regions, ErrorKind::Corrupt),
        ("table region", 192 * KIB + 16 + 20, &[9], &regions, ErrorKind::Corrupt),
        ("signature", 0, b"V", &nothing, ErrorKind::Corrupt),
        (
            "two tables",
            192 * KIB + 48,
            &[
                0x66, 0x77, 0xC2, 0x2D, 0x23, 0xF6, 0, 0x42, 0x9D, 0x64, 0x11, 0x5E, 0x9B, 0xFD,
                0x4A, 8,
            ],
            &regions,
            ErrorKind::Corrupt,
        ),
    ];
    for (what, at, bytes, fix, kind) in cases {
        let mut image = image();
        put(&mut image, at, bytes);
        if (192 * KIB..256 * KIB).contains(&at) {
            put(&mut image, at + 64 * KIB, bytes);
        }
        fix(&mut image);
        let opener = Opener::new().format(Some(Format::Vhdx));
        let opened = opener.open_reader(Arc::new(image), &Location::Path("x".into()));
        assert_eq!(opened.err().map(|error| error.kind()), Some(kind), "{what}");
    }
}

#[test]
fn a_header_of_another_version_is_not_understood() {
    let mut image = image();
    for at in [64 * KIB, 128 * KIB] {
        image[at + 66] = 2;
        mend_header(&mut image, at);
    }
    assert_eq!(open(image).err().unwrap().kind(), ErrorKind::Unsupported);
}

#[test]
fn blocks_that_cannot_be_are_corrupt_when_read() {
    for entry in [FULLY_PRESENT, 7, 4, 0xFFFF_FFFF_FFF0_0000 | FULLY_PRESENT] {
        let mut image = image();
        put(&mut image, TABLE, &entry.to_le_bytes());
        let disk = open(image).unwrap();
        let error = disk.reader.read_at(MIB as u64 - 1, &mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{entry:#x}");
        assert_eq!(disk.reader.next_data(0).map(|data| data.start), Some(0));
    }
    for state in [UNDEFINED, ZERO, UNMAPPED, UNMAPPED_DRAFT] {
        let mut image = image();
        put(&mut image, TABLE + 8, &((5 * MIB as u64) | state).to_le_bytes());
        check(&open(image).unwrap());
    }
}

/// One entry of the log: what it writes where, or, where there is nothing, how much it zeroes.
fn entry(sequence: u64, tail: usize, changes: &[(usize, Option<&[u8]>)]) -> Vec<u8> {
    let described = (64 + changes.len() * 32).next_multiple_of(4096);
    let mut entry = vec![0; described];
    put(&mut entry, 0, b"loge");
    put(&mut entry, 12, &(tail as u32).to_le_bytes());
    put(&mut entry, 16, &sequence.to_le_bytes());
    put(&mut entry, 24, &(changes.len() as u32).to_le_bytes());
    put(&mut entry, 32, &[0x77; 16]);
    put(&mut entry, 48, &(6 * MIB as u64).to_le_bytes());
    put(&mut entry, 56, &(6 * MIB as u64).to_le_bytes());
    for (index, (target, bytes)) in changes.iter().enumerate() {
        let at = 64 + index * 32;
        put(&mut entry, at + 16, &(*target as u64).to_le_bytes());
        put(&mut entry, at + 24, &sequence.to_le_bytes());
        match bytes {
            None => {
                put(&mut entry, at, b"zero");
                put(&mut entry, at + 8, &4096_u64.to_le_bytes());
            }
            Some(bytes) => {
                put(&mut entry, at, b"desc");
                put(&mut entry, at + 4, &bytes[4092..]);
                put(&mut entry, at + 8, &bytes[..8]);
                let mut data = bytes.to_vec();
                put(&mut data, 0, b"data\0\0\0\0");
                put(&mut data, 4092, &(sequence as u32).to_le_bytes());
                entry.extend(data);
            }
        }
    }
    let length = entry.len() as u32;
    put(&mut entry, 8, &length.to_le_bytes());
    let whole = entry.len();
    mend(&mut entry, 0, whole);
    entry
}

/// The image with a log in use, which holds these entries.
fn with_log(mut image: Vec<u8>, entries: &[(usize, Vec<u8>)]) -> Vec<u8> {
    for (at, entry) in entries {
        for (index, sector) in entry.chunks(4096).enumerate() {
            put(&mut image, LOG + (at + index * 4096) % MIB, sector);
        }
    }
    put(&mut image, 128 * KIB + 48, &[0x77; 16]);
    mend_header(&mut image, 128 * KIB);
    image
}

#[test]
fn the_active_sequence_is_replayed_and_no_other() {
    let healthy = image();
    let table = &healthy[TABLE..TABLE + 4096];
    let noise = [0xAB; 4096];
    let mut broken = healthy.clone();
    broken[TABLE..TABLE + 4096].fill(0xCD);
    // The active one wraps around the end; an older one stands behind it.
    let tail = MIB - 4096;
    let entries = [
        (tail, entry(7, tail, &[(TABLE, Some(&noise))])),
        (4096, entry(8, tail, &[(TABLE, None), (TABLE, Some(table))])),
        (65536, entry(3, 65536, &[(TABLE, Some(&noise))])),
        // Its tail is nowhere, so that it is no sequence.
        (131_072, entry(20, 4096 * 50, &[(TABLE, Some(&noise))])),
    ];
    let disk = open(with_log(broken.clone(), &entries)).unwrap();
    check(&disk);
    assert_eq!(disk.layers[0].detail, "dynamic, 1 MiB blocks, 2 log entries replayed");
    assert_eq!(disk.reader.next_data(MIB as u64), Some(2 * MIB as u64..3 * MIB as u64 - 4096));

    // Any byte of the newest entry that is wrong makes it count for nothing, and the sequence ends
    // before it: with a tail that names itself, the one before suffices.
    let mut cut = entries.clone();
    cut[0].1 = entry(7, tail, &[(TABLE, Some(table))]);
    for at in [0, 33, 64, 4096, 4100, 8191, 100, 70] {
        let mut damaged = cut.clone();
        damaged[1].1[at] ^= 1;
        let disk = open(with_log(broken.clone(), &damaged)).unwrap();
        check(&disk);
        assert!(disk.layers[0].detail.ends_with("1 log entry replayed"), "{at}");
    }
}

#[test]
fn a_log_without_a_sequence_is_refused_unless_it_was_never_written_to() {
    let disk = open(with_log(image(), &[])).unwrap();
    check(&disk);
    assert_eq!(disk.problems.len(), 1);
    // An entry of an earlier log, which had another name.
    let mut stale = entry(9, 0, &[(TABLE, None)]);
    stale[32] ^= 1;
    assert_eq!(open(with_log(image(), &[(0, stale)])).unwrap().problems.len(), 1);

    let refused = |entries: &[(usize, Vec<u8>)]| {
        let error = open(with_log(image(), entries)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        error.to_string()
    };
    // Its tail is nowhere: it goes on from entries that are gone.
    let later = (0, entry(9, 4096, &[(TABLE, None)]));
    let said = refused(std::slice::from_ref(&later));
    assert!(said.contains("it has 1 entry, 1 of them whole"), "{said}");
    // One byte of it is wrong.
    let mut torn = entry(3, 65536, &[(TABLE, None)]);
    torn[70] ^= 1;
    let said = refused(&[later, (65536, torn)]);
    assert!(said.contains("it has 2 entries, 1 of them whole"), "{said}");
}

#[test]
fn a_log_that_cannot_be_is_refused() {
    let log = with_log(image(), &[(0, entry(1, 0, &[]))]);
    let changed = |at: usize, bytes: &[u8]| {
        let mut image = log.clone();
        put(&mut image, 128 * KIB + at, bytes);
        mend_header(&mut image, 128 * KIB);
        open(image).err().unwrap().kind()
    };
    assert_eq!(changed(68, &[0, 0, 0, 5]), ErrorKind::Unsupported);
    assert_eq!(changed(68, &[0, 1]), ErrorKind::Corrupt);
    assert_eq!(changed(68, &[0; 4]), ErrorKind::Corrupt);
    assert_eq!(changed(72, &[0; 8]), ErrorKind::Corrupt);
    assert_eq!(changed(75, &[9]), ErrorKind::Corrupt);
    check(&open(log.clone()).unwrap());
    // The log speaks of a longer file.
    assert_eq!(open(log[..log.len() - 1].to_vec()).err().unwrap().kind(), ErrorKind::Corrupt);
    // It writes where no file reaches, or not whole sectors.
    for target in [usize::MAX - 4095, TABLE + 1] {
        for bytes in [None, Some(&[0; 4096][..])] {
            let image = with_log(image(), &[(0, entry(1, 0, &[(target, bytes)]))]);
            assert_eq!(open(image).err().unwrap().kind(), ErrorKind::Corrupt);
        }
    }
}

#[test]
fn more_descriptors_than_a_sector_holds_are_followed() {
    let healthy = image();
    let mut broken = healthy.clone();
    broken[TABLE..TABLE + 4096].fill(0xCD);
    let mut changes: Vec<(usize, Option<&[u8]>)> = vec![(TABLE + 8192, None); 200];
    changes.push((TABLE, Some(&healthy[TABLE..TABLE + 4096])));
    check(&open(with_log(broken, &[(8192, entry(4, 8192, &changes))])).unwrap());
}

#[test]
fn ids_are_written_as_people_write_them() {
    let id = header::Guid::new(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08);
    assert_eq!(format!("{id:?}"), "2dc27766-f623-4200-9d64-115e9bfd4a08");
}

#[test]
fn a_disk_without_a_size_is_corrupt() {
    let mut image = image();
    put(&mut image, METADATA + 64 * KIB + 16, &[0; 8]);
    let error = open(image).err().unwrap();
    assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains("a disk of 0 bytes"));
}
