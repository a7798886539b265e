//! Containers and their images.

use std::io;

use fathom_report::System;

use super::{Column, Sink, Value, detail, key, listing, main, spare};

const IMAGES: &[Column] = &[
    main("engine"),
    key("name"),
    main("created"),
    spare("architecture"),
    spare("id"),
    detail("digests"),
    detail("evidence"),
];
const CONTAINERS: &[Column] = &[
    main("engine"),
    key("name"),
    key("image"),
    main("state"),
    main("restart"),
    spare("privileged"),
    spare("ports"),
    spare("mounts"),
    detail("command"),
    detail("created"),
    detail("id"),
    detail("image id"),
    detail("evidence"),
];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[IMAGES, CONTAINERS];

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    let containers = &system.containers;
    listing("Images", IMAGES, &containers.images, sink, |image, sink| {
        sink.row(&[
            Value::text(image.engine.as_str()),
            Value::texts(&image.names),
            Value::maybe(image.created.as_deref()),
            Value::maybe(image.architecture.as_deref()),
            Value::text(image.id.as_str()),
            Value::texts(&image.digests),
            Value::text(image.evidence.0.as_str()),
        ])
    })?;
    listing("Containers", CONTAINERS, &containers.containers, sink, |container, sink| {
        sink.row(&[
            Value::text(container.engine.as_str()),
            Value::maybe(container.name.as_deref()),
            Value::maybe(container.image.as_deref()),
            Value::maybe(container.state.as_deref()),
            Value::maybe(container.restart.as_deref()),
            container.privileged.into(),
            Value::texts(&container.ports),
            Value::texts(&container.mounts),
            Value::texts(&container.command),
            Value::maybe(container.created.as_deref()),
            Value::text(container.id.as_str()),
            Value::maybe(container.image_id.as_deref()),
            Value::text(container.evidence.0.as_str()),
        ])
    })
}
