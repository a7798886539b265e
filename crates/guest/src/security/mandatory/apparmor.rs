//! AppArmor: whether its service loads profiles, and which of them only complain.

use std::collections::HashSet;

use fathom_filesystem::FileType;
use fathom_report::{Coverage, Enabled, Fact, Listing, MandatoryAccess, Service};

use crate::files::{Files, Read};
use crate::security::arguments::Arguments;

const HIDES: &str = "profiles of AppArmor";

const FOLDER: &str = "/etc/apparmor.d";

/// How many files there are with sense.
const MAX_FILES: usize = 4096;

/// Endings of files that package managers and editors leave, which are passed over.
const LEFT_OVER: [&str; 12] = [
    ".dpkg-new",
    ".dpkg-old",
    ".dpkg-dist",
    ".dpkg-bak",
    ".dpkg-remove",
    ".pacsave",
    ".pacnew",
    ".rpmnew",
    ".rpmsave",
    ".orig",
    ".rej",
    "~",
];

/// AppArmor, if it is set up.
pub(super) fn of(
    files: &Files<'_>,
    services: &Listing<Service>,
    arguments: Option<&Arguments<'_>>,
) -> Listing<MandatoryAccess> {
    let children = match files.children(FOLDER, HIDES) {
        Read::There(children) => children,
        Read::Absent => return Listing::complete(Vec::new(), vec![FOLDER.into()]),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let service = services.items.iter().find(|service| service.name == "apparmor.service");
    let Some(service) = service else {
        // Packages bring profiles for systems that do not have it.
        let mut none = Listing::complete(Vec::new(), vec![FOLDER.into()]);
        if services.coverage != Coverage::Complete {
            let why = services.reason.as_deref().unwrap_or("some could not be read");
            none.hide(format!("whether the service of AppArmor is there is not known: {why}"));
        }
        return none;
    };
    let mut listing = Listing::complete(Vec::new(), vec![FOLDER.into()]);
    let mut names = |folder: &str| match files.children(&format!("{FOLDER}/{folder}"), HIDES) {
        Read::There(children) => children.into_iter().map(|(name, _)| name).collect(),
        Read::Absent => HashSet::new(),
        Read::Unread(why) => {
            listing.hide(why);
            HashSet::new()
        }
    };
    let (disabled, complaining) = (names("disable"), names("force-complain"));
    let mut profiles = Vec::new();
    for (index, (name, found)) in children.into_iter().enumerate() {
        if index >= MAX_FILES {
            listing.hide(format!("{FOLDER} has more than {MAX_FILES} files"));
            break;
        }
        let is_file = found
            .metadata()
            .is_ok_and(|metadata| matches!(metadata.file_type, FileType::File | FileType::Symlink));
        let left_over = LEFT_OVER.iter().any(|ending| name.ends_with(ending));
        if !is_file || left_over || name.starts_with('.') || name == "README" {
            continue;
        }
        if disabled.contains(&name) {
            continue;
        }
        match files.text(&format!("{FOLDER}/{name}"), HIDES) {
            Read::There(text) => profiles.extend(headers(&text).into_iter().map(|mut profile| {
                if complaining.contains(&name) {
                    profile.mode = "complain";
                }
                profile
            })),
            Read::Absent => {}
            Read::Unread(why) => listing.hide(why),
        }
    }
    let enforces = profiles.iter().any(|profile| profile.mode == "enforce");
    let mode = mode(service, enforces, listing.reason.is_some(), arguments);
    let policies = profiles.into_iter().map(|profile| match profile.mode {
        "enforce" => profile.name,
        mode => format!("{} ({mode})", profile.name),
    });
    let policies = policies.collect();
    listing.items.push(MandatoryAccess { system: "apparmor".to_owned(), mode, policies });
    listing
}

/// Whether it is on; permissive where no profile denies anything.
fn mode(
    service: &Service,
    enforces: bool,
    partly: bool,
    arguments: Option<&Arguments<'_>>,
) -> Fact<String> {
    let place = service.evidence.first().cloned().unwrap_or_else(|| FOLDER.into());
    if let Some(arguments) = arguments.filter(|it| it.chooses("apparmor") == Some(false)) {
        let place = arguments.place.clone().unwrap_or(place);
        return Fact::known("disabled".to_owned(), place);
    }
    match service.enabled.value() {
        Some(Enabled::Enabled) if enforces => Fact::known("enforcing".to_owned(), place),
        Some(Enabled::Enabled) if partly => Fact::unknown("a profile could not be read"),
        Some(Enabled::Enabled) => Fact::known("permissive".to_owned(), place),
        Some(_) => Fact::known("disabled".to_owned(), place),
        None => Fact::unknown("whether its service starts is not known"),
    }
}

/// A profile of a file.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    name: String,
    mode: &'static str,
}

