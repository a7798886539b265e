//! The boot menu: a hive of its own, whose objects are entries and whose elements are what an entry
//! says. Which number means what is Microsoft's `BcdLibrary…`, `BcdBootMgr…` and `BcdOSLoader…`.

use fathom_filesystem::Tree;
use fathom_report::BootEntry;

use super::device::{self, Partition};
use crate::files::Read;
use crate::windows::registry::{Node, Opened, Registry};

/// The boot manager itself.
const BOOT_MANAGER: &str = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";

const DEFAULT_OBJECT: &str = "23000003";
const APPLICATION_DEVICE: &str = "11000001";
const APPLICATION_PATH: &str = "12000002";
const DESCRIPTION: &str = "12000004";
const LOAD_OPTIONS: &str = "12000030";

/// Switches that change what the kernel does, as bcdedit calls them.
const SWITCHES: [(&str, &str); 5] = [
    ("16000048", "nointegritychecks"),
    ("16000049", "testsigning"),
    ("16000010", "bootdebug"),
    ("260000a0", "debug"),
    ("26000022", "winpe"),
];

/// The entry that starts when nobody chooses.
pub(super) struct Default {
    pub(super) entry: BootEntry,
    /// Where its loader lies.
    pub(super) device: Option<Partition>,
    pub(super) place: String,
}

/// The element of that number.
fn element<'r>(object: &Node<'r>, number: &str) -> Read<Node<'r>> {
    object.child(&format!(r"Elements\{number}"))
}

fn text(object: &Node<'_>, number: &str) -> Option<String> {
    element(object, number).there()?.values().text("Element").there()
}

/// The default entry of the menu in `file`.
pub(super) fn default(
    registry: &Registry<'_>,
    tree: &Tree,
    file: &str,
    root: &str,
) -> Read<Default> {
    let menu = Opened::open(tree, file.to_owned(), root.to_owned());
    let objects = match registry.key_of(&menu, "Objects") {
        Read::There(objects) => objects,
        Read::Absent => return Read::Absent,
        Read::Unread(why) => return Read::Unread(why),
    };
    let manager = match objects.child(BOOT_MANAGER) {
        Read::There(manager) => manager,
        Read::Absent => return Read::Absent,
        Read::Unread(why) => return Read::Unread(why),
    };
    let name = match element(&manager, DEFAULT_OBJECT) {
        Read::There(element) => element.values().text("Element"),
        Read::Absent => Read::Absent,
        Read::Unread(why) => Read::Unread(why),
    };
    let object = match name {
        Read::There(name) => objects.child(&name),
        Read::Absent => Read::Absent,
        Read::Unread(why) => Read::Unread(why),
    };
    object.map(|object| entry(registry, &object))
}

fn entry(registry: &Registry<'_>, object: &Node<'_>) -> Default {
    let device = element(object, APPLICATION_DEVICE).there().and_then(|element| {
        let values = element.values();
        let bytes = values.bytes("Element").there()?;
        match device::of_element(&bytes) {
            Ok(device) => device,
            Err(error) => {
                registry.note(&error, &values.place("Element"));
                None
            }
        }
    });
    let is_on = |number: &str| {
        let bytes = element(object, number).there()?.values().bytes("Element").there()?;
        bytes.first().map(|byte| *byte != 0)
    };
    let switches = SWITCHES.iter().filter(|(number, _)| is_on(number) == Some(true));
    let mut arguments: Vec<String> = text(object, LOAD_OPTIONS).into_iter().collect();
    arguments.extend(switches.map(|(_, name)| (*name).to_owned()));
    Default {
        entry: BootEntry {
            loader: "windows".to_owned(),
            title: text(object, DESCRIPTION),
            version: None,
            image: text(object, APPLICATION_PATH),
            initramfs: Vec::new(),
            arguments: (!arguments.is_empty()).then(|| arguments.join(" ")),
        },
        device,
        place: object.place().to_owned(),
    }
}
