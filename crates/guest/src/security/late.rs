//! Programs that set parameters of the kernel after systemd has set them: ufw, which applies a file of
//! its own, and systemd-networkd, which turns the passing on of packets on where a network asks for it.

use fathom_report::{Fact, Listing, Service, Setting};

use crate::files::{Files, Read};
use crate::network::layered_for;
use crate::sections::{assignments, boolean};
use crate::services::starts;
use crate::shell;

const HIDES: &str = "parameters of the kernel";

const UFW: &str = "/etc/ufw/ufw.conf";
const UFW_DEFAULTS: &str = "/etc/default/ufw";

/// The file of parameters that ufw applies when it starts, if it does.
pub(super) fn ufw(
    files: &Files<'_>,
    services: &Listing<Service>,
    listing: &mut Listing<Setting>,
) -> Option<String> {
    let mut variables = std::collections::HashMap::new();
    // The second is read after the first, and counts more.
    for path in [UFW_DEFAULTS, UFW] {
        match files.text(path, HIDES) {
            Read::There(text) => variables.extend(shell::assignments(&text)),
            // It starts with both alone.
            Read::Absent => return None,
            Read::Unread(why) => {
                listing.hide(why);
                return None;
            }
        }
    }
    if !variables.get("ENABLED").is_some_and(|value| value.eq_ignore_ascii_case("yes")) {
        return None;
    }
    let file = variables.remove("IPT_SYSCTL").filter(|file| !file.is_empty())?;
    match starts(services, &["ufw"]) {
        Fact::Known { value: true, .. } => Some(file),
        Fact::Known { .. } | Fact::Absent { .. } => None,
        Fact::Unknown { reason } => {
            listing.hide(format!("ufw may set parameters by {file}: {reason}"));
            None
        }
    }
}

const IPV4: &str = "net.ipv4.ip_forward";
const IPV6: &str = "net.ipv6.conf.all.forwarding";

/// What networkd makes of the parameters that pass packets on.
#[derive(Default)]
pub(super) struct Forwarding {
    /// The parameters that it sets, to what, and by which file.
    pub(super) set: Vec<(&'static str, &'static str, String)>,
    /// The parameters that it may set, and why that is not certain.
    pub(super) unsure: Vec<(&'static str, String)>,
}

/// What networkd does, if it starts. What the distribution ships for containers is not about the
/// system itself, and is passed over.
pub(super) fn networkd(files: &Files<'_>, services: &Listing<Service>) -> Forwarding {
    let mut found = asked(files);
    match starts(services, &["systemd-networkd"]) {
        Fact::Known { value: true, .. } => found,
        Fact::Known { .. } | Fact::Absent { .. } => Forwarding::default(),
        Fact::Unknown { reason } => {
            let set = std::mem::take(&mut found.set).into_iter();
            found.unsure.extend(set.map(|(name, _, path)| {
                (name, format!("{path} asks systemd-networkd to set {name}: {reason}"))
            }));
            found
        }
    }
}

/// What its files ask for.
fn asked(files: &Files<'_>) -> Forwarding {
    let mut found = Forwarding::default();
    let folders = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];
    let main = layered_for(files, &folders, HIDES, |name| name == "networkd.conf");
    let parts = folders.map(|folder| format!("{folder}/networkd.conf.d"));
    let parts = layered_for(files, &parts, HIDES, |name| name.ends_with(".conf"));
    for path in main.into_values().chain(parts.into_values()) {
        each(files, &path, |name, value| {
            let parameter = match name {
                "IPv4Forwarding" => IPV4,
                "IPv6Forwarding" => IPV6,
                _ => return,
            };
            if let Some(on) = boolean(value) {
                found.set.retain(|(its, ..)| *its != parameter);
                found.set.push((parameter, if on { "1" } else { "0" }, path.clone()));
            }
        });
    }
    let own = ["/etc/systemd/network", "/run/systemd/network", "/usr/local/lib/systemd/network"];
    let mut paths: Vec<String> = Vec::new();
    paths.extend(layered_for(files, &own, HIDES, |it| it.ends_with(".network")).into_values());
    for folder in own {
        let inside = layered_folders(files, folder);
        paths.extend(layered_for(files, &inside, HIDES, |it| it.ends_with(".conf")).into_values());
    }
    for path in paths {
        each(files, &path, |name, value| {
            let (ipv4, ipv6) = match value {
                "ipv4" => (true, false),
                "ipv6" => (false, true),
                "both" => (true, true),
                value => (boolean(value) == Some(true), boolean(value) == Some(true)),
            };
            let (ipv4, ipv6) = match name {
                "IPForward" | "IPMasquerade" => (ipv4, ipv6),
                "IPv4Forwarding" => (ipv4, false),
                "IPv6Forwarding" => (false, ipv6),
                _ => return,
            };
            for parameter in
                [(ipv4, IPV4), (ipv6, IPV6)].into_iter().filter_map(|(on, it)| on.then_some(it))
            {
                if name == "IPForward" {
                    found.set.retain(|(its, ..)| *its != parameter);
                    found.set.push((parameter, "1", path.clone()));
                } else {
                    // Releases differ in whether that is about the one interface or all of them.
                    let why =
                        format!("{path} asks for {name}={value}, which may turn {parameter} on");
                    found.unsure.push((parameter, why));
                }
            }
        });
    }
    found
}

/// The folders `*.network.d` within.
fn layered_folders(files: &Files<'_>, folder: &str) -> Vec<String> {
    let Read::There(children) = files.children(folder, HIDES) else { return Vec::new() };
    let names = children.into_iter().map(|(name, _)| name);
    names
        .filter(|name| name.ends_with(".network.d"))
        .map(|name| format!("{folder}/{name}"))
        .collect()
}

/// Shows the settings of the section `Network`.
fn each(files: &Files<'_>, path: &str, mut see: impl FnMut(&str, &str)) {
    // What cannot be read is noted, and leaves the list partial.
    let Read::There(text) = files.text(path, HIDES) else { return };
    for one in assignments(&text).iter().filter(|one| one.section == "Network") {
        see(&one.name, &one.value);
    }
}
