//! Where something listens.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::text_value;

/// An IP address of this host and a port: `127.0.0.1:8080`, `[::]:8080`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(SocketAddr);

text_value!(
    Address,
    "address",
    "An IP address of this host and a port.",
    "127.0.0.1:8080",
    "[::]:8080"
);

impl Address {
    /// As the standard library has it.
    pub const fn get(self) -> SocketAddr {
        self.0
    }

    /// Whether others than this host can reach it.
    pub fn is_public(self) -> bool {
        !self.0.ip().to_canonical().is_loopback()
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        Err(match text.strip_prefix(':') {
            Some(port) if port.parse::<u16>().is_ok() => format!(
                "{text:?} does not say which address; write 127.0.0.1{text}, or 0.0.0.0{text} for all"
            ),
            _ => format!(
                "{text:?} is no IP address and port; write it as 127.0.0.1:8080 or [::]:8080"
            ),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written() {
        for (text, public) in [
            ("127.0.0.1:8080", false),
            ("[::1]:8080", false),
            ("[::ffff:127.0.0.1]:8080", false),
            ("0.0.0.0:8080", true),
            ("[::]:443", true),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.is_public()), (text, public));
        }
    }

    #[test]
    fn refused() {
        for (text, why) in [
            (":8080", "write 127.0.0.1:8080, or 0.0.0.0:8080 for all"),
            ("8080", "is no IP address and port"),
            ("localhost:8080", "is no IP address and port"),
            ("127.0.0.1:80800", "is no IP address and port"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
