//! Files that hold a disk but not as this reader knows it: containers of others, and compressed
//! files.
//!
//! Served as raw bytes they would look like an empty disk, so they are refused by name. What a
//! guest may rightly have in its first sector must never be taken for one of them: each signature
//! is long, or what follows it is looked at too, and none starts as code of a boot sector could.

use crate::error::Error;

/// What to do with a container of another program.
const CONVERT: &str = "convert it with qemu-img convert";
/// What to do with a compressed file.
const UNPACK: &str = "unpack it first";
/// What to do with forensic images.
const EXPORT: &str = "export it as a raw image with the tool that made it, such as ewfexport";

/// How the trailer of a DMG starts, 512 bytes that state their own size.
const KOLY: &[u8] = b"koly\0\0\0\x04\0\0\x02\0";

/// What a file starts with.
struct Signature {
    bytes: &'static [u8],
    name: &'static str,
    advice: &'static str,
    /// What else the first bytes must satisfy.
    holds: fn(&[u8]) -> bool,
}

const fn signature(bytes: &'static [u8], name: &'static str, advice: &'static str) -> Signature {
    Signature { bytes, name, advice, holds: |_| true }
}

const SIGNATURES: [Signature; 23] = [
    signature(b"WithoutFreeSpace", "Parallels disk", CONVERT),
    signature(b"WithouFreSpacExt", "Parallels disk", CONVERT),
    Signature { holds: is_qed, ..signature(b"QED\0", "QED image", CONVERT) },
    signature(b"Bochs Virtual HD Image\0", "Bochs disk", CONVERT),
    signature(b"#!/bin/sh\n#V2.0 Format\n", "cloop image", CONVERT),
    signature(b"EVF\x09\x0D\x0A\xFF\0", "EWF image (E01)", EXPORT),
    signature(b"EVF2\x0D\x0A\x81\0", "EWF2 image (Ex01)", EXPORT),
    signature(b"LVF\x09\x0D\x0A\xFF\0", "logical EWF image (L01)", EXPORT),
    signature(b"AFF10\x0D\x0A\0", "AFF image", EXPORT),
    signature(b"MSWIM\0\0\0", "Windows image (WIM)", "apply it to a disk first"),
    signature(b"partclone-image", "partclone image", "restore it with partclone first"),
    Signature {
        holds: is_android,
        ..signature(b"\x3A\xFF\x26\xED\x01\0", "Android sparse image", "convert it with simg2img")
    },
    Signature { holds: is_gzip, ..signature(b"\x1F\x8B\x08", "gzip-compressed file", UNPACK) },
    signature(b"\xFD7zXZ\0", "xz-compressed file", UNPACK),
    Signature { holds: is_zstd, ..signature(b"\x28\xB5\x2F\xFD", "zstd-compressed file", UNPACK) },
    Signature { holds: is_bzip2, ..signature(b"BZh", "bzip2-compressed file", UNPACK) },
    Signature { holds: is_lz4, ..signature(b"\x04\x22\x4D\x18", "lz4-compressed file", UNPACK) },
    signature(b"LZIP\x01", "lzip-compressed file", UNPACK),
    signature(b"\x89LZO\0\x0D\x0A\x1A\x0A", "lzop-compressed file", UNPACK),
    Signature { holds: is_zip, ..signature(b"PK\x03\x04", "zip archive", UNPACK) },
    signature(b"7z\xBC\xAF\x27\x1C", "7z archive", UNPACK),
    signature(b"Rar!\x1A\x07", "RAR archive", UNPACK),
    signature(b"xar!\0\x1C", "xar archive", UNPACK),
];

/// Why the file cannot be read, if it is one of others. `head` are its first bytes, `tail` is its
/// end, and `name` is the last part of what it is called.
pub(crate) fn refuse(head: &[u8], tail: &[u8; 512], name: &str) -> Option<Error> {
    let refused = |name: &str, advice: &str| {
        let why = format!("{advice}, or say --image-format raw to read its bytes as they are");
        Some(Error::unsupported(name, why))
    };
    let found = SIGNATURES
        .iter()
        .find(|signature| head.starts_with(signature.bytes) && (signature.holds)(head));
    if let Some(found) = found {
        return refused(found.name, found.advice);
    }
    if tail.starts_with(KOLY) {
        return refused("Apple disk image (DMG)", CONVERT);
    }
    // The set names its disks beside it, and has no signature that is published.
    if name.to_ascii_lowercase().ends_with(".vhds") {
        return refused("VHD set", "open the .avhdx or .vhdx beside it");
    }
    None
}

fn byte(head: &[u8], at: usize) -> u8 {
    head.get(at).copied().unwrap_or_default()
}

/// Whether the file ends as a boot sector does that firmware would start.
fn is_bootable(head: &[u8]) -> bool {
    head.get(510..512) == Some(&[0x55, 0xAA])
}

