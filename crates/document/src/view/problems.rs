//! What could not be read, and what that hides.

use std::io;

use fathom_report::{Coverage, Problem};

use super::{Column, List, Sink, Value, key, main, spare};
use crate::words::word;

const PROBLEMS: &[Column] = &[main("kind"), key("message"), spare("hides"), spare("evidence")];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[PROBLEMS];

pub(super) fn write(
    title: &'static str,
    problems: &[Problem],
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let (coverage, reason) = (Coverage::Complete, None);
    sink.begin(&List { title, columns: PROBLEMS, facts: false, coverage, reason })?;
    for problem in problems {
        sink.row(&[
            Value::word(&problem.kind),
            Value::text(message(problem)),
            Value::maybe(problem.hides.as_deref()),
            Value::maybe(problem.evidence.as_ref().map(|place| place.0.as_str())),
        ])?;
    }
    sink.end()
}

/// The message without the kind that it begins with, which has a column of its own.
fn message(problem: &Problem) -> &str {
    let kind = word(&problem.kind).replace('-', " ");
    let rest = problem.message.strip_prefix(kind.as_str());
    rest.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&problem.message)
}
