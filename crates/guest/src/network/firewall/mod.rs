//! What keeps packets out.
//!
//! Rules are given as those who keep the firewall would write them. Whether a firewall is in force
//! rests on the service that loads it.

mod firewalld;
mod iptables;
mod nftables;
mod ufw;

use fathom_report::{Firewall, Listing, Service};

use super::connections::Connections;
use crate::files::Files;

/// Every firewall that is configured.
pub(super) fn all(files: &Files<'_>, services: &Listing<Service>) -> Listing<Firewall> {
    files.listing(|| {
        let mut files = Connections::new(files);
        let mut found = Vec::new();
        found.extend(ufw::read(&mut files, services));
        found.extend(firewalld::read(&mut files, services));
        found.extend(nftables::read(&mut files, services));
        found.extend(iptables::read(&mut files, services));
        let places = std::mem::take(&mut files.places);
        if found.is_empty() {
            return Listing::empty("no firewall is configured", places);
        }
        Listing::complete(found, places)
    })
}
