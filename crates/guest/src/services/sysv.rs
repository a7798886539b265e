//! Scripts of System V init: started where a folder of a runlevel has a link `S…` to them.

use std::collections::HashSet;

use fathom_filesystem::FileType;
use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::HIDES;
use super::init::Init;
use super::inittab;
use crate::files::{Files, Read};

const SCRIPTS: [&str; 2] = ["/etc/init.d", "/etc/rc.d/init.d"];

/// The runlevels in which services run, for those who do not keep to one.
const LEVELS: [char; 4] = ['2', '3', '4', '5'];

/// Files in the folder of the scripts that are none.
const NO_SCRIPTS: [&str; 6] = ["README", "functions", "skeleton", "rc", "rcS", "halt"];

/// The folders of the runlevels that the system goes through: that of the start and those in which
/// services run, of which init of System V goes to one only.
fn levels(files: &Files<'_>, init: &Init) -> Vec<String> {
    let default = match init {
        Init::Sysv | Init::Upstart => inittab::default_level(files),
        _ => None,
    };
    let mut levels = vec!['S'];
    match default {
        Some(level) => levels.push(level),
        None => levels.extend(LEVELS),
    }
    let folders = |level: &char| [format!("/etc/rc{level}.d"), format!("/etc/rc.d/rc{level}.d")];
    levels.iter().flat_map(folders).collect()
}

/// The names of the scripts that are linked there to be started.
fn started(files: &Files<'_>, init: &Init, listing: &mut Listing<Service>) -> HashSet<String> {
    let mut started = HashSet::new();
    for level in levels(files, init) {
        match files.children(&level, HIDES) {
            Read::There(links) => started.extend(links.iter().filter_map(|(name, _)| {
                let rest = name.strip_prefix('S')?;
                Some(rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).to_owned())
            })),
            Read::Absent => {}
            Read::Unread(why) => listing.hide(why),
        }
    }
    started
}

/// The name of the service that a script is; nothing if it is none. systemd takes away the ending.
fn name_of<'a>(file: &'a str, init: &Init) -> Option<&'a str> {
    let name = file.strip_suffix(".sh").unwrap_or(file);
    if name.contains('.') || NO_SCRIPTS.contains(&name) {
        return None;
    }
    Some(if init.takes_units() { name } else { file })
}

/// Every script.
pub(super) fn scripts(files: &Files<'_>, init: &Init) -> Listing<Service> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    let started = started(files, init, &mut listing);
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
            let Some(shown) = name_of(&name, init) else { continue };
            // A link is what it leads to.
            let found = files.found(&path, HIDES).there().unwrap_or(found);
            let is_script = match found.metadata() {
                Ok(metadata) => metadata.file_type == FileType::File && metadata.mode & 0o111 != 0,
                Err(error) => {
                    files.note(&error, &path, HIDES);
                    listing.hide(error.to_string());
                    continue;
                }
            };
            if !is_script {
                continue;
            }
            let state = if started.contains(&name) { Enabled::Enabled } else { Enabled::Disabled };
            listing.items.push(Service {
                kind: ServiceKind::Sysv,
                enabled: Fact::known(state, path.as_str()),
                description: None,
                commands: vec![format!("{path} start")],
                further_commands: Vec::new(),
                user: None,
                triggers: Vec::new(),
                start: None,
                evidence: vec![path.into()],
                name: shown.to_owned(),
            });
        }
    }
    listing
}
