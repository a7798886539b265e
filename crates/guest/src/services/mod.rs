//! What a system starts: by itself, at some time, or when it is asked.

mod cron;
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
    let mut scripts = sysv::scripts(files);
    // systemd takes a script only where it has no unit of the name.
    scripts.items.retain(|script| !native.contains(&named(&script.name)));
    all.join(scripts);
    all.join(cron::lines(files));
    if all.items.is_empty() && all.reason.is_none() {
        all.reason = Some("nothing that starts services is there".to_owned());
    }
    all
}
