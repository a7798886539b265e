//! How a system is guarded: a file a topic.

mod glob;
mod sshd;

use fathom_report::{
    Boot, Fact, Listing, Mount, Package, Security, Service, Users,
};

use crate::files::Files;
use crate::inspect::Options;

/// What other parts of the report say, and this one builds on.
pub(crate) struct Known<'a> {
    pub(crate) packages: &'a Listing<Package>,
    pub(crate) boot: &'a Boot,
    pub(crate) services: &'a Listing<Service>,
    pub(crate) users: &'a Users,
    pub(crate) mounts: &'a Listing<Mount>,
}

/// Everything that guards it.
pub(crate) fn of(files: &Files<'_>, known: &Known<'_>, _options: &Options) -> Security {
    let why = "this version does not look for it";
    Security {
        sshd: sshd::of(files, known.packages, known.services),
        mandatory_access: Listing::unknown(why),
        password_policy: Listing::unknown(why),
        kernel_parameters: Listing::unknown(why),
        set_id: Listing::unknown(why),
        world_writable: Listing::unknown(why),
        certificates: Listing::unknown(why),
        audit: Fact::unknown(why),
        updates: Fact::unknown(why),
        secure_boot: Fact::unknown(why),
        settings: Listing::unknown(why),
    }
}
