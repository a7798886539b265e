//! Which firmware the disks are prepared to be started by.

use fathom_block::{ReadAt, Result, read_vec};
use fathom_report::{Evidence, Firmware, Listing};
use fathom_volume::{Discovery, Layer};

use crate::device::Places;

use super::HIDES;
use super::ground::{self, Ground, Role};
use super::kernels::is_efi;

/// Where the code of a master boot record ends.
const CODE: usize = 440;

/// Where GRUB's first sector says in which sector its second part begins.
const KERNEL_SECTOR: usize = 0x5C;

/// The most folders of vendors that are looked into.
const MAX_VENDORS: usize = 64;

pub(super) fn of(ground: &Ground<'_>, places: &Places<'_>) -> Listing<Firmware> {
    ground.files.listing(|| {
        let (mut found, mut evidence) = (Vec::new(), Vec::new());
        let mut hidden = ground::unreadable(places);
        if bios(places.discovery, &mut evidence, &mut hidden) {
            found.push(Firmware::Bios);
        }
        if uefi(ground, &mut evidence) {
            found.push(Firmware::Uefi);
        }
        let mut listing = match found.is_empty() {
            true => Listing::empty("nothing on the disks starts a machine", evidence),
            false => Listing::complete(found, evidence),
        };
        hidden.into_iter().for_each(|why| listing.hide(why));
        listing
    })
}

/// Code in a first sector that leads to something.
fn bios(discovery: &Discovery, evidence: &mut Vec<Evidence>, hidden: &mut Vec<String>) -> bool {
    let mut found = false;
    for volume in &discovery.volumes {
        let (Layer::Disk { .. }, Some(reader)) = (&volume.layer, &volume.reader) else {
            continue;
        };
        let is_active = |one: &&fathom_volume::Volume| {
            matches!(one.layer, Layer::Partition { bootable: true, .. })
                && one.parents.contains(&volume.id)
        };
        let active = discovery.volumes.iter().find(is_active);
        match starts(&**reader, active.and_then(|active| active.reader.as_deref())) {
            Ok(None) => {}
            Ok(Some(what)) => {
                found = true;
                evidence.push(format!("{}: {what}", volume.id).into());
            }
            Err(error) => hidden.push(error.to_string()),
        }
    }
    found
}

/// What the code in the first sector starts.
fn starts(disk: &dyn ReadAt, active: Option<&dyn ReadAt>) -> Result<Option<&'static str>> {
    if disk.len() < 512 {
        return Ok(None);
    }
    let sector = read_vec(disk, "sector 0", 0, 512)?;
    if sector[510..] != [0x55, 0xAA] || sector[..CODE].iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    if is_grub(&sector) {
        return Ok(leads_on(disk, &sector)?.then_some("boot sector of GRUB"));
    }
    // Any other code passes on to the partition that is marked.
    let Some(active) = active.filter(|active| active.len() >= 512) else {
        return Ok(None);
    };
    let first = read_vec(active, "boot sector", 0, 512)?;
    // An empty FAT has code too, which says that it cannot be started from.
    let is_message = first.windows(22).any(|text| text == b"This is not a bootable");
    let is_code = first[510..] == [0x55, 0xAA] && first[..3] != [0; 3] && !is_message;
    Ok(is_code.then_some("master boot record and boot sector of the active partition"))
}

fn is_grub(sector: &[u8]) -> bool {
    sector[..CODE].windows(5).any(|text| text == b"GRUB ")
}

/// Whether the second part of GRUB is where the first looks for it.
fn leads_on(disk: &dyn ReadAt, sector: &[u8]) -> Result<bool> {
    let number = sector[KERNEL_SECTOR..KERNEL_SECTOR + 8].iter().rev();
    let number = number.fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let Some(at) = number.checked_mul(512).filter(|at| *at > 0) else {
        return Ok(false);
    };
    if at.checked_add(512).is_none_or(|end| end > disk.len()) {
        return Ok(false);
    }
    let next = read_vec(disk, "second part of GRUB", at, 512)?;
    Ok(next.iter().any(|byte| *byte != 0))
}

/// Programs on a partition that UEFI starts from.
fn uefi(ground: &Ground<'_>, evidence: &mut Vec<Evidence>) -> bool {
    let mut found = false;
    for area in ground.areas.iter().filter(|area| area.role == Role::Esp) {
        let folder = area.path("/EFI");
        let vendors = area.files.children(&folder, HIDES).there().unwrap_or_default();
        for (vendor, _) in vendors.iter().take(MAX_VENDORS) {
            let folder = format!("{folder}/{vendor}");
            let programs = area.files.children(&folder, HIDES).there().unwrap_or_default();
            for (name, _) in programs.iter().filter(|(name, _)| is_efi(name)) {
                found = true;
                if is_fallback(name) || is_loader(name) {
                    evidence.push(area.shown(&format!("{folder}/{name}")).into());
                }
            }
        }
    }
    found
}

fn is_fallback(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("boot")
}

fn is_loader(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["grub", "shim", "systemd-boot"].iter().any(|prefix| name.starts_with(prefix))
        || name == "bootmgfw.efi"
}
