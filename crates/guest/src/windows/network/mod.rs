//! How Windows is connected: interfaces, routes that stay, names, and the firewall.

mod firewall;
mod interfaces;

use fathom_report::{HostEntry, Listing, Network, Route};

use super::paths;
use super::registry::Registry;
use super::users::profiles::system_drive;
use crate::files::Read;

/// What the report loses if something cannot be read.
pub(super) const HIDES: &str = "network";

const PARAMETERS: &str = r"Services\Tcpip\Parameters";
const HOSTS: &str = "/Windows/System32/drivers/etc/hosts";

/// More lines than this are not read of the hosts file, and of the routes.
const MAX_LINES: usize = 100_000;

/// How the system is connected.
pub(super) fn of(registry: &Registry<'_>) -> Network {
    Network {
        interfaces: registry.listing(|| interfaces::all(registry)),
        routes: registry.listing(|| routes(registry)),
        nameservers: registry.listing(|| words(registry, &["NameServer"])),
        search: registry.listing(|| words(registry, &["SearchList", "NV Domain", "Domain"])),
        hosts: registry.listing(|| hosts(registry)),
        firewalls: registry.listing(|| firewall::all(registry)),
        persistent_names: Listing::empty(
            "Windows knows cards by identifiers of its own",
            Vec::new(),
        ),
    }
}

/// Routes that were added to stay: `198.51.100.0,255.255.255.0,192.0.2.1,1`.
fn routes(registry: &Registry<'_>) -> Listing<Route> {
    let path = format!(r"{PARAMETERS}\PersistentRoutes");
    let key = match registry.control_set(&path) {
        Read::There(key) => key,
        Read::Absent => {
            let place = format!(r"HKLM\SYSTEM\CurrentControlSet\{path}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let values = key.values();
    let mut routes = Vec::new();
    for name in registry.first(values.names(), MAX_LINES, key.place()) {
        let fields: Vec<&str> = name.split(',').map(str::trim).collect();
        let [destination, mask, gateway, metric] = *fields.as_slice() else {
            let why = format!("{name:?} is no route");
            registry.note(&fathom_block::Error::corrupt(key.place(), 0, why), key.place());
            continue;
        };
        let destination = match (destination, interfaces::prefix(mask)) {
            ("0.0.0.0", Some(0)) => "default".to_owned(),
            (destination, Some(length)) => format!("{destination}/{length}"),
            (destination, None) => format!("{destination}/{mask}"),
        };
        routes.push(Route {
            destination,
            gateway: Some(gateway.to_owned()),
            interface: None,
            metric: metric.parse().ok(),
            table: None,
            evidence: key.place().into(),
        });
    }
    Listing::complete(routes, vec![key.place().into()])
}

/// The words in the first of these values that says something.
fn words(registry: &Registry<'_>, names: &[&str]) -> Listing<String> {
    let key = match registry.control_set(PARAMETERS) {
        Read::There(key) => key,
        Read::Absent => {
            let place = format!(r"HKLM\SYSTEM\CurrentControlSet\{PARAMETERS}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let values = key.values();
    for name in names {
        match values.text(name) {
            Read::There(text) => {
                let words = text.split([',', ' ', ';']).filter(|word| !word.is_empty());
                let words = words.map(str::to_owned).collect();
                return Listing::complete(words, vec![values.place(name).into()]);
            }
            Read::Absent => {}
            Read::Unread(why) => return Listing::unknown(why),
        }
    }
    let evidence = names.iter().map(|name| values.place(name).into()).collect();
    Listing::empty("none is set for the whole system", evidence)
}

/// Names that have an address by the hosts file.
fn hosts(registry: &Registry<'_>) -> Listing<HostEntry> {
    let folder = registry.said_of_control_set(PARAMETERS).text(&["DataBasePath"]);
    let folder = folder.value().and_then(|it| paths::on_system_drive(it, system_drive(registry)));
    let path = folder.map_or_else(|| HOSTS.to_owned(), |folder| format!("{folder}/hosts"));
    let text = match registry.files.text(&path, HIDES) {
        Read::There(text) => text,
        Read::Absent => return Listing::empty(format!("there is no {path}"), vec![path.into()]),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let entry = |line: &str| {
        let line = line.split('#').next().unwrap_or(line);
        let mut words = line.split_whitespace().map(str::to_owned);
        let entry = HostEntry { address: words.next()?, names: words.collect() };
        (!entry.names.is_empty()).then_some(entry)
    };
    let entries = text.trim_start_matches('\u{FEFF}').lines().filter_map(entry);
    Listing::complete(registry.first(entries, MAX_LINES, &path), vec![path.into()])
}
