//! What a system starts: by itself, at some time, or when it is asked.

mod cron;
mod inetd;
mod init;
mod inittab;
mod once;
mod openrc;
mod program;
mod rc_local;
mod starts;
pub(crate) mod systemd;
mod sysv;

use fathom_report::{Evidence, Fact, Listing, Service};

use self::init::Init;
pub(crate) use self::starts::starts;
use crate::files::Files;

/// What the report loses if a file cannot be read.
const HIDES: &str = "services";

/// Everything that is started by the system's own means.
pub(crate) fn all(files: &Files<'_>) -> Listing<Service> {
    let init = Init::of(files);
    let mut all = of_init(files, &init);
    all.join(rc_local::script(files, &init, &all));
    let timed = cron::all(files, &all);
    let asked = inetd::all(files, &all);
    all.join(timed);
    all.join(asked);
    if init.takes_units() {
        all.join(systemd::units_of_accounts(files));
    }
    all.join(once::at(files));
    if all.items.is_empty() && all.reason.is_none() {
        all.reason = Some("nothing that starts services is there".to_owned());
    }
    all
}

/// What init starts.
fn of_init(files: &Files<'_>, init: &Init) -> Listing<Service> {
    let mut all = match init.takes_units() {
        true => systemd::units(files),
        // What says that the units which may lie there do not count.
        false => Listing::complete(Vec::new(), vec![Evidence::from("/sbin/init")]),
    };
    let named = |name: &str| format!("{name}.service");
    let native: Vec<String> = all.items.iter().map(|service| service.name.clone()).collect();
    let openrc = match init.takes_runlevels() {
        true => openrc::scripts(files),
        false => Listing::complete(Vec::new(), Vec::new()),
    };
    let mut scripts = sysv::scripts(files, init);
    // systemd takes a script only where it has no unit of the name, and OpenRC has its own.
    scripts.items.retain(|script| {
        !native.contains(&named(&script.name))
            && openrc.items.iter().all(|service| service.name != script.name)
    });
    all.join(openrc);
    all.join(scripts);
    if init.takes_inittab() {
        all.join(inittab::lines(files, init));
    }
    if let Init::Unknown(why) = init {
        for service in &mut all.items {
            service.enabled = Fact::unknown(format!("which program is init is not known: {why}"));
        }
    }
    if let Some(why) = init.unread() {
        all.hide(why);
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use fathom_block::Error;
    use fathom_filesystem::Unavailable;
    use fathom_report::Coverage;

    use super::*;
    use crate::memory;

    /// A folder that cannot be read may hold anything.
    #[test]
    fn folders_that_cannot_be_read_make_the_list_partial() {
        for folder in [
            "/etc/init.d",
            "/etc/rc3.d",
            "/etc/runlevels",
            "/etc/runlevels/default",
            "/etc/cron.daily",
            "/var/spool/cron/atjobs",
            "/etc/systemd/system",
        ] {
            let inside = format!("{folder}/inside");
            let files: [(&str, &[u8]); 2] = [(&inside, b""), ("/etc/runlevels/boot/x", b"")];
            let mut tree = memory::tree(&files);
            let why = Error::corrupt("directory", 0, "it is damaged");
            tree.mount(folder.as_bytes(), Arc::new(Unavailable::new(None, why))).unwrap();
            let files = Files::new(&tree);
            let all = files.listing(|| all(&files));
            assert_ne!(all.coverage, Coverage::Complete, "{folder}");
            assert!(all.reason.unwrap().contains("it is damaged"), "{folder}");
        }
    }

    const UNITS: [(&str, &[u8]); 6] = [
        ("/lib/systemd/system/ssh.service", b"[Install]\nWantedBy=multi-user.target\n"),
        (
            "/etc/systemd/system/multi-user.target.wants/ssh.service -> /lib/systemd/system/ssh.service",
            b"",
        ),
        ("/etc/init.d/ssh*", b""),
        ("/etc/init.d/hostname.sh*", b""),
        ("/etc/rc2.d/K01ssh -> ../init.d/ssh", b""),
        ("/etc/rcS.d/S01hostname.sh -> ../init.d/hostname.sh", b""),
    ];

    fn shown(init: (&str, &[u8])) -> (Vec<String>, Coverage) {
        let inittab: (&str, &[u8]) = ("/etc/inittab", b"id:2:initdefault:\n1:2:respawn:getty\n");
        let rest = [init, inittab, ("/lib/systemd/systemd", b""), ("/etc/rc3.d/S01ssh", b"")];
        let tree = memory::tree(&UNITS.into_iter().chain(rest).collect::<Vec<_>>());
        let all = all(&Files::new(&tree));
        let state = |one: &Service| one.enabled.value().map(|state| format!("{state:?}"));
        let items = all.items.iter();
        let items = items.map(|one| format!("{} {}", one.name, state(one).unwrap_or_default()));
        (items.collect(), all.coverage)
    }

    /// Units count where systemd is init, and scripts where it is not.
    #[test]
    fn init_decides_what_counts() {
        let (systemd, coverage) = shown(("/sbin/init -> /lib/systemd/systemd", b""));
        assert_eq!(systemd, ["ssh.service Enabled", "hostname Enabled"]);
        assert_eq!(coverage, Coverage::Complete);
        let (sysv, coverage) = shown(("/sbin/init", b"INIT: /etc/inittab"));
        assert_eq!(sysv, ["hostname.sh Enabled", "ssh Disabled", "getty Enabled"]);
        assert_eq!(coverage, Coverage::Complete);
        let (unknown, coverage) = shown(("/sbin/init", b"something"));
        assert_eq!(unknown, ["ssh.service ", "hostname ", "getty "]);
        assert_eq!(coverage, Coverage::Partial);
    }
}
