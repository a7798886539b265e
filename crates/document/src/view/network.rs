//! How the system is connected.

use std::io;

use fathom_report::{Interface, System};

use super::{Column, List, Sink, Value, detail, key, listing, main, number, spare};

const INTERFACES: &[Column] = &[
    key("name"),
    main("kind"),
    key("addresses"),
    spare("leased"),
    spare("gateways"),
    spare("nameservers"),
    main("manager"),
    spare("mac"),
    detail("search"),
    number(detail("mtu")),
    number(detail("vlan")),
    spare("members"),
    detail("automatic"),
    detail("managed"),
    detail("profile"),
    detail("evidence"),
];
const ROUTES: &[Column] = &[
    key("destination"),
    key("gateway"),
    main("interface"),
    number(spare("metric")),
    spare("table"),
    detail("evidence"),
];
const HOSTS: &[Column] = &[key("address"), key("names")];
const FIREWALLS: &[Column] =
    &[key("kind"), key("enabled"), main("default"), number(main("rules")), detail("evidence")];
const RULES: &[Column] = &[key("kind"), key("rule")];
const PERSISTENT: &[Column] = &[key("name"), main("mac"), main("slot"), spare("evidence")];
const NAMESERVERS: &[Column] = &[key("nameserver")];
const SEARCH: &[Column] = &[key("domain")];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] =
    &[INTERFACES, ROUTES, NAMESERVERS, SEARCH, HOSTS, PERSISTENT, FIREWALLS, RULES];

/// Fixed addresses, and how others are got.
fn addresses(interface: &Interface) -> Value<'_> {
    let asked = [(interface.dhcp4, "dhcp4"), (interface.dhcp6, "dhcp6")];
    let asked = asked.iter().filter(|(asks, _)| *asks == Some(true)).map(|(_, how)| *how);
    let all: Vec<&str> = interface.addresses.iter().map(String::as_str).chain(asked).collect();
    Value::texts(&all)
}

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    let network = &system.network;
    listing("Interfaces", INTERFACES, &network.interfaces, sink, |one, sink| {
        sink.row(&[
            Value::text(one.name.as_str()),
            Value::maybe(one.kind.as_deref()),
            addresses(one),
            Value::texts(&one.leased),
            Value::texts(&one.gateways),
            Value::texts(&one.nameservers),
            Value::text(one.manager.as_str()),
            Value::maybe(one.mac.as_deref()),
            Value::texts(&one.search),
            one.mtu.map(u64::from).into(),
            one.vlan.map(u64::from).into(),
            Value::texts(&one.members),
            one.automatic.into(),
            one.managed.into(),
            Value::maybe(one.profile.as_deref()),
            Value::evidence(&one.evidence),
        ])
    })?;
    listing("Routes", ROUTES, &network.routes, sink, |route, sink| {
        sink.row(&[
            Value::text(route.destination.as_str()),
            Value::maybe(route.gateway.as_deref()),
            Value::maybe(route.interface.as_deref()),
            route.metric.map(u64::from).into(),
            Value::maybe(route.table.as_deref()),
            Value::text(route.evidence.0.as_str()),
        ])
    })?;
    listing("Name servers", NAMESERVERS, &network.nameservers, sink, |server, sink| {
        sink.row(&[Value::text(server.as_str())])
    })?;
    listing("Search domains", SEARCH, &network.search, sink, |domain, sink| {
        sink.row(&[Value::text(domain.as_str())])
    })?;
    listing("Hosts file", HOSTS, &network.hosts, sink, |host, sink| {
        sink.row(&[Value::text(host.address.as_str()), Value::texts(&host.names)])
    })?;
    listing("Persistent names", PERSISTENT, &network.persistent_names, sink, |one, sink| {
        sink.row(&[
            Value::text(one.name.as_str()),
            Value::maybe(one.mac.as_deref()),
            Value::maybe(one.slot.as_deref()),
            Value::text(one.evidence.0.as_str()),
        ])
    })?;
    listing("Firewalls", FIREWALLS, &network.firewalls, sink, |firewall, sink| {
        sink.row(&[
            Value::text(firewall.kind.as_str()),
            Value::fact(&firewall.enabled, |enabled| Value::Flag(*enabled)),
            Value::maybe(firewall.default.as_deref()),
            Value::Number(firewall.rules.len() as u64),
            Value::evidence(&firewall.evidence),
        ])
    })?;
    let firewalls = &network.firewalls;
    if firewalls.items.iter().all(|firewall| firewall.rules.is_empty()) {
        return Ok(());
    }
    let (coverage, reason) = (firewalls.coverage, firewalls.reason.as_deref());
    let title = "Firewall rules";
    sink.begin(&List { title, columns: RULES, facts: false, coverage, reason })?;
    for firewall in &firewalls.items {
        for rule in &firewall.rules {
            sink.row(&[Value::text(firewall.kind.as_str()), Value::text(rule.as_str())])?;
        }
    }
    sink.end()
}
