//! `ifcfg-*` of Red Hat and of SUSE: one file of variables an interface, with routes beside it.

use std::collections::{BTreeMap, HashMap};

use fathom_report::{Interface, PersistentName, Route};

use super::address;
use super::connections::{Connections, interface, shown};
use super::layers::layered;
use crate::shell;

/// Where the files lie, of Red Hat and of SUSE.
const RED_HAT: &str = "/etc/sysconfig/network-scripts";
const SUSE: &str = "/etc/sysconfig/network";

type Variables = BTreeMap<String, String>;

/// Every interface of both.
pub(super) fn read(connections: &mut Connections<'_, '_>) {
    let mut found = Vec::new();
    let mut parts = Vec::new();
    // Of Red Hat that is a file, where SUSE has its folder.
    let folders = if connections.is_file(SUSE) { &[RED_HAT][..] } else { &[RED_HAT, SUSE] };
    for folder in folders {
        let folder = *folder;
        for (name, path) in layered(connections.files, &[folder], is_ifcfg) {
            let Some(text) = connections.text(&path) else { continue };
            let variables: Variables = shell::assignments(&text).into_iter().collect();
            let name = name.trim_start_matches("ifcfg-");
            let one = one(connections, name, &path, &variables, &mut parts);
            routes(connections, folder, name, &one);
            found.push(one);
        }
    }
    let index: HashMap<String, usize> = found
        .iter()
        .enumerate()
        .map(|(place, one): (_, &Interface)| (one.name.clone(), place))
        .collect();
    for (whole, part) in parts {
        if let Some(place) = index.get(&whole) {
            found[*place].members.push(part);
        }
    }
    for one in &mut found {
        // Beside the interfaces themselves there may be routes for all of them.
        let routes = connections.routes.iter().filter(|route| {
            let is_default = route.destination == "default" && route.table.is_none();
            is_default && route.interface.as_deref() == Some(&*one.name)
        });
        one.gateways.extend(routes.filter_map(|route| route.gateway.clone()));
    }
    found.into_iter().for_each(|one| connections.interface(one));
    whole_system(connections);
}

/// Names that the scripts take for configuration.
fn is_ifcfg(name: &str) -> bool {
    const LEFT: [&str; 9] =
        ["~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave", ".swp", ".template", ".old"];
    name.starts_with("ifcfg-") && !LEFT.iter().any(|end| name.ends_with(end))
}

/// What is said for the system as a whole.
fn whole_system(connections: &mut Connections<'_, '_>) {
    const CONFIG: &str = "/etc/sysconfig/network/config";
    if connections.is_file(SUSE) {
        defaults(connections);
    } else if let Some(text) = connections.text(CONFIG) {
        let mut values = shell::assignments(&text);
        let mut words = |name: &str| -> Vec<String> {
            let value = values.remove(name).unwrap_or_default();
            value.split_whitespace().map(str::to_owned).collect()
        };
        let servers = words("NETCONFIG_DNS_STATIC_SERVERS");
        let domains = words("NETCONFIG_DNS_STATIC_SEARCHLIST");
        connections.nameservers.extend(servers);
        connections.search.extend(domains);
    }
}

/// The way out of the whole system, as Red Hat has it.
fn defaults(connections: &mut Connections<'_, '_>) {
    let Some(text) = connections.text(SUSE) else { return };
    let values = shell::assignments(&text);
    if let Some(gateway) = values.get("GATEWAY").filter(|value| !value.is_empty()) {
        let gateway = connections.address(SUSE, gateway);
        let interface = values.get("GATEWAYDEV").filter(|value| !value.is_empty()).cloned();
        connections.route(Route {
            destination: "default".to_owned(),
            gateway,
            interface,
            evidence: SUSE.into(),
            ..Route::default()
        });
    }
}

fn is_yes(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "yes" | "true" | "on" | "1" | "y" | "t")
}

