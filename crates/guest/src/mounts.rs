//! What a system mounts, and where it swaps.

use fathom_report::{Listing, Mount, Swap};

use crate::crypttab;
use crate::device::Places;
use crate::files::{Files, Read};
use crate::fstab;

const FSTAB: &str = "/etc/fstab";
const CRYPTTAB: &str = "/etc/crypttab";

/// What the system's fstab says.
pub(crate) fn of(files: &Files<'_>, places: &Places<'_>) -> (Listing<Mount>, Listing<Swap>) {
    let text = match files.text(FSTAB, "mounts") {
        Read::There(text) => text,
        Read::Absent => {
            let empty = || format!("there is no {FSTAB}");
            let at = || vec![FSTAB.into()];
            return (Listing::empty(empty(), at()), Listing::empty(empty(), at()));
        }
        Read::Unread(why) => return (Listing::unknown(why.clone()), Listing::unknown(why)),
    };
    let crypttab = files.text(CRYPTTAB, "names of unlocked volumes").there();
    let crypttab = crypttab.map(|text| crypttab::parse(&text)).unwrap_or_default();
    let (mut mounts, mut swaps) = (Vec::new(), Vec::new());
    for line in fstab::lines(&text) {
        if line.kind == "swap" {
            swaps.push(Swap { device: line.device, evidence: FSTAB.into() });
            continue;
        }
        let volume = match places.named(&line.device, &crypttab).as_slice() {
            [place] => Some(place.volume.id.to_string()),
            _ => None,
        };
        mounts.push(Mount {
            path: line.path,
            device: line.device,
            kind: line.kind,
            options: line.options,
            volume,
            evidence: FSTAB.into(),
        });
    }
    (Listing::complete(mounts, vec![FSTAB.into()]), Listing::complete(swaps, vec![FSTAB.into()]))
}
