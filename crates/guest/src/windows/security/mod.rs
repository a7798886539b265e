//! How Windows is guarded, as its registry says it.

mod pending;
mod settings;
mod updates;

use fathom_report::{Fact, Listing, Security};

use super::registry::{Name, Registry};
use super::users::policy;
use crate::files::Read;

/// What the report loses if something cannot be read.
pub(super) const HIDES: &str = "security";

const STATE: &str = r"Control\SecureBoot\State";
const SSHD: &str = "/ProgramData/ssh/sshd_config";

/// How the system is guarded.
pub(super) fn of(registry: &Registry<'_>) -> Security {
    let mut settings = registry.listing(|| settings::all(registry));
    settings.join(registry.listing(|| pending::all(registry)));
    Security {
        sshd: sshd(registry),
        mandatory_access: nothing("Windows has neither SELinux nor AppArmor"),
        password_policy: registry.listing(|| policy::passwords(registry)),
        kernel_parameters: nothing("Windows has none of these; see its settings"),
        set_id: nothing("Windows has no programs that run as their owner"),
        world_writable: Listing::unknown(
            "this version does not read who may write files on Windows",
        ),
        certificates: Listing::unknown("this version does not read the stores of Windows"),
        audit: Fact::unknown("this version does not read the audit policy of Windows"),
        updates: updates::of(registry),
        secure_boot: secure_boot(registry),
        settings,
    }
}

/// There is none of it, for this reason.
fn nothing<T>(why: &str) -> Listing<T> {
    Listing::empty(why, Vec::new())
}

/// Whether OpenSSH is set up. Its configuration is that of OpenSSH, with defaults of its own.
fn sshd(registry: &Registry<'_>) -> Fact<fathom_report::Sshd> {
    match registry.files.found(SSHD, HIDES) {
        Read::There(_) => Fact::unknown(format!("this version does not read {SSHD}")),
        Read::Absent => Fact::absent([SSHD]),
        Read::Unread(why) => Fact::unknown(why),
    }
}

/// What the firmware said when the system last started.
fn secure_boot(registry: &Registry<'_>) -> Fact<bool> {
    registry.said_of_control_set(STATE).number("UEFISecureBootEnabled").map(|number| number != 0)
}

/// Whether the key is there.
fn has_key(registry: &Registry<'_>, name: Name, path: &str) -> Option<String> {
    registry.key(name, path).there().map(|key| key.place().to_owned())
}
