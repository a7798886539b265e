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
mod grub_legacy;
mod initramfs;
mod kernel_image;
mod kernels;
mod others;
mod pattern;
mod portable_executable;
mod snippet;
mod systemd_boot;

use fathom_filesystem::Tree;
use fathom_report::{Boot, BootEntry, Fact, Firmware};

use crate::device::Places;
use crate::files::{Files, Read};

pub use self::drivers::Learned;
pub(crate) use self::drivers::Unpacking;
use self::entry::Entry;
use self::ground::{Ground, Located, Role};
use self::portable_executable::PortableExecutable;

/// What the report loses if a file cannot be read.
const HIDES: &str = "kernels and what is started";

/// Kernels, boot loaders and the drivers that are there when it starts.
pub(crate) fn of(files: &Files<'_>, places: &Places<'_>, unpacking: Unpacking<'_>) -> Boot {
    let unmounted = ground::unmounted(files.tree(), places);
    let theirs: Vec<Files<'_>> = unmounted.iter().map(ground::Unmounted::files).collect();
    let ground = Ground::of(files, places, &unmounted, &theirs);
    let boot = collect(&ground, places, unpacking);
    drop(ground);
    for (one, theirs) in unmounted.iter().zip(theirs) {
        files.absorb(theirs, one.id());
    }
    boot
}

/// What `ostree=` is in the first entry of the menu in this folder that has it: ostree numbers its
/// entries, and the one that is started has the highest number as its version.
pub(crate) fn ostree_argument(tree: &Tree, folder: &str) -> Option<String> {
    let files = Files::new(tree);
    let mut snippets = snippet::read(&files, folder).there()?;
    let number = |it: &snippet::Snippet| it.get("version").and_then(|it| it.parse::<u64>().ok());
    snippets.sort_by_key(|it| std::cmp::Reverse(number(it)));
    let mut arguments = snippets.iter().filter_map(|it| {
        let words = it.get("options")?.split_whitespace();
        words.rev().find_map(|word| word.strip_prefix("ostree=")).map(str::to_owned)
    });
    arguments.next()
}

fn collect(ground: &Ground<'_>, places: &Places<'_>, unpacking: Unpacking<'_>) -> Boot {
    let kernels = kernels::installed(ground);
    let mut firmware = firmware::of(ground, places);
    let mut chosen = default(ground, &firmware.items);
    if let Some(why) = ground.hidden() {
        if matches!(chosen, Fact::Absent { .. }) {
            chosen = Fact::unknown(why.clone());
        }
        firmware.hide(why);
    }
    let default: Fact<BootEntry> = chosen.clone().map(|entry| entry.told(ground, &kernels));
    let drivers = drivers::of(ground, &kernels, &chosen, unpacking);
    Boot { kernels, default, firmware, drivers }
}

/// What is started when nobody chooses.
fn default(ground: &Ground<'_>, firmware: &[Firmware]) -> Fact<Entry> {
    let mut menus: Vec<(&str, Fact<Entry>)> = Vec::new();
    if let Some(script) = grub::script(ground, firmware) {
        menus.push(("GRUB", grub::default(ground, &script, firmware)));
    } else if let Some(path) = grub_legacy::menu(ground) {
        menus.push(("GRUB", grub_legacy::default(ground, path)));
    }
    if systemd_boot::is_installed(ground) || fallback_is_systemd(ground) {
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
            let same =
                image(first).is_some() && rest.iter().all(|(_, it)| image(it) == image(first));
            if same {
                return first.clone();
            }
            let names: Vec<_> = started.iter().map(|(name, _)| *name).collect();
            Fact::unknown(format!("{} do not start the same", names.join(" and ")))
        }
        [] => match (unified(ground), menus.into_iter().next()) {
            (Some(unified), _) => unified,
            (None, Some((_, absent))) => absent,
            (None, None) => none(ground),
        },
    }
}

fn none(ground: &Ground<'_>) -> Fact<Entry> {
    const ENTRIES: &str = "/boot/loader/entries";
    match snippet::read(ground.files, ENTRIES) {
        Read::There(entries) if !entries.is_empty() => {
            let why = format!("no loader that is known here reads the entries in {ENTRIES}");
            return Fact::unknown(why);
        }
        Read::Unread(why) => return Fact::unknown(why),
        Read::There(_) | Read::Absent => {}
    }
    if let Some(why) = others::instead(ground) {
        return Fact::unknown(why);
    }
    let mut looked = vec!["/boot".to_owned(), "/boot/grub/grub.cfg".to_owned()];
    looked.extend(ground.areas.iter().map(|area| area.shown(&area.path("/loader"))));
    Fact::absent(looked)
}

/// What UEFI starts by itself, where it looks for it.
const FALLBACKS: [&str; 3] =
    ["/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTAA64.EFI", "/EFI/BOOT/BOOTIA32.EFI"];

/// The first of those that has the section.
fn fallback_with(ground: &Ground<'_>, section: &str) -> Option<(usize, String)> {
    let areas = ground.areas.iter().enumerate().filter(|(_, area)| area.role == Role::Esp);
    let mut files = areas
        .flat_map(|(index, area)| FALLBACKS.iter().map(move |path| (index, area, area.path(path))));
    files.find_map(|(index, area, path)| {
        let reader = area.files.open(&path, HIDES).there()?;
        let image = PortableExecutable::read(&*reader).ok()?;
        image.section(section).is_some().then_some((index, path))
    })
}

/// Whether that is systemd-boot, which has a section that says so.
fn fallback_is_systemd(ground: &Ground<'_>) -> bool {
    fallback_with(ground, ".sdmagic").is_some()
}

/// A unified kernel image that is started without a loader.
fn unified(ground: &Ground<'_>) -> Option<Fact<Entry>> {
    let (area, path) = fallback_with(ground, ".linux")?;
    let is_own = std::ptr::eq(ground.areas[area].files, ground.files);
    let image = if is_own { Located::Here(path) } else { Located::Area(area, path) };
    let shown = image.shown(ground);
    let initramfs = vec![image.clone()];
    let entry = Entry { loader: "uefi", image: Some(image), initramfs, ..Entry::default() };
    Some(Fact::known(entry, shown))
}
