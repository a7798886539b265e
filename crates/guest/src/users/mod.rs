//! Accounts, groups, and who may become whom. Of passwords nothing leaves this module but whether
//! there is one and how it is hashed.

mod account;
mod password;
mod ssh;
mod sudo;

use fathom_report::{Group, Listing, Users};

use crate::files::{Files, Read};

/// What the report loses if a file cannot be read.
const HIDES: &str = "accounts";

const GROUP: &str = "/etc/group";

/// No system has as many accounts or groups in files.
const MAX_LINES: usize = 100_000;

/// Everything that the files say of accounts.
pub(crate) fn all(files: &Files<'_>) -> Users {
    let groups = files.listing(|| groups(files));
    let accounts = files.listing(|| account::all(files, &groups));
    Users { accounts, sudo: files.listing(|| sudo::rules(files)), groups }
}

fn groups(files: &Files<'_>) -> Listing<Group> {
    match files.text(GROUP, HIDES) {
        Read::There(text) => {
            let groups = text.lines().take(MAX_LINES).filter_map(group).collect();
            Listing::complete(groups, vec![GROUP.into()])
        }
        Read::Absent => Listing::empty(format!("there is no {GROUP}"), vec![GROUP.into()]),
        Read::Unread(why) => Listing::unknown(why),
    }
}

/// `name:password:number:members`.
fn group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
    let members = fields.next().unwrap_or_default();
    let is_entry = !name.is_empty() && !name.starts_with(['#', '+', '-']);
    is_entry.then(|| Group {
        name: name.to_owned(),
        id: id.to_owned(),
        members: members
            .split(',')
            .map(str::trim)
            .filter(|member| !member.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}
