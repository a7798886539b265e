//! `https://` addresses: which are fetched from, and where their names may lead.
//!
//! An address is admitted only if its host stands in a list, letter by letter. It is taken apart by
//! rules that are stricter than those of any client, so that nobody after us can understand it
//! differently; and since a name may lead anywhere, the addresses that it leads to are judged again
//! whenever a connection is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

pub use fathom_block::source::Network;
use fathom_block::source::{HttpOptions, Resolver, Secret, is_public};

use super::failure::{Code, Refusal};

/// The longest address. Signed ones are long.
const MAX_ADDRESS: usize = 8 << 10;

type Names = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// From which servers images are fetched, and how. From none unless told so.
#[derive(Clone, Default)]
pub struct Https {
    hosts: BTreeSet<String>,
    networks: Vec<Network>,
    authorizations: BTreeMap<String, Secret>,
    ca_file: Option<PathBuf>,
    names: Option<Arc<Names>>,
}

impl Https {
    /// Fetches from these hosts: `images.example.org`, or with a port `images.example.org:8443`. Only
    /// whole names are compared, and an address of a number is none.
    pub fn new<T: AsRef<str>>(hosts: impl IntoIterator<Item = T>) -> Result<Self, Refusal> {
        let mut allowed = Self::default();
        for entry in hosts {
            let entry = entry.as_ref();
            let (host, port) = host_and_port(entry).map_err(|why| {
                Refusal::new(Code::InvalidRequest, format!("allowed host {entry:?}: {why}"))
            })?;
            allowed.hosts.insert(authority(&host, port));
        }
        Ok(allowed)
    }

    /// Lets names lead to these addresses too, although they are of no public network.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.networks.push(network);
        self
    }

    /// Sends this `Authorization` header to this one of the hosts.
    #[must_use]
    pub fn authorization(mut self, host: &str, value: Secret) -> Self {
        if let Ok((host, port)) = host_and_port(host) {
            self.authorizations.insert(authority(&host, port), value);
        }
        self
    }

    /// Trusts the certificates in this PEM file, and no others.
    #[must_use]
    pub fn ca_file(mut self, path: Option<PathBuf>) -> Self {
        self.ca_file = path;
        self
    }

    /// Asks `names` where a host is, instead of this system.
    #[must_use]
    pub fn names(
        mut self,
        names: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.names = Some(Arc::new(names));
        self
    }

    /// Refuses an address that is not fetched from. Nothing is asked of anybody.
    pub fn check(&self, url: &str) -> Result<(), Refusal> {
        let shown = shown(url);
        let refuse = |why: &str| Err(Refusal::path(&shown, why));
        let (host, port) = match take_apart(url) {
            Ok(parts) => parts,
            Err(why) => return refuse(why),
        };
        if !self.hosts.contains(&authority(&host, port)) {
            return refuse("its host is not among those that images are fetched from");
        }
        Ok(())
    }

    /// Whether a connection may go there.
    pub fn admits(&self, address: IpAddr) -> bool {
        is_public(address) || self.networks.iter().any(|network| network.contains(address))
    }

    /// How what is at `url` is fetched.
    pub(crate) fn options(&self, url: &str) -> HttpOptions {
        let judge = self.clone();
        let mut resolver = Resolver::new(move |address| judge.admits(address));
        if let Some(names) = self.names.clone() {
            resolver = resolver.names(move |host, port| names(host, port));
        }
        let options =
            HttpOptions::new().ca_file(self.ca_file.clone()).no_redirects().resolver(resolver);
        let secret = take_apart(url)
            .ok()
            .and_then(|(host, port)| self.authorizations.get(&authority(&host, port)));
        match secret {
            Some(secret) => options.authorization(secret.clone()),
            None => options,
        }
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https")
            .field("hosts", &self.hosts)
            .field("networks", &self.networks)
            .finish_non_exhaustive()
    }
}

fn authority(host: &str, port: u16) -> String {
    format!("{host}:{port}")
}

/// As an address may be shown: without what may be secret, and not too much of it.
fn shown(url: &str) -> String {
    let plain: String = url.chars().take(200).collect();
    let plain = plain.split(['?', '#']).next().unwrap_or_default();
    let plain = match plain.split_once("://") {
        Some((scheme, rest)) if rest.contains('@') => {
            format!("{scheme}://…@{}", rest.rsplit('@').next().unwrap_or_default())
        }
        _ => plain.to_owned(),
    };
    format!("{plain:?}")
}