/// The profiles of the file; those within others are not told.
fn headers(text: &str) -> Vec<Header> {
    let mut headers = Vec::new();
    let mut depth = 0usize;
    let mut quoted = false;
    // What stands outside of any profile since the last one.
    let mut before = String::new();
    for line in text.lines() {
        if depth == 0 && is_statement(line.trim()) {
            continue;
        }
        let mut last = ' ';
        for character in line.chars() {
            match character {
                '#' if !quoted && last.is_whitespace() => break,
                '"' => quoted = !quoted,
                '{' if !quoted && depth > 0 => depth += 1,
                '}' if !quoted && depth > 0 => depth -= 1,
                // Braces within a word are alternatives of a path.
                '{' if !quoted && (last.is_whitespace() || last == ')') => {
                    headers.extend(header(&before));
                    before.clear();
                    depth = 1;
                }
                _ => {}
            }
            if depth == 0 {
                before.push(character);
            }
            last = character;
        }
        if depth == 0 {
            before.push(' ');
        }
    }
    headers
}

/// Lines outside of profiles that begin none.
fn is_statement(line: &str) -> bool {
    ["include ", "abi ", "@{", "alias ", "$"].iter().any(|start| line.starts_with(start))
}

/// `profile NAME PATH flags=(…)` or `PATH flags=(…)`.
fn header(text: &str) -> Option<Header> {
    let text = text.trim().trim_start_matches('}').trim_start();
    let rest = text.strip_prefix("profile ").unwrap_or(text).trim_start();
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([' ', '\t']).next()?,
    };
    if name.is_empty() || text.starts_with("hat ") || text.starts_with('^') {
        return None;
    }
    let flags = rest.rsplit_once('(').and_then(|(_, flags)| flags.split(')').next());
    let has =
        |flag: &str| flags.is_some_and(|flags| flags.split([',', ' ']).any(|it| it.trim() == flag));
    let mode = match (has("complain"), has("unconfined")) {
        (true, _) => "complain",
        (_, true) => "unconfined",
        _ => "enforce",
    };
    Some(Header { name: name.to_owned(), mode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heads_of_profiles_are_found() {
        let text = "# comment {\nabi <abi/3.0>,\ninclude <tunables/global>\n@{HOME}=/home/ {\n\
             profile one /usr/bin/{a,b} flags=(attach_disconnected, complain) {\n  /x/{y,z} r,\n\
             profile inner { /a r, }\n  ^hat { /b r, }\n}\n/usr/sbin/two {\n # }\n /c r,\n}\n\
             profile \"with blank\" (unconfined) { userns, }\n/{usr/,}bin/three flags=(audit)\n{\n}\n";
        let found = headers(text);
        let shown: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.mode)).collect();
        assert_eq!(
            shown,
            [
                ("one", "complain"),
                ("/usr/sbin/two", "enforce"),
                ("with blank", "unconfined"),
                ("/{usr/,}bin/three", "enforce"),
            ]
        );
        assert!(headers("}}}}{{{{ \"").is_empty());
    }

    #[test]
    fn a_service_that_could_not_be_looked_for_is_not_missing() {
        let tree = crate::memory::tree(&[("/etc/apparmor.d/a", b"profile a {}\n")]);
        let mut services = Listing::complete(Vec::new(), Vec::new());
        let none = of(&Files::new(&tree), &services, None);
        assert_eq!(none.coverage, Coverage::Complete);
        services.hide("/usr/lib/systemd/system is damaged");
        let partly = of(&Files::new(&tree), &services, None);
        assert_eq!(partly.coverage, Coverage::Partial);
        assert!(partly.reason.is_some_and(|why| why.contains("is damaged")));
    }
}
