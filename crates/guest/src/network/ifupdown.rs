//! `/etc/network/interfaces`, as ifupdown, ifupdown2, ifupdown-ng and BusyBox read it.

use std::collections::{HashMap, HashSet};

use fathom_report::{Interface, Route};

use super::address;
use super::connections::{Connections, interface, shown};
use super::glob;
use super::layers::layered;

const INTERFACES: &str = "/etc/network/interfaces";

/// How deep files include each other, and how many there are with sense.
const MAX_DEPTH: usize = 16;
const MAX_FILES: usize = 1024;

/// How many templates build upon each other, and how many bytes are taken from templates in all.
const MAX_TEMPLATES: usize = 16;
const MAX_INHERITED: usize = 4 << 20;

/// How many options are applied in all, where many cards share what is said of one name, and how many
/// patterns of names there are with sense.
const MAX_APPLIED: usize = 1 << 20;
const MAX_PATTERNS: usize = 256;

/// What configures one family of an interface.
struct Stanza {
    name: String,
    family: Option<String>,
    method: Option<String>,
    inherits: Option<String>,
    options: Vec<(String, String)>,
    path: String,
}

impl Stanza {
    fn get(&self, names: &[&str]) -> Option<&str> {
        let mut options = self.options.iter().rev();
        options.find(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value.as_str())
    }

    fn all<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let options = self.options.iter().filter(|(key, _)| names.contains(&key.as_str()));
        options.map(|(_, value)| value.as_str())
    }

    fn words<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = String> {
        self.all(names).flat_map(str::split_whitespace).map(str::to_owned)
    }
}

/// Everything that the file and those that it includes say.
pub(super) fn read(connections: &mut Connections<'_, '_>) {
    let mut search = Search {
        connections,
        stanzas: Vec::new(),
        automatic: HashSet::new(),
        patterns: Vec::new(),
        cards: HashMap::new(),
        seen: HashSet::new(),
    };
    search.file(INTERFACES, 0);
    let Search { stanzas, automatic, patterns, cards, .. } = search;
    let starts = |name: &str| {
        automatic.contains(name)
            || automatic.contains("*")
            || patterns.iter().any(|pattern| glob::fits(pattern, name))
    };
    let templates: HashMap<&str, usize> =
        stanzas.iter().enumerate().map(|(at, stanza)| (stanza.name.as_str(), at)).collect();
    let mut budget = MAX_INHERITED;
    let inherited: Vec<Vec<(String, String)>> =
        stanzas.iter().map(|stanza| inherited(stanza, &stanzas, &templates, &mut budget)).collect();
    if budget == 0 {
        connections.odd(INTERFACES, "more options are inherited than a configuration holds");
    }
    let others = stanzas.iter().filter(|it| it.inherits.as_ref().is_some_and(|of| *of != it.name));
    let inherits: HashSet<String> = others.filter_map(|stanza| stanza.inherits.clone()).collect();
    let mut found: Vec<Interface> = Vec::new();
    let mut index: HashMap<Card, usize> = HashMap::new();
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut applied = MAX_APPLIED;
    'all: for (mut stanza, inherited) in stanzas.into_iter().zip(inherited) {
        let automatic = starts(&stanza.name);
        let own = Card { name: stanza.name.clone(), mac: None };
        let cards = match cards.get(&stanza.name) {
            Some(cards) if !automatic => cards.as_slice(),
            // What others build upon and nothing brings up is a template, and no interface.
            None if !automatic && inherits.contains(&stanza.name) => continue,
            _ => std::slice::from_ref(&own),
        };
        let named: HashSet<String> = stanza.options.iter().map(|(key, _)| key.clone()).collect();
        let more = inherited.into_iter().filter(|(key, _)| !named.contains(key));
        stanza.options.splice(..0, more.collect::<Vec<_>>());
        for card in cards {
            let Some(rest) = applied.checked_sub(stanza.options.len() + 1) else {
                connections.odd(INTERFACES, "more interfaces are configured than a machine has");
                break 'all;
            };
            applied = rest;
            let place = *index.entry(card.clone()).or_insert_with(|| {
                let mut one = interface(&card.name, "ifupdown", &stanza.path);
                one.mac.clone_from(&card.mac);
                found.push(one);
                found.len() - 1
            });
            let one = &mut found[place];
            one.evidence.push(stanza.path.as_str().into());
            one.automatic = Some(automatic || card != &own);
            if card != &own {
                one.profile = Some(stanza.name.clone());
            }
            apply(connections, one, &stanza);
            let master = stanza.get(&["bond-master", "bond_master"]);
            parts.extend(master.map(|master| (master.to_owned(), one.name.clone())));
        }
    }
    let index: HashMap<String, usize> =
        index.into_iter().map(|(card, place)| (card.name, place)).collect();
    for (master, part) in parts {
        if let Some(place) = index.get(&master) {
            found[*place].members.push(part);
        }
    }
    found.into_iter().for_each(|one| connections.interface(one));
}

