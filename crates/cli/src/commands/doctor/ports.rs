//! Whether what is listened on is free.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use fathom_config::Config;

use super::Findings;

pub(super) fn check(config: &Config, findings: &mut Findings) {
    look("server.listen", config.server.listen.get(), findings);
    if config.metrics.enabled {
        look("metrics.port", config.metrics.address(), findings);
    }
}

fn look(about: &str, address: SocketAddr, findings: &mut Findings) {
    match TcpListener::bind(address) {
        Ok(_) => findings.ok(about, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let what = format!("{address} is taken");
            findings.warning(about, what, "this is as it should be if fathom runs already");
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let what = format!("{address} may not be taken by this user");
            findings.wrong(about, what, "take a port from 1024 on");
        }
        Err(error) => {
            let what = format!("{address} cannot be taken: {error}");
            findings.wrong(about, what, "name an address that this host has");
        }
    }
}
