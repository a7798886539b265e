//! Signatures near the start of a volume.

use fathom_block::{ReadAt, Result, read_array, read_vec};

use super::{LINUX_RAID, Recognised, has};
use crate::partition::guid::{Guid, big_endian};

/// How much of a volume's start holds the superblocks of filesystems.
const SUPERBLOCKS: u64 = 68 << 10;

/// The magic of Linux md, which is little-endian in metadata of version 1.
pub(super) const MD_MAGIC: [u8; 4] = [0xFC, 0x4E, 0x2B, 0xA9];

/// BitLocker on a drive that is otherwise formatted as FAT: "BitLocker To Go".
const BITLOCKER_TO_GO: &str = "4967d63b-2e29-4ad8-8399-f6a339e3d001";

/// A member of something, by the first bytes of a volume.
pub(crate) fn member(head: &[u8]) -> Option<Recognised> {
    let sixteen = |at: usize| head.get(at..at + 16);
    let uuid = |found: Recognised, at: usize| match sixteen(at) {
        Some(bytes) => found.uuid(big_endian(bytes)),
        None => found,
    };
    // Version 1.1 lies at the very start and 1.2 at 4 KiB; the member says where its metadata is.
    for at in [0, 4096] {
        let version = has(head, at, &MD_MAGIC) && has(head, at + 4, &1_u32.to_le_bytes());
        if version && has(head, at + 144, &(at as u64 / 512).to_le_bytes()) {
            return Some(uuid(Recognised::new(LINUX_RAID, at as u64), at + 16));
        }
    }
    if has(head, 3, b"-FVE-FS-") {
        return Some(Recognised::new("BitLocker", 3));
    }
    if has(head, 3, b"MSWIN4.1") {
        let guid: Option<[u8; 16]> = sixteen(424).and_then(|bytes| bytes.try_into().ok());
        if guid.is_some_and(|bytes| Guid(bytes).to_string() == BITLOCKER_TO_GO) {
            return Some(Recognised::new("BitLocker", 424));
        }
    }
    const BCACHE: [u8; 16] = [
        0xC6, 0x85, 0x73, 0xF6, 0x4E, 0x1A, 0x45, 0xCA, 0x82, 0x65, 0xF5, 0x7F, 0x48, 0xBA, 0x6D,
        0x81,
    ];
    if has(head, 4096 + 24, &BCACHE) {
        return Some(uuid(Recognised::new("bcache", 4096), 4096 + 40));
    }
    if has(head, 0, b"dmvdo001") {
        return Some(uuid(Recognised::new("VDO", 0), 40));
    }
    if has(head, 0, b"bluestore block device\n") {
        let text = head.get(23..59).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let found = Recognised::new("Ceph BlueStore", 0);
        let plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        return Some(match text.filter(plain) {
            Some(text) => found.uuid(text),
            None => found,
        });
    }
    // An XDR list of names and values, whose first name is `version`.
    if has(head, 16 << 10, &[1]) && has(head, (16 << 10) + 20, b"\0\0\0\x07version\0") {
        return Some(Recognised::new("ZFS pool member", 16 << 10));
    }
    if has(head, 4096, b"SPACEDB ") || has(head, 0, b"SPACEDB ") {
        return Some(Recognised::new("Storage Spaces", 4096));
    }
    if has(head, 0, b"HM\x01\0") || has(head, 0, b"HM\x02\0") {
        return Some(Recognised::new("LVM1 physical volume", 0));
    }
    if has(head, 0, b"UBI#\x01") {
        return Some(Recognised::new("UBI", 0));
    }
    if has(head, 4, b"!Stra0tis\x86\xff\x02^Arh") {
        return Some(Recognised::new("Stratis pool member", 0));
    }
    None
}

/// Where a member of a VMFS volume says so: far from the start, so it is asked only where a
/// partition's type or the lack of anything else gives a reason.
pub(crate) fn vmfs_member(volume: &dyn ReadAt) -> Result<Option<Recognised>> {
    const AT: u64 = 1 << 20;
    if volume.len() < AT + 4 {
        return Ok(None);
    }
    let magic: [u8; 4] = read_array(volume, "VMFS member", AT)?;
    let found = magic == 0xC001_D00D_u32.to_le_bytes();
    Ok(found.then(|| Recognised::new("VMFS volume member", AT)))
}

