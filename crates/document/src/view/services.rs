//! What is started.

use std::io;

use fathom_report::System;

use super::{Column, Sink, Value, detail, key, listing, main, spare};

const SERVICES: &[Column] = &[
    main("kind"),
    key("name"),
    key("enabled"),
    spare("start"),
    spare("triggers"),
    spare("command"),
    spare("user"),
    detail("description"),
    detail("further commands"),
    detail("evidence"),
];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[SERVICES];

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    listing("Services", SERVICES, &system.services, sink, |service, sink| {
        sink.row(&[
            Value::word(&service.kind),
            Value::text(service.name.as_str()),
            Value::fact(&service.enabled, Value::word),
            Value::maybe(service.start.as_deref()),
            Value::texts(&service.triggers),
            Value::texts(&service.commands),
            Value::maybe(service.user.as_deref()),
            Value::maybe(service.description.as_deref()),
            Value::texts(&service.further_commands),
            Value::evidence(&service.evidence),
        ])
    })
}
