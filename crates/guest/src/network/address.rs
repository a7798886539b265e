//! Addresses, and the ways that they are written in.

use std::net::{IpAddr, Ipv4Addr};

use fathom_report::Route;

/// Whether it is an address, with or without the length of its prefix behind it.
pub(super) fn is_address(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    // An address of one link only may name it.
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|length| length <= longest))
}

/// The length of a prefix: written as such, or as the mask `255.255.255.0`.
pub(super) fn prefix(mask: &str) -> Option<u8> {
    let mask = mask.trim();
    if let Ok(length) = mask.parse::<u8>() {
        return (length <= 128).then_some(length);
    }
    let bits = match mask.parse::<IpAddr>().ok()? {
        IpAddr::V4(mask) => (u128::from(mask.to_bits()) << 96, 32),
        IpAddr::V6(mask) => (mask.to_bits(), 128),
    };
    let length = bits.0.leading_ones();
    // After the first zero there is no one.
    let whole = bits.0.checked_shl(length).unwrap_or(0) == 0;
    (whole && length <= bits.1).then_some(length as u8)
}

/// The address with the length of its prefix, which it may bring along.
pub(super) fn joined(address: &str, length: Option<u8>) -> String {
    match length {
        Some(length) if !address.contains('/') => format!("{address}/{length}"),
        _ => address.to_owned(),
    }
}

/// The length of the prefix that the address has by its class, as it was before 1993.
pub(super) fn class(address: &str) -> Option<u8> {
    match address.parse::<Ipv4Addr>().ok()?.octets()[0] {
        0..128 => Some(8),
        128..192 => Some(16),
        192..224 => Some(24),
        _ => None,
    }
}

/// Where a route leads, with one word for everywhere else.
pub(super) fn destination(text: &str) -> String {
    match text {
        "default" | "0/0" | "0.0.0.0/0" | "::/0" | "0.0.0.0/0.0.0.0" | "default6" => {
            "default".to_owned()
        }
        _ => match text.split_once('/') {
            Some((address, mask)) if mask.contains(['.', ':']) => joined(address, prefix(mask)),
            _ => text.to_owned(),
        },
    }
}

/// Whether a hardware address stands there, and not a word such as `random`.
pub(super) fn mac(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split([':', '-']).collect();
    let is_mac = matches!(parts.len(), 6 | 8 | 20)
        && parts
            .iter()
            .all(|part| matches!(part.len(), 1 | 2) && u8::from_str_radix(part, 16).is_ok());
    is_mac.then(|| parts.join(":").to_ascii_lowercase())
}

/// The name of a table, unless it is the one that counts for every packet.
pub(super) fn table(name: &str) -> Option<String> {
    (!matches!(name.trim(), "main" | "254" | "default" | "0" | "")).then(|| name.trim().to_owned())
}

/// The route that the words say, in the way of `ip route`: `default via 192.0.2.1 metric 100`.
pub(super) fn route<'a>(words: impl Iterator<Item = &'a str>, place: &str) -> Option<Route> {
    const TYPES: [&str; 2] = ["unicast", "to"];
    let mut words = words.skip_while(|word| TYPES.contains(word));
    let destination_of = words.next()?;
    let destination = destination(destination_of);
    if destination != "default" && !is_address(&destination) {
        return None;
    }
    let mut route = Route { destination, evidence: place.into(), ..Route::default() };
    while let Some(word) = words.next() {
        match word {
            "via" => {
                // A neighbour of another family has that before it.
                let gateway = words.next().filter(|word| !matches!(*word, "inet" | "inet6"));
                route.gateway = gateway.or_else(|| words.next()).map(str::to_owned);
            }
            "dev" => route.interface = words.next().map(str::to_owned),
            "table" => route.table = words.next().and_then(table),
            "metric" | "preference" => {
                route.metric = words.next().and_then(|word| word.parse().ok());
            }
            _ => {}
        }
    }
    Some(route)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lengths_of_prefixes() {
        for (mask, length) in [
            ("255.255.255.0", Some(24)),
            ("255.255.255.255", Some(32)),
            ("0.0.0.0", Some(0)),
            ("255.0.255.0", None),
            ("24", Some(24)),
            ("ffff:ffff:ffff:ffff::", Some(64)),
            ("129", None),
            ("256", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(prefix(mask), length, "{mask}");
        }
    }

    #[test]
    fn addresses() {
        for (text, good) in [
            ("192.0.2.7", true),
            ("192.0.2.7/24", true),
            ("192.0.2.7/33", false),
            ("2001:db8::7/64", true),
            ("fe80::1%eth0", true),
            ("2001:db8::7/129", false),
            ("192.0.2.7/", false),
            ("192.0.2", false),
            ("host", false),
            ("", false),
        ] {
            assert_eq!(is_address(text), good, "{text}");
        }
        assert_eq!(class("10.1.1.1"), Some(8));
        assert_eq!(class("192.0.2.7"), Some(24));
        assert_eq!(mac("00:16:3E:aa:bb:cc").unwrap(), "00:16:3e:aa:bb:cc");
        assert_eq!(mac("random"), None);
    }

    #[test]
    fn routes_in_the_way_of_ip() {
        let of = |text: &str| route(text.split_whitespace(), "x");
        let default = of("default via 192.0.2.1 dev eth0 metric 100").unwrap();
        assert_eq!(default.destination, "default");
        assert_eq!(default.gateway.unwrap(), "192.0.2.1");
        assert_eq!(default.interface.unwrap(), "eth0");
        assert_eq!(default.metric, Some(100));
        assert_eq!(of("10.0.0.0/255.0.0.0 via inet6 fe80::1").unwrap().destination, "10.0.0.0/8");
        assert!(of("here via there").is_none());
        assert!(of("").is_none());
    }
}
