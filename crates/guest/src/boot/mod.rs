//! What a system starts with: its kernels, the entry of the boot loader's menu that is started when
//! nobody chooses, the firmware, and the drivers that are there before its root is.
//!
//! Which loader the firmware starts is mostly not written on the disk. Where several are there and do
//! not start the same, the one that lies where UEFI looks by itself counts, or it is not known.

mod drivers;
mod entry;
mod extlinux;
mod firmware;
mod ground;
mod grub;
mod initramfs;
mod kernel_image;
mod kernels;
mod pattern;
mod portable_executable;
mod snippet;
mod systemd_boot;
mod version;

use fathom_report::{Boot, BootEntry, Fact, Firmware};

use crate::device::Places;
use crate::files::Files;

use self::entry::Entry;
use self::ground::{Ground, Role};
use self::portable_executable::PortableExecutable;

/// What the report loses if a file cannot be read.
const HIDES: &str = "kernels and what is started";

/// Kernels, boot loaders and the drivers that are there when it starts. What takes seconds to unpack is
/// read only for the `patient`.
pub(crate) fn of(files: &Files<'_>, places: &Places<'_>, patient: bool) -> Boot {
    let unmounted = ground::unmounted(files.tree(), places);
    let theirs: Vec<Files<'_>> = unmounted.iter().map(ground::Unmounted::files).collect();
    let ground = Ground::of(files, places, &unmounted, &theirs);
    let boot = collect(&ground, places, patient);
    drop(ground);
    for (one, theirs) in unmounted.iter().zip(theirs) {
        files.absorb(theirs, one.id());
    }
    boot
}

fn collect(ground: &Ground<'_>, places: &Places<'_>, patient: bool) -> Boot {
    let kernels = kernels::installed(ground);
    let firmware = firmware::of(ground, places.discovery);
    let chosen = default(ground, &firmware.items);
    let default: Fact<BootEntry> = chosen.clone().map(|entry| entry.told(ground, &kernels));
    let drivers = drivers::of(ground, &kernels, &chosen, patient);
    Boot { kernels, default, firmware, drivers }
}

/// What is started when nobody chooses.
fn default(ground: &Ground<'_>, firmware: &[Firmware]) -> Fact<Entry> {
    let mut menus: Vec<(&str, Fact<Entry>)> = Vec::new();
    if let Some(path) = grub::script(ground, firmware) {
        menus.push(("GRUB", grub::default(ground, &path, firmware)));
    }
    if systemd_boot::is_installed(ground) {
        menus.push(("systemd-boot", systemd_boot::default(ground)));
    }
    if let Some(path) = extlinux::settings(ground) {
        menus.push(("extlinux", extlinux::default(ground, path)));
    }
    // A menu without an entry starts nothing.
    let mut started: Vec<_> =
        menus.iter().filter(|(_, menu)| !matches!(menu, Fact::Absent { .. })).collect();
    if let (true, [Firmware::Uefi]) = (started.len() > 1, firmware) {
        let by_itself = if fallback_is_systemd(ground) { "systemd-boot" } else { "GRUB" };
        if started.iter().any(|(name, _)| *name == by_itself) {
            started.retain(|(name, _)| *name == by_itself);
        }
    }
    match started.as_slice() {
        [(_, only)] => (*only).clone(),
        [(_, first), rest @ ..] => {
            let image = |menu: &Fact<Entry>| menu.value().and_then(|entry| entry.image.clone());
            let same = image(first).is_some() && rest.iter().all(|(_, it)| image(it) == image(first));
            if same {
                return first.clone();
            }
            let names: Vec<_> = started.iter().map(|(name, _)| *name).collect();
            Fact::unknown(format!("{} do not start the same", names.join(" and ")))
        }
        [] => match menus.into_iter().next() {
            Some((_, absent)) => absent,
            None => none(ground),
        },
    }
}

fn none(ground: &Ground<'_>) -> Fact<Entry> {
    let mut looked = vec!["/boot".to_owned(), "/boot/grub/grub.cfg".to_owned()];
    looked.extend(ground.areas.iter().map(|area| area.shown(&area.path("/loader"))));
    Fact::absent(looked)
}

/// Whether what UEFI starts by itself is systemd-boot, which has a section that says so.
fn fallback_is_systemd(ground: &Ground<'_>) -> bool {
    let areas = ground.areas.iter().filter(|area| area.role == Role::Esp);
    areas.into_iter().any(|area| {
        ["BOOTX64.EFI", "BOOTAA64.EFI", "BOOTIA32.EFI"].iter().any(|name| {
            let path = area.path(&format!("/EFI/BOOT/{name}"));
            let Some(reader) = area.files.open(&path, HIDES).there() else { return false };
            PortableExecutable::read(&*reader)
                .is_ok_and(|image| image.section(".sdmagic").is_some())
        })
    })
}