/// The options of the templates that a stanza builds upon, the nearest last.
fn inherited(
    stanza: &Stanza,
    stanzas: &[Stanza],
    templates: &HashMap<&str, usize>,
    budget: &mut usize,
) -> Vec<(String, String)> {
    let mut chain = Vec::new();
    let mut next = stanza.inherits.as_deref();
    while let Some(place) = next.and_then(|name| templates.get(name)) {
        if chain.len() >= MAX_TEMPLATES || chain.contains(place) {
            break;
        }
        chain.push(*place);
        next = stanzas[*place].inherits.as_deref();
    }
    let options = chain.iter().rev().flat_map(|place| stanzas[*place].options.iter());
    let mut taken = Vec::new();
    for (name, value) in options {
        *budget = budget.saturating_sub(name.len() + value.len());
        if *budget == 0 {
            break;
        }
        taken.push((name.clone(), value.clone()));
    }
    taken
}

struct Search<'c, 'a, 'b> {
    connections: &'c mut Connections<'a, 'b>,
    stanzas: Vec<Stanza>,
    /// What is brought up with the system, or when it is plugged in.
    automatic: HashSet<String>,
    /// The same, of names that fit a pattern.
    patterns: Vec<String>,
    /// The cards by the names under which they are configured, where these differ.
    cards: HashMap<String, Vec<Card>>,
    seen: HashSet<String>,
}

/// What an interface is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Card {
    /// Its name, a pattern of names, or `*` where something else counts.
    name: String,
    mac: Option<String>,
}

impl Card {
    /// `eth0`, or a pattern: `/eth*`, `/eth*/1`, `mac/00:11:22:33:44:55`.
    fn of(word: &str) -> Self {
        let (name, mac) = match word.split_once('/') {
            None => (word, None),
            Some(_) if word.starts_with("/dev/") => (word, None),
            Some((variable, rest)) => {
                let value = rest.split_once('/').map_or(rest, |(value, _)| value);
                match variable {
                    "" => (value, None),
                    "mac" => ("*", address::mac(value)),
                    _ => ("*", None),
                }
            }
        };
        Self { name: name.to_owned(), mac }
    }
}

impl Search<'_, '_, '_> {
    fn file(&mut self, path: &str, depth: usize) {
        if depth > MAX_DEPTH || self.seen.len() >= MAX_FILES {
            self.connections.odd(path, "the files include each other too deep, or are too many");
            return;
        }
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        let Some(text) = self.connections.text(path) else { return };
        let mut within = false;
        let mut joined = String::new();
        for line in text.lines() {
            let trimmed = line.trim();
            // Within a line that goes on a hash is a letter as any other.
            if joined.is_empty() && (trimmed.is_empty() || trimmed.starts_with('#')) {
                continue;
            }
            joined.push_str(line);
            if joined.ends_with('\\') {
                joined.pop();
                joined.push(' ');
                continue;
            }
            let line = std::mem::take(&mut joined);
            self.line(line.trim(), path, depth, &mut within);
        }
    }

    /// A word of `auto`: a card, and the name under which it is configured if that is another.
    fn brought_up(&mut self, word: &str, path: &str) {
        if let Some((card, name)) = word.split_once('=').filter(|(card, name)| card != name) {
            let cards = self.cards.entry(name.to_owned()).or_default();
            let card = Card::of(card);
            if cards.last() != Some(&card) {
                cards.push(card);
            }
        } else if !word.contains('/') || word.starts_with("/dev/") {
            self.automatic.insert(word.to_owned());
        } else if self.patterns.len() < MAX_PATTERNS {
            let Card { name, mac } = Card::of(word);
            // What is recognised by anything but its name could be any of those that are configured.
            if mac.is_none() && name != "*" || word.starts_with('/') {
                self.patterns.push(name);
            }
        } else {
            self.connections.odd(path, "there are too many patterns of names");
        }
    }

    /// One line; `within` says whether it may be an option of the last stanza.
    fn line(&mut self, line: &str, path: &str, depth: usize, within: &mut bool) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let mut words = rest.split_whitespace();
        match word {
            "iface" => {
                let Some(name) = words.next() else {
                    return self.connections.odd(path, "an interface has no name");
                };
                // ifupdown-ng needs no family, and may say here what the interface builds upon.
                let mut family = words.next();
                let mut method = None;
                let mut inherits = None;
                if matches!(family, Some("inherits")) {
                    (family, inherits) = (None, words.next());
                } else if family.is_some() {
                    method = words.next();
                    if words.next() == Some("inherits") {
                        inherits = words.next();
                    }
                }
                self.stanzas.push(Stanza {
                    name: name.to_owned(),
                    family: family.map(str::to_owned),
                    method: method.map(str::to_owned),
                    inherits: inherits.map(str::to_owned),
                    options: Vec::new(),
                    path: path.to_owned(),
                });
                *within = true;
            }
            "auto" | "allow-auto" | "allow-hotplug" => {
                for word in words {
                    self.brought_up(word, path);
                }
                *within = false;
            }
            "source" => {
                *within = false;
                for pattern in words {
                    let paths = self.connections.expand(path, &beside(path, pattern));
                    paths.iter().for_each(|path| self.file(path, depth + 1));
                }
            }
            "source-directory" => {
                *within = false;
                let letters =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                for folder in words {
                    let folder = beside(path, folder);
                    let keep = |name: &str| name.bytes().all(letters);
                    for path in layered(self.connections.files, &[folder], keep).values() {
                        self.file(path, depth + 1);
                    }
                }
            }
            "mapping" | "rename" | "no-auto-down" | "no-scripts" | "template" => *within = false,
            _ if word.starts_with("allow-") => *within = false,
            // The script of a mapping, and what it is given.
            "script" | "map" if !*within => {}
            _ => match self.stanzas.last_mut() {
                Some(stanza) if *within => {
                    stanza.options.push((word.to_owned(), rest.to_owned()));
                }
                _ => self.connections.odd(path, format!("{} belongs to no interface", shown(word))),
            },
        }
    }
}

