//! What a system mounts, and where it swaps.

use std::collections::HashSet;

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
    let (mut mounts, mut swaps, mut swaps_of) = (Vec::new(), Vec::new(), HashSet::new());
    let listed = fstab::lines(text).map(|line| (line, FSTAB));
    let units = table.units.iter().map(|unit| (unit.line.clone(), unit.path.as_str()));
    for (line, evidence) in listed.chain(units) {
        if line.kind == "swap" {
            // The unit of what fstab names is the same.
            if swaps_of.insert(line.device.clone()) {
                swaps.push(Swap { device: line.device, evidence: evidence.into() });
            }
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
    swaps.extend(table.swaps.iter().cloned());
    (listing(mounts, table), listing(swaps, table))
}

fn listing<T>(items: Vec<T>, table: &Table) -> Listing<T> {
    let mut listing = Listing::complete(items, vec![FSTAB.into()]);
    if listing.items.is_empty() && matches!(table.fstab, Ok(None)) {
        listing.reason = Some(format!("there is no {FSTAB}"));
    }
    // What was lost of crypttab changes which volume a line means, and may have named the disk of one.
    let damage = table.damage.iter().chain(&table.units_hidden);
    damage.for_each(|why| listing.hide(why.to_string()));
    listing
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;
    use fathom_volume::Discovery;

    use super::*;
    use crate::memory;

    #[test]
    fn what_was_lost_of_fstab_leaves_the_lists_partial() {
        let damaged =
            [b"/dev/sda2 /home ext4\n", &[0; 100][..], b"\n/dev/sda3 none swap\n"].concat();
        let zeros = [0; 100];
        let wants = "/etc/systemd/system/swap.target.wants/dev-sdb2.swap -> ../dev-sdb2.swap";
        let unit: &[u8] = b"[Swap]\nWhat=/dev/sdb2\n";
        for (text, coverage, counts) in [
            (&damaged[..], Coverage::Partial, (1, 2)),
            (&zeros[..], Coverage::Unknown, (0, 0)),
            (&b"/dev/sdb2 none swap\n"[..], Coverage::Complete, (0, 1)),
        ] {
            let unit = ("/etc/systemd/system/dev-sdb2.swap", unit);
            let tree = memory::tree(&[(FSTAB, text), (wants, b""), unit]);
            let discovery = Discovery::default();
            let (mounts, swap) = of(&Table::of(&tree), &Places::of(&discovery));
            assert_eq!((mounts.items.len(), swap.items.len()), counts);
            assert_eq!((mounts.coverage, swap.coverage), (coverage, coverage));
        }
    }
}
