//! What sshd is given when it is started: arguments of its service, and variables in them.

use std::collections::HashMap;

use fathom_report::{Listing, Service, ServiceKind};

use super::HIDES;
use crate::files::{Files, Read};
use crate::shell;

/// The services that start it.
const SERVICES: [&str; 2] = ["ssh.service", "sshd.service"];

/// Files of the variables in its arguments: of Debian, of Red Hat and SUSE, and the policy that Red
/// Hat's release 8 hands over this way.
const VARIABLES: [&str; 4] = [
    "/etc/default/ssh",
    "/etc/sysconfig/sshd",
    "/etc/sysconfig/ssh",
    "/etc/crypto-policies/back-ends/opensshserver.config",
];

/// How it is started.
#[derive(Default)]
pub(super) struct Started {
    /// What it is told besides its files, each with the place.
    pub(super) options: Vec<(String, String)>,
    /// The file that it is told to read instead of its own.
    pub(super) config: Option<String>,
}

/// How the service starts it; an error if a file of variables cannot be read.
pub(super) fn how(files: &Files<'_>, services: &Listing<Service>) -> Result<Started, String> {
    let mut started = Started::default();
    let service = services.items.iter().find(|service| {
        service.kind == ServiceKind::Service && SERVICES.contains(&service.name.as_str())
    });
    let Some(service) = service else { return Ok(started) };
    let starts = |command: &&String| {
        let program = command.split_whitespace().next().unwrap_or_default();
        let is_test = command.split_whitespace().any(|word| word == "-t");
        program.trim_start_matches(['-', '@', '+', '!', ':']).ends_with("/sshd") && !is_test
    };
    let Some(command) = service.commands.iter().find(starts) else { return Ok(started) };
    let place = service.evidence.first().map_or(String::new(), |place| place.0.clone());
    let mut variables: Option<HashMap<String, (String, String)>> = None;
    let mut words: Vec<(String, String)> = Vec::new();
    for word in command.split_whitespace().skip(1) {
        let Some(name) = word.strip_prefix('$') else {
            words.push((word.to_owned(), place.clone()));
            continue;
        };
        let name = name.trim_start_matches('{').trim_end_matches('}');
        let known = match &mut variables {
            Some(known) => known,
            none => none.insert(read(files)?),
        };
        if let Some((value, place)) = known.get(name) {
            words.extend(value.split_whitespace().map(|word| (word.to_owned(), place.clone())));
        }
    }
    let mut words = words.into_iter();
    while let Some((word, place)) = words.next() {
        for (flag, name) in [("-o", ""), ("-p", "Port "), ("-f", "")] {
            let Some(joined) = word.strip_prefix(flag) else { continue };
            let value = match joined.is_empty() {
                true => words.next().map(|(word, _)| word),
                false => Some(joined.to_owned()),
            };
            match value {
                Some(value) if flag == "-f" => started.config = Some(value),
                Some(value) => started.options.push((format!("{name}{value}"), place.clone())),
                None => {}
            }
            break;
        }
    }
    Ok(started)
}

/// The variables with their values and places.
fn read(files: &Files<'_>) -> Result<HashMap<String, (String, String)>, String> {
    let mut variables = HashMap::new();
    for path in VARIABLES {
        match files.text(path, HIDES) {
            Read::There(text) => {
                let found = shell::assignments(&text).into_iter();
                variables.extend(found.map(|(name, value)| (name, (value, path.to_owned()))));
            }
            Read::Absent => {}
            Read::Unread(why) => return Err(why),
        }
    }
    Ok(variables)
}
