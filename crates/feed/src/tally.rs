//! What was passed over, and how new the rest is.

use std::fmt::Display;

use fathom_advisory::Day;
use fathom_advisory::segment::{About, beginning};

/// How many of the records that were passed over are named.
const NAMED: usize = 20;

/// The most bytes that are kept of why.
const WHY: usize = 300;

/// Counts a record that makes no sense, and names it if it is one of the first.
pub(crate) fn malformed(about: &mut About, record: &str, why: impl Display) {
    about.malformed += 1;
    if about.examples.len() < NAMED {
        let line = format!("{record}: {why}");
        about.examples.push(beginning(&line, WHY).to_owned());
    }
}

/// Takes a day on which something was changed. The newest counts; one from after the database was made
/// is a mistake, and would make an old feed look new for as long as it lies ahead.
pub(crate) fn changed(about: &mut About, day: Day) {
    let built = Day::of(&about.built);
    let is_ahead = built.is_known() && day > built;
    if day.is_known() && !is_ahead && day > Day::of(&about.as_of) {
        about.as_of = day.to_string();
    }
}

/// Takes the day on which the file was changed, where nothing in it has one.
pub(crate) fn file_changed(about: &mut About, day: Day) {
    if about.as_of.is_empty() {
        changed(about, day);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_day_that_can_be_counts() {
        let mut about = About { built: "2026-01-01T00:00:00Z".to_owned(), ..About::default() };
        for (text, expected) in [
            ("", ""),
            ("2024-05-18T00:00:00Z", "2024-05-18"),
            ("2023-01-01", "2024-05-18"),
            ("2999-01-01", "2024-05-18"),
            ("2025-12-31", "2025-12-31"),
        ] {
            changed(&mut about, Day::of(text));
            assert_eq!(about.as_of, expected, "{text}");
        }
        file_changed(&mut about, Day::of("2026-01-01"));
        assert_eq!(about.as_of, "2025-12-31");
    }
}
