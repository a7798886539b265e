//! Accounts, groups, and who may become whom. Of passwords nothing leaves this module but whether
//! there is one and how it is hashed.

mod account;
mod elsewhere;
mod options;
mod password;
mod ssh;
mod strict;
pub(crate) mod sudo;

use std::time::SystemTime;

use fathom_block::Error;
use fathom_report::{Group, Listing, Service, Users};

use crate::files::{Files, Read};
use crate::lines::at_most;
use crate::text::Records;

/// What the report loses if a file cannot be read.
const HIDES: &str = "accounts";

const GROUP: &str = "/etc/group";

/// No system has as many accounts or groups in files.
const MAX_LINES: usize = 100_000;

/// Everything that the files say of accounts.
pub(crate) fn all(files: &Files<'_>, services: &Listing<Service>, now: SystemTime) -> Users {
    let groups = files.listing(|| groups(files));
    let accounts = files.listing(|| account::all(files, &groups, services, now));
    Users { accounts, sudo: files.listing(|| sudo::rules(files)), groups }
}

fn groups(files: &Files<'_>) -> Listing<Group> {
    match files.records(GROUP, HIDES) {
        Read::There(Records { text, damage }) => {
            let mut more = None;
            let groups = text.lines().filter_map(group);
            let groups = at_most(groups, MAX_LINES, |why| more = Some(format!("{GROUP}: {why}")));
            let mut listing = Listing::complete(groups, vec![GROUP.into()]);
            more.into_iter().for_each(|why| listing.hide(why));
            let damage = damage.or_else(|| damaged_line(files, GROUP, &text));
            damage.iter().for_each(|why| listing.hide(why.to_string()));
            listing
        }
        Read::Absent => Listing::empty(format!("there is no {GROUP}"), vec![GROUP.into()]),
        Read::Unread(why) => Listing::unknown(why),
    }
}

/// `name:password:number:members`.
fn group(line: &str) -> Option<Group> {
    if is_strange(line) {
        return None;
    }
    let mut fields = line.trim_start().split(':');
    let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
    let members = fields.next().unwrap_or_default();
    let is_entry = !name.is_empty() && !name.starts_with(['#', '+', '-']);
    let members = members.split(',').map(str::trim).filter(|member| !member.is_empty());
    let members = members.map(str::to_owned).collect();
    is_entry.then_some(Group { name: name.to_owned(), id: number(id)?, members })
}

/// A number of an account or a group as the C library takes it: blanks and a sign may come before it.
fn number(field: &str) -> Option<String> {
    let digits = field.trim_start();
    let negative = digits.starts_with('-');
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = digits.parse().ok().filter(|_| plain)?;
    (!negative || number == 0).then(|| number.to_string())
}

/// Whether the line holds bytes that no tool writes there.
fn is_strange(line: &str) -> bool {
    line.contains(|letter: char| letter.is_ascii_control() && letter != '\t' && letter != '\r')
}

/// Notes a line with bytes that no tool writes there.
fn damaged_line(files: &Files<'_>, path: &str, text: &str) -> Option<Error> {
    let number = text.lines().position(is_strange)?;
    let why = format!("line {} holds control characters", number + 1);
    let error = Error::corrupt(path, 0, why);
    files.note(&error, path, HIDES);
    Some(error)
}
