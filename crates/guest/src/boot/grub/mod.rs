//! GRUB 2: what its script puts into the menu, and which entry it starts.

mod condition;
mod environment;
mod evaluate;
mod menu;
mod script;
mod word;

use fathom_report::{Evidence, Fact, Firmware};

use super::HIDES;
use super::entry::Entry;
use super::ground::{Ground, Located, Role};
use super::snippet::{self, Snippet, grub_order};
use crate::files::Read;

use self::evaluate::Evaluator;

/// Where its script lies, after those on the partitions that UEFI starts from.
const SCRIPTS: [&str; 5] = [
    "/boot/grub/grub.cfg",
    "/boot/grub2/grub.cfg",
    "/grub/grub.cfg",
    "/grub2/grub.cfg",
    "/boot/boot/grub/grub.cfg",
];

/// Where its entries lie that are files of their own.
const SNIPPETS: [&str; 2] = ["/boot/loader/entries", "/loader/entries"];

/// The most folders of vendors that are looked into.
const MAX_VENDORS: usize = 64;

/// Its script, where there is one. The one that UEFI starts leads on to the other where it is but a
/// few lines, so it counts where nothing else may start the machine.
pub(super) fn script(ground: &Ground<'_>, firmware: &[Firmware]) -> Option<Located> {
    let own = SCRIPTS.into_iter().find(|path| ground.files.exists(path, HIDES));
    let own = own.map(|path| Located::Here(path.to_owned()));
    match firmware {
        [Firmware::Uefi] => on_esp(ground).or(own),
        _ => own.or_else(|| on_esp(ground)),
    }
}

/// The only script in a vendor's folder of a partition that UEFI starts from. Which of several is
/// started is written in the firmware.
fn on_esp(ground: &Ground<'_>) -> Option<Located> {
    let mut scripts = Vec::new();
    for (index, area) in ground.areas.iter().enumerate() {
        let folder = area.path("/EFI");
        if area.role != Role::Esp {
            continue;
        }
        let vendors = area.files.children(&folder, HIDES).there().unwrap_or_default();
        for (name, _) in vendors.iter().take(MAX_VENDORS) {
            let path = format!("{folder}/{name}/grub.cfg");
            if !name.eq_ignore_ascii_case("BOOT") && area.files.exists(&path, HIDES) {
                let is_own = std::ptr::eq(area.files, ground.files);
                scripts.push(if is_own { Located::Here(path) } else { Located::Area(index, path) });
            }
        }
    }
    if scripts.len() == 1 { scripts.pop() } else { None }
}

/// The entries that are files of their own, in the order of the menu.
fn snippets(ground: &Ground<'_>) -> Read<(String, Vec<Snippet>)> {
    for folder in SNIPPETS {
        match snippet::read(ground.files, folder) {
            Read::There(mut snippets) => {
                snippets.sort_by(grub_order);
                return Read::There((folder.to_owned(), snippets));
            }
            Read::Absent => {}
            Read::Unread(why) => return Read::Unread(why),
        }
    }
    Read::Absent
}

/// What the script starts when nobody chooses.
pub(super) fn default(ground: &Ground<'_>, script: &Located, firmware: &[Firmware]) -> Fact<Entry> {
    let platform = match firmware {
        [Firmware::Uefi] => Ok("efi".to_owned()),
        [Firmware::Bios] => Ok("pc".to_owned()),
        _ => Err("it depends on the firmware".to_owned()),
    };
    let mut evaluator = Evaluator::new(ground, platform);
    if let Err(why) = evaluator.run_file(script) {
        return Fact::unknown(why);
    }
    match menu::chosen(&mut evaluator) {
        Ok(Some(value)) => {
            let mut evidence: Vec<Evidence> = Vec::new();
            for path in &evaluator.evidence {
                let path = Evidence::from(path.clone());
                if !evidence.contains(&path) {
                    evidence.push(path);
                }
            }
            Fact::Known { value, evidence }
        }
        Ok(None) => Fact::absent([script.shown(ground)]),
        Err(why) => Fact::unknown(format!("{}: {why}", script.shown(ground))),
    }
}

#[cfg(test)]
mod tests;
