//! Profiles of NetworkManager.
//!
//! They hold passwords too. Only what is named here is ever taken out of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use fathom_report::{Interface, Route};

use super::address;
use super::connections::{Connections, HIDES, interface};
use super::ini::{Section, Style, sections};
use super::layers::layered;
use super::manager::Unmanaged;

/// The first counting most.
const FOLDERS: [&str; 3] = [
    "/etc/NetworkManager/system-connections",
    "/run/NetworkManager/system-connections",
    "/usr/lib/NetworkManager/system-connections",
];

/// What a profile is told apart by, beside what the report shows.
struct Profile {
    uuid: String,
    /// The interface or profile that it is a part of.
    master: Option<String>,
    interface: Interface,
    routes: Vec<Route>,
}

/// Every profile.
pub(super) fn read(connections: &mut Connections<'_, '_>) {
    let keep = |name: &str| {
        const LEFT: [&str; 7] = ["~", ".swp", ".rpmsave", ".rpmorig", ".rpmnew", ".bak", ".nmmeta"];
        !name.starts_with('.') && !LEFT.iter().any(|end| name.ends_with(end))
    };
    let unmanaged = Unmanaged::of(connections.files, HIDES);
    let mut profiles = Vec::new();
    let mut uuids = HashSet::new();
    for folder in FOLDERS {
        for (name, path) in layered(connections.files, &[folder], keep) {
            // Only where the administrator writes does a name need no ending.
            if folder != FOLDERS[0] && !name.ends_with(".nmconnection") {
                continue;
            }
            let Some(text) = connections.text(&path) else { continue };
            let Some(mut profile) = profile(connections, &text, &path) else { continue };
            let refused = connections.others_may_touch(&path);
            if refused || unmanaged.has(&profile.interface.name) == Some(true) {
                profile.interface.managed = Some(false);
            }
            // What is refused takes no other's place.
            if refused || profile.uuid.is_empty() || uuids.insert(profile.uuid.clone()) {
                profiles.push(profile);
            }
        }
    }
    join(&mut profiles);
    for profile in profiles {
        for route in profile.routes {
            connections.route(Route { interface: Some(profile.interface.name.clone()), ..route });
        }
        connections.interface(profile.interface);
    }
}

/// Tells bonds and bridges what they are made of, and replaces identifiers by names.
fn join(profiles: &mut [Profile]) {
    let names: HashMap<String, String> = profiles
        .iter()
        .filter(|profile| !profile.uuid.is_empty())
        .map(|profile| (profile.uuid.clone(), profile.interface.name.clone()))
        .collect();
    let mut members: HashMap<String, Vec<String>> = HashMap::new();
    for profile in profiles.iter_mut() {
        for member in &mut profile.interface.members {
            if let Some(name) = names.get(member) {
                member.clone_from(name);
            }
        }
        if let Some(master) = &profile.master {
            let master = names.get(master).unwrap_or(master);
            members.entry(master.clone()).or_default().push(profile.interface.name.clone());
        }
    }
    for profile in profiles {
        if let Some(parts) = members.remove(&profile.interface.name) {
            profile.interface.members.extend(parts);
        }
    }
}

/// The sections by name; of a name that comes twice all settings, the last counting.
fn by_name(text: &str) -> BTreeMap<String, Section> {
    let mut all: BTreeMap<String, Section> = BTreeMap::new();
    for section in sections(text, Style::Keyfile) {
        // Both names of a kind of section are in use.
        let name = match section.name.as_str() {
            "802-3-ethernet" => "ethernet".to_owned(),
            "802-11-wireless" => "wifi".to_owned(),
            other => other.to_owned(),
        };
        match all.get_mut(&name) {
            Some(earlier) => earlier.settings.extend(section.settings),
            None => _ = all.insert(name, section),
        }
    }
    all
}

