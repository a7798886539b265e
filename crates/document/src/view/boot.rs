//! What the system starts with.

use std::io;

use fathom_report::{BootEntry, System};

use super::{Column, Sink, Value, detail, facts, key, listing, main, spare};

const KERNELS: &[Column] =
    &[key("version"), main("image"), spare("initramfs"), detail("modules"), detail("evidence")];
const DRIVERS: &[Column] =
    &[key("name"), main("platform"), main("purpose"), main("place"), detail("evidence")];
const FIRMWARE: &[Column] = &[key("name")];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[KERNELS, super::FACTS, FIRMWARE, DRIVERS];

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    let boot = &system.boot;
    listing("Kernels", KERNELS, &boot.kernels, sink, |kernel, sink| {
        sink.row(&[
            Value::text(kernel.version.as_str()),
            Value::maybe(kernel.image.as_deref()),
            Value::maybe(kernel.initramfs.as_deref()),
            Value::maybe(kernel.modules.as_deref()),
            Value::evidence(&kernel.evidence),
        ])
    })?;
    let evidence = Value::evidence_of(&boot.default);
    let row = |name, show: fn(&BootEntry) -> Value<'_>| {
        (name, Value::fact(&boot.default, show), evidence.clone())
    };
    let mut rows = vec![row("loader", |entry| Value::text(entry.loader.as_str()))];
    if boot.default.value().is_some() {
        rows.extend([
            row("title", |entry| Value::maybe(entry.title.as_deref())),
            row("version", |entry| Value::maybe(entry.version.as_deref())),
            row("image", |entry| Value::maybe(entry.image.as_deref())),
            row("initramfs", |entry| Value::texts(&entry.initramfs)),
            row("arguments", |entry| Value::maybe(entry.arguments.as_deref())),
        ]);
    }
    facts("Starts by default", &rows, sink)?;
    listing("Firmware", FIRMWARE, &boot.firmware, sink, |firmware, sink| {
        sink.row(&[Value::word(firmware)])
    })?;
    listing("Drivers", DRIVERS, &boot.drivers, sink, |driver, sink| {
        sink.row(&[
            Value::text(driver.name.as_str()),
            Value::word(&driver.platform),
            Value::word(&driver.purpose),
            Value::word(&driver.place),
            Value::text(driver.evidence.0.as_str()),
        ])
    })
}
