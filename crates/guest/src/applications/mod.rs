//! What a system is there for.

use fathom_report::{Application, Listing, Package, Service};

use crate::files::Files;

/// Everything that is recognised.
pub(crate) fn all(
    _files: &Files<'_>,
    _packages: &Listing<Package>,
    _services: &Listing<Service>,
) -> Listing<Application> {
    Listing::unknown("this version does not look for them")
}
