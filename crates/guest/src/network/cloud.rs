//! What cloud-init is told about the network: version 1 has a list of things, version 2 is in the
//! words of netplan.

use fathom_report::{Interface, PersistentName, Route};

use super::address;
use super::connections::{Connections, interface, shown};
use super::layers::layered;
use super::netplan::Definitions;
use super::yaml::{self, Yaml};

const MANAGER: &str = "cloud-init";
const FOLDER: &str = "/etc/cloud/cloud.cfg.d";
const CONFIG: &str = "/etc/cloud/cloud.cfg";
/// Sources that lie on the disk.
const SEEDS: [&str; 2] = [
    "/var/lib/cloud/seed/nocloud/network-config",
    "/var/lib/cloud/seed/nocloud-net/network-config",
];

/// What the administrator or else a source on the disk says.
pub(super) fn read(connections: &mut Connections<'_, '_>) {
    let mut paths = vec![CONFIG.to_owned()];
    paths
        .extend(layered(connections.files, &[FOLDER], |name| name.ends_with(".cfg")).into_values());
    let mut network: Option<Yaml> = None;
    let mut last = String::new();
    for path in paths {
        // Most of these files are about something else.
        let Some(text) = connections.text(&path).filter(|text| text.contains("network")) else {
            continue;
        };
        match yaml::first(&text) {
            Ok(yaml) if yaml.pairs().iter().any(|(name, _)| name == "network") => {
                let said = yaml.get("network").clone();
                match &mut network {
                    Some(network) => network.overlay(said),
                    None => network = Some(said),
                }
                last = path;
            }
            Ok(_) => {}
            Err(why) => connections.odd(&path, why),
        }
    }
    if let Some(network) = network {
        return configuration(connections, &network, &last);
    }
    for path in SEEDS {
        let Some(text) = connections.text(path) else { continue };
        match yaml::first(&text) {
            Ok(yaml) => {
                let inner = yaml.get("network");
                let network = if inner.pairs().is_empty() { &yaml } else { inner };
                return configuration(connections, network, path);
            }
            Err(why) => connections.odd(path, why),
        }
    }
}

fn configuration(connections: &mut Connections<'_, '_>, network: &Yaml, path: &str) {
    // It leaves the network alone.
    if network.get("config").text() == Some("disabled") {
        return;
    }
    match network.get("version").text() {
        Some("1") => first(connections, network.get("config"), path),
        Some("2") => {
            let mut definitions = Definitions::new(MANAGER);
            definitions.read(connections, network, path);
            definitions.finish(connections);
        }
        other => {
            let version = shown(other.unwrap_or_default());
            connections.odd(path, format!("the network has the version {version}"));
        }
    }
}

/// The list of version 1.
fn first(connections: &mut Connections<'_, '_>, list: &Yaml, path: &str) {
    let mut found: Vec<Interface> = Vec::new();
    for item in list.items() {
        let kind = match item.get("type").text() {
            Some("nameserver") => {
                let servers = item.get("address").texts().map(str::to_owned);
                connections.nameservers.extend(servers);
                connections.search.extend(item.get("search").texts().map(str::to_owned));
                continue;
            }
            Some("route") => {
                if let Some(route) = route(connections, item, path) {
                    connections.route(route);
                }
                continue;
            }
            Some("physical") => "ethernet",
            Some(kind @ ("bond" | "bridge" | "vlan" | "loopback" | "infiniband")) => kind,
            other => {
                let kind = shown(other.unwrap_or_default());
                connections.odd(path, format!("{kind} is no kind of interface that is known"));
                continue;
            }
        };
        let name = item.get("name").text().unwrap_or_default();
        let mut one = interface(name, MANAGER, path);
        one.kind = Some(kind.to_owned());
        one.mac = item.get("mac_address").text().and_then(address::mac);
        one.mtu = item.get("mtu").text().and_then(|text| connections.number(path, text));
        one.vlan = item.get("vlan_id").text().and_then(|text| connections.number(path, text));
        (one.dhcp4, one.automatic) = (Some(false), Some(true));
        for members in ["bond_interfaces", "bridge_interfaces", "vlan_link"] {
            one.members.extend(item.get(members).texts().map(str::to_owned));
        }
        // A card that is named by its address is renamed.
        if let ("ethernet", Some(mac)) = (kind, &one.mac) {
            connections.names.push(PersistentName {
                name: one.name.clone(),
                mac: Some(mac.clone()),
                slot: None,
                evidence: path.into(),
            });
        }
        for subnet in item.get("subnets").items() {
            self::subnet(connections, &mut one, subnet, path);
        }
        found.push(one);
    }
    found.into_iter().for_each(|one| connections.interface(one));
}

