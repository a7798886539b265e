//! What Windows starts with: its kernel, the default of the boot menu, and drivers for the hardware
//! of hypervisors.

pub(super) mod device;
mod drivers;
mod menu;

use std::sync::Arc;

use fathom_filesystem::Tree;
use fathom_report::{Boot, BootEntry, Fact, Firmware, Kernel, Listing};

use super::KERNEL;
use super::pe::Image;
use super::registry::Registry;
use crate::device::{Place, Places};
use crate::files::Read;

/// What the report loses if something cannot be read.
pub(super) const HIDES: &str = "how the system starts";

/// Where the menu lies, on the volume that the firmware starts from.
const MENUS: [(&str, Firmware); 2] =
    [("/EFI/Microsoft/Boot/BCD", Firmware::Uefi), ("/Boot/BCD", Firmware::Bios)];

/// What the system starts with. `root` is the volume that it lies on.
pub(super) fn of(
    registry: &Registry<'_>,
    kernel: &Read<Image>,
    places: &Places<'_>,
    root: &str,
) -> Boot {
    let menus = Menus::of(registry, places);
    let kernels = kernels(kernel);
    Boot {
        default: menus.default(kernels.items.first(), places, root),
        firmware: menus.firmware(),
        drivers: registry.listing(|| drivers::all(registry)),
        kernels,
    }
}

fn kernels(kernel: &Read<Image>) -> Listing<Kernel> {
    match kernel {
        Read::There(image) => match image.version() {
            Some(version) => {
                let kernel = Kernel {
                    version,
                    image: Some(KERNEL.to_owned()),
                    initramfs: None,
                    modules: None,
                    evidence: vec![KERNEL.into()],
                };
                Listing::complete(vec![kernel], vec![KERNEL.into()])
            }
            None => Listing::unknown(format!("{KERNEL} does not say its version")),
        },
        Read::Absent => Listing::empty(format!("there is no {KERNEL}"), vec![KERNEL.into()]),
        Read::Unread(why) => Listing::unknown(why.clone()),
    }
}

/// The boot menus on all volumes of the machine.
struct Menus {
    found: Vec<(Firmware, String, Read<menu::Default>)>,
    /// Why there may be more.
    hidden: Option<String>,
}

impl Menus {
    fn of(registry: &Registry<'_>, places: &Places<'_>) -> Self {
        let mut found = Vec::new();
        let mut hidden = places.hidden().first().map(ToString::to_string);
        let mut trees: Vec<(String, Tree)> = places
            .all
            .iter()
            .filter_map(|Place { volume, holds }| {
                let filesystem = holds.as_ref().ok()?;
                Some((volume.id.to_string(), Tree::new(Arc::clone(filesystem))))
            })
            .collect();
        if trees.is_empty() {
            // A tree by itself, of no disk.
            trees.push((String::new(), registry.files.tree().clone()));
        }
        for (volume, tree) in trees {
            for (path, firmware) in MENUS {
                let place = format!("{volume}:{path}");
                match tree.exists(path.as_bytes()) {
                    Ok(true) => {
                        let default = menu::default(registry, &tree, path, &place);
                        found.push((firmware, place, default));
                    }
                    Ok(false) => {}
                    Err(error) => {
                        registry.note(&error, &place);
                        hidden.get_or_insert(error.to_string());
                    }
                }
            }
        }
        Self { found, hidden }
    }

    fn firmware(&self) -> Listing<Firmware> {
        let evidence = self.found.iter().map(|(_, place, _)| place.as_str().into()).collect();
        let mut kinds: Vec<Firmware> = self.found.iter().map(|(firmware, ..)| *firmware).collect();
        kinds.sort();
        kinds.dedup();
        let mut listing = match (kinds.as_slice(), &self.hidden) {
            ([], Some(why)) => return Listing::unknown(why.clone()),
            ([], None) => {
                Listing::empty("there is no boot menu of Windows on these disks", evidence)
            }
            _ => Listing::complete(kinds, evidence),
        };
        if let Some(why) = &self.hidden {
            listing.hide(why.clone());
        }
        listing
    }

    /// What starts when nobody chooses.
    fn default(&self, kernel: Option<&Kernel>, places: &Places<'_>, root: &str) -> Fact<BootEntry> {
        let mut hidden = self.hidden.clone();
        let mut defaults = Vec::new();
        for (_, _, default) in &self.found {
            match default {
                Read::There(default) => defaults.push(default),
                Read::Absent => {}
                Read::Unread(why) => {
                    hidden.get_or_insert(why.clone());
                }
            }
        }
        let is_ours = |default: &&&menu::Default| {
            let device = default.device.as_ref();
            device.and_then(|device| device.find(places)).is_some_and(|it| it.id.as_str() == root)
        };
        // A machine that can be started in both ways has a menu for each.
        let chosen = match defaults.as_slice() {
            [] => None,
            [one] => Some(*one),
            several => several.iter().find(is_ours).copied(),
        };
        let Some(default) = chosen else {
            return match (hidden, defaults.len()) {
                (Some(why), _) => Fact::unknown(why),
                (None, 0) => Fact::absent(MENUS.map(|(path, _)| path)),
                (None, several) => Fact::unknown(format!("{several} boot menus disagree")),
            };
        };
        let mut entry = default.entry.clone();
        if is_ours(&&default) {
            entry.version = kernel.map(|kernel| kernel.version.clone());
        }
        Fact::known(entry, default.place.as_str())
    }
}