/// A path as a file at `path` means it.
fn beside(path: &str, named: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if named.starts_with('/') { named.to_owned() } else { format!("{folder}/{named}") }
}

fn apply(connections: &mut Connections<'_, '_>, one: &mut Interface, stanza: &Stanza) {
    let path = stanza.path.as_str();
    let method = stanza.method.as_deref().unwrap_or("static");
    let announced = stanza.get(&["autoconf"]).is_some_and(|value| value == "1");
    match stanza.family.as_deref() {
        Some("inet") => {
            one.dhcp4 = Some(one.dhcp4 == Some(true) || matches!(method, "dhcp" | "bootp"));
        }
        Some("inet6") => match method {
            "auto" | "dhcp" => one.dhcp6 = Some(true),
            "manual" => {}
            _ => one.dhcp6 = Some(one.dhcp6 == Some(true) || announced),
        },
        // ifupdown-ng says it with the names of what is to be used.
        _ => {
            let uses: Vec<String> = stanza.words(&["use"]).collect();
            let has = |word: &str| uses.iter().any(|one| one == word);
            one.dhcp4 = Some(one.dhcp4 == Some(true) || has("dhcp"));
            if has("ipv6-ra") {
                one.dhcp6 = Some(true);
            }
        }
    }
    if stanza.method.as_deref() == Some("loopback") || one.name == "lo" {
        one.kind = Some("loopback".to_owned());
    }
    let mask = stanza.get(&["netmask"]);
    let length = mask.and_then(|mask| {
        let length = address::prefix(mask);
        if length.is_none() {
            connections.odd(path, format!("{} is no mask", shown(mask)));
        }
        length
    });
    if method != "dhcp" {
        for text in stanza.all(&["address"]).flat_map(str::split_whitespace) {
            if let Some(address) = connections.address(path, text) {
                // Without a mask the class of the address counts.
                let length = length.or_else(|| address::class(&address));
                let whole = if address.contains(':') { Some(64) } else { None };
                one.addresses.push(address::joined(&address, length.or(whole)));
            }
        }
        for text in stanza.words(&["gateway"]) {
            one.gateways.extend(connections.address(path, &text));
        }
    }
    one.nameservers.extend(stanza.words(&["dns-nameservers", "dns-nameserver"]));
    one.search.extend(stanza.words(&["dns-search", "dns-domain"]));
    let mac = stanza.get(&["hwaddress"]).map(|text| text.strip_prefix("ether").unwrap_or(text));
    one.mac = mac.and_then(address::mac).or(one.mac.take());
    let mtu = stanza.get(&["mtu"]).and_then(|text| connections.number(path, text));
    one.mtu = mtu.or(one.mtu);
    made_of(connections, one, stanza);
    for command in stanza.all(&["up", "post-up", "pre-up"]) {
        if let Some(route) = route(command, &one.name, path) {
            let is_default = route.destination == "default" && route.table.is_none();
            one.gateways.extend(route.gateway.clone().filter(|_| is_default));
            connections.route(route);
        }
    }
}

