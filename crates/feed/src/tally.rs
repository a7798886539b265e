//! What was passed over.

use std::fmt::Display;

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
