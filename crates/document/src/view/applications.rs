//! What the system is there for.

use std::io;

use fathom_report::System;

use super::{Column, Sink, Value, detail, key, listing, main, spare};

const APPLICATIONS: &[Column] = &[
    main("kind"),
    key("name"),
    key("version"),
    main("started"),
    spare("location"),
    spare("packages"),
    detail("evidence"),
];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[APPLICATIONS];

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    listing("Applications", APPLICATIONS, &system.applications, sink, |one, sink| {
        sink.row(&[
            Value::word(&one.kind),
            Value::text(one.name.as_str()),
            Value::text_fact(&one.version),
            Value::fact(&one.started, |started| Value::Flag(*started)),
            Value::maybe(one.location.as_deref()),
            Value::texts(&one.packages),
            Value::evidence(&one.evidence),
        ])
    })
}
