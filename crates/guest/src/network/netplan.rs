//! Netplan, and the same words where cloud-init uses them (its version 2).
//!
//! Files are read in the order of their names, whichever folder they lie in. A definition may be
//! spread over several: lists grow, single values are replaced.

use std::collections::HashMap;

use fathom_report::{Interface, PersistentName, Route};

use super::address;
use super::connections::{Connections, interface, short, shown};
use super::layers::layered;
use super::yaml::{self, Yaml};

/// The first counting most.
const FOLDERS: [&str; 4] = ["/run/netplan", "/etc/netplan", "/usr/lib/netplan", "/lib/netplan"];

/// What systemd runs at every start, so that netplan needs no service.
const GENERATORS: [&str; 2] =
    ["/usr/lib/systemd/system-generators/netplan", "/lib/systemd/system-generators/netplan"];

/// The lists of definitions, and what kind of interface each holds.
const KINDS: [(&str, Option<&str>); 11] = [
    ("ethernets", Some("ethernet")),
    ("wifis", Some("wifi")),
    ("bonds", Some("bond")),
    ("bridges", Some("bridge")),
    ("vlans", Some("vlan")),
    ("tunnels", Some("tunnel")),
    ("modems", Some("modem")),
    ("vrfs", Some("vrf")),
    ("dummy-devices", Some("dummy")),
    ("virtual-ethernets", Some("veth")),
    ("nm-devices", None),
];

/// Everything that netplan's files define.
pub(super) fn read(connections: &mut Connections<'_, '_>) {
    let mut definitions = Definitions::new("netplan");
    for path in layered(connections.files, &FOLDERS, |name| name.ends_with(".yaml")).values() {
        let Some(text) = connections.text(path) else { continue };
        match yaml::first(&text) {
            Ok(yaml) => definitions.read(connections, yaml.get("network"), path),
            Err(why) => connections.odd(path, why),
        }
    }
    definitions.finish(connections);
}

/// Whether netplan is installed, so that its files count.
pub(super) fn runs(connections: &Connections<'_, '_>) -> bool {
    GENERATORS.iter().any(|path| connections.files.exists(path, super::connections::HIDES))
}

/// Definitions by their identifiers, as far as they have been read.
pub(super) struct Definitions {
    manager: &'static str,
    all: Vec<Definition>,
    index: HashMap<String, usize>,
}

/// One interface, or several that a match fits.
struct Definition {
    id: String,
    interface: Interface,
    /// Whether it is recognised by something else than its identifier, and by which names.
    matches: bool,
    patterns: Vec<String>,
    set_name: Option<String>,
    routes: Vec<Route>,
}

impl Definition {
    /// What the interface is called in the end.
    fn name(&self) -> String {
        short(&match (&self.set_name, self.patterns.as_slice()) {
            (Some(name), _) => name.clone(),
            (None, []) if self.matches => "*".to_owned(),
            (None, []) => self.id.clone(),
            (None, patterns) => patterns.join(" "),
        })
    }
}

impl Definitions {
    pub(super) fn new(manager: &'static str) -> Self {
        Self { manager, all: Vec::new(), index: HashMap::new() }
    }

    /// Adds what one file says below `network`.
    pub(super) fn read(
        &mut self,
        connections: &mut Connections<'_, '_>,
        network: &Yaml,
        path: &str,
    ) {
        for (list, definitions) in network.pairs() {
            let Some((_, kind)) = KINDS.iter().find(|(name, _)| name == list) else {
                if !matches!(list.as_str(), "version" | "renderer" | "openvswitch") {
                    connections.odd(path, format!("{} is no list that is known", shown(list)));
                }
                continue;
            };
            for (id, settings) in definitions.pairs() {
                // Another list of settings that does not define anything.
                if id != "renderer" {
                    self.definition(connections, id, *kind, settings, path);
                }
            }
        }
    }

