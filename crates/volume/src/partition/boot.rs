//! Boot sectors of filesystems, which end in `55 AA` just as a master boot record does.
//!
//! The byte pair says only that a BIOS may run the sector. Where a partition table would be, the
//! boot sector of a FAT or NTFS volume has code or text, and with bad luck that looks like entries.
//! Linux settles it by the boot indicators; libblkid asks whether the sector is a valid FAT or NTFS
//! boot sector first. We do both, see [`super::mbr`].

use fathom_block::{Fields, Result};

/// Whether the sector is a boot sector of FAT, exFAT, NTFS, HPFS or BitLocker. Such a sector may
/// still be a master boot record: GRUB, when it is installed, keeps the parameter block of whatever
/// was formatted there before.
pub(super) fn is_filesystem(sector: &[u8]) -> bool {
    parameter_block(&Fields::new("boot sector", 0, sector)).unwrap_or(false)
}

fn parameter_block(sector: &Fields<'_>) -> Result<bool> {
    let jump = sector.bytes(0, 3)?;
    if !(jump[0] == 0xEB || jump[0] == 0xE9) {
        return Ok(false);
    }
    let oem = sector.bytes(3, 8)?;
    if matches!(oem, b"NTFS    " | b"EXFAT   " | b"-FVE-FS-") {
        return Ok(true);
    }
    // The BIOS parameter block of FAT, from Microsoft's specification of it.
    let bytes_per_sector = sector.le_u16(11)?;
    let sectors_per_cluster = sector.u8(13)?;
    let reserved = sector.le_u16(14)?;
    let fats = sector.u8(16)?;
    let media = sector.u8(21)?;
    Ok(matches!(bytes_per_sector, 512 | 1024 | 2048 | 4096)
        && sectors_per_cluster.is_power_of_two()
        && reserved != 0
        && matches!(fats, 1..=4)
        && (media == 0xF0 || media >= 0xF8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filesystems_are_told_from_boot_code() {
        let mut sector = [0; 512];
        assert!(!is_filesystem(&sector));
        assert!(!is_filesystem(&sector[..2]));
        sector[..11].copy_from_slice(b"\xEB\x52\x90NTFS    ");
        assert!(is_filesystem(&sector));
        sector[3..11].copy_from_slice(b"mkfs.fat");
        assert!(!is_filesystem(&sector));
        sector[11..17].copy_from_slice(&[0x00, 0x02, 4, 1, 0, 2]);
        sector[21] = 0xF8;
        assert!(is_filesystem(&sector));
        sector[13] = 3;
        assert!(!is_filesystem(&sector));
    }
}