fn profile(connections: &mut Connections<'_, '_>, text: &str, path: &str) -> Option<Profile> {
    let sections = by_name(text);
    let get = |section: &str, name: &str| {
        sections.get(section)?.get(name).filter(|value| !value.is_empty())
    };
    if !sections.contains_key("connection") {
        connections.odd(path, "it has no section [connection]");
        return None;
    }
    let id = get("connection", "id");
    let kind = get("connection", "type").map(|kind| match kind {
        "802-3-ethernet" => "ethernet",
        "802-11-wireless" => "wifi",
        other => other,
    });
    let name = get("connection", "interface-name").map(str::to_owned).or_else(|| {
        let names = get("match", "interface-name")?;
        Some(list(names).collect::<Vec<_>>().join(" "))
    });
    let mut found = interface(name.as_deref().unwrap_or("*"), "network-manager", path);
    found.profile = id.filter(|id| *id != found.name).map(str::to_owned);
    found.kind = kind.map(str::to_owned);
    found.automatic = Some(get("connection", "autoconnect") != Some("false"));
    let hardware = kind.unwrap_or("ethernet");
    let macs = ["mac-address", "cloned-mac-address"].map(|name| get(hardware, name));
    found.mac = macs.into_iter().flatten().find_map(address::mac);
    // Zero stands for what the interface itself thinks best.
    let mtu = get(hardware, "mtu").filter(|mtu| !matches!(*mtu, "0" | "auto"));
    found.mtu = mtu.and_then(|mtu| connections.number(path, mtu));
    if kind == Some("vlan") {
        found.vlan = get("vlan", "id").and_then(|id| connections.number(path, id));
        found.members.extend(get("vlan", "parent").map(str::to_owned));
    }
    let master = ["controller", "master"].iter().find_map(|name| get("connection", name));
    // The parts of another have no addresses of their own.
    let automatic = master.is_none();
    found.dhcp4 = match get("ipv4", "method") {
        Some("auto") => Some(true),
        Some(_) => Some(false),
        None => Some(automatic && !has_addresses(sections.get("ipv4"))),
    };
    found.dhcp6 = match get("ipv6", "method") {
        Some("auto" | "dhcp") => Some(true),
        // It is left to the kernel.
        Some("ignore") => None,
        Some(_) => Some(false),
        None => Some(automatic && !has_addresses(sections.get("ipv6"))),
    };
    let mut routes = Vec::new();
    for family in ["ipv4", "ipv6"] {
        if let Some(section) = sections.get(family) {
            addresses(connections, section, family, path, &mut found, &mut routes);
        }
    }
    Some(Profile {
        uuid: get("connection", "uuid").unwrap_or_default().to_owned(),
        master: master.map(str::to_owned),
        interface: found,
        routes,
    })
}

fn has_addresses(section: Option<&Section>) -> bool {
    section.is_some_and(|section| section.settings.iter().any(|(name, _)| is_address(name)))
}

/// `address1`, `addresses1` and `address`, but not `address-data`.
fn is_address(name: &str) -> bool {
    numbered(name, "addresses") || numbered(name, "address")
}

fn numbered(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split([';', ',']).map(str::trim).filter(|one| !one.is_empty())
}

/// The settings of one family.
fn addresses(
    connections: &mut Connections<'_, '_>,
    section: &Section,
    family: &str,
    path: &str,
    found: &mut Interface,
    routes: &mut Vec<Route>,
) {
    let (gateways, others) = (found.gateways.len(), routes.len());
    for (name, value) in section.settings.iter().filter(|(_, value)| !value.is_empty()) {
        let mut fields =
            value.split([',', ';', ' ']).map(str::trim).filter(|part| !part.is_empty());
        if is_address(name) {
            let Some(address) = fields.next().and_then(|text| connections.address(path, text))
            else {
                continue;
            };
            // NetworkManager's own guess where the length is missing.
            let length = if family == "ipv4" { 24 } else { 64 };
            found.addresses.push(address::joined(&address, Some(length)));
            let gateway = fields.next().filter(|gateway| !is_none(gateway));
            found.gateways.extend(gateway.and_then(|text| connections.address(path, text)));
        } else if numbered(name, "routes") || numbered(name, "route") {
            let destination = address::destination(fields.next().unwrap_or_default());
            if destination != "default" && connections.address(path, &destination).is_none() {
                continue;
            }
            let gateway = fields.next().filter(|gateway| !is_none(gateway));
            let gateway = gateway.and_then(|text| connections.address(path, text));
            let options = section.get(&format!("{name}_options")).unwrap_or_default();
            let table = list(options).find_map(|option| option.strip_prefix("table="));
            let table = table.and_then(address::table);
            let metric = fields.next().and_then(|metric| connections.number(path, metric));
            if destination == "default" && table.is_none() {
                found.gateways.extend(gateway.clone());
            }
            let metric = metric.filter(|metric| *metric != 0);
            routes.push(Route {
                destination,
                gateway,
                interface: None,
                metric,
                table,
                evidence: path.into(),
            });
        } else if name == "gateway" {
            found.gateways.extend(connections.address(path, value));
        } else if name == "dns" {
            found.nameservers.extend(list(value).map(str::to_owned));
        } else if name == "dns-search" {
            found.search.extend(list(value).map(str::to_owned));
        }
    }
    // Whatever gateway is named then, nothing is sent there by default.
    if section.get("never-default") == Some("true") {
        found.gateways.truncate(gateways);
        let new = routes.split_off(others);
        routes.extend(new.into_iter().filter(|route| route.destination != "default"));
    }
}

