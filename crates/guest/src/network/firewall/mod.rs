//! What keeps packets out.
//!
//! Rules are given as those who keep the firewall would write them. Whether a firewall is in force
//! rests on the service that loads it.

mod firewalld;
mod iptables;
mod nftables;
mod ufw;

use fathom_report::{Firewall, Listing, Service};

use super::connections::{Connections, HIDES};
use crate::files::Files;
use crate::unread::{self, Other};

/// Firewalls whose rules are not read, and where these are.
const OTHERS: &[Other] = &[
    ("Shorewall", "/etc/shorewall/zones"),
    ("Shorewall", "/etc/shorewall6/zones"),
    ("ferm", "/etc/ferm/ferm.conf"),
    ("FireHOL", "/etc/firehol/firehol.conf"),
    ("SuSEfirewall2", "/etc/sysconfig/SuSEfirewall2"),
    ("CSF", "/etc/csf/csf.conf"),
    ("APF", "/etc/apf/conf.apf"),
    ("arno-iptables-firewall", "/etc/arno-iptables-firewall/firewall.conf"),
    ("the firewall of OpenWrt", "/etc/config/firewall"),
    ("the firewall of Slackware", "/etc/rc.d/rc.firewall"),
    ("VyOS", "/config/config.boot"),
    ("VyOS", "/opt/vyatta/etc/config/config.boot"),
    ("NixOS", "/etc/nixos/configuration.nix"),
];

/// Every firewall that is configured.
pub(super) fn all(files: &Files<'_>, services: &Listing<Service>) -> Listing<Firewall> {
    files.listing(|| {
        let mut files = Connections::new(files);
        let mut found = Vec::new();
        found.extend(ufw::read(&mut files, services));
        found.extend(firewalld::read(&mut files, services));
        found.extend(nftables::read(&mut files, services));
        found.extend(iptables::read(&mut files, services));
        unread::note(files.files, OTHERS, false, HIDES);
        let places = std::mem::take(&mut files.places);
        if found.is_empty() {
            return Listing::empty("no firewall is configured", places);
        }
        Listing::complete(found, places)
    })
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory;

    #[test]
    fn a_firewall_that_is_not_read_is_not_none() {
        let coverage = |found: &[(&str, &[u8])]| {
            all(&Files::new(&memory::tree(found)), &Listing::unknown("not looked")).coverage
        };
        assert_eq!(coverage(&[("/etc/shorewall/shorewall.conf", b"x")]), Coverage::Complete);
        assert_eq!(coverage(&[("/etc/shorewall/zones", b"fw firewall\n")]), Coverage::Partial);
    }
}
