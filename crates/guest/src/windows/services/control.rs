//! Services and drivers, as the service control manager and the loader read them.

use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::super::registry::{Node, Registry, Values};
use crate::files::Read;

/// No service is started by more events than this.
const MAX_TRIGGERS: usize = 64;

/// All services and drivers of the current control set.
pub(super) fn services(registry: &Registry<'_>) -> Listing<Service> {
    let services = match registry.control_set("Services") {
        Read::There(services) => services,
        Read::Absent => return Listing::unknown("there is no list of services"),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let all = services.children().filter_map(|key| service(&key)).collect();
    Listing::complete(all, vec![services.place().into()])
}

/// The service in this key. A key without a type is none: some programs only keep counters there.
fn service(key: &Node<'_>) -> Option<Service> {
    let values = key.values();
    let kind = match values.number("Type").there()? {
        // Drivers of devices and of filesystems, and what recognises these.
        0x1 | 0x2 | 0x4 | 0x8 => ServiceKind::WindowsDriver,
        // Programs, alone or several in one, and those that each user gets a copy of.
        kind if kind & 0x30 != 0 => ServiceKind::WindowsService,
        _ => return None,
    };
    let triggers = triggers(key);
    let (enabled, start) = start(&values, kind, &triggers);
    let image = values.text("ImagePath").there();
    let library = match &image {
        Some(image) if image.to_ascii_lowercase().contains("svchost") => library(key, &values),
        _ => None,
    };
    Some(Service {
        kind,
        name: key.name().to_owned(),
        enabled,
        description: values.text("DisplayName").there(),
        commands: image.into_iter().chain(library).collect(),
        further_commands: Vec::new(),
        user: values.text("ObjectName").there().filter(|_| kind == ServiceKind::WindowsService),
        triggers,
        start,
        evidence: vec![key.place().into()],
    })
}

/// The library that holds the service, where its program is a host of many.
fn library(key: &Node<'_>, values: &Values<'_>) -> Option<String> {
    let parameters = key.child("Parameters").there();
    let library = parameters.and_then(|key| key.values().text("ServiceDll").there());
    library.or_else(|| values.text("ServiceDll").there())
}

/// Whether and when it is started.
fn start(
    values: &Values<'_>,
    kind: ServiceKind,
    triggers: &[String],
) -> (Fact<Enabled>, Option<String>) {
    let place = values.place("Start");
    let start = match values.number("Start") {
        Read::There(start) => start,
        Read::Absent => return (Fact::absent([place]), None),
        Read::Unread(why) => return (Fact::unknown(why), None),
    };
    let (enabled, word) = match start {
        0 => (Enabled::Enabled, "boot"),
        1 => (Enabled::Enabled, "system"),
        2 => match values.number("DelayedAutostart") {
            Read::There(delayed) if delayed != 0 => (Enabled::Enabled, "automatic-delayed"),
            _ => (Enabled::Enabled, "automatic"),
        },
        // Others start it: programs, or the system when it finds the device or sees the event.
        3 if kind == ServiceKind::WindowsService && !triggers.is_empty() => {
            (Enabled::Enabled, "manual")
        }
        3 => (Enabled::Static, "manual"),
        4 => (Enabled::Disabled, "disabled"),
        other => return (Fact::unknown(format!("no way to start has the number {other}")), None),
    };
    (Fact::known(enabled, place), Some(word.to_owned()))
}

/// Events that start it.
fn triggers(key: &Node<'_>) -> Vec<String> {
    let Read::There(info) = key.child("TriggerInfo") else {
        return Vec::new();
    };
    let mut triggers = Vec::new();
    for trigger in info.children().take(MAX_TRIGGERS) {
        let values = trigger.values();
        // Others stop it.
        if !matches!(values.number("Action"), Read::There(1)) {
            continue;
        }
        triggers.push(match values.number("Type").there() {
            Some(1) => "device".to_owned(),
            Some(2) => "address".to_owned(),
            Some(3) => "domain".to_owned(),
            Some(4) => "firewall-port".to_owned(),
            Some(5) => "policy".to_owned(),
            Some(6) => "network-endpoint".to_owned(),
            Some(7) => "system-state".to_owned(),
            Some(20) => "event".to_owned(),
            Some(30) => "several".to_owned(),
            Some(other) => format!("type-{other}"),
            None => continue,
        });
    }
    triggers.dedup();
    triggers
}