    fn definition(
        &mut self,
        connections: &mut Connections<'_, '_>,
        id: &str,
        kind: Option<&str>,
        settings: &Yaml,
        path: &str,
    ) {
        let place = *self.index.entry(id.to_owned()).or_insert_with(|| {
            let mut new = interface(id, self.manager, path);
            // Both are so unless it says otherwise.
            (new.dhcp4, new.automatic) = (Some(false), Some(true));
            self.all.push(Definition {
                id: id.to_owned(),
                interface: new,
                matches: false,
                patterns: Vec::new(),
                set_name: None,
                routes: Vec::new(),
            });
            self.all.len() - 1
        });
        let definition = &mut self.all[place];
        definition.interface.kind = kind.map(str::to_owned);
        definition.interface.evidence.push(path.into());
        for (name, value) in settings.pairs() {
            definition.setting(connections, name, value, path);
        }
    }

    /// Hands everything on, names instead of identifiers.
    pub(super) fn finish(self, connections: &mut Connections<'_, '_>) {
        let names: HashMap<String, String> = self
            .all
            .iter()
            .map(|definition| (definition.id.clone(), definition.name()))
            .filter(|(_, name)| name != "*")
            .collect();
        for mut definition in self.all {
            let name = definition.name();
            let mut interface = std::mem::take(&mut definition.interface);
            for member in &mut interface.members {
                if let Some(name) = names.get(member) {
                    member.clone_from(name);
                }
            }
            if let (Some(given), true) = (definition.set_name, definition.matches) {
                connections.names.push(PersistentName {
                    name: given,
                    mac: interface.mac.clone(),
                    slot: None,
                    evidence: interface.evidence.first().cloned().unwrap_or_default(),
                });
            }
            if name != definition.id {
                interface.profile.get_or_insert(definition.id);
            }
            for route in definition.routes {
                let is_default = route.destination == "default" && route.table.is_none();
                interface.gateways.extend(route.gateway.clone().filter(|_| is_default));
                connections.route(Route { interface: Some(name.clone()), ..route });
            }
            interface.name = name;
            connections.interface(interface);
        }
    }
}

impl Definition {
    fn setting(
        &mut self,
        connections: &mut Connections<'_, '_>,
        name: &str,
        value: &Yaml,
        path: &str,
    ) {
        let interface = &mut self.interface;
        let flag = |connections: &mut Connections<'_, '_>| {
            if value.flag().is_none() {
                connections.odd(path, format!("{name} is neither yes nor no"));
            }
            value.flag()
        };
        match name {
            "match" => {
                self.matches = true;
                self.patterns.extend(value.get("name").texts().map(str::to_owned));
                if let Some(mac) = value.get("macaddress").text() {
                    interface.mac = address::mac(mac);
                }
            }
            "set-name" => self.set_name = value.text().map(str::to_owned),
            "dhcp4" => interface.dhcp4 = flag(connections),
            "dhcp6" => match flag(connections) {
                Some(true) => interface.dhcp6 = Some(true),
                off => interface.dhcp6 = interface.dhcp6.or(off),
            },
            "accept-ra" if value.flag() == Some(true) => interface.dhcp6 = Some(true),
            "addresses" => {
                for item in value.items() {
                    // With options it is the name of a mapping.
                    let with_options = item.pairs().first().map(|(address, _)| address.as_str());
                    let text = item.text().or(with_options).unwrap_or_default();
                    interface.addresses.extend(connections.address(path, text));
                }
            }
            "gateway4" | "gateway6" => {
                let gateway = value.text().and_then(|text| connections.address(path, text));
                interface.gateways.extend(gateway);
            }
            "nameservers" => {
                let servers = value.get("addresses").texts().map(str::to_owned);
                interface.nameservers.extend(servers);
                interface.search.extend(value.get("search").texts().map(str::to_owned));
            }
            "macaddress" => {
                let given = value.text().and_then(address::mac);
                interface.mac = interface.mac.take().or(given);
            }
            "mtu" => {
                interface.mtu = value.text().and_then(|text| connections.number(path, text));
            }
            "id" => interface.vlan = value.text().and_then(|text| connections.number(path, text)),
            "link" => interface.members.extend(value.text().map(str::to_owned)),
            "interfaces" => interface.members.extend(value.texts().map(str::to_owned)),
            "activation-mode" => interface.automatic = Some(false),
            "networkmanager" => {
                interface.profile = value.get("name").text().map(str::to_owned);
            }
            "routes" => {
                for item in value.items() {
                    self.routes.extend(route(connections, item, path));
                }
            }
            _ => {}
        }
    }
}

