//! Managers of the network whose files are not read.

use super::connections::HIDES;
use crate::files::Files;
use crate::unread::{self, Other};

/// Those, and where their files are.
const OTHERS: &[Other] = &[
    ("netctl", "/etc/netctl/"),
    ("netifrc of Gentoo", "/etc/conf.d/net"),
    ("ConnMan", "/var/lib/connman"),
    ("wicked", "/etc/wicked/ifconfig/"),
    ("the network of OpenWrt", "/etc/config/network"),
    ("the network of Slackware", "/etc/rc.d/rc.inet1.conf"),
    ("VyOS", "/config/config.boot"),
    ("VyOS", "/opt/vyatta/etc/config/config.boot"),
    ("NixOS", "/etc/nixos/configuration.nix"),
    ("wg-quick", "/etc/wireguard/"),
];

/// Notes those that are there: they may configure interfaces too.
pub(super) fn note(files: &Files<'_>) {
    unread::note(files, OTHERS, false, HIDES);
}

#[cfg(test)]
mod tests {
    use fathom_report::{Coverage, Listing};

    use crate::files::Files;
    use crate::memory;
    use crate::network::of;

    #[test]
    fn a_manager_that_is_not_read_may_have_interfaces() {
        let coverage = |found: &[(&str, &[u8])]| {
            let tree = memory::tree(found);
            let network = of(&Files::new(&tree), &Listing::unknown("not looked"));
            (network.interfaces.coverage, network.routes.coverage)
        };
        let (complete, partial) = (Coverage::Complete, Coverage::Partial);
        assert_eq!(coverage(&[("/etc/netctl/examples/dhcp", b"x")]), (complete, complete));
        assert_eq!(coverage(&[("/etc/netctl/home", b"x")]), (partial, partial));
        assert_eq!(coverage(&[("/etc/conf.d/net", b"config_eth0=x\n")]), (partial, partial));
    }
}
