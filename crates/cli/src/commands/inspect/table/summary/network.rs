//! How the system is connected.

use fathom_report::{Fact, Interface, System};

use super::{NAMED, Said, counted, counted_with, some};
use crate::text::harmless;

/// An interface and its addresses.
fn interface(one: &Interface) -> String {
    let asked = [(one.dhcp4, "DHCP"), (one.dhcp6, "DHCPv6")];
    let asked = asked.iter().filter(|(asks, _)| *asks == Some(true)).map(|(_, how)| *how);
    let all: Vec<&str> = one.addresses.iter().map(String::as_str).chain(asked).collect();
    harmless(format!("{} {}", one.name, all.join(" ")).trim_end())
}

/// The interfaces that are configured.
pub(super) fn interfaces(system: &System) -> Said {
    let interfaces = &system.network.interfaces;
    let mut shown: Vec<_> = interfaces.items.iter().take(NAMED).map(interface).collect();
    if let Some(rest) = interfaces.items.len().checked_sub(NAMED + 1) {
        shown.push(format!("{} more", rest + 1));
    }
    counted_with(interfaces, ("interface", "interfaces"), &shown.join(", "))
}

/// The servers that are asked for names.
pub(super) fn names(system: &System) -> Said {
    let servers = &system.network.nameservers;
    let named = some(servers.items.iter().map(String::as_str));
    counted_with(servers, ("name server", "name servers"), &named)
}

/// What keeps packets out.
pub(super) fn firewalls(system: &System) -> Said {
    let firewalls = &system.network.firewalls;
    let shown: Vec<String> = firewalls
        .items
        .iter()
        .map(|one| {
            let state = match &one.enabled {
                Fact::Known { value: true, .. } => "in force",
                Fact::Known { value: false, .. } | Fact::Absent { .. } => "not in force",
                Fact::Unknown { .. } => "unknown whether in force",
            };
            format!("{} {state}", harmless(&one.kind))
        })
        .collect();
    match shown.is_empty() {
        true => counted(firewalls, ("firewall", "firewalls")),
        false => counted_with(firewalls, ("firewall", "firewalls"), &shown.join(", ")),
    }
}
