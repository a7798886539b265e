//! Networks by address and length of the prefix.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::text_value;

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

text_value!(
    Network,
    "network",
    "A network by address and length of the prefix, or one address.",
    "10.0.0.0/8",
    "2001:db8::/32"
);

/// The address as one of version 6, with how far to the right a prefix of its own begins.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (address.to_ipv6_mapped().to_bits(), 96),
        IpAddr::V6(address) => (address.to_bits(), 0),
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl Network {
    /// Whether the address lies in it. An address of version 4 that is written as one of version 6
    /// counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, shift) = bits(self.address);
        let (other, _) = bits(address);
        let mapped = |address: IpAddr| bits(address).0 >> 32 == 0xffff;
        let mask = mask(self.prefix + shift);
        // `::/0` is every address of version 6, not of version 4.
        mapped(self.address) == mapped(address) && own & mask == other & mask
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network; write it as 10.0.0.0/8 or 2001:db8::/32");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (own, shift) = bits(address);
        let most = 128 - shift;
        let prefix = match prefix {
            None => most,
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().map_err(|_| wrong())?
            }
            Some(_) => return Err(wrong()),
        };
        if prefix > most {
            return Err(format!("{text:?}: the prefix of such an address has at most {most} bits"));
        }
        let first = Ipv6Addr::from_bits(own & mask(prefix + shift));
        let first = match (address, first.to_ipv4_mapped()) {
            (IpAddr::V4(_), Some(first)) => IpAddr::V4(first),
            _ => IpAddr::V6(first),
        };
        if first != address {
            return Err(format!("{text:?} is an address within a network; write {first}/{prefix}"));
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn contains() {
        assert!(holds("10.0.0.0/8", "10.255.0.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "192.0.2.1"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(!holds("::/0", "192.0.2.1"));
        assert!(holds("192.0.2.1", "192.0.2.1"));
        assert!(!holds("192.0.2.1", "192.0.2.2"));
        assert!(holds("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
    }

    #[test]
    fn read_and_written() {
        for (text, shown) in
            [("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1", "192.0.2.1/32"), ("::1", "::1/128")]
        {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn refused() {
        for (text, why) in [
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("2001:db8::1/32", "write 2001:db8::/32"),
            ("10.0.0.0/33", "at most 32 bits"),
            ("::/129", "at most 128 bits"),
            ("10.0.0.0/", "is no network"),
            ("10.0.0.0/+8", "is no network"),
            ("10.0.0.0/255.0.0.0", "is no network"),
            ("example.com", "is no network"),
            ("", "is no network"),
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
