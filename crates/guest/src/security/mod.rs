//! How a system is guarded: a file or a folder a topic.

mod arguments;
mod audit;
mod certificates;
mod deep;
mod glob;
mod late;
mod mandatory;
mod open_files;
mod password;
mod secure_boot;
mod settings;
pub(crate) mod sshd;
mod sysctl;
mod updates;

use fathom_report::{Boot, Listing, Mount, Package, Security, Service, Users};

use crate::files::Files;
use crate::walk::Walked;
pub(crate) use deep::Candidates;

/// What other parts of the report say, and this one builds on.
pub(crate) struct Known<'a> {
    pub(crate) packages: &'a Listing<Package>,
    pub(crate) boot: &'a Boot,
    pub(crate) services: &'a Listing<Service>,
    pub(crate) users: &'a Users,
    pub(crate) mounts: &'a Listing<Mount>,
}

/// Everything that guards it. After a walk over every file, what it came to is looked at, and otherwise
/// the usual folders.
pub(crate) fn of(
    files: &Files<'_>,
    known: &Known<'_>,
    candidates: Candidates,
    walked: Option<&Walked>,
) -> Security {
    let (open, certificates) = match walked {
        Some(walked) => deep::everything(files, candidates, walked),
        None => (open_files::usual(files), certificates::usual(files)),
    };
    let arguments = arguments::Arguments::of(known.boot);
    let arguments = arguments.as_ref();
    let kernel_parameters = files.listing(|| sysctl::of(files, known.services, arguments));
    let updates = updates::of(files, known);
    let (secure_boot, shim) = secure_boot::of(files, known.boot);
    let others = updates.settings.into_iter().chain(shim).collect();
    Security {
        sshd: sshd::of(files, known.packages, known.services),
        mandatory_access: files.listing(|| mandatory::of(files, known)),
        password_policy: files.listing(|| password::of(files)),
        set_id: open.set_id,
        world_writable: open.world_writable,
        certificates,
        audit: audit::of(files, known.services, arguments),
        updates: updates.updates,
        secure_boot,
        settings: files.listing(|| settings::of(files, known, &kernel_parameters, others)),
        kernel_parameters,
    }
}
