//! How a system is connected.

use fathom_report::{Listing, Part, System};

use crate::context::Context;
use crate::keyed::{Item, Known, Names, lists, order};

const PART: Part = Part::Network;

/// Something of which nothing is compared but whether it is there.
fn bare(name: String) -> (String, Item) {
    (name, Item { fields: Vec::new(), evidence: Vec::new() })
}

/// Lists in which the first counts first: what is asked when.
fn ordered(
    (list, item): (&'static str, &'static str),
    (before, after): (&Listing<String>, &Listing<String>),
    context: &mut Context,
) {
    let names = Names { part: PART, list, item };
    lists(names, (before, after), |it| bare(it.clone()), context);
    order(names, (&before.items, &after.items), context);
}

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let (one, other) = (&before.network, &after.network);
    lists(
        Names { part: PART, list: "interfaces", item: "interface" },
        (&one.interfaces, &other.interfaces),
        |it| {
            let fields = vec![
                ("profile", Known::maybe(it.profile.as_deref())),
                ("managed", Known::maybe(it.managed)),
                ("kind", Known::maybe(it.kind.as_deref())),
                ("mac", Known::maybe(it.mac.as_deref())),
                ("dhcp4", Known::maybe(it.dhcp4)),
                ("dhcp6", Known::maybe(it.dhcp6)),
                ("addresses", Known::set(&it.addresses)),
                ("gateways", Known::list(&it.gateways)),
                ("nameservers", Known::list(&it.nameservers)),
                ("search", Known::list(&it.search)),
                ("mtu", Known::maybe(it.mtu)),
                ("vlan", Known::maybe(it.vlan)),
                ("members", Known::set(&it.members)),
                ("automatic", Known::maybe(it.automatic)),
            ];
            let name = format!("{} ({})", it.name, it.manager);
            (name, Item { fields, evidence: it.evidence.clone() })
        },
        context,
    );
    lists(
        Names { part: PART, list: "routes", item: "route" },
        (&one.routes, &other.routes),
        |it| {
            let fields = vec![
                ("gateway", Known::maybe(it.gateway.as_deref())),
                ("interface", Known::maybe(it.interface.as_deref())),
                ("metric", Known::maybe(it.metric)),
                ("table", Known::maybe(it.table.as_deref())),
            ];
            (it.destination.clone(), Item { fields, evidence: vec![it.evidence.clone()] })
        },
        context,
    );
    ordered(("name servers", "name server"), (&one.nameservers, &other.nameservers), context);
    ordered(("search domains", "search domain"), (&one.search, &other.search), context);
    lists(
        Names { part: PART, list: "hosts file", item: "host" },
        (&one.hosts, &other.hosts),
        |it| {
            let fields = vec![("names", Known::list(&it.names))];
            (it.address.clone(), Item { fields, evidence: Vec::new() })
        },
        context,
    );
    lists(
        Names { part: PART, list: "persistent names", item: "persistent name" },
        (&one.persistent_names, &other.persistent_names),
        |it| {
            let fields = vec![
                ("mac", Known::maybe(it.mac.as_deref())),
                ("slot", Known::maybe(it.slot.as_deref())),
            ];
            (it.name.clone(), Item { fields, evidence: vec![it.evidence.clone()] })
        },
        context,
    );
    lists(
        Names { part: PART, list: "firewalls", item: "firewall" },
        (&one.firewalls, &other.firewalls),
        |it| {
            let fields = vec![
                ("enabled", Known::fact(&it.enabled, ToString::to_string)),
                ("default", Known::maybe(it.default.as_deref())),
                // The order of rules is what they mean.
                ("rules", Known::list(&it.rules)),
            ];
            (it.kind.clone(), Item { fields, evidence: it.evidence.clone() })
        },
        context,
    );
}
