//! Figures for Prometheus.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::group;

group! {
    /// Figures for Prometheus.
    pub struct Metrics {
        /// Whether there are figures.
        pub enabled: bool,
        /// The IP address that they are served on.
        pub listen: IpAddr,
        /// The port that they are served on.
        #[schemars(range(min = 1))]
        pub port: u16,
        /// The path that they are served at.
        pub path: String,
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 9090,
            path: "/metrics".into(),
        }
    }
}

impl Metrics {
    /// Where they are served.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.listen, self.port)
    }
}
