//! What is installed.

use std::io;

use fathom_report::System;

use super::{Column, Sink, Value, detail, key, listing, main, number, spare};

const PACKAGES: &[Column] = &[
    key("kind"),
    key("name"),
    key("version"),
    main("architecture"),
    spare("state"),
    detail("source"),
    detail("owner"),
    detail("licence"),
    detail("vendor"),
    detail("origin"),
    detail("module"),
    detail("signature"),
    detail("installed"),
    number(detail("size")),
    detail("checksum"),
    spare("scope"),
    spare("location"),
    detail("evidence"),
];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[PACKAGES];

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    listing("Packages", PACKAGES, &system.packages, sink, |package, sink| {
        let source = match (&package.source, &package.source_version) {
            (Some(source), Some(version)) => Value::text(format!("{source} {version}")),
            (source, _) => Value::maybe(source.as_deref()),
        };
        sink.row(&[
            Value::text(package.kind.name()),
            Value::text(package.name.as_str()),
            Value::text(package.full_version()),
            Value::maybe(package.architecture.as_deref()),
            Value::maybe(package.state.as_deref()),
            source,
            Value::maybe(package.owner.as_deref()),
            Value::maybe(package.licence.as_deref()),
            Value::maybe(package.vendor.as_deref()),
            Value::maybe(package.origin.as_deref()),
            Value::maybe(package.module.as_deref()),
            Value::maybe(package.signature.as_deref()),
            Value::maybe(package.installed.as_deref()),
            package.size.map_or(Value::Absent, Value::Size),
            Value::maybe(package.checksum.as_deref()),
            Value::maybe(package.scope.as_deref()),
            Value::maybe(package.location.as_deref()),
            Value::text(package.evidence.0.as_str()),
        ])
    })
}
