//! systemd-networkd: what `.network` files configure and `.netdev` files make, and the names that
//! `.link` files give.
//!
//! Files are taken in the order of their names, whichever folder they lie in; files in `NAME.d` add
//! to them.

use std::collections::HashMap;

use fathom_report::{Evidence, Interface, PersistentName, Route};

use super::address;
use super::connections::{Connections, interface};
use super::ini::{Section, Style, sections};
use super::layers::layered;

/// The first counting most.
const FOLDERS: [&str; 5] = [
    "/etc/systemd/network",
    "/run/systemd/network",
    "/usr/local/lib/systemd/network",
    "/usr/lib/systemd/network",
    "/lib/systemd/network",
];

/// The names that networkd's package has files for: containers, virtual machines and namespaces as
/// their host sees them, and the card of a container.
const OF_CONTAINERS: [&str; 7] = ["ve-*", "vz-*", "vb-*", "vt-*", "mv-*", "ns-*", "host0"];

/// One file and what adds to it.
struct Unit {
    name: String,
    path: String,
    sections: Vec<Section>,
    evidence: Vec<Evidence>,
}

impl Unit {
    /// The settings of that name in the sections of that name. An empty one takes back those before.
    fn list(&self, section: &str, name: &str) -> Vec<&str> {
        let mut all = Vec::new();
        let settings = self.sections.iter().filter(|one| one.name == section);
        for (_, value) in settings.flat_map(|one| &one.settings).filter(|(key, _)| key == name) {
            match value.as_str() {
                "" => all.clear(),
                value => all.push(value),
            }
        }
        all
    }

    /// The last setting of that name.
    fn get(&self, section: &str, name: &str) -> Option<&str> {
        self.list(section, name).pop()
    }

    fn is_vendors(&self) -> bool {
        self.path.starts_with("/usr/lib/") || self.path.starts_with("/lib/")
    }

    /// Whether it is the package's own, for the host's end of containers and virtual machines that
    /// may run here: such interfaces come and go with these.
    fn is_for_containers(&self) -> bool {
        let names = self.list("Match", "Name");
        let mut names = names.iter().flat_map(|names| names.split_whitespace()).peekable();
        self.is_vendors()
            && names.peek().is_some()
            && names.all(|name| OF_CONTAINERS.contains(&name))
    }
}

/// Everything in the folders. What the distribution ships for its containers is there on every system
/// that has systemd, and says nothing about it; what else is shipped counts where networkd starts.
pub(super) fn read(connections: &mut Connections<'_, '_>, starts: Option<bool>) {
    let names = |ending: &'static str| move |name: &str| name.ends_with(ending);
    for unit in units(connections, names(".link")) {
        link(connections, &unit);
    }
    let mut found: Vec<Interface> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    for unit in units(connections, names(".netdev")) {
        if let Some(device) = netdev(connections, &unit) {
            index.entry(device.name.clone()).or_insert(found.len());
            found.push(device);
        }
    }
    let mut uses = Vec::new();
    for unit in units(connections, names(".network")) {
        if unit.is_for_containers() || unit.is_vendors() && starts == Some(false) {
            continue;
        }
        let mut one = network(connections, &unit);
        for kind in ["Bridge", "Bond", "VRF", "VLAN", "MACVLAN", "IPVLAN", "Tunnel"] {
            uses.extend(
                unit.list("Network", kind).iter().map(|of| (of.to_string(), one.name.clone())),
            );
        }
        // What was made there is configured here.
        match index.get(&one.name).map(|place| &mut found[*place]) {
            Some(made) if made.profile.is_none() => {
                one.kind = made.kind.take();
                one.vlan = made.vlan;
                one.mac = made.mac.take().or(one.mac);
                one.mtu = one.mtu.or(made.mtu);
                let evidence = std::mem::take(&mut made.evidence);
                one.evidence.splice(..0, evidence);
                *made = one;
            }
            _ => found.push(one),
        }
    }
    for (device, part) in uses {
        if let Some(place) = index.get(&device) {
            found[*place].members.push(part);
        }
    }
    found.into_iter().for_each(|one| connections.interface(one));
}

/// The files of one kind, with what adds to them.
fn units(connections: &mut Connections<'_, '_>, keep: impl Fn(&str) -> bool) -> Vec<Unit> {
    let mut units = Vec::new();
    for (name, path) in layered(connections.files, &FOLDERS, keep) {
        let Some(text) = connections.text(&path) else { continue };
        // An empty file takes away what has its name elsewhere.
        if text.is_empty() {
            continue;
        }
        let mut unit = Unit {
            sections: sections(&text, Style::Systemd),
            evidence: vec![path.as_str().into()],
            name: name.clone(),
            path,
        };
        let folders = FOLDERS.map(|folder| format!("{folder}/{name}.d"));
        for path in layered(connections.files, &folders, |name| name.ends_with(".conf")).values() {
            let Some(text) = connections.text(path) else { continue };
            unit.sections.extend(sections(&text, Style::Systemd));
            unit.evidence.push(path.as_str().into());
        }
        units.push(unit);
    }
    units
}

