//! Signatures near the end of a volume: software and firmware RAID keep theirs there, out of the
//! way of a boot loader.

use fathom_block::{ReadAt, Result};

use super::start::MD_MAGIC;
use super::{LINUX_RAID, Recognised, has};
use crate::partition::guid::big_endian;

/// The member of an array, by the last bytes of a volume. Firmware makes arrays of whole disks only;
/// what looks like its signature elsewhere is a file's.
pub(crate) fn array_member(volume: &dyn ReadAt, whole_disk: bool) -> Result<Option<Recognised>> {
    let length = volume.len();
    // Three places, all within the last 128 KiB: one call for all of them.
    let (mut md, mut old_md, mut end) = ([0; 256], [0; 64], [0; 8192]);
    let md_at = version_1_0(length);
    let old_md_at = version_0_90(length);
    let end_at = length.saturating_sub(end.len() as u64);
    let end_length = (length - end_at) as usize;
    let mut reads: Vec<(u64, &mut [u8])> = vec![(end_at, &mut end[..end_length])];
    reads.extend(md_at.map(|at| (at, &mut md[..])));
    reads.extend(old_md_at.map(|at| (at, &mut old_md[..])));
    volume.read_many(&mut reads)?;

    if let Some(at) = md_at.filter(|at| is_version_1(&md, *at)) {
        let uuid = big_endian(&md[16..32]);
        return Ok(Some(Recognised::new(LINUX_RAID, at).uuid(uuid)));
    }
    if let (Some(at), Some(uuid)) = (old_md_at, version_0(&old_md)) {
        return Ok(Some(Recognised::new(LINUX_RAID, at).uuid(uuid)));
    }
    let end = &end[..end_length];
    Ok(drbd(end, length).or_else(|| at_the_end(end, length).filter(|_| whole_disk)))
}

/// Where md 1.0 keeps its metadata: 8 KiB to 12 KiB from the end, 4 KiB aligned.
fn version_1_0(length: u64) -> Option<u64> {
    let sectors = (length / 512).checked_sub(16)?;
    Some((sectors & !7) * 512)
}

/// Where md 0.90 keeps its metadata: the last 64 KiB-aligned 64 KiB.
fn version_0_90(length: u64) -> Option<u64> {
    ((length / 512) & !127).checked_sub(128).map(|sectors| sectors * 512)
}

fn is_version_1(md: &[u8], at: u64) -> bool {
    // `super_offset` says where the metadata itself lies, so that a member inside a partition is
    // not taken for the whole disk.
    has(md, 0, &MD_MAGIC) && has(md, 4, &[1, 0, 0, 0]) && has(md, 144, &(at / 512).to_le_bytes())
}