/// One interface. What it is a part of is added to `parts`.
fn one(
    connections: &mut Connections<'_, '_>,
    name: &str,
    path: &str,
    variables: &Variables,
    parts: &mut Vec<(String, String)>,
) -> Interface {
    let get = |name: &str| {
        variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    };
    let yes = |name: &str| get(name).map(is_yes);
    let device = get("DEVICE").unwrap_or(name);
    let mut one = interface(device, "ifcfg", path);
    one.profile = get("NAME").filter(|name| *name != device).map(str::to_owned);
    let hardware = get("HWADDR").and_then(address::mac);
    if let (Some(mac), Some(device)) = (&hardware, get("DEVICE")) {
        connections.names.push(PersistentName {
            name: device.to_owned(),
            mac: Some(mac.clone()),
            slot: None,
            evidence: path.into(),
        });
    }
    one.mac =
        hardware.or_else(|| ["MACADDR", "LLADDR"].iter().find_map(|name| address::mac(get(name)?)));
    one.mtu = get("MTU").and_then(|text| connections.number(path, text));
    one.automatic = match (yes("ONBOOT"), get("STARTMODE")) {
        (Some(on), _) => Some(on),
        (None, Some(mode)) => Some(!matches!(mode, "manual" | "off" | "onboot-off")),
        (None, None) => None,
    };
    let protocol = get("BOOTPROTO").unwrap_or("none").to_ascii_lowercase();
    let parts_of: Vec<&str> = protocol.split('+').collect();
    let asks = |words: &[&str]| parts_of.iter().any(|part| words.contains(part));
    one.dhcp4 = Some(asks(&["dhcp", "bootp", "dhcp4"]));
    let announced = yes("IPV6_AUTOCONF").or(yes("DHCPV6C")).or(match yes("IPV6INIT") {
        Some(true) => None,
        off => off,
    });
    // SUSE's one word stands for both families.
    let suse = path.starts_with("/etc/sysconfig/network/");
    let both = suse && asks(&["dhcp"]) || asks(&["dhcp6"]);
    one.dhcp6 = match (both, yes("DHCPV6C")) {
        (true, _) | (_, Some(true)) => Some(true),
        _ => announced,
    };
    addresses(connections, &mut one, variables, path);
    for (name, value) in variables.iter().filter(|(_, value)| !value.trim().is_empty()) {
        let value = value.trim();
        if numbered(name, "DNS") {
            one.nameservers.push(value.to_owned());
        } else if name == "DOMAIN" || name == "SEARCH" {
            one.search
                .extend(value.split([' ', ',']).filter(|part| !part.is_empty()).map(str::to_owned));
        } else if name.starts_with("BONDING_SLAVE") && !name.contains("OPTS") {
            one.members.push(value.to_owned());
        } else if name == "BRIDGE_PORTS" {
            one.members.extend(value.split_whitespace().map(str::to_owned));
        }
    }
    let whole =
        get("MASTER").or(get("MASTER_UUID")).or(get("BRIDGE").filter(|value| !is_word(value)));
    parts.extend(whole.map(|whole| (whole.to_owned(), one.name.clone())));
    kind(connections, &mut one, variables, path);
    one
}

/// SUSE's `BRIDGE=yes` says what an interface is, Red Hat's `BRIDGE=br0` what it is a part of.
fn is_word(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "yes" | "no")
}

fn kind(
    connections: &mut Connections<'_, '_>,
    one: &mut Interface,
    variables: &Variables,
    path: &str,
) {
    let get = |name: &str| {
        variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    };
    let yes = |name: &str| get(name).is_some_and(is_yes);
    let dotted = one
        .name
        .rsplit_once('.')
        .and_then(|(device, number)| Some((device.to_owned(), number.parse::<u16>().ok()?)));
    let named = get("TYPE").map(str::to_ascii_lowercase);
    let is_vlan = yes("VLAN") || get("ETHERDEVICE").is_some() || named.as_deref() == Some("vlan");
    let kind = if one.name == "lo" {
        Some("loopback".to_owned())
    } else if get("BONDING_OPTS").is_some() || yes("BONDING_MASTER") {
        Some("bond".to_owned())
    } else if yes("BRIDGE") {
        Some("bridge".to_owned())
    } else if is_vlan || dotted.is_some() {
        let device = get("PHYSDEV").or(get("ETHERDEVICE")).map(str::to_owned);
        let number = get("VLAN_ID").and_then(|id| connections.number(path, id));
        let digits = one.name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        one.vlan = number.or(dotted.as_ref().map(|(_, id)| *id)).or_else(|| digits.parse().ok());
        one.members.extend(device.or(dotted.map(|(device, _)| device)));
        Some("vlan".to_owned())
    } else {
        named.map(|kind| if kind == "wireless" { "wifi".to_owned() } else { kind })
    };
    one.kind = kind;
}

