//! What Windows starts: services and drivers, scheduled tasks, and what it runs when somebody logs
//! in.

mod autostart;
mod control;
mod task;
mod tasks;

use fathom_report::{Listing, Service};

use super::registry::Registry;

/// What the report loses if something cannot be read.
pub(super) const HIDES: &str = "services";

/// Everything that is started.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Service> {
    let mut all = registry.listing(|| control::services(registry));
    all.join(registry.listing(|| tasks::all(registry)));
    all.join(registry.listing(|| autostart::all(registry)));
    all
}
