//! The script of the administrator that is run last when the system starts, where it can be run.

use fathom_filesystem::FileType;
use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::HIDES;
use super::init::Init;
use crate::files::{Files, Read};

/// Debian's, and Red Hat's, of which the first is a link to the second there.
const SCRIPTS: [&str; 2] = ["/etc/rc.d/rc.local", "/etc/rc.local"];

/// What has systemd run it.
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/systemd-rc-local-generator",
    "/lib/systemd/system-generators/systemd-rc-local-generator",
];
const UNIT: &str = "rc-local.service";

/// The script, if there is one; `services` are what else is started.
pub(super) fn script(
    files: &Files<'_>,
    init: &Init,
    services: &Listing<Service>,
) -> Listing<Service> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    for path in SCRIPTS {
        let metadata = match files.found(path, HIDES) {
            Read::There(found) => found.metadata(),
            Read::Absent => continue,
            Read::Unread(why) => {
                listing.hide(why);
                continue;
            }
        };
        let enabled = match metadata {
            Ok(metadata) if metadata.file_type != FileType::File => continue,
            Ok(metadata) if metadata.mode & 0o111 == 0 => Fact::known(Enabled::Disabled, path),
            Ok(_) => runs(files, init, services, path),
            Err(error) => {
                files.note(&error, path, HIDES);
                Fact::unknown(error.to_string())
            }
        };
        listing.evidence.push(path.into());
        listing.items.push(Service {
            kind: ServiceKind::Sysv,
            name: "rc.local".to_owned(),
            enabled,
            description: None,
            commands: vec![format!("{path} start")],
            further_commands: Vec::new(),
            user: Some("root".to_owned()),
            triggers: Vec::new(),
            start: None,
            evidence: vec![path.into()],
        });
        break;
    }
    listing
}

/// Whether something runs the script, which can be run.
fn runs(files: &Files<'_>, init: &Init, services: &Listing<Service>, path: &str) -> Fact<Enabled> {
    if !init.takes_units() {
        return Fact::unknown("whether a script of the start runs it was not looked at");
    }
    let unit = services.items.iter().find(|service| service.name == UNIT);
    match unit.map(|unit| &unit.enabled) {
        Some(Fact::Known { value: Enabled::Masked, evidence }) => {
            return Fact::Known { value: Enabled::Disabled, evidence: evidence.clone() };
        }
        Some(Fact::Known { value: Enabled::Enabled, .. }) => {
            return Fact::known(Enabled::Enabled, path);
        }
        Some(Fact::Unknown { reason }) => return Fact::unknown(reason.clone()),
        _ => {}
    }
    match GENERATORS.iter().any(|generator| files.exists(generator, HIDES)) {
        true => Fact::known(Enabled::Enabled, path),
        false => Fact::unknown("nothing that runs it is known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn it_is_run_where_it_can_be() {
        let generator: (&str, &[u8]) = (GENERATORS[0], b"");
        let services = Listing::complete(Vec::new(), Vec::new());
        for (files, init, expected) in [
            (&[("/etc/rc.local*", &b""[..]), generator][..], Init::Systemd, Some(Some(true))),
            (&[("/etc/rc.local", b""), generator], Init::Systemd, Some(Some(false))),
            (&[("/etc/rc.local*", b"")], Init::Systemd, Some(None)),
            (&[("/etc/rc.local*", b"")], Init::Sysv, Some(None)),
            (
                &[("/etc/rc.local -> rc.d/rc.local", b""), ("/etc/rc.d/rc.local*", b""), generator],
                Init::Systemd,
                Some(Some(true)),
            ),
            (&[generator], Init::Systemd, None),
        ] {
            let tree = memory::tree(files);
            let found = script(&Files::new(&tree), &init, &services).items;
            let is_on = |one: &Service| one.enabled.value().map(|it| *it == Enabled::Enabled);
            assert_eq!(found.first().map(is_on), expected, "{files:?} {init:?}");
            assert!(found.len() < 2);
        }
    }
}
