//! Whether the machine waits for a restart. Some of the marks that Windows sets are kept in memory
//! only, so that nothing here is no proof of the contrary.

use fathom_report::{Listing, Setting};

use super::super::registry::{Name, Registry};
use super::{HIDES, has_key};
use crate::files::Read;

const SERVICING: &str = r"Microsoft\Windows\CurrentVersion\Component Based Servicing";
const SESSION: &str = r"Control\Session Manager";

/// Marks that are keys.
const KEYS: [(&str, &str); 4] = [
    (
        "pending-restart.servicing",
        r"Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    ),
    (
        "pending-restart.servicing-in-progress",
        r"Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootInProgress",
    ),
    (
        "pending-restart.packages",
        r"Microsoft\Windows\CurrentVersion\Component Based Servicing\PackagesPending",
    ),
    (
        "pending-restart.windows-update",
        r"Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
    ),
];

/// What the servicing stack does at the next start.
const OPERATIONS: &str = "/Windows/WinSxS/pending.xml";

/// Marks of a restart that has not been.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Setting> {
    let mut settings = Vec::new();
    let mut set = |name: &str, value: String, place: String| {
        let evidence = Some(place.into());
        settings.push(Setting { name: name.to_owned(), value, evidence });
    };
    if let Read::Unread(why) = registry.key(Name::Software, SERVICING) {
        return Listing::unknown(why);
    }
    for (name, path) in KEYS {
        if let Some(place) = has_key(registry, Name::Software, path) {
            set(name, "yes".to_owned(), place);
        }
    }
    match registry.control_set(SESSION) {
        Read::There(session) => {
            let values = session.values();
            for value in ["PendingFileRenameOperations", "PendingFileRenameOperations2"] {
                if let Read::There(files) = values.texts(value) {
                    // Pairs of what is renamed and what it is to be called.
                    let many = files.iter().filter(|file| file.starts_with(r"\??\")).count();
                    if many > 0 {
                        let value_of = format!("{many} files");
                        set("pending-restart.file-renames", value_of, values.place(value));
                    }
                }
            }
        }
        Read::Absent => {}
        Read::Unread(why) => return Listing::unknown(why),
    }
    if registry.files.exists(OPERATIONS, HIDES) {
        set("pending-restart.servicing-operations", "yes".to_owned(), OPERATIONS.to_owned());
    }
    rename(registry, &mut set);
    Listing::complete(settings, Vec::new())
}

/// A new name that the machine takes at its next start.
fn rename(registry: &Registry<'_>, set: &mut impl FnMut(&str, String, String)) {
    let parameters = registry.said_of_control_set(r"Services\Tcpip\Parameters");
    let (new, old) = (parameters.text(&["NV Hostname"]), parameters.text(&["Hostname"]));
    if let (Some(new), Some(old)) = (new.value(), old.value())
        && !new.eq_ignore_ascii_case(old)
    {
        let place = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\NV Hostname";
        set("pending-restart.rename", format!("{old} becomes {new}"), place.to_owned());
    }
}