/// Bridges, bonds and virtual networks.
fn made_of(connections: &mut Connections<'_, '_>, one: &mut Interface, stanza: &Stanza) {
    const PORTS: [&str; 2] = ["bridge_ports", "bridge-ports"];
    const SLAVES: [&str; 3] = ["bond-slaves", "bond_slaves", "slaves"];
    const DEVICE: [&str; 2] = ["vlan-raw-device", "vlan_raw_device"];
    const WORDS: [&str; 3] = ["none", "all", "regex"];
    let has = |start: &str| stanza.options.iter().any(|(key, _)| key.starts_with(start));
    let members = |names| stanza.words(names).filter(|word| !WORDS.contains(&word.as_str()));
    let is_port = stanza.get(&["bond-master", "bond_master"]).is_some();
    let kind = if stanza.get(&PORTS).is_some() {
        one.members.extend(members(&PORTS));
        Some("bridge")
    } else if stanza.get(&SLAVES).is_some() || (has("bond-mode") || has("bond_mode")) && !is_port {
        one.members.extend(members(&SLAVES));
        Some("bond")
    } else if let Some(device) = stanza.get(&DEVICE) {
        one.members.push(device.to_owned());
        let digits = one.name.trim_start_matches(|c: char| !c.is_ascii_digit());
        let id = stanza.get(&["vlan-id", "vlan_id"]);
        let last = one.name.rsplit_once('.').map_or(digits, |(_, number)| number);
        one.vlan = match id {
            Some(id) => connections.number(&stanza.path, id),
            None => last.parse().ok(),
        };
        Some("vlan")
    } else if let Some((device, number)) = one.name.rsplit_once('.')
        && let Ok(number) = number.parse()
    {
        one.vlan = Some(number);
        one.members.push(device.to_owned());
        Some("vlan")
    } else if has("wpa-") || has("wireless-") {
        Some("wifi")
    } else {
        None
    };
    one.kind = kind.map(str::to_owned).or(one.kind.take());
}

