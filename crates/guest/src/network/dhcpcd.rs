//! `dhcpcd.conf`: what it gives interfaces instead of asking.

use fathom_report::Interface;

use super::connections::{Connections, interface};

const CONF: &str = "/etc/dhcpcd.conf";

/// The interfaces that the file has a section for.
pub(super) fn read(connections: &mut Connections<'_, '_>) {
    let Some(text) = connections.text(CONF) else { return };
    let mut current: Option<Interface> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match (word, &mut current) {
            ("interface" | "profile" | "ssid", _) => {
                current.take().into_iter().for_each(|one| connections.interface(one));
                current = (word == "interface").then(|| {
                    let mut one = interface(rest, "dhcpcd", CONF);
                    one.dhcp4 = Some(true);
                    one
                });
            }
            ("static" | "inform", Some(one)) => {
                let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
                let words = value.split_whitespace();
                match name {
                    "ip_address" | "ip6_address" => {
                        if name == "ip_address" {
                            one.dhcp4 = Some(false);
                        }
                        for word in words {
                            one.addresses.extend(connections.address(CONF, word));
                        }
                    }
                    "routers" => {
                        for word in words {
                            one.gateways.extend(connections.address(CONF, word));
                        }
                    }
                    "domain_name_servers" => one.nameservers.extend(words.map(str::to_owned)),
                    "domain_name" | "domain_search" => one.search.extend(words.map(str::to_owned)),
                    _ => {}
                }
            }
            ("noipv4" | "nodhcp", Some(one)) => one.dhcp4 = Some(false),
            ("noipv6rs" | "noipv6", Some(one)) => one.dhcp6 = Some(false),
            _ => {}
        }
    }
    current.into_iter().for_each(|one| connections.interface(one));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn sections() {
        let text = b"hostname\n#interface no\ninterface eth0\nstatic ip_address=192.0.2.7/24\nstatic routers=192.0.2.1\nstatic domain_name_servers=192.0.2.53 192.0.2.54\n\ninterface wlan0\nnoipv6\n";
        let tree = memory::tree(&[(CONF, text)]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let [eth0, wlan0] = &found.interfaces[..] else { unreachable!() };
        assert_eq!((&eth0.addresses[0][..], &eth0.gateways[0][..]), ("192.0.2.7/24", "192.0.2.1"));
        assert_eq!((eth0.nameservers.len(), eth0.dhcp4), (2, Some(false)));
        assert_eq!((wlan0.dhcp4, wlan0.dhcp6), (Some(true), Some(false)));
    }
}
