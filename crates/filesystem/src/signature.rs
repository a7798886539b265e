//! What is recognised by name, but not read: where each filesystem has its magic bytes, and what
//! more must be right before they are believed.
//!
//! Magic bytes alone prove little. Two of them are right by chance once in a few thousand volumes,
//! and those of a filesystem that was here before are often still there. So each is held against
//! more of its own superblock: what is contradicted there is taken for a leftover.

use fathom_block::{ReadAt, Result};

use crate::detect::Kind;

/// How sure it is that a filesystem lies on a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Evidence {
    /// It does not.
    None,
    /// Its magic bytes are there, and either nothing more can be told or something is damaged.
    Magic,
    /// Its superblock is in order.
    Valid,
}

use Evidence::{Magic, None, Valid};

impl Evidence {
    /// Valid or nothing: for magic bytes too few to mean anything by themselves.
    fn or_nothing(valid: bool) -> Self {
        if valid { Valid } else { None }
    }

    fn or_magic(valid: bool) -> Self {
        if valid { Valid } else { Magic }
    }
}

/// One place at which a filesystem has its magic bytes.
struct Signature {
    kind: Kind,
    offset: u64,
    magic: &'static [u8],
    /// Looks at the superblock, which starts at the given place.
    superblock: u64,
    check: fn(&Bytes<'_>) -> Result<Evidence>,
}

const fn at(
    kind: Kind,
    superblock: u64,
    within: u64,
    magic: &'static [u8],
    check: fn(&Bytes<'_>) -> Result<Evidence>,
) -> Signature {
    Signature { kind, offset: superblock + within, magic, superblock, check }
}

/// All that lies within the first 128 KiB.
const NEAR: &[Signature] = &[
    at(Kind::ExFat, 0, 3, b"EXFAT   ", exfat),
    at(Kind::Refs, 0, 3, b"ReFS\0\0\0\0", |bytes| Ok(Evidence::or_magic(bytes.is(16, b"FSRS")?))),
    at(Kind::Squashfs, 0, 0, b"hsqs", |bytes| squashfs(bytes, false)),
    at(Kind::Squashfs, 0, 0, b"sqsh", |bytes| squashfs(bytes, true)),
    at(Kind::Cramfs, 0, 0, b"\x45\x3D\xCD\x28", cramfs),
    at(Kind::Cramfs, 0, 0, b"\x28\xCD\x3D\x45", cramfs),
    at(Kind::Cramfs, 512, 0, b"\x45\x3D\xCD\x28", cramfs),
    at(Kind::Cramfs, 512, 0, b"\x28\xCD\x3D\x45", cramfs),
    at(Kind::Romfs, 0, 0, b"-rom1fs-", romfs),
    at(Kind::Apfs, 0, 32, b"NXSB", apfs),
    at(Kind::Befs, 0, 32, b"1SFB", |bytes| befs(bytes, false)),
    at(Kind::Befs, 512, 32, b"1SFB", |bytes| befs(bytes, false)),
    at(Kind::Befs, 0, 32, b"BFS1", |bytes| befs(bytes, true)),
    at(Kind::Befs, 512, 32, b"BFS1", |bytes| befs(bytes, true)),
    at(Kind::Erofs, 1024, 0, b"\xE2\xE1\xF5\xE0", erofs),
    at(Kind::F2fs, 1024, 0, b"\x10\x20\xF5\xF2", f2fs),
    at(Kind::HfsPlus, 1024, 0, b"H+", hfs_plus),
    at(Kind::HfsPlus, 1024, 0, b"HX", hfs_plus),
    at(Kind::Hfs, 1024, 0, b"BD", hfs),
    at(Kind::Nilfs2, 1024, 6, b"\x34\x34", nilfs2),
    at(Kind::Minix, 1024, 16, b"\x7F\x13", |bytes| minix(bytes, 1, false)),
    at(Kind::Minix, 1024, 16, b"\x8F\x13", |bytes| minix(bytes, 1, false)),
    at(Kind::Minix, 1024, 16, b"\x68\x24", |bytes| minix(bytes, 2, false)),
    at(Kind::Minix, 1024, 16, b"\x78\x24", |bytes| minix(bytes, 2, false)),
    at(Kind::Minix, 1024, 24, b"\x5A\x4D", |bytes| minix(bytes, 3, false)),
    at(Kind::Minix, 1024, 16, b"\x13\x7F", |bytes| minix(bytes, 1, true)),
    at(Kind::Minix, 1024, 16, b"\x13\x8F", |bytes| minix(bytes, 1, true)),
    at(Kind::Minix, 1024, 16, b"\x24\x68", |bytes| minix(bytes, 2, true)),
    at(Kind::Minix, 1024, 16, b"\x24\x78", |bytes| minix(bytes, 2, true)),
    at(Kind::Minix, 1024, 24, b"\x4D\x5A", |bytes| minix(bytes, 3, true)),
    at(Kind::Vxfs, 1024, 0, b"\xF5\xFC\x01\xA5", |_| Ok(Valid)),
    at(Kind::Vxfs, 8192, 0, b"\xA5\x01\xFC\xF5", |_| Ok(Valid)),
    at(Kind::Ocfs2, 1024, 0, b"OCFSV2", |bytes| ocfs2(bytes, 9)),
    at(Kind::Ocfs2, 2048, 0, b"OCFSV2", |bytes| ocfs2(bytes, 10)),
    at(Kind::Ocfs2, 4096, 0, b"OCFSV2", |bytes| ocfs2(bytes, 11)),
    at(Kind::Ocfs2, 8192, 0, b"OCFSV2", |bytes| ocfs2(bytes, 12)),
    at(Kind::Bcachefs, 4096, 24, &BCACHEFS, |_| Ok(Valid)),
    at(Kind::Bcachefs, 4096, 24, &BCACHE, bcachefs),
    at(Kind::Hpfs, 8192, 0, b"\x49\xE8\x95\xF9", |bytes| {
        Ok(Evidence::or_magic(bytes.is(512, b"\x49\x18\x91\xF9")?))
    }),
    at(Kind::Reiserfs, 8 << 10, 52, b"ReIsErFs", reiserfs),
    at(Kind::Reiserfs, 64 << 10, 52, b"ReIsErFs", reiserfs),
    at(Kind::Reiserfs, 64 << 10, 52, b"ReIsEr2Fs", reiserfs),
    at(Kind::Reiserfs, 64 << 10, 52, b"ReIsEr3Fs", reiserfs),
    at(Kind::Jfs, 32 << 10, 0, b"JFS1", jfs),
    at(Kind::Iso9660, 32 << 10, 1, b"CD001", iso9660),
    at(Kind::Iso9660, 32 << 10, 9, b"CDROM", |_| Ok(Magic)),
    at(Kind::Udf, 32 << 10, 1, b"", udf),
    at(Kind::Gfs2, 64 << 10, 0, b"\x01\x16\x19\x70", gfs2),
    at(Kind::Ufs, 0, 0, b"", ufs),
    at(Kind::Ufs, 8 << 10, 0, b"", ufs),
    at(Kind::Ufs, 64 << 10, 0, b"", ufs),
    at(Kind::Swap, 0, 0, b"", swap),
];

/// What lies further in. It is looked for only where nothing valid lies in front of it: each place
/// costs a page of the disk, and old ones outlive what was made over them.
const FAR: &[Signature] = &[
    at(Kind::Ufs, 256 << 10, 0, b"", ufs),
    at(Kind::Zfs, 0, 0, b"", zfs),
    at(Kind::Vmfs, 0x10_0000, 0, b"\x0D\xD0\x01\xC0", |_| Ok(Valid)),
    at(Kind::Vmfs, 0x20_0000, 0, b"\x5E\xF1\xAB\x2F", |_| Ok(Valid)),
];

const BCACHEFS: [u8; 16] = *b"\xC6\x85\x73\xF6\x66\xCE\x90\xA9\xD9\x6A\x60\xCF\x80\x3D\xF7\xEF";
/// Of the cache; early filesystems have it too.
const BCACHE: [u8; 16] = *b"\xC6\x85\x73\xF6\x4E\x1A\x45\xCA\x82\x65\xF5\x7F\x48\xBA\x6D\x81";

/// What is recognised at the front of the volume.
pub(crate) fn near(volume: &dyn ReadAt) -> Result<Vec<(Kind, Evidence)>> {
    look(volume, NEAR)
}

/// What is recognised further in.
pub(crate) fn far(volume: &dyn ReadAt) -> Result<Vec<(Kind, Evidence)>> {
    look(volume, FAR)
}

fn look(volume: &dyn ReadAt, signatures: &[Signature]) -> Result<Vec<(Kind, Evidence)>> {
    let mut found: Vec<(Kind, Evidence)> = Vec::new();
    for signature in signatures {
        let start = Bytes { volume, base: 0 };
        if !start.is(signature.offset, signature.magic)? {
            continue;
        }
        let evidence = (signature.check)(&Bytes { volume, base: signature.superblock })?;
        match found.iter_mut().find(|(kind, _)| *kind == signature.kind) {
            Some((_, known)) => *known = evidence.max(*known),
            Option::None if evidence > None => found.push((signature.kind, evidence)),
            Option::None => {}
        }
    }
    Ok(found)
}

/// The bytes of a superblock. Past the end of the volume there are zeros.
struct Bytes<'a> {
    volume: &'a dyn ReadAt,
    base: u64,
}

impl Bytes<'_> {
    fn array<const N: usize>(&self, at: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(at, &mut bytes)?;
        Ok(bytes)
    }

