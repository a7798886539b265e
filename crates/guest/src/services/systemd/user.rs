//! Units of accounts, which a systemd of their own starts when they log in, or with the system where they
//! linger: those for all accounts, and what an account keeps in its home.

use std::collections::HashSet;

use fathom_report::{Listing, Service, ServiceKind};

use super::super::HIDES;
use super::{Folders, kind};
use crate::files::{Files, Read};
use crate::text::Records;

/// The folders for all accounts, the first counting most.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/lib/systemd/user",
];

/// The folders within a home.
const AT_HOME: [&str; 2] = [".config/systemd/user", ".local/share/systemd/user"];

/// No machine has as many homes with units.
const MAX_HOMES: usize = 1000;

/// Every unit that an account may start.
pub(in super::super) fn units(files: &Files<'_>) -> Listing<Service> {
    let all = Folders::read(files, &FOLDERS);
    let mut listing = Listing::complete(Vec::new(), all.places.clone());
    if let Some(why) = &all.hidden {
        listing.hide(why.clone());
    }
    for name in all.files.keys().filter(|name| kind(name).is_some()) {
        listing.items.push(all.service(files, name, ServiceKind::UserUnit));
    }
    let passwd = match files.records("/etc/passwd", HIDES) {
        Read::There(Records { text, damage }) => {
            damage.iter().for_each(|why| listing.hide(why.to_string()));
            text
        }
        Read::Absent => return listing,
        Read::Unread(why) => {
            listing.hide(why);
            return listing;
        }
    };
    let mut seen = HashSet::new();
    for (account, home) in passwd.lines().filter_map(account) {
        for folder in AT_HOME {
            let folder = format!("{}/{folder}", home.trim_end_matches('/'));
            match files.found(&folder, HIDES) {
                Read::There(found) if seen.insert(found.place()) => {}
                Read::There(_) | Read::Absent => continue,
                Read::Unread(why) => {
                    listing.hide(why);
                    continue;
                }
            }
            if seen.len() > MAX_HOMES {
                listing.hide(format!("more than {MAX_HOMES} accounts have units of their own"));
                return listing;
            }
            of_home(files, account, &folder, &mut listing);
        }
    }
    listing
}

/// The name and the home of a line of `/etc/passwd`.
fn account(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.split(':');
    let (name, home) = (fields.next()?, fields.nth(4)?);
    (!home.is_empty()).then_some((name, home))
}

/// Adds the units in the folder, and those of other folders that links in it start.
fn of_home(files: &Files<'_>, account: &str, folder: &str, listing: &mut Listing<Service>) {
    let mut places = vec![folder];
    places.extend(FOLDERS);
    let folders = Folders::read(files, &places);
    if let Some(why) = &folders.hidden {
        listing.hide(why.clone());
    }
    listing.evidence.push(folder.into());
    let within = format!("{folder}/");
    let own = folders.files.iter().filter(|(_, file)| file.path().starts_with(&within));
    let mut names: Vec<&String> = own.map(|(name, _)| name).collect();
    names.extend(folders.links.first().into_iter().flat_map(|links| &links.wanted));
    names.sort();
    names.dedup();
    for name in names.into_iter().filter(|name| kind(name).is_some()) {
        let mut service = folders.service(files, name, ServiceKind::UserUnit);
        if service.evidence.is_empty() {
            service.evidence.push(folder.into());
        }
        service.user = Some(account.to_owned());
        listing.items.push(service);
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::Enabled;

    use super::*;
    use crate::memory;

    #[test]
    fn units_for_all_accounts_and_of_one() {
        let unit: &[u8] = b"[Service]\nExecStart=/x\n[Install]\nWantedBy=default.target\n";
        let tree = memory::tree(&[
            ("/etc/passwd", b"joe:x:1:1::/home/joe:/bin/sh\ntoo:x:2:1::/home/joe:/bin/sh\n"),
            ("/usr/lib/systemd/user/a.service", unit),
            ("/usr/lib/systemd/user/b.service", unit),
            ("/etc/systemd/user/default.target.wants/b.service", b""),
            ("/home/joe/.config/systemd/user/c.service", unit),
            ("/home/joe/.config/systemd/user/default.target.wants/c.service", b""),
            ("/home/joe/.config/systemd/user/default.target.wants/a.service", b""),
            ("/home/joe/.config/systemd/user/d.timer", b"[Timer]\nOnCalendar=daily\n"),
        ]);
        let found = units(&Files::new(&tree)).items;
        let shown = found.iter().map(|one| {
            let user = one.user.as_deref().unwrap_or("-");
            let is_on = one.enabled.value() == Some(&Enabled::Enabled);
            format!("{user} {} {is_on}", one.name)
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "- a.service false",
                "- b.service true",
                "joe a.service true",
                "joe c.service true",
                "joe d.timer false",
            ]
        );
        assert_eq!(found[3].commands, ["/x"]);
    }
}
