//! What a system mounts, and where it swaps.

use fathom_report::{Listing, Mount, Swap};

use crate::device::Places;
use crate::fstab;
use crate::namespace::{FSTAB, Table};

/// What the system's fstab and its mount units say.
pub(crate) fn of(table: &Table, places: &Places<'_>) -> (Listing<Mount>, Listing<Swap>) {
    let text = match &table.fstab {
        Ok(text) => text.as_deref().unwrap_or_default(),
        Err(error) => {
            let why = error.to_string();
            return (Listing::unknown(why.clone()), Listing::unknown(why));
        }
    };
    let names = table.names();
    let (mut mounts, mut swaps) = (Vec::new(), Vec::new());
    let listed = fstab::lines(text).map(|line| (line, FSTAB));
    let units = table.units.iter().map(|unit| (unit.line.clone(), unit.path.as_str()));
    for (line, evidence) in listed.chain(units) {
        if line.kind == "swap" {
            swaps.push(Swap { device: line.device, evidence: evidence.into() });
            continue;
        }
        let volume = match places.named(&line.device, &names).as_slice() {
            [place] => Some(place.volume.id.to_string()),
            _ => None,
        };
        mounts.push(Mount {
            path: line.path,
            device: line.device,
            kind: line.kind,
            options: line.options,
            volume,
            evidence: evidence.into(),
        });
    }
    mounts.extend(table.discovered.iter().cloned());
    let mut mounts = listing(mounts, table);
    if let Some(why) = &table.units_hidden {
        mounts.hide(why.clone());
    }
    (mounts, listing(swaps, table))
}

fn listing<T>(items: Vec<T>, table: &Table) -> Listing<T> {
    let mut listing = Listing::complete(items, vec![FSTAB.into()]);
    if listing.items.is_empty() && matches!(table.fstab, Ok(None)) {
        listing.reason = Some(format!("there is no {FSTAB}"));
    }
    listing
}
