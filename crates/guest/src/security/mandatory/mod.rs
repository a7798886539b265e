//! What confines programs beyond permissions, as it will when the system starts.

mod apparmor;
mod selinux;

use fathom_report::{Listing, MandatoryAccess};

use super::Known;
use super::arguments::Arguments;
use crate::files::Files;

/// Those that are there.
pub(super) fn of(files: &Files<'_>, known: &Known<'_>) -> Listing<MandatoryAccess> {
    let arguments = Arguments::of(known.boot);
    let mut listing = selinux::of(files, known.packages, arguments.as_ref());
    listing.join(apparmor::of(files, known.services, arguments.as_ref()));
    if listing.items.is_empty() && listing.reason.is_none() {
        listing.reason = Some("neither SELinux nor AppArmor is set up".to_owned());
    }
    listing
}
