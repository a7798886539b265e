//! How a system is connected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// How a system is connected, as it is configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// Interfaces that are configured.
    pub interfaces: Listing<Interface>,
    /// Routes besides those that interfaces bring along.
    pub routes: Listing<Route>,
    /// The servers that are asked for names, where they are configured for the whole system.
    pub nameservers: Listing<String>,
    /// The domains that names are looked up in, where they are configured for the whole system.
    pub search: Listing<String>,
    /// Names that the hosts file gives addresses.
    pub hosts: Listing<HostEntry>,
    /// Firewalls.
    pub firewalls: Listing<Firewall>,
    /// Names that interfaces are given by what they are recognised by, so that another network card
    /// goes without.
    #[serde(default = "not_looked_for")]
    pub persistent_names: Listing<PersistentName>,
}

/// What a document says that was written before there was such a list.
fn not_looked_for() -> Listing<PersistentName> {
    Listing::unknown("the version that wrote this did not look for it")
}

/// An interface that is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// Its name, or the pattern that the configuration matches it by; `*` where it is recognised by
    /// something else than its name.
    pub name: String,
    /// What configures it: `netplan`, `network-manager`, `networkd`, `ifcfg`, `ifupdown`, `wicked`,
    /// `cloud-init`, `dhcpcd`, `windows`.
    pub manager: String,
    /// What the configuration itself is called, where that is not the name of the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whether what configures it starts with the system and takes what configures it, where that is
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<bool>,
    /// Its kind: `ethernet`, `bond`, `bridge`, `vlan`, `wifi`, `loopback`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The hardware address that it is recognised by or given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Whether it asks for an IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp4: Option<bool>,
    /// Whether it asks for an IPv6 address, or takes one that a router announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp6: Option<bool>,
    /// Fixed addresses with the length of their prefix: `192.0.2.7/24`.
    pub addresses: Vec<String>,
    /// Addresses that it was given last by a server, where it keeps a note of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leased: Vec<String>,
    /// Where what has no route of its own is sent.
    pub gateways: Vec<String>,
    /// The servers that are asked for names.
    pub nameservers: Vec<String>,
    /// The domains that names are looked up in.
    pub search: Vec<String>,
    /// The largest packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The number of the virtual network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// The interfaces that it is made of or lies on.
    pub members: Vec<String>,
    /// Whether it is brought up with the system, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
    /// Where it says so.
    pub evidence: Vec<Evidence>,
}

/// A name that an interface is given by what it is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersistentName {
    /// The name.
    pub name: String,
    /// The hardware address that it is recognised by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The place in the machine that it is recognised by, such as the slot of a bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// Where it says so.
    pub evidence: Evidence,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Where to: `198.51.100.0/24`, `default`.
    pub destination: String,
    /// By way of which neighbour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Through which interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// What it costs: of several the cheapest is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    /// The table that it stands in, where that is not the one that every packet is looked up in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Where it says so.
    pub evidence: Evidence,
}

/// Names that have an address by the hosts file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostEntry {
    /// The address.
    pub address: String,
    /// The names.
    pub names: Vec<String>,
}

/// Something that keeps packets out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firewall {
    /// Its kind: `ufw`, `firewalld`, `nftables`, `iptables`, `ip6tables`, `windows`.
    pub kind: String,
    /// Whether it is in force when the system runs.
    pub enabled: Fact<bool>,
    /// What it does with what no rule names, as it says it: `deny (incoming)`, the zone, the profile.
    pub default: Option<String>,
    /// Its rules, as it writes them.
    pub rules: Vec<String>,
    /// Where it says so.
    pub evidence: Vec<Evidence>,
}
