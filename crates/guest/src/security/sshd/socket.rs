//! Where sshd listens if systemd listens for it: at what a socket names, and not at the ports of its own
//! files, unless a program at the start makes the one of the other, as Ubuntu's does since 24.04.

use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind, Setting};

use super::{HIDES, setting};
use crate::files::{Files, Read};

/// The sockets, and the services that listen by themselves.
const SOCKETS: [&str; 2] = ["ssh.socket", "sshd.socket"];
const SERVICES: [&str; 2] = ["ssh.service", "sshd.service"];

/// What makes sockets of the ports in sshd's own files.
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/sshd-socket-generator",
    "/lib/systemd/system-generators/sshd-socket-generator",
];

/// The settings that a socket decides.
const DECIDED: [&str; 2] = ["listenaddress", "port"];

/// Puts what a socket says in the place of what the files say. Where it cannot be told which of them
/// counts, neither is told.
pub(super) fn apply(
    files: &Files<'_>,
    services: &Listing<Service>,
    settings: &mut Vec<Setting>,
    unknown: &mut Vec<String>,
) {
    let named = |kind: ServiceKind, names: [&'static str; 2]| {
        let of_kind = services.items.iter().filter(move |it| it.kind == kind);
        of_kind.filter(move |service| names.contains(&service.name.as_str()))
    };
    let is_on = |service: &&Service| service.enabled.value() == Some(&Enabled::Enabled);
    let may_be_on = |service: &&Service| matches!(service.enabled, Fact::Unknown { .. });
    let socket = named(ServiceKind::Socket, SOCKETS).find(is_on);
    let perhaps = named(ServiceKind::Socket, SOCKETS).any(|service| may_be_on(&service));
    if socket.is_none() && !perhaps {
        return;
    }
    if GENERATORS.iter().any(|path| !matches!(files.found(path, HIDES), Read::Absent)) {
        return;
    }
    settings.retain(|setting| !DECIDED.contains(&setting.name.as_str()));
    let by_itself = named(ServiceKind::Service, SERVICES).any(|it| is_on(&it) || may_be_on(&it));
    let Some(socket) = socket.filter(|_| !by_itself) else {
        unknown.extend(DECIDED.map(str::to_owned));
        return;
    };
    let place = socket.evidence.last().map(|place| place.0.as_str());
    let mut ports: Vec<&str> = Vec::new();
    for stream in socket.triggers.iter().filter_map(|it| it.strip_prefix("ListenStream=")) {
        let is_port = |text: &str| text.parse::<u16>().is_ok();
        let (address, port) = match stream.rsplit_once(':') {
            _ if is_port(stream) => (format!("[::]:{stream}"), Some(stream)),
            Some((_, port)) if is_port(port) => (stream.to_owned(), Some(port)),
            _ => (stream.to_owned(), None),
        };
        settings.push(setting("listenaddress", address, place));
        if let Some(port) = port.filter(|port| !ports.contains(port)) {
            ports.push(port);
            settings.push(setting("port", port, place));
        }
    }
}
