//! How a system is connected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// How the system is configured to be connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// Its interfaces.
    pub interfaces: Listing<Interface>,
    /// The servers that it asks for names.
    pub dns_servers: Listing<String>,
    /// The domains that it searches.
    pub search_domains: Listing<String>,
    /// Names that it knows itself.
    pub hosts: Listing<HostEntry>,
    /// What it lets in.
    pub firewall: Listing<Firewall>,
}

/// An interface as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// Its name, or what it is matched by.
    pub name: String,
    /// The hardware address that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Whether it asks for an address.
    pub dhcp: bool,
    /// Addresses that it is given, with the length of the prefix.
    pub addresses: Vec<String>,
    /// Where it sends what is for others.
    pub gateways: Vec<String>,
    /// Routes.
    pub routes: Vec<Route>,
    /// The servers that it asks for names.
    pub dns_servers: Vec<String>,
    /// What configures it, as `netplan`.
    pub manager: String,
    /// Where it says so.
    pub evidence: Evidence,
}

/// A way to a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// The network.
    pub to: String,
    /// The next machine on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

/// A line of the hosts file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostEntry {
    /// The address.
    pub address: String,
    /// Its names.
    pub names: Vec<String>,
}

/// A firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firewall {
    /// Which, as `ufw`.
    pub name: String,
    /// Whether it is started with the system.
    pub enabled: Fact<bool>,
    /// Its rules as it says them.
    pub rules: Vec<String>,
    /// Where it says so.
    pub evidence: Vec<Evidence>,
}
