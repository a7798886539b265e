//! Damaged partition tables.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "partitions",
        seeds,
        fix,
        exercise: exercise::volumes,
        refused: &["Windows dynamic disk"],
    }]
}

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"
truncate -s 4M mbr
sfdisk -q mbr <<'END'
label: dos
start=64, size=100, type=83, bootable
start=200, size=100, type=42
start=1000, size=6000, type=5
start=1100, size=100, type=82
start=1300, size=100, type=8e
start=1500, size=100, type=a5
END
mkfs.vfat -C -F 12 inner 64 > /dev/null; dd if=inner of=mbr bs=512 seek=64 conv=notrunc status=none
truncate -s 1M gpt
sgdisk -S 16 -a 1 -n 1:64:163 -n 2:200:299 -n 9:400:499 -t 1:ef00 -t 2:8e00 -c 2:name gpt > /dev/null
truncate -s 2M 4kn
loop=$(losetup -f --show -b 4096 4kn); trap 'losetup -d "$loop"' EXIT
sgdisk -S 32 -a 1 -n 1:64:80 -n 2:100:120 "$loop" > /dev/null
"#,
    )?;
    ["mbr", "gpt", "4kn"].into_iter().map(|name| Ok(std::fs::read(work.path(name))?)).collect()
}

/// Makes the checksums of a GPT right, wherever its headers are.
fn fix(image: &mut [u8], _at: usize) {
    for size in [512, 4096] {
        for header in [Some(size), image.len().checked_sub(size)].into_iter().flatten() {
            let _ = fix_header(image, header, size);
        }
    }
}

fn fix_header(image: &mut [u8], header: usize, size: usize) -> Option<()> {
    let number = |image: &[u8], at: usize| -> Option<usize> {
        let bytes = image.get(header + at..header + at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    if image.get(header..header + 8)? != b"EFI PART" {
        return None;
    }
    let entries = number(image, 72)?.checked_mul(size)?;
    let length = number(image, 80)?.checked_mul(number(image, 84)?)?;
    if let Some(entries) = image.get(entries..entries.checked_add(length)?) {
        let sum = crc32(entries);
        image.get_mut(header + 88..header + 92)?.copy_from_slice(&sum.to_le_bytes());
    }
    let length = number(image, 12)?;
    image.get_mut(header + 16..header + 20)?.fill(0);
    let sum = crc32(image.get(header..header.checked_add(length)?)?);
    image.get_mut(header + 16..header + 20)?.copy_from_slice(&sum.to_le_bytes());
    Some(())
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| step(sum, *byte))
}

/// One byte of the CRC-32 that GPT and LVM share.
pub(super) fn step(sum: u32, byte: u8) -> u32 {
    (0..8)
        .fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
}
