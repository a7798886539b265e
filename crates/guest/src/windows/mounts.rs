//! Drive letters, and where Windows swaps.

use fathom_report::{Listing, Mount, Swap};

use super::boot::device;
use super::registry::{Name, Registry};
use crate::device::Places;
use crate::files::Read;

/// What the report loses if something cannot be read.
pub(super) const HIDES: &str = "drive letters";

const MOUNTED: &str = "MountedDevices";
const MEMORY: &str = r"Control\Session Manager\Memory Management";

/// Letters that were given to devices. Devices that are no partition of a disk go by what Windows
/// calls them.
pub(super) fn letters(registry: &Registry<'_>, places: &Places<'_>) -> Listing<Mount> {
    let key = match registry.key(Name::System, MOUNTED) {
        Read::There(key) => key,
        Read::Absent => {
            let place = format!(r"HKLM\SYSTEM\{MOUNTED}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let values = key.values();
    let mut mounts = Vec::new();
    for name in values.names() {
        let Some(letter) = name.strip_prefix(r"\DosDevices\") else {
            continue;
        };
        let Read::There(bytes) = values.bytes(name) else {
            continue;
        };
        let partition = device::mounted(&bytes);
        let volume = partition.as_ref().and_then(|partition| partition.find(places));
        let filesystem = volume.and_then(|volume| {
            let place = places.all.iter().find(|place| place.volume.id == volume.id)?;
            Some(place.holds.as_ref().ok()?.info().kind.name().to_owned())
        });
        mounts.push(Mount {
            path: letter.to_owned(),
            device: partition.map_or_else(|| other(&bytes), |partition| partition.to_string()),
            kind: filesystem.unwrap_or_default(),
            options: Vec::new(),
            volume: volume.map(|volume| volume.id.to_string()),
            evidence: key.place().into(),
        });
    }
    mounts.sort_by(|one, other| one.path.cmp(&other.path));
    Listing::complete(mounts, vec![key.place().into()])
}

/// What stands for a device that is no partition: its path in UTF-16.
fn other(bytes: &[u8]) -> String {
    let units: Vec<u16> =
        bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// The files that Windows swaps to.
pub(super) fn swap(registry: &Registry<'_>) -> Listing<Swap> {
    let key = match registry.control_set(MEMORY) {
        Read::There(key) => key,
        Read::Absent => {
            let place = format!(r"HKLM\SYSTEM\CurrentControlSet\{MEMORY}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let values = key.values();
    let place = values.place("PagingFiles");
    match values.texts("PagingFiles") {
        Read::There(files) => {
            let swap = |device| Swap { device, evidence: place.as_str().into() };
            Listing::complete(files.into_iter().map(swap).collect(), vec![place.as_str().into()])
        }
        Read::Absent => Listing::empty(format!("there is no {place}"), vec![place.into()]),
        Read::Unread(why) => Listing::unknown(why),
    }
}
