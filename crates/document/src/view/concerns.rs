//! What stands in the way of moving the machine, and what rules make of it.

use std::io;

use fathom_report::{Coverage, Report};

use super::{Column, List, Sink, Value, detail, key, listing, main, spare};

const CONCERNS: &[Column] = &[
    key("category"),
    main("id"),
    key("label"),
    spare("message"),
    spare("system"),
    detail("evidence"),
];
const UNDECIDED: &[Column] = &[key("id"), key("reason"), spare("system")];
const RULES: &[Column] = &[
    key("outcome"),
    main("profile"),
    main("severity"),
    key("rule"),
    key("title"),
    spare("message"),
    spare("system"),
    detail("rationale"),
    detail("reference"),
    detail("evidence"),
];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[CONCERNS, UNDECIDED, RULES];

pub(super) fn write(report: &Report, sink: &mut dyn Sink) -> io::Result<()> {
    listing("Concerns", CONCERNS, &report.concerns, sink, |concern, sink| {
        sink.row(&[
            Value::word(&concern.category),
            Value::text(concern.id.as_str()),
            Value::text(concern.label.as_str()),
            Value::text(concern.message.as_str()),
            Value::maybe(concern.system.as_deref()),
            Value::evidence(&concern.evidence),
        ])
    })?;
    if !report.undecided.is_empty() {
        let (coverage, reason) = (Coverage::Complete, None);
        let (title, columns) = ("Could not be told", UNDECIDED);
        sink.begin(&List { title, columns, facts: false, coverage, reason })?;
        for one in &report.undecided {
            sink.row(&[
                Value::text(one.id.as_str()),
                Value::text(one.reason.as_str()),
                Value::maybe(one.system.as_deref()),
            ])?;
        }
        sink.end()?;
    }
    if report.profiles.is_empty() {
        return Ok(());
    }
    let (coverage, reason) = (Coverage::Complete, None);
    sink.begin(&List { title: "Rules", columns: RULES, facts: false, coverage, reason })?;
    for profile in &report.profiles {
        for result in &profile.results {
            sink.row(&[
                Value::word(&result.outcome),
                Value::text(profile.name.as_str()),
                Value::word(&result.severity),
                Value::text(result.id.as_str()),
                Value::text(result.title.as_str()),
                Value::text(result.message.as_str()),
                Value::text(profile.system.as_str()),
                Value::text(result.rationale.as_str()),
                Value::maybe(result.reference.as_deref()),
                Value::evidence(&result.evidence),
            ])?;
        }
    }
    sink.end()
}
