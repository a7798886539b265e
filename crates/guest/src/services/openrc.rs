//! Scripts of OpenRC: started where the folder of a runlevel has a link to them.

use std::collections::BTreeMap;

use fathom_filesystem::FileType;
use fathom_report::{Enabled, Evidence, Fact, Listing, Service, ServiceKind};

use super::HIDES;
use crate::files::{Files, Read};
use crate::shell;

const SCRIPTS: &str = "/etc/init.d";
const LEVELS: &str = "/etc/runlevels";

/// No system has as many scripts, each of which is read.
const MAX_SCRIPTS: usize = 4096;

/// Every script, where there are runlevels of OpenRC.
pub(super) fn scripts(files: &Files<'_>) -> Listing<Service> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    let levels = match files.children(LEVELS, HIDES) {
        Read::There(levels) => levels,
        Read::Absent => return listing,
        Read::Unread(why) => {
            listing.hide(why);
            return listing;
        }
    };
    listing.evidence.extend([LEVELS.into(), SCRIPTS.into()]);
    let mut started: BTreeMap<String, Vec<(String, Evidence)>> = BTreeMap::new();
    for (level, _) in levels {
        let folder = format!("{LEVELS}/{level}");
        match files.children(&folder, HIDES) {
            Read::There(links) => {
                for (name, _) in links {
                    let place = format!("{folder}/{name}").into();
                    started.entry(name).or_default().push((level.clone(), place));
                }
            }
            Read::Absent => {}
            Read::Unread(why) => listing.hide(why),
        }
    }
    let scripts = match files.children(SCRIPTS, HIDES) {
        Read::There(scripts) => scripts,
        Read::Absent => return listing,
        Read::Unread(why) => {
            listing.hide(why);
            return listing;
        }
    };
    if scripts.len() > MAX_SCRIPTS {
        listing.hide(format!("{SCRIPTS} has more than {MAX_SCRIPTS} scripts"));
    }
    for (name, found) in scripts.into_iter().take(MAX_SCRIPTS) {
        let path = format!("{SCRIPTS}/{name}");
        match found.metadata().map(|metadata| (metadata.file_type, metadata.mode & 0o111 != 0)) {
            Ok((FileType::Symlink, _)) | Ok((FileType::File, true)) => {}
            // Neither the folder's functions nor what cannot be run are services.
            Ok(_) => continue,
            Err(error) => {
                files.note(&error, &path, HIDES);
                listing.hide(error.to_string());
                continue;
            }
        }
        let text = match files.text(&path, HIDES) {
            Read::There(text) => text,
            Read::Absent => continue,
            Read::Unread(why) => {
                listing.hide(why);
                continue;
            }
        };
        let levels = started.remove(&name).unwrap_or_default();
        // Others are scripts of System V init, which OpenRC starts only where they are linked.
        if levels.is_empty() && !is_openrc(&text) {
            continue;
        }
        listing.items.push(service(name, path, &text, levels));
    }
    listing
}

/// Whether OpenRC's own program runs the script.
fn is_openrc(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.starts_with("#!") && (first.contains("openrc-run") || first.contains("runscript"))
}

fn service(name: String, path: String, text: &str, levels: Vec<(String, Evidence)>) -> Service {
    let mut values = shell::assignments(text);
    let (triggers, mut evidence): (Vec<String>, Vec<Evidence>) = levels.into_iter().unzip();
    let state = if triggers.is_empty() { Enabled::Disabled } else { Enabled::Enabled };
    let place = evidence.first().cloned().unwrap_or_else(|| path.as_str().into());
    evidence.insert(0, path.as_str().into());
    let command = match values.remove("command").filter(|command| !command.is_empty()) {
        Some(command) => match values.remove("command_args").filter(|words| !words.is_empty()) {
            Some(words) => format!("{command} {words}"),
            None => command,
        },
        None => format!("{path} start"),
    };
    Service {
        kind: ServiceKind::OpenRc,
        name,
        enabled: Fact::known(state, place),
        description: values.remove("description").filter(|text| !text.is_empty()),
        commands: vec![command],
        further_commands: Vec::new(),
        user: values.remove("command_user").filter(|user| !user.is_empty()),
        triggers,
        start: None,
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn runlevels_start_scripts() {
        // The files of this tree cannot be run; links to them stand for those that can.
        let script = b"#!/sbin/openrc-run\ndescription=\"A daemon\"\ncommand=/usr/sbin/d\ncommand_args='-x'\ncommand_user=joe:joe\n";
        let tree = memory::tree(&[
            ("/s/d", script),
            ("/s/old", b"#!/bin/sh\n"),
            ("/etc/init.d/d -> /s/d", b""),
            ("/etc/init.d/off -> /s/d", b""),
            ("/etc/init.d/old -> /s/old", b""),
            ("/etc/init.d/linked -> /s/old", b""),
            ("/etc/init.d/functions.sh", b""),
            ("/etc/runlevels/default/d -> /etc/init.d/d", b""),
            ("/etc/runlevels/boot/linked -> /etc/init.d/linked", b""),
        ]);
        let files = Files::new(&tree);
        let found = scripts(&files);
        let names: Vec<_> = found.items.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["d", "linked", "off"]);
        let d = &found.items[0];
        assert_eq!(d.enabled.value(), Some(&Enabled::Enabled));
        assert_eq!((&d.triggers[0][..], &d.commands[0][..]), ("default", "/usr/sbin/d -x"));
        assert_eq!(d.user.as_deref(), Some("joe:joe"));
        assert_eq!(found.items[2].enabled.value(), Some(&Enabled::Disabled));
        assert!(scripts(&Files::new(&memory::tree(&[("/etc/init.d/x", b"")]))).items.is_empty());
    }
}
