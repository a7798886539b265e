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
const RULES: &[Column] = &[key("kind"), main("default"), key("rule")];
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
        // Windows has one for each profile, which its default names.
        let several = firewalls.items.iter().filter(|one| one.kind == firewall.kind).count() > 1;
        let default = firewall.default.as_deref().filter(|_| several);
        for rule in &firewall.rules {
            let kind = Value::text(firewall.kind.as_str());
            sink.row(&[kind, Value::maybe(default), Value::text(rule.as_str())])?;
        }
    }
    sink.end()
}

#[cfg(test)]
mod tests {
    use fathom_report::{Fact, Family, Firewall, Listing, System};

    use super::*;

    /// Keeps the rows of one list.
    struct Rows(&'static str, bool, Vec<String>);

    impl Sink for Rows {
        fn begin(&mut self, list: &List<'_>) -> io::Result<()> {
            self.1 = list.title == self.0;
            Ok(())
        }

        fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
            let shown: Vec<_> = values.iter().map(Value::shown).collect();
            if self.1 {
                self.2.push(shown.join("|"));
            }
            Ok(())
        }

        fn end(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rules_say_which_firewall_they_are_of() {
        let firewall = |kind: &str, default: &str, rules: &[&str]| Firewall {
            kind: kind.to_owned(),
            enabled: Fact::known(true, "/x"),
            default: Some(default.to_owned()),
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            evidence: Vec::new(),
        };
        let mut system = System::unknown("disk0", Family::Linux, "a test");
        for (firewalls, expected) in [
            (vec![firewall("ufw", "deny", &[])], Vec::new()),
            (
                vec![firewall("ufw", "deny", &["allow 22/tcp", "allow 80/tcp"])],
                vec!["ufw|-|allow 22/tcp", "ufw|-|allow 80/tcp"],
            ),
            (
                vec![firewall("windows", "Public", &["a"]), firewall("windows", "Domain", &["a"])],
                vec!["windows|Public|a", "windows|Domain|a"],
            ),
        ] {
            system.network.firewalls = Listing::complete(firewalls, Vec::new());
            let mut rows = Rows("Firewall rules", false, Vec::new());
            write(&system, &mut rows).unwrap();
            assert_eq!(rows.2, expected);
        }
    }
}
