//! What the system is.

use std::io;

use fathom_report::{EndOfLife, System};

use super::{Column, Sink, Value, facts};

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[super::FACTS];

/// Until when it is mended, in words.
fn end_of_life(end: &EndOfLife) -> Value<'_> {
    match &end.extended {
        Some(extended) => Value::text(format!("{}, extended until {extended}", end.support)),
        None => Value::text(end.support.as_str()),
    }
}

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    let it = &system.identity;
    let text = |name, fact| (name, Value::text_fact(fact), Value::evidence_of(fact));
    facts(
        "Identity",
        &[
            ("family", Value::word(&it.family), Value::Absent),
            text("distribution", &it.distribution),
            ("like", Value::texts(&it.like), Value::Absent),
            text("name", &it.name),
            text("version", &it.version),
            text("codename", &it.codename),
            text("edition", &it.edition),
            ("installation", Value::maybe(it.installation.as_deref()), Value::Absent),
            text("release", &it.build),
            (
                "architecture",
                Value::fact(&it.architecture, |one| Value::text(one.0.as_str())),
                Value::evidence_of(&it.architecture),
            ),
            text("host name", &it.hostname),
            text("machine id", &it.machine_id),
            text("time zone", &it.time_zone),
            text("language", &it.locale),
            text("installed", &it.installed),
            (
                "first boot",
                Value::fact(&it.first_boot, Value::word),
                Value::evidence_of(&it.first_boot),
            ),
            (
                "end of life",
                Value::fact(&it.end_of_life, end_of_life),
                Value::evidence_of(&it.end_of_life),
            ),
            text("CPE", &it.cpe),
        ],
        sink,
    )
}
