//! The disk labels of other machines than PCs.

use super::{Recognised, has};

/// Partition types whose partitions hold a label of their own: BSD's and Solaris's slices.
pub(crate) fn is_slice(kind: &str) -> bool {
    const FREEBSD: &str = "516e7cb4-6ecf-11d6-8ff8-00022d09712b";
    matches!(kind, "0xa5" | "0xa6" | "0xa9" | "0x82" | "0xbf" | FREEBSD)
}

/// The disk label of a machine that is not a PC, by the first bytes of the disk or of a slice.
pub(crate) fn disk_label(head: &[u8], whole_disk: bool, length: u64) -> Option<Recognised> {
    const BSD: [u8; 4] = 0x8256_4557_u32.to_le_bytes();
    for at in [512, 64, 0] {
        // A disk label has its magic at its start and once more 132 bytes on.
        if has(head, at, &BSD) && has(head, at + 132, &BSD) {
            return Some(Recognised::new("BSD disklabel", at as u64));
        }
    }
    if has(head, 512 + 12, &0x600D_DEEE_u32.to_le_bytes()) {
        return Some(Recognised::new("Solaris x86 label", 512));
    }
    if !whole_disk {
        return None;
    }
    if has(head, 0, b"ER") && [512, 1024, 2048].iter().any(|at| has(head, *at, b"PM\0\0")) {
        return Some(Recognised::new("Apple partition map", 0));
    }
    if has(head, 0, &0x0BE5_A941_u32.to_be_bytes()) {
        return Some(Recognised::new("SGI disk label", 0));
    }
    if has(head, 508, &[0xDA, 0xBE]) && sun_checksum(head) {
        return Some(Recognised::new("Sun disk label", 508));
    }
    // The rigid disk block is one of the first sixteen.
    if (0..16).any(|sector| has(head, sector * 512, b"RDSK")) {
        return Some(Recognised::new("Amiga partition table", 0));
    }
    if has(head, 0, &[0xC9, 0xC2, 0xD4, 0xC1]) {
        return Some(Recognised::new("AIX boot record", 0));
    }
    // `VOL1`, `LNX1` and `CMS1` in EBCDIC, in the third block.
    for block in [4096, 2048, 1024, 512] {
        let at = 2 * block;
        if has(head, at + 4, &[0xE5, 0xD6, 0xD3, 0xF1])
            || has(head, at, &[0xD3, 0xD5, 0xE7, 0xF1])
            || has(head, at, &[0xC3, 0xD4, 0xE2, 0xF1])
        {
            return Some(Recognised::new("IBM DASD label", at as u64));
        }
    }
    atari(head, length)
}

/// The words of a Sun label give zero when they are all combined by exclusive or.
fn sun_checksum(head: &[u8]) -> bool {
    head.get(..512).is_some_and(|label| {
        let words = label.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        words.fold(0, |sum, word| sum ^ word) == 0
    })
}

/// Atari's table has no magic: an active entry with a type of three letters or digits that lies on
/// the disk has to do.
fn atari(head: &[u8], length: u64) -> Option<Recognised> {
    let sectors = length / 512;
    let number = |at: usize| -> Option<u64> {
        Some(u64::from(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?)))
    };
    let is_disk_size = number(0x1C2).is_some_and(|size| size != 0 && size <= sectors);
    let entry = |at: usize| -> Option<bool> {
        let id = head.get(at + 1..at + 4)?;
        let (start, size) = (number(at + 4)?, number(at + 8)?);
        let known = matches!(id, b"GEM" | b"BGM" | b"XGM" | b"RAW" | b"LNX" | b"SWP");
        let lies = start != 0 && size != 0 && start + size <= sectors;
        Some(head[at] & 1 == 1 && known && lies)
    };
    let any = [0x1C6, 0x1D2, 0x1DE, 0x1EA].into_iter().any(|at| entry(at).unwrap_or(false));
    (is_disk_size && any).then(|| Recognised::new("Atari partition table", 0x1C6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parts: &[(usize, &[u8])]) -> Option<&'static str> {
        let mut head = vec![0; 20_000];
        for (at, bytes) in parts {
            head[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        disk_label(&head, true, 10 << 20).map(|found| found.name)
    }

    #[test]
    fn labels_are_known_by_name() {
        let bsd = 0x8256_4557_u32.to_le_bytes();
        assert_eq!(name(&[(512, &bsd), (644, &bsd)]), Some("BSD disklabel"));
        assert_eq!(name(&[(512, &bsd)]), None);
        assert_eq!(name(&[(524, &0x600D_DEEE_u32.to_le_bytes())]), Some("Solaris x86 label"));
        assert_eq!(name(&[(0, b"ER"), (512, b"PM\0\0")]), Some("Apple partition map"));
        assert_eq!(name(&[(0, &[0x0B, 0xE5, 0xA9, 0x41])]), Some("SGI disk label"));
        assert_eq!(name(&[(508, &[0xDA, 0xBE])]), None);
        assert_eq!(name(&[(508, &[0xDA, 0xBE, 0xDA, 0xBE])]), Some("Sun disk label"));
        assert_eq!(name(&[(1024, b"RDSK")]), Some("Amiga partition table"));
        assert_eq!(name(&[(0, &[0xC9, 0xC2, 0xD4, 0xC1])]), Some("AIX boot record"));
        assert_eq!(name(&[(8196, &[0xE5, 0xD6, 0xD3, 0xF1])]), Some("IBM DASD label"));
        let entry = b"\x01GEM\0\0\0\x02\0\0\x01\0";
        assert_eq!(
            name(&[(0x1C2, &[0, 0, 0x20, 0]), (0x1C6, entry)]),
            Some("Atari partition table")
        );
        assert_eq!(name(&[(0x1C6, entry)]), None);
        assert_eq!(name(&[]), None);
        assert!(disk_label(&[0; 3], true, 3).is_none());
    }

    #[test]
    fn only_slices_have_labels_of_their_own() {
        let mut head = vec![0; 2000];
        head[..4].copy_from_slice(b"RDSK");
        assert!(disk_label(&head, false, 2000).is_none());
    }
}
