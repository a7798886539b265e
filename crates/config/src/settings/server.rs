//! The API.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::group;
use crate::value::{Address, Network, Size, Span};

group! {
    /// The API.
    pub struct Server {
        /// Where it listens. Beyond 127.0.0.1 it should have TLS, here or in a proxy before it.
        pub listen: Address,
        /// TLS; without it, HTTP is spoken in the clear.
        pub tls: ServerTls,
        /// Proxies whose X-Forwarded-For is believed.
        pub trusted_proxies: Vec<Network>,
        /// How long a request may take.
        pub request_timeout: Span,
        /// How many connections may be open at once. Where there are more, the one gives way that has
        /// been without a known caller for longest.
        #[schemars(range(min = 1))]
        pub max_connections: u32,
        /// How long a connection may be silent between requests, and the head of one may take.
        pub idle_timeout: Span,
        /// How large a request may be.
        pub body_limit: Size,
        /// How many items a page of a list has at most.
        #[schemars(range(min = 1))]
        pub page_limit: u32,
        /// How often one client may ask.
        pub rate_limit: RateLimit,
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080).into(),
            tls: ServerTls::default(),
            trusted_proxies: Vec::new(),
            request_timeout: Span::seconds(30),
            max_connections: 512,
            idle_timeout: Span::seconds(75),
            body_limit: Size::mebibytes(16),
            page_limit: 500,
            rate_limit: RateLimit::default(),
        }
    }
}

group! {
    /// The server's side of TLS.
    #[derive(Default)]
    pub struct ServerTls {
        /// The certificate and those that lead to its authority, in PEM.
        pub certificate: Option<PathBuf>,
        /// Its key, in PEM.
        pub key: Option<PathBuf>,
    }
}

group! {
    /// How often one client may ask.
    pub struct RateLimit {
        /// Requests a second in the long run; 0 for as many as it likes.
        pub per_second: u32,
        /// Requests at once.
        pub burst: u32,
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { per_second: 50, burst: 100 }
    }
}
