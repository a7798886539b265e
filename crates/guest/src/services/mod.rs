//! What a system starts: by itself, at some time, or when it is asked.

mod cron;
mod once;
mod openrc;
mod systemd;
mod sysv;

use fathom_report::{Listing, Service};

use crate::files::Files;

/// What the report loses if a file cannot be read.
const HIDES: &str = "services";

/// Everything that is started by the system's own means.
pub(crate) fn all(files: &Files<'_>) -> Listing<Service> {
    let mut all = systemd::units(files);
    let named = |name: &str| format!("{name}.service");
    let native: Vec<String> = all.items.iter().map(|service| service.name.clone()).collect();
    let openrc = openrc::scripts(files);
    let mut scripts = sysv::scripts(files);
    // systemd takes a script only where it has no unit of the name, and OpenRC has its own.
    scripts.items.retain(|script| {
        !native.contains(&named(&script.name))
            && openrc.items.iter().all(|service| service.name != script.name)
    });
    all.join(openrc);
    all.join(scripts);
    all.join(cron::lines(files));
    all.join(once::anacron(files));
    all.join(once::at(files));
    if all.items.is_empty() && all.reason.is_none() {
        all.reason = Some("nothing that starts services is there".to_owned());
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
}