/// The host, in small letters, and the port of an address.
fn take_apart(url: &str) -> Result<(String, u16), &'static str> {
    if url.len() > MAX_ADDRESS {
        return Err("the address is too long");
    }
    let Some(rest) = url.strip_prefix("https://") else {
        return Err("only https:// addresses are fetched");
    };
    // A client may drop what it does not expect here, and then read something else.
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("an address has only visible ASCII characters; encode the others");
    }
    if url.contains(['\\', '#', '"', '<', '>', '^', '`', '{', '|', '}']) {
        return Err("that character does not belong into an address");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    if !path.starts_with('/') {
        return Err("an address has a path behind its host");
    }
    let path = path.split('?').next().unwrap_or_default();
    let decoded = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/");
    if decoded.split('/').any(|part| matches!(part, "." | "..")) {
        return Err("its path leads upwards");
    }
    let lower = url.to_ascii_lowercase();
    if ["%00", "%0a", "%0d", "%5c", "%25%"].iter().any(|part| lower.contains(part)) {
        return Err("its path holds control characters");
    }
    host_and_port(host)
}

/// A host, in small letters, and its port, by rules under which a name is a name.
fn host_and_port(text: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = match text.split_once(':') {
        None => (text, 443),
        Some((host, port)) => {
            let plain = !port.is_empty()
                && port.len() <= 5
                && !port.starts_with('0')
                && port.bytes().all(|byte| byte.is_ascii_digit());
            match port.parse() {
                Ok(port) if plain => (host, port),
                _ => return Err("that is no host with a port"),
            }
        }
    };
    if text.contains('@') {
        return Err("an address with user information is not fetched");
    }
    if text.contains(['[', ']']) {
        return Err("an address of a number is not fetched: hosts have names");
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.is_empty() || host.len() > 253 || !host.split('.').all(is_label) {
        return Err("that is no name of a host");
    }
    // Whatever ends in a number some clients take for an address: 127.1, 0x7f.1, 2130706433.
    let last = host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let digits = last.strip_prefix("0x").unwrap_or(&last);
    if last.bytes().all(|byte| byte.is_ascii_digit())
        || (last.starts_with("0x") && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err("an address of a number is not fetched: hosts have names");
    }
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_names_may_lead() {
        let https = Https::default();
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.0.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2001:10::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:c0a8:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert!(!https.admits(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "52.216.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "169.253.1.1",
            "2600:1f18::1",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:4860::1",
        ] {
            assert!(https.admits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_network_that_is_named_is_admitted_and_no_other() {
        let https = Https::default()
            .network("10.1.0.0/16".parse().unwrap())
            .network("fd00:1::/32".parse().unwrap());
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.2.3", false),
            ("fd00:1::5", true),
            ("fd00:2::5", false),
        ] {
            assert_eq!(https.admits(address.parse().unwrap()), expected, "{address}");
        }
        for text in ["", "10.0.0.0/33", "::/129", "host/8", "10.0.0.0/", "10.0.0/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("127.0.0.1".parse().unwrap()));
        assert!(!all.contains("::1".parse().unwrap()));
    }

    #[test]
    fn only_names_are_put_into_the_list() {
        for host in
            ["", "127.0.0.1", "[::1]", "*", "*.example.org", "a/b", "user@host", "host:0", "host:"]
        {
            assert!(Https::new([host]).is_err(), "{host}");
        }
        let https = Https::new(["Images.example.org", "other.example.org:8443"]).unwrap();
        for (url, expected) in [
            ("https://images.example.org/a", true),
            ("https://IMAGES.example.org:443/a?x=%2F", true),
            ("https://images.example.org:8443/a", false),
            ("https://other.example.org:8443/a", true),
            ("https://other.example.org/a", false),
        ] {
            assert_eq!(https.check(url).is_ok(), expected, "{url}");
        }
    }

    #[test]
    fn a_refusal_shows_no_secret() {
        let https = Https::default();
        for url in ["https://u:secret@host/a", "https://host/a?sig=secret", "http://host/?secret"] {
            let refusal = https.check(url).unwrap_err();
            assert!(!refusal.to_string().contains("secret"), "{refusal}");
        }
    }
}