/// The sizes of clusters and tables are powers of two.
fn is_qed(head: &[u8]) -> bool {
    let number = |at: usize| {
        (0..4).rev().fold(0_u32, |number, index| number << 8 | u32::from(byte(head, at + index)))
    };
    number(4).is_power_of_two() && number(8).is_power_of_two()
}

/// Version 1.x, a header of 28 bytes and chunk headers of 12.
fn is_android(head: &[u8]) -> bool {
    (byte(head, 8), byte(head, 9), byte(head, 10), byte(head, 11)) == (28, 0, 12, 0)
}

/// RFC 1952: three flags are reserved; the operating system is one of a list or unknown.
fn is_gzip(head: &[u8]) -> bool {
    byte(head, 3) & 0xE0 == 0
        && matches!(byte(head, 8), 0 | 2 | 4)
        && matches!(byte(head, 9), 0..=13 | 255)
        && !is_bootable(head)
}

/// RFC 8878: a bit of the frame header's descriptor is reserved.
fn is_zstd(head: &[u8]) -> bool {
    byte(head, 4) & 0x08 == 0 && !is_bootable(head)
}

/// The block size is a digit, and the first block or the end of the stream follows.
fn is_bzip2(head: &[u8]) -> bool {
    byte(head, 3).is_ascii_digit()
        && matches!(
            head.get(4..10),
            Some(b"\x31\x41\x59\x26\x53\x59" | b"\x17\x72\x45\x38\x50\x90")
        )
}

/// Version 1 of the frame, and a block size that there is.
fn is_lz4(head: &[u8]) -> bool {
    byte(head, 4) >> 6 == 1 && byte(head, 5) & 0x8F == 0 && byte(head, 5) >> 4 >= 4
}

/// A version of the format that there is, and a name that is not empty.
fn is_zip(head: &[u8]) -> bool {
    byte(head, 4) <= 63 && byte(head, 26) != 0 && !is_bootable(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8], name: &str) -> Option<String> {
        let mut image = bytes.to_vec();
        image.resize(4096.max(bytes.len()), 0);
        refuse(&image, image.last_chunk().unwrap(), name).map(|error| error.to_string())
    }

    #[test]
    fn others_are_named() {
        for (bytes, name) in [
            (b"WithoutFreeSpace\x02\0\0\0".as_slice(), "Parallels"),
            (b"WithouFreSpacExt\x02\0\0\0", "Parallels"),
            (b"QED\0\0\0\x01\0\x04\0\0\0", "QED"),
            (b"Bochs Virtual HD Image\0", "Bochs"),
            (b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop", "cloop"),
            (b"EVF\x09\x0D\x0A\xFF\0\x01", "E01"),
            (b"AFF10\x0D\x0A\0", "AFF"),
            (b"\x1F\x8B\x08\x08\x12\x34\x56\x78\0\x03disk", "gzip"),
            (b"\xFD7zXZ\0\0\x04", "xz"),
            (b"\x28\xB5\x2F\xFD\x04\x58", "zstd"),
            (b"BZh91AY&SY", "bzip2"),
            (b"\x04\x22\x4D\x18\x64\x40\xA7", "lz4"),
            (
                b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0disk.img",
                "zip",
            ),
            (b"7z\xBC\xAF\x27\x1C\0\x04", "7z"),
            (b"\x3A\xFF\x26\xED\x01\0\0\0\x1C\0\x0C\0", "Android"),
        ] {
            let said = refused(bytes, "disk").unwrap_or_default();
            assert!(said.starts_with("unsupported") && said.contains(name), "{name}: {said:?}");
        }
        assert!(refused(b"", "Shared.VHDS").unwrap().contains("VHD set"));
        let mut dmg = vec![0; 8192];
        dmg[7680..7692].copy_from_slice(b"koly\0\0\0\x04\0\0\x02\0");
        assert!(refused(&dmg, "disk").unwrap().contains("DMG"));
    }

    #[test]
    fn disks_are_not_misnamed() {
        let bootable = |start: &[u8]| {
            let mut sector = vec![0; 512];
            sector[..start.len()].copy_from_slice(start);
            sector[510..].copy_from_slice(&[0x55, 0xAA]);
            sector
        };
        for bytes in [
            vec![],
            vec![0; 512],
            bootable(b"\xEB\x63\x90"),
            bootable(b"\x1F\x8B\x08\0\0\0\0\0\0\x03"),
            bootable(b"PK\x03\x04"),
            bootable(b"\x28\xB5\x2F\xFD"),
            b"BZh9 is how some text may start".to_vec(),
            b"QED\0 is proved".to_vec(),
            b"koly".to_vec(),
            b"\x1F\x8B\x08\xFF".to_vec(),
        ] {
            assert_eq!(refused(&bytes, "disk"), None, "{bytes:?}");
        }
        assert!(refuse(b"BZ", &[0; 512], "tiny").is_none());
    }
}
