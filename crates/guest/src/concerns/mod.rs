//! What stands in the way of moving a machine.
//!
//! [`TABLE`] names every concern; each has one small predicate over the report, which answers *yes*
//! with what it is about, *no*, or that it cannot be told and why. A concern is never ruled out because
//! something could not be read: what cannot be told goes into a list of its own, and the list of
//! concerns then is not complete.
//!
//! A new concern is a line in the table, a predicate, and a test with a system that has it, one that has
//! it not, and one of which it cannot be told.

mod answer;
mod disks;
mod life;
mod mounted;
mod network;
mod roles;
mod software;
mod start;
mod table;
#[cfg(test)]
mod tests;
mod windows;

use std::time::UNIX_EPOCH;

use fathom_block::Error;
use fathom_filesystem::Timestamp;
use fathom_report::{Concern, Family, Listing, Storage, System, Undecided};

use self::answer::Answer;
use self::table::{About, TABLE};
use crate::inspect::Options;

/// A system that is asked about, and what lies around it.
struct Subject<'a> {
    system: &'a System,
    storage: &'a Storage,
    /// As `2026-01-31`.
    today: &'a str,
    /// The same in half a year.
    in_half_a_year: &'a str,
}

impl Subject<'_> {
    fn is(&self, family: Family) -> bool {
        self.system.identity.family == family
    }
}

/// The disks of the machine.
struct Disks<'a> {
    systems: &'a [System],
    storage: &'a Storage,
    problems: &'a [Error],
}

/// Everything that stands in the way, and what of it cannot be told. `hidden` is why a system may lie
/// where it could not be looked, where none was found.
pub(crate) fn of(
    systems: &[System],
    storage: &Storage,
    problems: &[Error],
    hidden: Option<&Error>,
    options: &Options,
) -> (Listing<Concern>, Vec<Undecided>) {
    let (today, in_half_a_year) = (day(options, 0), day(options, 182));
    let (mut found, mut undecided) = (Vec::new(), Vec::new());
    for entry in &TABLE {
        let mut note = |system: Option<&System>, answer| match answer {
            Answer::Yes { message, evidence } => found.push(Concern {
                id: entry.id.to_owned(),
                category: entry.category,
                label: entry.label.to_owned(),
                message,
                system: system.map(|system| system.root.clone()),
                evidence,
            }),
            Answer::No => {}
            Answer::Unknown(reason) => undecided.push(Undecided {
                id: entry.id.to_owned(),
                system: system.map(|system| system.root.clone()),
                reason,
            }),
        };
        match entry.about {
            About::Disks(ask) => note(None, ask(&Disks { systems, storage, problems })),
            About::System(ask) => {
                if let (Some(why), []) = (hidden, systems) {
                    note(None, Answer::Unknown(why.to_string()));
                }
                for system in systems {
                    let subject =
                        Subject { system, storage, today: &today, in_half_a_year: &in_half_a_year };
                    note(Some(system), ask(&subject));
                }
            }
        }
    }
    found.sort_by_key(|concern| concern.category);
    let mut listing = Listing::complete(found, Vec::new());
    if !undecided.is_empty() {
        listing.hide(format!(
            "of {} more it could not be told whether they are there: they are under \"undecided\"",
            undecided.len()
        ));
    }
    (listing, undecided)
}

/// The date so many days after now.
fn day(options: &Options, days: i64) -> String {
    let now = options.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seconds = i64::try_from(now).unwrap_or(0).saturating_add(days * 86_400);
    let mut date = Timestamp { seconds, nanos: 0 }.to_string();
    date.truncate(10);
    date
}
