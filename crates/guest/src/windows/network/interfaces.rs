//! Interfaces: their addresses, by the identifier that Windows gives each card. The name that people
//! see and the hardware address that is forced on a card stand elsewhere.

use std::net::Ipv4Addr;

use fathom_report::{Interface, Listing};

use super::super::registry::{Node, Registry, Values};
use crate::files::Read;

const INTERFACES: &str = r"Services\Tcpip\Parameters\Interfaces";
/// The class of network cards.
const CLASS: &str = "{4D36E972-E325-11CE-BFC1-08002BE10318}";

/// More cards than this has no machine.
const MAX_CARDS: usize = 4096;

/// What is known of a card beside its addresses.
#[derive(Default)]
struct Card {
    id: String,
    mac: Option<String>,
    kind: Option<String>,
}

/// Every interface that has addresses or asks for some, cards that are gone too: they come back as
/// they were.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Interface> {
    let interfaces = match registry.control_set(INTERFACES) {
        Read::There(interfaces) => interfaces,
        Read::Absent => {
            let place = format!(r"HKLM\SYSTEM\CurrentControlSet\{INTERFACES}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let cards = cards(registry);
    let names = registry.control_set(&format!(r"Control\Network\{CLASS}")).there();
    let keys = registry.first(interfaces.children(), MAX_CARDS, interfaces.place());
    let all = keys.iter().filter_map(|key| {
        let card = cards.iter().find(|card| card.id.eq_ignore_ascii_case(key.name()));
        interface(key, card, names.as_ref())
    });
    Listing::complete(all.collect(), vec![interfaces.place().into()])
}

fn cards(registry: &Registry<'_>) -> Vec<Card> {
    let Read::There(class) = registry.control_set(&format!(r"Control\Class\{CLASS}")) else {
        return Vec::new();
    };
    let card = |key: Node<'_>| {
        // Some keys there are no cards.
        key.name().parse::<u32>().ok()?;
        let values = key.values();
        let text = |name: &str| values.text(name).there();
        Some(Card {
            id: text("NetCfgInstanceId")?,
            mac: text("NetworkAddress").and_then(|digits| mac(&digits)),
            kind: values.number("*IfType").there().and_then(kind).map(str::to_owned),
        })
    };
    let keys = registry.first(class.children(), MAX_CARDS, class.place());
    keys.into_iter().filter_map(card).collect()
}

/// The kind of interface, by the number of IANA.
fn kind(number: u32) -> Option<&'static str> {
    match number {
        6 => Some("ethernet"),
        23 => Some("ppp"),
        24 => Some("loopback"),
        71 => Some("wifi"),
        131 => Some("tunnel"),
        _ => None,
    }
}

/// Twelve digits, with or without signs between them, as `52:54:00:12:34:56`.
fn mac(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let is_clean = text.chars().all(|it| it.is_ascii_hexdigit() || matches!(it, '-' | ':'));
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>().to_ascii_lowercase());
    (is_clean && digits.len() == 12).then(|| pairs.collect::<Vec<_>>().join(":"))
}

fn interface(key: &Node<'_>, card: Option<&Card>, names: Option<&Node<'_>>) -> Option<Interface> {
    let values = key.values();
    let mut evidence = vec![key.place().into()];
    let connection =
        names.and_then(|names| names.child(&format!(r"{}\Connection", key.name())).there());
    let name = connection.as_ref().and_then(|it| it.values().text("Name").there());
    evidence.extend(connection.as_ref().map(|it| it.place().into()));
    let dhcp = values.number("EnableDHCP").there().map(|number| number != 0);
    let addresses = addresses(&values, "IPAddress", "SubnetMask");
    if dhcp.is_none() && addresses.is_empty() {
        return None;
    }
    let is_dhcp = dhcp == Some(true);
    let leased = addresses_of_lease(&values);
    Some(Interface {
        name: name.unwrap_or_else(|| key.name().to_owned()),
        manager: "windows".to_owned(),
        kind: card.and_then(|card| card.kind.clone()),
        mac: card.and_then(|card| card.mac.clone()),
        dhcp4: dhcp,
        dhcp6: None,
        // What was typed in once stays behind when the card asks for an address again.
        addresses: if is_dhcp { Vec::new() } else { addresses },
        gateways: if is_dhcp { Vec::new() } else { list(&values, "DefaultGateway") },
        nameservers: list(&values, "NameServer"),
        search: list(&values, "Domain"),
        mtu: values.number("MTU").there().filter(|mtu| (1..u32::MAX).contains(mtu)),
        leased: if is_dhcp { leased } else { Vec::new() },
        evidence,
        ..Interface::default()
    })
}

/// The texts of a value, which may be several, or one with commas or blanks between them.
fn list(values: &Values<'_>, name: &str) -> Vec<String> {
    let texts = values.texts(name).there().unwrap_or_default();
    let parts = texts.iter().flat_map(|text| text.split([',', ' ', ';']));
    parts.filter(|part| !part.is_empty() && *part != "0.0.0.0").map(str::to_owned).collect()
}

fn addresses(values: &Values<'_>, addresses: &str, masks: &str) -> Vec<String> {
    let masks = values.texts(masks).there().unwrap_or_default();
    let all = values.texts(addresses).there().unwrap_or_default();
    let one = |(index, address): (usize, &String)| {
        (address != "0.0.0.0").then(|| match masks.get(index).and_then(|mask| prefix(mask)) {
            Some(length) => format!("{address}/{length}"),
            None => address.clone(),
        })
    };
    all.iter().enumerate().filter_map(one).collect()
}

fn addresses_of_lease(values: &Values<'_>) -> Vec<String> {
    addresses(values, "DhcpIPAddress", "DhcpSubnetMask")
}

/// How many bits the mask covers, if they are all at its beginning.
pub(super) fn prefix(mask: &str) -> Option<u32> {
    let mask = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_hardware_addresses() {
        for (mask, length) in [
            ("255.255.255.0", Some(24)),
            ("0.0.0.0", Some(0)),
            ("255.255.255.255", Some(32)),
            ("255.0.255.0", None),
            ("x", None),
        ] {
            assert_eq!(prefix(mask), length, "{mask}");
        }
        assert_eq!(mac("525400ABCDEF").as_deref(), Some("52:54:00:ab:cd:ef"));
        assert_eq!(mac("52-54-00-AB-CD-EF").as_deref(), Some("52:54:00:ab:cd:ef"));
        assert!(mac("5254").is_none() && mac("525400ABCDEFé").is_none());
    }
}