    fn fill(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        let at = self.base.saturating_add(at);
        if at.checked_add(bytes.len() as u64).is_none_or(|end| end > self.volume.len()) {
            bytes.fill(0);
            return Ok(());
        }
        self.volume.read_at(at, bytes)
    }

    fn is(&self, at: u64, wanted: &[u8]) -> Result<bool> {
        let mut bytes = [0; 16];
        let bytes = &mut bytes[..wanted.len().min(16)];
        self.fill(at, bytes)?;
        Ok(bytes == wanted)
    }

    fn u8(&self, at: u64) -> Result<u8> {
        Ok(self.array::<1>(at)?[0])
    }

    /// A 16-bit number, big-endian if `big` says so.
    fn u16(&self, at: u64, big: bool) -> Result<u16> {
        let bytes = self.array(at)?;
        Ok(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: u64, big: bool) -> Result<u32> {
        let bytes = self.array(at)?;
        Ok(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64(&self, at: u64, big: bool) -> Result<u64> {
        let bytes = self.array(at)?;
        Ok(if big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }
}

/// Whether it is a power of two within the range.
fn is_size(size: u32, range: std::ops::RangeInclusive<u32>) -> bool {
    size.is_power_of_two() && range.contains(&size)
}

fn exfat(bytes: &Bytes<'_>) -> Result<Evidence> {
    let zeros = bytes.array::<53>(11)?.iter().all(|byte| *byte == 0);
    let (sector, cluster) = (bytes.u8(108)?, bytes.u8(109)?);
    Ok(Evidence::or_magic(
        zeros
            && (9..=12).contains(&sector)
            && cluster <= 25 - sector
            && (1..=2).contains(&bytes.u8(110)?)
            && bytes.is(510, b"\x55\xAA")?,
    ))
}

fn squashfs(bytes: &Bytes<'_>, big: bool) -> Result<Evidence> {
    let major = bytes.u16(28, big)?;
    // From version 4 on there is one byte order, and the size of blocks is stored twice.
    let log = u32::from(bytes.u16(22, big)?);
    let block = bytes.u32(12, big)?;
    let sound = block.checked_ilog2() == Some(log) && is_size(block, 4096..=1 << 20);
    Ok(match major {
        1..=3 => Magic,
        4 => Evidence::or_magic(sound && !big),
        _ => None,
    })
}

fn cramfs(bytes: &Bytes<'_>) -> Result<Evidence> {
    Ok(Evidence::or_nothing(bytes.is(16, b"Compressed ROMFS")?))
}

/// The words of the first 512 bytes, or of all there is, add up to nothing.
fn romfs(bytes: &Bytes<'_>) -> Result<Evidence> {
    let length = bytes.u32(8, true)?.min(512) as usize;
    let start = bytes.array::<512>(0)?;
    let words = start[..length - length % 4].chunks_exact(4);
    let sum = words
        .map(|word| word.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)))
        .fold(0, u32::wrapping_add);
    Ok(Evidence::or_magic(sum == 0 && length >= 32))
}

/// The container's superblock is an object of type 1 with number 1.
fn apfs(bytes: &Bytes<'_>) -> Result<Evidence> {
    Ok(Evidence::or_magic(
        bytes.u64(8, false)? == 1
            && bytes.u16(24, false)? == 1
            && is_size(bytes.u32(36, false)?, 4096..=65536),
    ))
}

fn befs(bytes: &Bytes<'_>, big: bool) -> Result<Evidence> {
    let block = bytes.u32(40, big)?;
    Ok(Evidence::or_nothing(
        is_size(block, 1024..=8192)
            && block.checked_ilog2() == Some(bytes.u32(44, big)?)
            && bytes.u32(68, big)? == 0xDD12_1031,
    ))
}

fn erofs(bytes: &Bytes<'_>) -> Result<Evidence> {
    Ok(Evidence::or_magic((9..=16).contains(&bytes.u8(12)?)))
}

fn f2fs(bytes: &Bytes<'_>) -> Result<Evidence> {
    Ok(Evidence::or_magic(
        bytes.u16(4, false)? == 1
            && (9..=12).contains(&bytes.u32(8, false)?)
            && (12..=16).contains(&bytes.u32(16, false)?),
    ))
}

fn hfs_plus(bytes: &Bytes<'_>) -> Result<Evidence> {
    let version = bytes.u16(2, true)?;
    Ok(Evidence::or_nothing(
        (4..=5).contains(&version) && is_size(bytes.u32(40, true)?, 512..=1 << 20),
    ))
}

/// An HFS+ may lie within a wrapper that looks like its predecessor; then the wrapper names it.
fn hfs(bytes: &Bytes<'_>) -> Result<Evidence> {
    let block = bytes.u32(20, true)?;
    let known = block > 0 && block.is_multiple_of(512);
    Ok(Evidence::or_nothing(known && bytes.u16(14, true)? > 0 && bytes.u16(28, true)? > 0))
}

/// Two bytes say nothing; the checksum does: a CRC-32 with a seed of its own, not inverted.
fn nilfs2(bytes: &Bytes<'_>) -> Result<Evidence> {
    const SUM: usize = 16;
    let length = usize::from(bytes.u16(8, false)?);
    let (seed, stored) = (bytes.u32(12, false)?, bytes.u32(SUM as u64, false)?);
    let mut start = bytes.array::<1024>(0)?;
    start[SUM..SUM + 4].fill(0);
    let Some(start) = start.get(..length).filter(|start| start.len() > SUM) else {
        return Ok(None);
    };
    let crc = start.iter().fold(seed, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    });
    Ok(Evidence::or_nothing(crc == stored))
}

/// The maps must be large enough for what they map, and not much larger.
fn minix(bytes: &Bytes<'_>, version: u8, big: bool) -> Result<Evidence> {
    let short = |at: u64| bytes.u16(at, big).map(u64::from);
    let long = |at: u64| bytes.u32(at, big).map(u64::from);
    let (inodes, inode_map, zone_map, first, zones, block) = match version {
        1 => (short(0)?, short(4)?, short(6)?, short(8)?, short(2)?, 1024),
        2 => (short(0)?, short(4)?, short(6)?, short(8)?, long(20)?, 1024),
        _ => (long(0)?, short(6)?, short(8)?, short(10)?, long(20)?, short(28)?),
    };
    let per_block = block * 8;
    let fits = |map: u64, things: u64| {
        map > 0
            && per_block > 0
            && map >= things.div_ceil(per_block)
            && map <= things.div_ceil(per_block) + 2
    };
    Ok(Evidence::or_nothing(
        inodes > 0
            && zones > first
            && first >= 2 + inode_map + zone_map
            && fits(inode_map, inodes + 1)
            && fits(zone_map, zones - first + 1)
            // ext has its magic bytes a little further on.
            && !bytes.is(0x38, b"\x53\xEF")?,
    ))
}

/// The superblock is block 2, and says how large blocks are.
fn ocfs2(bytes: &Bytes<'_>, log: u32) -> Result<Evidence> {
    // `id2.i_super` starts at 192; `s_blocksize_bits` is at 40 in it.
    Ok(Evidence::or_magic(bytes.u32(192 + 40, false)? == log))
}

/// The cache says at 8 that it lies in sector 8; a filesystem has the end of its checksum there.
fn bcachefs(bytes: &Bytes<'_>) -> Result<Evidence> {
    Ok(Evidence::or_nothing(bytes.u64(8, false)? != 8))
}

fn reiserfs(bytes: &Bytes<'_>) -> Result<Evidence> {
    let block = u32::from(bytes.u16(44, false)?);
    Ok(Evidence::or_magic(bytes.u32(0, false)? > 0 && is_size(block, 512..=8192)))
}

fn jfs(bytes: &Bytes<'_>) -> Result<Evidence> {
    let (block, physical) = (bytes.u32(16, false)?, bytes.u32(24, false)?);
    Ok(Evidence::or_magic(
        is_size(block, 512..=65536)
            && block.checked_ilog2() == Some(u32::from(bytes.u16(20, false)?))
            && is_size(physical, 512..=65536)
            && physical.checked_ilog2() == Some(u32::from(bytes.u16(28, false)?)),
    ))
}

/// Numbers are stored in both byte orders, one behind the other.
fn iso9660(bytes: &Bytes<'_>) -> Result<Evidence> {
    let sound = bytes.u8(6)? == 1
        && match bytes.u8(0)? {
            1 => {
                bytes.u32(80, false)? == bytes.u32(84, true)?
                    && bytes.u16(128, false)? == bytes.u16(130, true)?
                    && is_size(u32::from(bytes.u16(128, false)?), 512..=2048)
            }
            0 | 2 | 3 | 255 => true,
            _ => false,
        };
    Ok(Evidence::or_magic(sound))
}

/// A sequence of descriptors, one of which names the standard; and an anchor in block 256.
fn udf(bytes: &Bytes<'_>) -> Result<Evidence> {
    const DESCRIPTORS: u64 = 32;
    let mut named = false;
    for step in [2048, 4096] {
        for index in 0..DESCRIPTORS {
            match &bytes.array::<5>(index * step + 1)? {
                b"NSR02" | b"NSR03" => named = true,
                b"BEA01" | b"BOOT2" | b"CD001" | b"CDW02" | b"TEA01" => {}
                _ => break,
            }
        }
    }
    if !named {
        return Ok(None);
    }
    let start = Bytes { volume: bytes.volume, base: 0 };
    for block in [512, 1024, 2048, 4096] {
        let tag = start.array::<16>(256 * block)?;
        let sum = tag.iter().enumerate().filter(|(index, _)| *index != 4);
        let sum = sum.fold(0_u8, |sum, (_, byte)| sum.wrapping_add(*byte));
        if tag[..2] == [2, 0] && tag[4] == sum && tag[12..] == 256_u32.to_le_bytes() {
            return Ok(Valid);
        }
    }
    // The anchor may be at the end, or on a disc that was written in several sessions anywhere.
    Ok(Magic)
}

fn gfs2(bytes: &Bytes<'_>) -> Result<Evidence> {
    let format = bytes.u32(24, true)?;
    Ok(Evidence::or_magic(bytes.u32(4, true)? == 1 && (1800..1900).contains(&format)))
}

fn ufs(bytes: &Bytes<'_>) -> Result<Evidence> {
    const MAGIC: u64 = 1372;
    const KNOWN: [u32; 5] = [0x0001_1954, 0x1954_0119, 0x0019_5612, 0x0061_2195, 0x0009_5014];
    for big in [false, true] {
        if KNOWN.contains(&bytes.u32(MAGIC, big)?) {
            let (block, fragment) = (bytes.u32(48, big)?, bytes.u32(52, big)?);
            return Ok(Evidence::or_nothing(
                is_size(block, 4096..=65536) && is_size(fragment, 512..=block),
            ));
        }
    }
    Ok(None)
}

/// The magic bytes are at the end of the first page, however large pages are on that machine.
fn swap(bytes: &Bytes<'_>) -> Result<Evidence> {
    const SUSPENDED: [&[u8; 9]; 4] = [b"S1SUSPEND", b"S2SUSPEND", b"ULSUSPEND", b"LINHIB000"];
    for page in [4096, 8192, 16384, 32768, 65536_u64] {
        let magic = bytes.array::<10>(page - 10)?;
        if magic == *b"SWAP-SPACE" {
            return Ok(Valid);
        }
        let suspended = SUSPENDED.iter().any(|wanted| magic.starts_with(*wanted));
        if magic == *b"SWAPSPACE2" || suspended {
            let sound = [false, true].into_iter().any(|big| {
                let numbers = (bytes.u32(1024, big), bytes.u32(1028, big));
                matches!(numbers, (Ok(1), Ok(last_page)) if last_page > 0)
            });
            return Ok(Evidence::or_magic(sound));
        }
    }
    Ok(None)
}

/// Each of the labels has an array of uberblocks; several of them are in use.
fn zfs(bytes: &Bytes<'_>) -> Result<Evidence> {
    const MAGIC: u64 = 0x00BA_B10C;
    const WANTED: usize = 4;
    let length = bytes.volume.len();
    let label = 256 << 10;
    let mut count = 0;
    let mut labels = vec![0, label, (length - length % label).saturating_sub(2 * label)];
    labels.sort_unstable();
    labels.dedup();
    for start in labels {
        let mut array = vec![0; 128 << 10];
        bytes.fill(start + (128 << 10), &mut array)?;
        count += array
            .chunks_exact(1024)
            .filter(|block| {
                let magic = u64::from_le_bytes(block[..8].try_into().unwrap_or_default());
                magic == MAGIC || magic.swap_bytes() == MAGIC
            })
            .count();
        if count >= WANTED {
            return Ok(Valid);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[(usize, &[u8])], wanted: &[(Kind, Evidence)]) {
        let mut volume = vec![0; 512 << 10];
        for (at, bytes) in bytes {
            volume[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        let mut found = near(&volume).unwrap();
        found.extend(far(&volume).unwrap());
        assert_eq!(found, wanted, "{bytes:?}");
    }

    #[test]
    fn magic_bytes_must_be_borne_out() {
        check(&[], &[]);
        check(&[(3, b"EXFAT   ")], &[(Kind::ExFat, Magic)]);
        check(&[(3, b"EXFAT   "), (108, &[9, 3, 1]), (510, b"\x55\xAA")], &[(Kind::ExFat, Valid)]);
        check(&[(3, b"ReFS\0\0\0\0"), (16, b"FSRS")], &[(Kind::Refs, Valid)]);
        check(
            &[(0, b"hsqs"), (12, &[0, 0, 2, 0]), (22, &[17, 0]), (28, &[4, 0])],
            &[(Kind::Squashfs, Valid)],
        );
        check(&[(0, b"hsqs"), (28, &[9, 0])], &[]);
        check(&[(0, b"\x45\x3D\xCD\x28"), (16, b"Compressed ROMFS")], &[(Kind::Cramfs, Valid)]);
        check(&[(0, b"\x45\x3D\xCD\x28")], &[]);
        check(&[(1024, b"\xE2\xE1\xF5\xE0"), (1036, &[12])], &[(Kind::Erofs, Valid)]);
        check(&[(1024, b"H+\0\x04"), (1064, &[0, 0, 16, 0])], &[(Kind::HfsPlus, Valid)]);
        check(&[(1024, b"H+\0\x09")], &[]);
        check(&[(1030, b"\x34\x34"), (1032, &[0, 1])], &[]);
        check(&[(1040, b"\x7F\x13")], &[]);
        check(&[(2048, b"OCFSV2"), (2048 + 232, &[10])], &[(Kind::Ocfs2, Valid)]);
        check(&[(4096, b"OCFSV2"), (4096 + 232, &[10])], &[(Kind::Ocfs2, Magic)]);
        check(&[(4120, &BCACHE), (4104, &[8])], &[]);
        check(&[(4120, &BCACHE), (4104, &[7])], &[(Kind::Bcachefs, Valid)]);
        check(
            &[(65536 + 52, b"ReIsEr2Fs"), (65536, &[9]), (65580, &[0, 16])],
            &[(Kind::Reiserfs, Valid)],
        );
        check(&[(4086, b"SWAPSPACE2"), (1024, &[1, 0, 0, 0, 5])], &[(Kind::Swap, Valid)]);
        check(&[(65526, b"SWAPSPACE2")], &[(Kind::Swap, Magic)]);
        check(&[(65536 + 1372, &[0x19, 0x01, 0x54, 0x19])], &[]);
        check(
            &[(65536 + 1372, &[0x19, 0x01, 0x54, 0x19]), (65584, &[0, 128, 0, 0, 0, 16])],
            &[(Kind::Ufs, Valid)],
        );
    }

    #[test]
    fn descriptors_of_discs() {
        let iso: &[(usize, &[u8])] = &[
            (32768, b"\x01CD001\x01"),
            (32768 + 80, &[7, 0, 0, 0, 0, 0, 0, 7]),
            (32768 + 128, &[0, 8, 8, 0]),
        ];
        check(iso, &[(Kind::Iso9660, Valid)]);
        check(&[(32768, b"\x01CD001\x01"), (32768 + 80, &[7])], &[(Kind::Iso9660, Magic)]);
        let bridge: &[(usize, &[u8])] = &[
            (34817, b"BEA01"),
            (36865, b"NSR02"),
            (38913, b"TEA01"),
            (256 * 512, &[2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]),
        ];
        let both: Vec<_> = iso.iter().chain(bridge).copied().collect();
        check(&both, &[(Kind::Iso9660, Valid), (Kind::Udf, Valid)]);
    }

    #[test]
    fn pools_have_several_uberblocks() {
        let magic = 0x00BA_B10C_u64.to_le_bytes();
        let block = |index: usize| ((128 << 10) + index * 1024, magic.as_slice());
        check(&[block(0), block(1), block(2)], &[]);
        check(&[block(0), block(1), block(2), block(9)], &[(Kind::Zfs, Valid)]);
    }

    #[test]
    fn a_volume_may_be_of_any_size() {
        for length in [0, 1, 511, 512, 1024, 4096, 32768, 65536, 65537, 131_072] {
            let volume = vec![0xFF; length];
            assert!(near(&volume).unwrap().is_empty(), "{length}");
            assert!(far(&volume).unwrap().is_empty(), "{length}");
        }
    }
}
