//! What stands in the way of moving a machine.

use fathom_report::{Concern, Listing, Storage, System, Undecided};

use crate::inspect::Options;

/// Everything that is known to stand in the way.
pub(crate) fn of(
    _systems: &[System],
    _storage: &Storage,
    _options: &Options,
) -> (Listing<Concern>, Vec<Undecided>) {
    (Listing::unknown("this version does not look for them"), Vec::new())
}
