//! Where a server is: a name that is asked for, and the addresses that a connection may go to.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

/// An address that no connection may go to.
#[derive(Clone, Debug)]
pub struct Forbidden(pub IpAddr);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its name leads to {}, where nothing may be fetched from", self.0)
    }
}

impl std::error::Error for Forbidden {}

type Names = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;
type Judge = dyn Fn(IpAddr) -> bool + Send + Sync;

/// Says where servers are. Every address is judged, and one that is forbidden forbids the name: a
/// connection goes to an address that was judged, so that it is of no use to change what a name means
/// in between.
#[derive(Clone)]
pub struct Resolver {
    names: Arc<Names>,
    admits: Arc<Judge>,
}

impl Resolver {
    /// Asks this system, and connects only to addresses that `admits` admits.
    pub fn new(admits: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        let names = |host: &str, port| Ok((host, port).to_socket_addrs()?.collect());
        Self { names: Arc::new(names), admits: Arc::new(admits) }
    }

    /// The same, but `names` is asked instead of this system.
    #[must_use]
    pub fn names(
        mut self,
        names: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.names = Arc::new(names);
        self
    }

    fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let found = (self.names)(host, port)?;
        match found.iter().find(|address| !(self.admits)(address.ip())) {
            Some(address) => Err(io::Error::other(Forbidden(address.ip()))),
            None => Ok(found),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl ureq::unversioned::resolver::Resolver for Resolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?.to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        // The system's own way of asking has no end that could be set.
        let (answer, answered) = sync_channel(1);
        let this = self.clone();
        thread::spawn(move || answer.send(this.addresses(&host, port)).ok());
        let found = match answered.recv_timeout(*timeout.after) {
            Ok(found) => found?,
            Err(RecvTimeoutError::Timeout) => return Err(ureq::Error::Timeout(timeout.reason)),
            Err(RecvTimeoutError::Disconnected) => return Err(ureq::Error::HostNotFound),
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(8) {
            addresses.push(address);
        }
        match addresses.is_empty() {
            true => Err(ureq::Error::HostNotFound),
            false => Ok(addresses),
        }
    }
}