/// Whether a filesystem's superblock stands where it should, although sector 0 is a boot record:
/// for telling the boot loader before a filesystem from a partition table that is still empty.
pub(crate) fn foreign_superblock(volume: &dyn ReadAt) -> Result<bool> {
    let start = read_vec(volume, "start", 0, volume.len().min(SUPERBLOCKS))?;
    let known: [(usize, &[u8]); 14] = [
        (0, b"XFSB"),
        (0, b"hsqs"),
        (1024, b"H+\0\x04"),
        // ext, F2FS, EROFS, and swap on pages of 4 KiB.
        (1024 + 56, &[0x53, 0xEF]),
        (1024, &[0x10, 0x20, 0xF5, 0xF2]),
        (1024, &[0xE2, 0xE1, 0xF5, 0xE0]),
        (4096 - 10, b"SWAPSPACE2"),
        // The first descriptors of ISO 9660 and UDF.
        (32 << 10, b"\x01CD001"),
        (32 << 10, b"\0BEA01"),
        (32 << 10, b"JFS1"),
        ((64 << 10) + 64, b"_BHRfS_M"),
        ((64 << 10) + 52, b"ReIsEr"),
        // UFS2 and UFS1.
        ((64 << 10) + 1372, &[0x19, 0x01, 0x54, 0x19]),
        ((8 << 10) + 1372, &[0x54, 0x19, 0x01, 0x00]),
    ];
    Ok(known.into_iter().any(|(at, magic)| has(&start, at, magic))
        || (0..4).any(|sector| has(&start, sector * 512, b"LABELONE")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(at: usize, magic: &[u8]) -> Option<Recognised> {
        let mut head = vec![0; super::super::HEAD as usize];
        head[at..at + magic.len()].copy_from_slice(magic);
        member(&head)
    }

    #[test]
    fn members_are_known_by_name() {
        let name = |at: usize, magic: &[u8]| named(at, magic).map(|found| found.name);
        assert_eq!(name(3, b"-FVE-FS-"), Some("BitLocker"));
        assert_eq!(name(0, b"dmvdo001"), Some("VDO"));
        assert_eq!(name(4096, b"SPACEDB "), Some("Storage Spaces"));
        assert_eq!(name(0, b"HM\x01\0"), Some("LVM1 physical volume"));
        assert_eq!(name(0, b"UBI#\x01"), Some("UBI"));
        assert_eq!(name(0, b"nothing"), None);
        let nvlist = b"\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\0\0\x24\0\0\0\x20\0\0\0\x07version\0";
        assert_eq!(name(16 << 10, nvlist), Some("ZFS pool member"));
        assert_eq!(member(&[0; 3]), None);
    }

    #[test]
    fn uuids_are_spelled_as_their_tools_do() {
        let text = b"bluestore block device\n6c4f1d5e-0f3c-4b6e-9d0a-111213141516\n";
        let uuid = named(0, text).unwrap().uuid;
        assert_eq!(uuid.as_deref(), Some("6c4f1d5e-0f3c-4b6e-9d0a-111213141516"));
        let mut head = vec![0; 8192];
        head[4096..4100].copy_from_slice(&MD_MAGIC);
        head[4100] = 1;
        head[4112..4128].copy_from_slice(&[0xAB; 16]);
        assert_eq!(member(&head), None, "its place does not match");
        head[4240] = 8;
        let found = member(&head).unwrap();
        assert_eq!(found.name, "Linux RAID member");
        assert_eq!(found.uuid.as_deref(), Some("abababab-abab-abab-abab-abababababab"));
        let mut to_go = vec![0; 512];
        to_go[3..11].copy_from_slice(b"MSWIN4.1");
        assert_eq!(member(&to_go), None);
        to_go[424..440].copy_from_slice(&[
            0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3,
            0xD0, 0x01,
        ]);
        assert_eq!(member(&to_go).unwrap().name, "BitLocker");
    }

    #[test]
    fn members_of_vmfs_say_so_at_one_mebibyte() {
        let mut disk = vec![0; (1 << 20) + 4];
        assert_eq!(vmfs_member(&disk).unwrap(), None);
        disk[1 << 20..].copy_from_slice(&[0x0D, 0xD0, 0x01, 0xC0]);
        assert!(vmfs_member(&disk).unwrap().is_some());
        disk.pop();
        assert_eq!(vmfs_member(&disk).unwrap(), None);
    }

    #[test]
    fn superblocks_are_seen_behind_boot_code() {
        let mut head = vec![0; 4096];
        assert!(!foreign_superblock(&head).unwrap());
        head[1080..1082].copy_from_slice(&[0x53, 0xEF]);
        assert!(foreign_superblock(&head).unwrap());
    }
}