/// What recognises an interface by its hardware.
fn macs(unit: &Unit) -> Vec<&str> {
    let names = ["MACAddress", "PermanentMACAddress"];
    names.iter().flat_map(|name| unit.list("Match", name)).flat_map(str::split_whitespace).collect()
}

fn link(connections: &mut Connections<'_, '_>, unit: &Unit) {
    let Some(name) = unit.get("Link", "Name") else { return };
    let mut macs: Vec<Option<String>> = macs(unit).into_iter().map(address::mac).collect();
    if macs.is_empty() {
        macs.push(None);
    }
    for mac in macs {
        connections.names.push(PersistentName {
            name: name.to_owned(),
            mac,
            slot: unit.get("Match", "Path").map(str::to_owned),
            evidence: unit.path.as_str().into(),
        });
    }
}

fn netdev(connections: &mut Connections<'_, '_>, unit: &Unit) -> Option<Interface> {
    let Some(name) = unit.get("NetDev", "Name") else {
        connections.odd(&unit.path, "it makes a device without a name");
        return None;
    };
    let mut device = interface(name, "networkd", &unit.path);
    device.evidence = unit.evidence.clone();
    device.kind = unit.get("NetDev", "Kind").map(str::to_ascii_lowercase);
    device.mac = unit.get("NetDev", "MACAddress").and_then(address::mac);
    device.mtu = unit.get("NetDev", "MTUBytes").and_then(|text| mtu(connections, text, unit));
    let id = unit.get("VLAN", "Id");
    device.vlan = id.and_then(|id| connections.number(&unit.path, id));
    Some(device)
}

/// A number of bytes, which may be counted in thousands of 1024.
fn mtu(connections: &mut Connections<'_, '_>, text: &str, unit: &Unit) -> Option<u32> {
    let (digits, factor) = match text.strip_suffix('K') {
        Some(digits) => (digits, 1024),
        None => (text, 1),
    };
    connections.number::<u32>(&unit.path, digits)?.checked_mul(factor)
}

fn network(connections: &mut Connections<'_, '_>, unit: &Unit) -> Interface {
    let path = unit.path.as_str();
    let names = unit.list("Match", "Name").join(" ");
    let name = if names.is_empty() { "*" } else { &names };
    let mut one = interface(name, "networkd", path);
    one.evidence = unit.evidence.clone();
    one.profile = unit.name.strip_suffix(".network").map(str::to_owned);
    let given = unit.get("Link", "MACAddress");
    one.mac = macs(unit).into_iter().chain(given).find_map(address::mac);
    one.mtu = unit.get("Link", "MTUBytes").and_then(|text| mtu(connections, text, unit));
    one.automatic = Some(
        !unit.get("Link", "Unmanaged").is_some_and(is_yes)
            && !matches!(
                unit.get("Link", "ActivationPolicy"),
                Some("manual" | "down" | "always-down")
            ),
    );
    let dhcp = unit.get("Network", "DHCP").unwrap_or("no").to_ascii_lowercase();
    let both = is_yes(&dhcp) || dhcp == "both";
    one.dhcp4 = Some(both || matches!(&*dhcp, "ipv4" | "v4"));
    let announced = unit.get("Network", "IPv6AcceptRA");
    one.dhcp6 = match announced {
        _ if both || matches!(&*dhcp, "ipv6" | "v6") => Some(true),
        Some(announced) => Some(is_yes(announced)),
        // It depends on whether the system forwards packets.
        None => None,
    };
    for text in unit.list("Network", "Address").into_iter().chain(unit.list("Address", "Address")) {
        if let Some(address) = connections.address(path, text) {
            let length = if address.contains(':') { 128 } else { 32 };
            one.addresses.push(address::joined(&address, Some(length)));
        }
    }
    for text in unit.list("Network", "Gateway") {
        // The others are learnt from whoever gives the address.
        if !matches!(text, "_dhcp4" | "_ipv6ra") {
            one.gateways.extend(connections.address(path, text));
        }
    }
    let servers = unit.list("Network", "DNS").into_iter().flat_map(str::split_whitespace);
    one.nameservers.extend(servers.map(str::to_owned));
    let domains = unit.list("Network", "Domains").into_iter().flat_map(str::split_whitespace);
    // One with a tilde says only who is asked.
    one.search.extend(domains.filter(|name| !name.starts_with('~')).map(str::to_owned));
    for section in unit.sections.iter().filter(|section| section.name == "Route") {
        if let Some(route) = route(connections, section, &one.name, path) {
            if route.destination == "default" && route.table.is_none() {
                one.gateways.extend(route.gateway.clone());
            }
            connections.route(route);
        }
    }
    one
}