/// The address that stands for none.
fn is_none(gateway: &str) -> bool {
    matches!(gateway, "0.0.0.0" | "::")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn what_is_never_the_default_has_no_gateway() {
        let text = b"[connection]\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\n\
                     address1=172.16.0.9/16,172.16.0.1\nroute1=10.0.0.0/8,172.16.0.2\nnever-default=true\n";
        let tree = memory::tree(&[("/etc/NetworkManager/system-connections/a*p", text)]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        assert!(found.interfaces[0].gateways.is_empty());
        assert_eq!(found.routes.len(), 1);
    }

    #[test]
    fn what_is_refused_takes_no_others_place() {
        let text = |name| format!("[connection]\nuuid=1\ninterface-name={name}\n");
        let (bad, good) = (text("ens4"), text("ens5"));
        let tree = memory::tree(&[
            ("/etc/NetworkManager/system-connections/a", bad.as_bytes()),
            ("/etc/NetworkManager/system-connections/b*p", good.as_bytes()),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let shown: Vec<_> = found.interfaces.iter().map(|it| (&it.name[..], it.managed)).collect();
        assert_eq!(shown, [("ens4", Some(false)), ("ens5", None)]);
    }

    #[test]
    fn profiles_that_others_may_read_are_refused() {
        let text = b"[connection]\ntype=ethernet\ninterface-name=eth0\n";
        for (end, managed) in [("*p", None), ("", Some(false)), ("*o", Some(false))] {
            let path = format!("/etc/NetworkManager/system-connections/a{end}");
            let tree = memory::tree(&[(&path, text)]);
            let files = Files::new(&tree);
            let mut found = Connections::new(&files);
            read(&mut found);
            assert_eq!(found.interfaces[0].managed, managed, "{path}");
        }
    }

    #[test]
    fn profiles_and_no_secret() {
        let tree = memory::tree(&[
            ("/etc/NetworkManager/system-connections/home*p", b"[connection]
id=Home WLAN
uuid=1
type=wifi
interface-name=wlan0
[wifi]
mac-address=00:11:22:33:44:55
ssid=s3cret-net
[wifi-security]
psk=s3cret
[ipv4]
method=manual
address1=192.0.2.7/24,192.0.2.1
dns=192.0.2.53;192.0.2.54;
dns-search=example.org;
route1=10.0.0.0/8,192.0.2.2,100
route1_options=table=7
[ipv6]
method=ignore
"),
            ("/etc/NetworkManager/system-connections/bond.nmconnection*p", b"[connection]\nid=b\nuuid=2\ntype=bond\ninterface-name=bond0\nautoconnect=false\n"),
            ("/etc/NetworkManager/system-connections/port.nmconnection*p", b"[connection]\nid=p\nuuid=3\ntype=ethernet\nmaster=2\nslave-type=bond\ninterface-name=eth1\n[ethernet]\nmtu=9000\n"),
            ("/etc/NetworkManager/system-connections/old~*p", b"["),
            ("/usr/lib/NetworkManager/system-connections/other.nmconnection*p", b"[connection]\nid=shadowed\nuuid=2\ntype=bond\n"),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let shown = format!("{:?} {:?}", found.interfaces, found.routes);
        assert!(!shown.contains("s3cret"), "{shown}");
        let [bond, home, port] = &found.interfaces[..] else { unreachable!("{shown}") };
        assert_eq!((bond.automatic, &bond.members[..]), (Some(false), &["eth1".to_owned()][..]));
        assert_eq!((bond.dhcp4, bond.dhcp6), (Some(true), Some(true)));
        assert_eq!((port.dhcp4, port.mtu), (Some(false), Some(9000)));
        assert_eq!((home.name.as_str(), home.profile.as_deref()), ("wlan0", Some("Home WLAN")));
        assert_eq!(home.addresses, ["192.0.2.7/24"]);
        assert_eq!(home.gateways, ["192.0.2.1"]);
        assert_eq!(home.nameservers, ["192.0.2.53", "192.0.2.54"]);
        assert_eq!((home.dhcp4, home.dhcp6), (Some(false), None));
        let [route] = &found.routes[..] else { unreachable!() };
        assert_eq!((route.metric, route.table.as_deref()), (Some(100), Some("7")));
        assert!(files.into_problems().is_empty());
    }

    #[test]
    fn what_is_no_profile_is_a_problem() {
        for text in ["", "[ipv4]\n", "[connection]\n[ipv4]\naddress1=x\n"] {
            let tree =
                memory::tree(&[("/etc/NetworkManager/system-connections/a", text.as_bytes())]);
            let files = Files::new(&tree);
            read(&mut Connections::new(&files));
            assert_eq!(files.into_problems().len(), 1, "{text}");
        }
    }
}
