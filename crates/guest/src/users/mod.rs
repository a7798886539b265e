//! Accounts, groups, and who may become whom. Of passwords nothing leaves this module but whether
//! there is one and how it is hashed.

mod account;
mod elsewhere;
mod options;
mod password;
mod ssh;
mod strict;
pub(crate) mod sudo;

use std::collections::HashSet;
use std::time::SystemTime;

use fathom_block::Error;
use fathom_report::{Group, Listing, Package, Service, Users};

use crate::files::{Files, Read};
use crate::lines::at_most;
use crate::text::Records;

/// What the report loses if a file cannot be read.
const HIDES: &str = "accounts";

const GROUP: &str = "/etc/group";
const VENDOR_GROUP: &str = "/usr/lib/group";

/// No system has as many accounts or groups in files.
const MAX_LINES: usize = 100_000;

/// Everything that the files say of accounts.
pub(crate) fn all(
    files: &Files<'_>,
    packages: &Listing<Package>,
    services: &Listing<Service>,
    now: SystemTime,
) -> Users {
    let groups = files.listing(|| groups(files));
    let accounts = files.listing(|| account::all(files, &groups, services, now));
    Users { accounts, sudo: files.listing(|| sudo::rules(files, packages)), groups }
}

fn groups(files: &Files<'_>) -> Listing<Group> {
    match files.records(GROUP, HIDES) {
        Read::There(Records { text, damage }) => {
            let mut listing = Listing::complete(Vec::new(), vec![GROUP.into()]);
            let damage = damage.or_else(|| damaged_line(files, GROUP, &text));
            let text = with_vendor(files, text, "group", VENDOR_GROUP, &mut listing);
            let mut more = None;
            let groups = text.lines().filter_map(group);
            let groups = at_most(groups, MAX_LINES, |why| more = Some(format!("{GROUP}: {why}")));
            listing.items = groups;
            more.into_iter().for_each(|why| listing.hide(why));
            damage.iter().for_each(|why| listing.hide(why.to_string()));
            listing
        }
        Read::Absent => Listing::empty(format!("there is no {GROUP}"), vec![GROUP.into()]),
        Read::Unread(why) => Listing::unknown(why),
    }
}

/// The lines of the administrator's file, and behind them those of the vendor's that name others, where
/// the system asks for both.
fn with_vendor<T>(
    files: &Files<'_>,
    own: String,
    database: &str,
    vendor: &str,
    listing: &mut Listing<T>,
) -> String {
    if !elsewhere::asks(files, database, "altfiles") {
        return own;
    }
    let theirs = match files.records(vendor, HIDES) {
        Read::There(Records { text, damage }) => {
            damage.iter().for_each(|why| listing.hide(why.to_string()));
            text
        }
        Read::Absent => return own,
        Read::Unread(why) => {
            listing.hide(why);
            return own;
        }
    };
    listing.evidence.push(vendor.into());
    let name = |line: &str| line.split(':').next().unwrap_or_default().trim_start().to_owned();
    let known: HashSet<String> = own.lines().map(name).collect();
    let mut all = own;
    for line in theirs.lines().filter(|line| !known.contains(&name(line))) {
        if !all.ends_with('\n') {
            all.push('\n');
        }
        all.push_str(line);
    }
    all
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