fn is_yes(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "yes" | "true" | "on" | "1" | "y" | "t")
}

fn route(
    connections: &mut Connections<'_, '_>,
    section: &Section,
    interface: &str,
    path: &str,
) -> Option<Route> {
    let get = |name| section.get(name).filter(|value| !value.is_empty());
    let gateway = get("Gateway").filter(|text| !matches!(*text, "_dhcp4" | "_dhcp" | "_ipv6ra"));
    let destination = match get("Destination") {
        Some(text) => address::destination(text),
        // One without any leads everywhere.
        None if get("Gateway").is_some() => "default".to_owned(),
        None => return None,
    };
    if destination != "default" {
        connections.address(path, &destination)?;
    }
    Some(Route {
        destination,
        gateway: gateway.and_then(|text| connections.address(path, text)),
        interface: Some(interface.to_owned()),
        metric: get("Metric").and_then(|text| connections.number(path, text)),
        table: get("Table").and_then(address::table),
        evidence: path.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn devices_networks_and_what_adds_to_them() {
        let tree = memory::tree(&[
            ("/etc/systemd/network/10-lan.network", b"[Match]\nName=eth0\nMACAddress=00:11:22:33:44:55\n[Network]\nDHCP=ipv4\nAddress=192.0.2.7/24\nDNS=192.0.2.53 192.0.2.54\nDomains=example.org ~.\nVLAN=v5\nBridge=br0\n[Route]\nGateway=192.0.2.1\nMetric=7\n[Route]\nDestination=10.0.0.0/8\nGateway=192.0.2.2\n"),
            ("/etc/systemd/network/10-lan.network.d/a.conf", b"[Network]\nAddress=\nAddress=192.0.2.8/24\n"),
            ("/usr/lib/systemd/network/10-lan.network.d/b.conf", b"[Link]\nMTUBytes=2K\n"),
            ("/etc/systemd/network/br0.netdev", b"[NetDev]\nName=br0\nKind=bridge\n"),
            ("/etc/systemd/network/br0.network", b"[Match]\nName=br0\n[Network]\nDHCP=yes\n"),
            ("/etc/systemd/network/v5.netdev", b"[NetDev]\nName=v5\nKind=vlan\n[VLAN]\nId=5\n"),
            ("/etc/systemd/network/masked.network", b""),
            ("/usr/lib/systemd/network/masked.network", b"[Match]\nName=x\n"),
            ("/usr/lib/systemd/network/80-container-host0.network", b"[Match]\nName=host0\n"),
            ("/usr/lib/systemd/network/80-container-ve.network", b"[Match]\nKind=veth\nName=ve-*\n[Network]\nAddress=0.0.0.0/28\n"),
            ("/usr/lib/systemd/network/89-cloud.network", b"[Match]\nName=ens3\n"),
            ("/etc/systemd/network/20-name.link", b"[Match]\nPermanentMACAddress=00:11:22:33:44:55\n[Link]\nName=lan0\n"),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found, Some(false));
        let [bridge, vlan, lan] = &found.interfaces[..] else { unreachable!() };
        assert_eq!((bridge.kind.as_deref(), bridge.dhcp4), (Some("bridge"), Some(true)));
        assert_eq!(bridge.members, ["eth0"]);
        assert_eq!((vlan.vlan, &vlan.members[..]), (Some(5), &["eth0".to_owned()][..]));
        assert_eq!(lan.addresses, ["192.0.2.8/24"]);
        assert_eq!(lan.gateways, ["192.0.2.1"]);
        assert_eq!((lan.mtu, lan.dhcp4, lan.dhcp6), (Some(2048), Some(true), None));
        assert_eq!((lan.nameservers.len(), &lan.search[..]), (2, &["example.org".to_owned()][..]));
        assert_eq!(lan.evidence.len(), 3);
        assert_eq!(found.routes.len(), 2);
        assert_eq!(found.names[0].mac.as_deref(), Some("00:11:22:33:44:55"));
        let mut found = Connections::new(&files);
        read(&mut found, None);
        assert_eq!(found.interfaces.len(), 4);
    }
}