fn subnet(connections: &mut Connections<'_, '_>, one: &mut Interface, subnet: &Yaml, path: &str) {
    match subnet.get("type").text() {
        Some("dhcp" | "dhcp4") => one.dhcp4 = Some(true),
        Some("dhcp6" | "ipv6_dhcpv6-stateful" | "ipv6_dhcpv6-stateless" | "ipv6_slaac") => {
            one.dhcp6 = Some(true);
        }
        Some("static" | "static6") => {
            let mask = subnet.get("netmask").text().and_then(address::prefix);
            let address = subnet.get("address").text();
            if let Some(address) = address.and_then(|text| connections.address(path, text)) {
                // cloud-init's own guess where the length is missing.
                let whole = if address.contains(':') { 64 } else { 24 };
                one.addresses.push(address::joined(&address, mask.or(Some(whole))));
            }
        }
        Some("manual") => one.automatic = Some(false),
        Some("loopback") | None => {}
        Some(other) => {
            connections.odd(path, format!("{} is no kind of subnet that is known", shown(other)));
        }
    }
    if subnet.get("control").text() == Some("manual") {
        one.automatic = Some(false);
    }
    let gateway = subnet.get("gateway").text();
    one.gateways.extend(gateway.and_then(|text| connections.address(path, text)));
    let words = |name: &str| -> Vec<String> {
        let texts = subnet.get(name).texts().flat_map(str::split_whitespace);
        texts.map(str::to_owned).collect()
    };
    one.nameservers.extend(words("dns_nameservers"));
    one.search.extend(words("dns_search"));
    for item in subnet.get("routes").items() {
        if let Some(route) = route(connections, item, path) {
            if route.destination == "default" {
                one.gateways.extend(route.gateway.clone());
            }
            connections.route(Route { interface: Some(one.name.clone()), ..route });
        }
    }
}

fn route(connections: &mut Connections<'_, '_>, item: &Yaml, path: &str) -> Option<Route> {
    let to = item.get("destination").text().or(item.get("network").text()).unwrap_or_default();
    let mask = item.get("netmask").text().and_then(address::prefix);
    let destination = address::destination(&address::joined(to, mask));
    if destination != "default" {
        connections.address(path, &destination)?;
    }
    let metric = item.get("metric").text();
    Some(Route {
        destination,
        gateway: item.get("gateway").text().and_then(|text| connections.address(path, text)),
        metric: metric.and_then(|text| connections.number(path, text)),
        evidence: path.into(),
        ..Route::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    fn check(files: &[(&str, &[u8])], problems: usize) -> Vec<Interface> {
        let tree = memory::tree(files);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let interfaces = std::mem::take(&mut found.interfaces);
        assert_eq!(files.into_problems().len(), problems);
        interfaces
    }

    #[test]
    fn both_versions() {
        let one = b"network:
  version: 1
  config:
    - {type: physical, name: eth0, mac_address: '00:11:22:33:44:55', mtu: 1400, subnets: [
        {type: dhcp4}, {type: static, address: 192.0.2.7, netmask: 255.255.255.128, gateway: 192.0.2.1,
         dns_nameservers: [192.0.2.53], dns_search: [a, b], routes: [{network: 10.0.0.0, netmask: 255.0.0.0, gateway: 192.0.2.2}]}]}
    - {type: vlan, name: eth0.5, vlan_id: 5, vlan_link: eth0}
    - {type: nameserver, address: [192.0.2.54], search: c}
";
        let found = check(&[("/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg", one)], 0);
        let [eth0, vlan] = &found[..] else { unreachable!() };
        assert_eq!(eth0.addresses, ["192.0.2.7/25"]);
        assert_eq!((eth0.dhcp4, eth0.mtu, eth0.search.len()), (Some(true), Some(1400), 2));
        assert_eq!((vlan.vlan, &vlan.members[..]), (Some(5), &["eth0".to_owned()][..]));
        let two = b"version: 2\nethernets: {a: {dhcp4: true}}\n";
        let seed: (&str, &[u8]) = (SEEDS[0], two);
        assert_eq!(check(&[seed], 0).len(), 1);
        let off: (&str, &[u8]) = ("/etc/cloud/cloud.cfg.d/99.cfg", b"network: {config: disabled}");
        assert!(check(&[seed, off], 0).is_empty());
    }

    #[test]
    fn what_cannot_be_understood_is_a_problem() {
        for text in [
            "network: {version: 3}",
            "network: [",
            "network: {version: 1, config: [{type: submarine}]}",
            "network: {version: 1, config: [{type: physical, name: a, subnets: [{type: warp}]}]}",
        ] {
            check(&[(CONFIG, text.as_bytes())], 1);
        }
    }
}
