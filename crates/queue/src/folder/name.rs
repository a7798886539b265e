//! What files are called while they are ours: `PRIORITY-TIME-DELIVERIES-NAME`, so that their order
//! by name is the order in which they are taken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{FIRST, Ticket, USUAL, message};

/// How long the name that a file came with may be, in bytes; of a longer one the end is kept.
const MAX_ORIGINAL: usize = 150;
const TICKET: &str = ".ticket";

/// The name of a file of ours. The order is that in which files are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Name {
    pub(super) priority: u8,
    /// When it was published, in nanoseconds since 1970.
    pub(super) time: u128,
    /// How often it was delivered.
    pub(super) deliveries: u32,
    /// What it was called when it came.
    pub(super) original: String,
}

impl Name {
    pub(super) fn of_ticket(ticket: &Ticket) -> Name {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let job: String =
            ticket.job.chars().take(60).map(|c| if fits(c) { c } else { '_' }).collect();
        Name {
            priority: message::bounded(ticket.priority),
            time: now(),
            deliveries: 0,
            original: format!("{job}.{}-{number}{TICKET}", std::process::id()),
        }
    }

    pub(super) fn of_file(original: &str, time: u128) -> Name {
        let mut start = original.len().saturating_sub(MAX_ORIGINAL);
        while !original.is_char_boundary(start) {
            start += 1;
        }
        Name { priority: USUAL, time, deliveries: 0, original: original[start..].to_owned() }
    }

    pub(super) fn parse(text: &str) -> Option<Name> {
        let mut parts = text.splitn(4, '-');
        let rank: u8 = parts.next()?.parse().ok()?;
        let time = parts.next()?.parse().ok()?;
        let deliveries = parts.next()?.parse().ok()?;
        let original = parts.next()?.to_owned();
        let name = Name { priority: FIRST.checked_sub(rank)?, time, deliveries, original };
        // It becomes a path again.
        (name.text() == text && !text.contains('/')).then_some(name)
    }

    pub(super) fn text(&self) -> String {
        let rank = FIRST.saturating_sub(self.priority);
        format!("{rank:02}-{:020}-{:03}-{}", self.time, self.deliveries, self.original)
    }

    pub(super) fn is_ticket(&self) -> bool {
        self.original.ends_with(TICKET)
    }

    fn key(&self) -> (u8, u128, &str) {
        (FIRST.saturating_sub(self.priority), self.time, &self.original)
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> std::cmp::Ordering {
        self.key().cmp(&other.key()).then(self.deliveries.cmp(&other.deliveries))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Nanoseconds since 1970.
pub(super) fn now() -> u128 {
    since_1970(SystemTime::now())
}

pub(super) fn since_1970(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for original in ["job.json", "a-b-c.json", "-", "ä b.json"] {
            let name = Name { deliveries: 7, ..Name::of_file(original, 12) };
            assert_eq!(Name::parse(&name.text()), Some(name));
        }
        for text in ["", "x.json", "05-1-0-x", "11-00000000000000000001-000-x", "05-../x"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    #[test]
    fn long_names_keep_their_end() {
        let name = Name::of_file(&format!("{}.json", "ä".repeat(120)), 1);
        assert!(name.text().len() < 200 && name.original.ends_with("ä.json"));
    }

    #[test]
    fn the_order_is_that_of_priority_and_time() {
        let at = |priority, time| Name { priority, ..Name::of_file("x", time) };
        let mut names = vec![at(1, 1), at(5, 3), at(10, 9), at(5, 2)];
        let mut texts: Vec<String> = names.iter().map(Name::text).collect();
        names.sort();
        texts.sort();
        assert_eq!(texts, names.iter().map(Name::text).collect::<Vec<_>>());
        assert_eq!(names, [at(10, 9), at(5, 2), at(5, 3), at(1, 1)]);
    }
}
