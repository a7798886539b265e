//! How a system is connected, as its files of configuration say.
//!
//! Several managers may have left their files; each is read by a module of its own, and every
//! interface says whose it is and whether that is started at all.

mod address;
mod cloud;
mod connections;
mod dhcpcd;
mod firewall;
mod glob;
mod hosts;
mod ifcfg;
mod ifupdown;
mod ini;
mod keyfile;
mod layers;
mod manager;
mod netplan;
mod networkd;
mod others;
mod resolver;
mod udev;
mod yaml;

pub(crate) use self::layers::layered_for;
use std::collections::{HashMap, HashSet};

use fathom_report::{Listing, Network, Route, Service};

use self::connections::Connections;
use crate::files::Files;
use crate::services::starts;

/// The services that start a manager.
const STARTED_BY: [(&str, &[&str]); 6] = [
    ("network-manager", &["NetworkManager"]),
    ("networkd", &["systemd-networkd"]),
    ("ifupdown", &["networking"]),
    ("ifcfg", &["network", "NetworkManager", "wicked"]),
    ("cloud-init", &["cloud-init", "cloud-init-local", "cloud-init-network"]),
    ("dhcpcd", &["dhcpcd"]),
];

/// Everything that configures interfaces, names and firewalls.
pub(crate) fn of(files: &Files<'_>, services: &Listing<Service>) -> Network {
    let mut found = Connections::new(files);
    let looked = files.listing(|| {
        managers(&mut found, services);
        Listing::<()>::complete(Vec::new(), Vec::new())
    });
    found.tidy();
    ways_out(&mut found);
    let (nameservers, search) = resolver::of(files, services, &found);
    Network {
        interfaces: listing(
            &looked,
            &found,
            found.interfaces.clone(),
            "no interface is configured",
        ),
        routes: listing(&looked, &found, found.routes.clone(), "no route is configured"),
        nameservers,
        search,
        hosts: hosts::of(files),
        firewalls: firewall::all(files, services),
        persistent_names: listing(&looked, &found, found.names.clone(), "no name is fixed"),
    }
}

/// Adds the routes that gateways of interfaces stand for, where no route says the same.
fn ways_out(found: &mut Connections<'_, '_>) {
    let out = found.routes.iter().filter(|it| it.destination == "default" && it.table.is_none());
    let known: HashSet<&String> = out.filter_map(|route| route.gateway.as_ref()).collect();
    let mut missing = Vec::new();
    for interface in &found.interfaces {
        for gateway in interface.gateways.iter().filter(|it| !known.contains(it)) {
            missing.push(Route {
                destination: "default".to_owned(),
                gateway: Some(gateway.clone()),
                interface: Some(interface.name.clone()),
                evidence: interface.evidence.first().cloned().unwrap_or_default(),
                ..Route::default()
            });
        }
    }
    missing.into_iter().for_each(|route| found.route(route));
}

/// Reads what every manager has.
fn managers(found: &mut Connections<'_, '_>, services: &Listing<Service>) {
    let mut runs: HashMap<&str, Option<bool>> = STARTED_BY
        .iter()
        .map(|(manager, names)| (*manager, starts(services, names).value().copied()))
        .collect();
    netplan::read(found);
    if found.interfaces.iter().any(|interface| interface.manager == "netplan") {
        let netplan = netplan::runs(found);
        runs.insert("netplan", Some(netplan));
        // It starts networkd by itself where one of its definitions is for that.
        if netplan && runs.get("networkd") == Some(&Some(false)) {
            runs.insert("networkd", None);
        }
    }
    keyfile::read(found);
    networkd::read(found, runs.get("networkd").copied().flatten());
    ifupdown::read(found);
    ifcfg::read(found);
    cloud::read(found);
    dhcpcd::read(found);
    udev::read(found);
    others::note(found.files);
    for interface in &mut found.interfaces {
        let runs = runs.get(interface.manager.as_str()).copied().flatten();
        interface.managed = interface.managed.or(runs);
    }
}

/// A list of what was found, as complete as the looking was.
fn listing<T>(
    looked: &Listing<()>,
    found: &Connections<'_, '_>,
    items: Vec<T>,
    none: &str,
) -> Listing<T> {
    let mut listing = Listing::complete(items, found.places.clone());
    if let Some(why) = &looked.reason {
        listing.hide(why.clone());
    } else if listing.items.is_empty() {
        listing.reason = Some(none.to_owned());
    }
    listing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    /// A gateway is a way out, once.
    #[test]
    fn gateways_are_routes() {
        let text = b"iface eth0 inet static\n address 192.0.2.7/24\n gateway 192.0.2.1\n";
        let route = b"up ip route add default via 192.0.2.1\n";
        let twice = [&text[..], &route[..]].concat();
        for text in [&text[..], &twice] {
            let tree = memory::tree(&[("/etc/network/interfaces", text)]);
            let routes = of(&Files::new(&tree), &Listing::unknown("not looked")).routes.items;
            let [one] = &routes[..] else { unreachable!("{routes:?}") };
            assert_eq!(
                (&one.destination[..], one.gateway.as_deref()),
                ("default", Some("192.0.2.1"))
            );
            assert_eq!(one.interface.as_deref(), Some("eth0"));
        }
    }
}