/// The UUID in metadata of version 0.90, which is in the byte order of the machine that wrote it:
/// four words, one of them apart from the others.
fn version_0(md: &[u8; 64]) -> Option<String> {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(md.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    if words[0] == u32::from_le_bytes(MD_MAGIC).swap_bytes() {
        words.iter_mut().for_each(|word| *word = word.swap_bytes());
    }
    let matches = words[0] == u32::from_le_bytes(MD_MAGIC) && (words[1], words[2]) == (0, 90);
    let uuid = [words[5], words[13], words[14], words[15]].map(u32::to_be_bytes).concat();
    matches.then(|| big_endian(&uuid))
}

/// DRBD, which counts from the last byte.
fn drbd(end: &[u8], length: u64) -> Option<Recognised> {
    let at = end.len().checked_sub(4096)?;
    match end.get(at + 60..at + 64)? {
        [0x83, 0x74, 0x02, 0x6B..=0x6D] => Some(Recognised::new("DRBD", length - 4096)),
        _ => None,
    }
}

/// The firmware's array whose signature lies in the last 8 KiB of a disk of `length` bytes.
fn at_the_end(end: &[u8], length: u64) -> Option<Recognised> {
    let sectors = length / 512 * 512;
    // `back` bytes before the end of the last whole sector.
    let from_end = |back: u64| -> Option<usize> {
        let at = sectors.checked_sub(back)?.checked_sub(length - end.len() as u64)?;
        Some(at as usize)
    };
    let found = |back: u64, magic: &[u8]| from_end(back).is_some_and(|at| has(end, at, magic));
    let place = |back: u64| sectors - back.min(sectors);
    const DDF: [u8; 4] = [0xDE, 0x11, 0xDE, 0x11];
    if found(512, &DDF) {
        return Some(Recognised::new("DDF RAID member", place(512)));
    }
    if found(1024, b"Intel Raid ISM Cfg Sig. ") {
        return Some(Recognised::new("Intel RAID member", place(1024)));
    }
    if found(512 - 256, b"DPTM") && found(512, &[0x37, 0xFC, 0x4D, 0x1E]) {
        return Some(Recognised::new("Adaptec RAID member", place(512)));
    }
    if found(512, b"JM") && jmicron_checksum(end, from_end(512)) {
        return Some(Recognised::new("JMicron RAID member", place(512)));
    }
    if found(1024, b"NVIDIA  ") || found(1024, b"NVIDIA") {
        return Some(Recognised::new("NVIDIA RAID member", place(1024)));
    }
    if found(512, b"$XIDE$") {
        return Some(Recognised::new("LSI RAID member", place(512)));
    }
    for magic in [[0xF3, 0x16, 0x78, 0x5A], [0xFD, 0x16, 0x78, 0x5A]] {
        if found(11 * 512, &magic) {
            return Some(Recognised::new("HighPoint RAID member", place(11 * 512)));
        }
    }
    None
}

/// Two letters are not much of a signature; JMicron's sector sums to a fixed value.
fn jmicron_checksum(end: &[u8], at: Option<usize>) -> bool {
    let Some(sector) = at.and_then(|at| end.get(at..at + 128)) else {
        return false;
    };
    let words = sector.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let sum = words.fold(0_u16, |sum, word| sum.wrapping_add(word));
    sum == 0 || sum == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A volume with these bytes at these places.
    fn found(length: usize, parts: &[(usize, &[u8])]) -> Option<Recognised> {
        let mut volume = vec![0; length];
        for (at, bytes) in parts {
            volume[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        let member = array_member(&volume, true).unwrap();
        if member.as_ref().is_some_and(|member| member.name.contains("Intel")) {
            assert_eq!(array_member(&volume, false).unwrap(), None);
        }
        member
    }

    const LENGTH: usize = (1 << 20) + 512;

    fn name(back: usize, magic: &[u8]) -> Option<&'static str> {
        found(LENGTH, &[(LENGTH - back, magic)]).map(|found| found.name)
    }

    #[test]
    fn firmware_arrays_are_known_by_name() {
        assert_eq!(name(512, &[0xDE, 0x11, 0xDE, 0x11]), Some("DDF RAID member"));
        assert_eq!(name(1024, b"Intel Raid ISM Cfg Sig. 1.1.00"), Some("Intel RAID member"));
        assert_eq!(name(4036, &[0x83, 0x74, 0x02, 0x6B]), Some("DRBD"));
        assert_eq!(name(1024, b"NVIDIA  "), Some("NVIDIA RAID member"));
        assert_eq!(name(512, b"$XIDE$"), Some("LSI RAID member"));
        assert_eq!(name(11 * 512, &[0xF3, 0x16, 0x78, 0x5A]), Some("HighPoint RAID member"));
        assert_eq!(name(512, b"JM"), None, "the sum is wrong");
        assert_eq!(name(512, b"nothing"), None);
        assert_eq!(found(100, &[]), None);
        assert_eq!(found(0, &[]), None);
    }

    #[test]
    fn md_says_where_it_is() {
        let at = (LENGTH / 512 - 16) / 8 * 8 * 512;
        let mut md = vec![0; 256];
        md[..4].copy_from_slice(&MD_MAGIC);
        md[4] = 1;
        md[16..32].copy_from_slice(&[0x5A; 16]);
        assert_eq!(found(LENGTH, &[(at, &md)]), None);
        md[144..152].copy_from_slice(&(at as u64 / 512).to_le_bytes());
        let member = found(LENGTH, &[(at, &md)]).unwrap();
        assert_eq!((member.name, member.at), ("Linux RAID member", at as u64));
        assert_eq!(member.uuid.as_deref(), Some("5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a"));
    }

    #[test]
    fn old_md_may_be_of_either_endianness() {
        let at = (1 << 20) - (64 << 10);
        let words = |words: [u32; 3], bytes: fn(u32) -> [u8; 4]| words.map(bytes).concat();
        for bytes in [u32::to_le_bytes, u32::to_be_bytes] {
            let member = found(LENGTH, &[(at, &words([0xA92B_4EFC, 0, 90], bytes))]).unwrap();
            assert_eq!(member.at, at as u64);
            assert_eq!(found(LENGTH, &[(at, &words([0xA92B_4EFC, 0, 91], bytes))]), None);
        }
    }
}
