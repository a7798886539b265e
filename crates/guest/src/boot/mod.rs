//! What a system starts with.

use fathom_report::{Boot, Fact, Listing};

use crate::files::Files;

/// Kernels, boot loaders and the drivers that are there when it starts.
pub(crate) fn of(_files: &Files<'_>) -> Boot {
    let why = "this version does not look for it";
    Boot {
        kernels: Listing::unknown(why),
        default: Fact::unknown(why),
        firmware: Listing::unknown(why),
        drivers: Listing::unknown(why),
    }
}