/// The name with nothing or digits behind it.
fn numbered(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn addresses(
    connections: &mut Connections<'_, '_>,
    one: &mut Interface,
    variables: &Variables,
    path: &str,
) {
    for (name, value) in variables.iter().filter(|(_, value)| !value.trim().is_empty()) {
        let value = value.trim();
        if name == "IPV6ADDR" || name == "IPV6ADDR_SECONDARIES" {
            for text in value.split_whitespace() {
                let address = connections.address(path, text);
                one.addresses.extend(address.map(|it| address::joined(&it, Some(64))));
            }
        } else if let Some(end) = name.strip_prefix("IPADDR") {
            let Some(address) = connections.address(path, value) else { continue };
            // SUSE has any word behind an underscore, Red Hat a number.
            let of = |stem: &str| variables.get(&format!("{stem}{end}")).map(|text| text.trim());
            let mask = ["PREFIX", "PREFIXLEN", "NETMASK"].into_iter().find_map(of);
            let length = mask.filter(|mask| !mask.is_empty()).and_then(|mask| {
                let length = address::prefix(mask);
                if length.is_none() {
                    connections.odd(path, format!("{} is no mask", shown(mask)));
                }
                length
            });
            let whole = if address.contains(':') { 128 } else { 32 };
            let length = length.or_else(|| address::class(&address)).unwrap_or(whole);
            one.addresses.push(address::joined(&address, Some(length)));
        } else if numbered(name, "GATEWAY") || name == "IPV6_DEFAULTGW" {
            // The interface may stand behind a percent sign.
            let gateway = value.split('%').next().unwrap_or(value);
            one.gateways.extend(connections.address(path, gateway));
        }
    }
}

/// The routes in the files beside that of the interface.
fn routes(connections: &mut Connections<'_, '_>, folder: &str, name: &str, one: &Interface) {
    for kind in ["route", "route6", "ifroute"] {
        let path = format!("{folder}/{kind}-{name}");
        if let Some(text) = connections.text(&path) {
            for route in lines(connections, &text, &path, folder == SUSE) {
                let interface = route.interface.clone().unwrap_or_else(|| one.name.clone());
                connections.route(Route { interface: Some(interface), ..route });
            }
        }
    }
    // SUSE has one file for all of them too, which is to be read once.
    let all = format!("{SUSE}/routes");
    if folder == SUSE
        && !connections.places.iter().any(|place| place.0 == all)
        && let Some(text) = connections.text(&all)
    {
        for route in lines(connections, &text, &all, true) {
            connections.route(route);
        }
    }
}

/// The routes of one file: words for `ip route`, numbered variables, or SUSE's columns.
fn lines(connections: &mut Connections<'_, '_>, text: &str, path: &str, suse: bool) -> Vec<Route> {
    let variables = shell::assignments(text);
    let mut routes = Vec::new();
    for (name, to) in &variables {
        let Some(end) = name.strip_prefix("ADDRESS") else { continue };
        let get = |stem: &str| variables.get(&format!("{stem}{end}")).filter(|it| !it.is_empty());
        let mask = get("NETMASK").or(get("PREFIX")).and_then(|mask| address::prefix(mask));
        let Some(to) = connections.address(path, to) else { continue };
        routes.push((
            end.parse().unwrap_or(usize::MAX),
            Route {
                destination: address::destination(&address::joined(&to, mask)),
                gateway: get("GATEWAY").cloned(),
                metric: get("METRIC").and_then(|text| connections.number(path, text)),
                evidence: path.into(),
                ..Route::default()
            },
        ));
    }
    routes.sort_by_key(|(number, _)| *number);
    let mut routes: Vec<Route> = routes.into_iter().map(|(_, route)| route).collect();
    if !routes.is_empty() {
        return routes;
    }
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if line.is_empty() {
            continue;
        }
        let route =
            if suse { columns(line, path) } else { address::route(line.split_whitespace(), path) };
        match route {
            Some(route) => routes.push(route),
            None => connections.odd(path, format!("{} is no route", shown(line))),
        }
    }
    routes
}

