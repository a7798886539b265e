//! Scripts of System V init: started where a folder of a runlevel has a link `S…` to them.

use std::collections::HashSet;

use fathom_filesystem::FileType;
use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::HIDES;
use crate::files::{Files, Read};

const SCRIPTS: [&str; 2] = ["/etc/init.d", "/etc/rc.d/init.d"];

/// The folders of the runlevels in which services run.
const LEVELS: [&str; 10] = [
    "/etc/rcS.d",
    "/etc/rc2.d",
    "/etc/rc3.d",
    "/etc/rc4.d",
    "/etc/rc5.d",
    "/etc/rc.d/rcS.d",
    "/etc/rc.d/rc2.d",
    "/etc/rc.d/rc3.d",
    "/etc/rc.d/rc4.d",
    "/etc/rc.d/rc5.d",
];

/// Files in the folder of the scripts that are none.
const NO_SCRIPTS: [&str; 6] = ["README", "functions", "skeleton", "rc", "rcS", "halt"];

/// Every script.
pub(super) fn scripts(files: &Files<'_>) -> Listing<Service> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    let mut started = HashSet::new();
    for level in LEVELS {
        match files.children(level, HIDES) {
            Read::There(links) => started.extend(links.iter().filter_map(|(name, _)| {
                let rest = name.strip_prefix('S')?;
                Some(rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).to_owned())
            })),
            Read::Absent => {}
            Read::Unread(why) => listing.hide(why),
        }
    }
    let mut seen = HashSet::new();
    for folder in SCRIPTS {
        // One is mostly a link to the other.
        match files.found(folder, HIDES) {
            Read::There(found) if seen.insert(found.place()) => {}
            Read::There(_) | Read::Absent => continue,
            Read::Unread(why) => {
                listing.hide(why);
                continue;
            }
        }
        let scripts = match files.children(folder, HIDES) {
            Read::There(scripts) => scripts,
            Read::Absent => continue,
            Read::Unread(why) => {
                listing.hide(why);
                continue;
            }
        };
        listing.evidence.push(folder.into());
        for (name, found) in scripts {
            let path = format!("{folder}/{name}");
            let is_script = match found.metadata() {
                Ok(metadata) => metadata.file_type == FileType::File && metadata.mode & 0o111 != 0,
                Err(error) => {
                    files.note(&error, &path, HIDES);
                    listing.hide(error.to_string());
                    continue;
                }
            };
            if !is_script || NO_SCRIPTS.contains(&name.as_str()) || name.contains('.') {
                continue;
            }
            let state = if started.contains(&name) { Enabled::Enabled } else { Enabled::Disabled };
            listing.items.push(Service {
                kind: ServiceKind::Sysv,
                enabled: Fact::known(state, path.as_str()),
                description: None,
                commands: vec![format!("{path} start")],
                user: None,
                triggers: Vec::new(),
                start: None,
                evidence: vec![path.into()],
                name,
            });
        }
    }
    listing
}