fn route(connections: &mut Connections<'_, '_>, item: &Yaml, path: &str) -> Option<Route> {
    let to = item.get("to").text().unwrap_or_default();
    let destination = address::destination(to);
    if destination != "default" {
        connections.address(path, &destination)?;
    }
    let metric = item.get("metric").text();
    Some(Route {
        destination,
        gateway: item.get("via").text().and_then(|text| connections.address(path, text)),
        interface: None,
        metric: metric.and_then(|text| connections.number(path, text)),
        table: item.get("table").text().and_then(address::table),
        evidence: path.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn files_of_all_folders_are_one_configuration() {
        let tree = memory::tree(&[
            ("/usr/lib/netplan/00-base.yaml", b"network: {ethernets: {lan: {dhcp4: no}}}"),
            (
                "/etc/netplan/50-a.yaml",
                b"network:
  version: 2
  renderer: networkd
  ethernets:
    lan:
      match: {macaddress: 'AA:BB:CC:00:11:22'}
      set-name: lan0
      addresses: [192.0.2.7/24, '2001:db8::7/64': {label: x}]
      routes: [{to: 0.0.0.0/0, via: 192.0.2.1, metric: 5}, {to: default, via: 192.0.2.9, table: 7}]
      nameservers: {addresses: [192.0.2.53], search: [example.org]}
    any: {match: {driver: virtio_net}, dhcp4: true}
  vlans: {v5: {id: 5, link: lan, mtu: 1400}}
",
            ),
            (
                "/etc/netplan/60-b.yaml",
                b"network: {ethernets: {lan: {addresses: [198.51.100.2/32], accept-ra: yes}}}",
            ),
            ("/etc/netplan/ignored.yml", b"network: ["),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        found.tidy();
        let [lan, any, vlan] = &found.interfaces[..] else { unreachable!() };
        assert_eq!((lan.name.as_str(), lan.profile.as_deref()), ("lan0", Some("lan")));
        assert_eq!(lan.addresses, ["192.0.2.7/24", "2001:db8::7/64", "198.51.100.2/32"]);
        assert_eq!(lan.gateways, ["192.0.2.1"]);
        assert_eq!((lan.dhcp4, lan.dhcp6), (Some(false), Some(true)));
        assert_eq!(lan.mac.as_deref(), Some("aa:bb:cc:00:11:22"));
        assert_eq!(lan.evidence.len(), 3);
        assert_eq!((any.name.as_str(), any.dhcp4), ("*", Some(true)));
        assert_eq!(
            (vlan.vlan, vlan.mtu, &vlan.members[..]),
            (Some(5), Some(1400), &["lan0".to_owned()][..])
        );
        assert_eq!(found.routes.len(), 2);
        assert_eq!(found.routes[1].table.as_deref(), Some("7"));
        assert_eq!(found.names[0].name, "lan0");
        assert!(files.into_problems().is_empty());
    }

    #[test]
    fn what_cannot_be_understood_is_a_problem() {
        for text in [
            "network: {ethernets: {a: {addresses: [here]}}}",
            "network: {ethernets: {a: {dhcp4: perhaps}}}",
            "network: {ethernets: {a: {mtu: -1}}}",
            "network: {ethernets: {a: {routes: [{to: there}]}}}",
            "network: {submarines: {a: {}}}",
            "network: {ethernets: [",
        ] {
            let tree = memory::tree(&[("/etc/netplan/a.yaml", text.as_bytes())]);
            let files = Files::new(&tree);
            read(&mut Connections::new(&files));
            assert_eq!(files.into_problems().len(), 1, "{text}");
        }
    }
}