/// Where to, by way of whom, the mask, and through what; a minus stands for nothing.
fn columns(line: &str, path: &str) -> Option<Route> {
    let mut words = line.split_whitespace();
    let to = words.next()?;
    let mut some = || words.next().filter(|word| *word != "-").map(str::to_owned);
    let (gateway, mask, interface) = (some(), some(), some());
    let length = mask.and_then(|mask| address::prefix(&mask));
    let destination = address::destination(&address::joined(to, length));
    let known = destination == "default" || address::is_address(&destination);
    known.then(|| Route {
        destination,
        gateway,
        interface,
        evidence: path.into(),
        ..Route::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn red_hat() {
        let tree = memory::tree(&[
            ("/etc/sysconfig/network-scripts/ifcfg-eth0", b"DEVICE=eth0\nHWADDR=00:11:22:33:44:55\nTYPE=Ethernet\nBOOTPROTO=none\nONBOOT=yes\nIPADDR=192.0.2.7\nPREFIX=24\nIPADDR1=10.1.2.3\nNETMASK1=255.255.0.0\nGATEWAY=192.0.2.1\nDNS1=192.0.2.53\nDNS2=192.0.2.54\nDOMAIN=\"a b\"\nIPV6INIT=yes\nIPV6ADDR=2001:db8::7/64\nIPV6_DEFAULTGW=fe80::1%eth0\nMTU=1400\n"),
            ("/etc/sysconfig/network-scripts/route-eth0", b"10.0.0.0/8 via 192.0.2.2 metric 7\n# no\n"),
            ("/etc/sysconfig/network-scripts/route6-eth0", b"2001:db8:1::/48 via 2001:db8::1\n"),
            ("/etc/sysconfig/network-scripts/ifcfg-eth1", b"DEVICE=eth1\nMASTER=bond0\nSLAVE=yes\nONBOOT=no\n"),
            ("/etc/sysconfig/network-scripts/route-eth1", b"ADDRESS0=172.16.0.0\nNETMASK0=255.240.0.0\nGATEWAY0=192.0.2.3\n"),
            ("/etc/sysconfig/network-scripts/ifcfg-bond0", b"DEVICE=bond0\nBONDING_OPTS='mode=1'\nBOOTPROTO=dhcp\n"),
            ("/etc/sysconfig/network-scripts/ifcfg-eth0.5", b"DEVICE=eth0.5\nVLAN=yes\nPHYSDEV=eth0\nVLAN_ID=5\nIPADDR=10.9.9.9\n"),
            ("/etc/sysconfig/network-scripts/ifcfg-eth0.bak", b"IPADDR=x\n"),
            ("/etc/sysconfig/network", b"GATEWAY=192.0.2.9\nGATEWAYDEV=eth1\n"),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let [bond, eth0, vlan, eth1] = &found.interfaces[..] else { unreachable!() };
        assert_eq!(eth0.addresses, ["192.0.2.7/24", "10.1.2.3/16", "2001:db8::7/64"]);
        assert_eq!(eth0.gateways, ["192.0.2.1", "fe80::1"]);
        assert_eq!((eth0.dhcp4, eth0.dhcp6, eth0.automatic), (Some(false), None, Some(true)));
        assert_eq!((eth0.nameservers.len(), eth0.search.len(), eth0.mtu), (2, 2, Some(1400)));
        assert_eq!(
            (bond.kind.as_deref(), &bond.members[..]),
            (Some("bond"), &["eth1".to_owned()][..])
        );
        assert_eq!((bond.dhcp4, eth1.automatic), (Some(true), Some(false)));
        assert_eq!(
            (vlan.vlan, &vlan.members[0][..], &vlan.addresses[0][..]),
            (Some(5), "eth0", "10.9.9.9/8")
        );
        let routes: Vec<_> = found.routes.iter().map(|route| route.destination.as_str()).collect();
        assert_eq!(routes, ["10.0.0.0/8", "2001:db8:1::/48", "172.16.0.0/12", "default"]);
        assert_eq!(found.names.len(), 1);
        assert!(files.into_problems().is_empty());
    }

    #[test]
    fn suse() {
        let tree = memory::tree(&[
            ("/etc/sysconfig/network/ifcfg-eth0", b"BOOTPROTO='static'\nSTARTMODE='auto'\nIPADDR='192.0.2.7/24'\nIPADDR_x='10.1.2.3'\nPREFIXLEN_x='16'\nLLADDR='00:11:22:33:44:55'\n"),
            ("/etc/sysconfig/network/ifcfg-br0", b"BOOTPROTO='dhcp'\nSTARTMODE='manual'\nBRIDGE='yes'\nBRIDGE_PORTS='eth1 eth2'\n"),
            ("/etc/sysconfig/network/ifcfg-v5", b"ETHERDEVICE='eth0'\nVLAN_ID='5'\nBOOTPROTO='dhcp4'\n"),
            ("/etc/sysconfig/network/ifcfg.template", b""),
            ("/etc/sysconfig/network/routes", b"default 192.0.2.1 - eth0\n10.0.0.0 192.0.2.2 255.0.0.0 -\n"),
            ("/etc/sysconfig/network/config", b"NETCONFIG_DNS_STATIC_SERVERS=\"192.0.2.53 192.0.2.54\"\nNETCONFIG_DNS_STATIC_SEARCHLIST=\"a\"\n"),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let [br0, eth0, v5] = &found.interfaces[..] else { unreachable!() };
        assert_eq!(eth0.addresses, ["192.0.2.7/24", "10.1.2.3/16"]);
        assert_eq!(
            (&eth0.gateways[..], eth0.automatic),
            (&["192.0.2.1".to_owned()][..], Some(true))
        );
        assert_eq!(
            (br0.kind.as_deref(), br0.members.len(), br0.dhcp6),
            (Some("bridge"), 2, Some(true))
        );
        assert_eq!((v5.vlan, v5.dhcp4, v5.dhcp6), (Some(5), Some(true), None));
        assert_eq!(found.routes.len(), 2);
        assert_eq!(found.routes[1].destination, "10.0.0.0/8");
        assert_eq!((found.nameservers.len(), found.search.len()), (2, 1));
        assert!(files.into_problems().is_empty());
    }
}