/// The route that a command adds: `ip route add …`, or `route add -net …`.
fn route(command: &str, name: &str, path: &str) -> Option<Route> {
    let command = command.split(['|', '&', ';', '>']).next()?;
    let mut words = command.split_whitespace().peekable();
    let program = words.next()?.rsplit('/').next()?;
    while words.peek().is_some_and(|word| matches!(*word, "-4" | "-6" | "-A" | "inet6" | "inet")) {
        words.next();
    }
    let mut route = match program {
        "ip" => {
            words.next().filter(|word| matches!(*word, "route" | "r" | "ro"))?;
            words.next().filter(|word| matches!(*word, "add" | "a" | "replace" | "append"))?;
            address::route(words, path)?
        }
        "route" => {
            words.next().filter(|word| *word == "add")?;
            while words.peek().is_some_and(|word| matches!(*word, "-net" | "-host")) {
                words.next();
            }
            let to = words.next()?;
            let mut route = Route { evidence: path.into(), ..Route::default() };
            let mut mask = None;
            while let Some(word) = words.next() {
                match word {
                    "netmask" => mask = words.next().and_then(address::prefix),
                    "gw" => route.gateway = words.next().map(str::to_owned),
                    "dev" => route.interface = words.next().map(str::to_owned),
                    "metric" => route.metric = words.next().and_then(|word| word.parse().ok()),
                    _ => {}
                }
            }
            route.destination = address::destination(&address::joined(to, mask));
            let known = route.destination == "default" || address::is_address(&route.destination);
            known.then_some(route)?
        }
        _ => return None,
    };
    // The variable stands for the interface itself.
    if route.interface.as_deref().is_none_or(|device| device.contains('$')) {
        route.interface = Some(name.to_owned());
    }
    Some(route)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn stanzas_and_what_they_include() {
        let tree = memory::tree(&[
            ("/etc/network/interfaces", b"# comment
auto lo eth0
iface lo inet loopback
source interfaces.d/*
source-directory more
iface base inet static
    netmask 255.255.255.0
    mtu 1400
iface eth0 inet static inherits base
    address 192.0.2.7
    gateway 192.0.2.1
    dns-nameservers 192.0.2.53 \\
       192.0.2.54
    hwaddress ether 00:11:22:33:44:55
    up ip route add 10.0.0.0/8 via 192.0.2.2 dev $IFACE metric 5 || true
    up route add -net 172.16.0.0 netmask 255.240.0.0 gw 192.0.2.3
iface eth0 inet6 auto
"),
            ("/etc/network/interfaces.d/one", b"allow-hotplug eth1\niface eth1 inet dhcp\nbond-master bond0\n"),
            ("/etc/network/interfaces.d/.hidden", b"iface hidden inet dhcp\n"),
            ("/etc/network/more/two", b"iface bond0 inet manual\n bond-mode 1\niface vlan5 inet dhcp\n vlan-raw-device eth0\niface eth0.7 inet static\n address 10.1.2.3\niface br0\n bridge-ports eth2 eth3\n use dhcp\n"),
            ("/etc/network/more/two.bak", b"iface backup inet dhcp\n"),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        found.tidy();
        let by_name: HashMap<&str, &Interface> =
            found.interfaces.iter().map(|one| (one.name.as_str(), one)).collect();
        assert!(!by_name.contains_key("hidden") && !by_name.contains_key("backup"));
        let eth0 = by_name["eth0"];
        assert_eq!(eth0.addresses, ["192.0.2.7/24"]);
        assert_eq!((eth0.mtu, eth0.dhcp4, eth0.dhcp6), (Some(1400), Some(false), Some(true)));
        assert_eq!(eth0.nameservers, ["192.0.2.53", "192.0.2.54"]);
        assert_eq!((eth0.mac.as_deref(), eth0.automatic), (Some("00:11:22:33:44:55"), Some(true)));
        assert_eq!((by_name["eth1"].dhcp4, by_name["eth1"].automatic), (Some(true), Some(true)));
        assert_eq!(by_name["bond0"].members, ["eth1"]);
        assert_eq!((by_name["vlan5"].vlan, by_name["vlan5"].automatic), (Some(5), Some(false)));
        assert_eq!(
            (by_name["eth0.7"].vlan, &by_name["eth0.7"].addresses[0][..]),
            (Some(7), "10.1.2.3/8")
        );
        assert_eq!((by_name["br0"].dhcp4, by_name["br0"].members.len()), (Some(true), 2));
        let routes: Vec<_> = found.routes.iter().map(|route| route.destination.as_str()).collect();
        assert_eq!(routes, ["10.0.0.0/8", "172.16.0.0/12"]);
        assert_eq!(found.routes[0].interface.as_deref(), Some("eth0"));
        assert!(files.into_problems().is_empty());
    }

    #[test]
    fn a_card_is_configured_under_another_name() {
        let text = b"auto eth1=work\niface work inet static\n address 192.0.2.7/24\n";
        let tree = memory::tree(&[("/etc/network/interfaces", text)]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let [one] = &found.interfaces[..] else { unreachable!() };
        assert_eq!((&one.name[..], one.automatic), ("eth1", Some(true)));
    }

    #[test]
    fn cards_that_share_a_name_and_cards_by_a_pattern() {
        let text = b"auto eth1=work eth2=work /usb*=stick mac/00:11:22:33:44:55=lan /en*
iface base inet manual
 mtu 1400
iface work inet dhcp inherits base
iface stick inet dhcp
iface lan inet dhcp
iface eno1 inet dhcp
iface wlan0 inet dhcp
";
        let tree = memory::tree(&[("/etc/network/interfaces", text)]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let shown: Vec<_> = found
            .interfaces
            .iter()
            .map(|one| (&one.name[..], one.mac.as_deref(), one.mtu, one.automatic))
            .collect();
        let expected = [
            ("eth1", None, Some(1400), Some(true)),
            ("eth2", None, Some(1400), Some(true)),
            ("usb*", None, None, Some(true)),
            ("*", Some("00:11:22:33:44:55"), None, Some(true)),
            ("eno1", None, None, Some(true)),
            ("wlan0", None, None, Some(false)),
        ];
        assert_eq!(shown, expected);
        assert_eq!(found.interfaces[0].profile.as_deref(), Some("work"));
    }

    #[test]
    fn files_that_include_themselves_end() {
        let tree = memory::tree(&[
            ("/etc/network/interfaces", b"source /etc/network/*\nauto a b\niface a inet static inherits b\niface b inet static inherits a\n mtu 9\n"),
        ]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        assert_eq!(found.interfaces.len(), 2);
        assert_eq!(found.interfaces[0].mtu, Some(9));
    }
}
