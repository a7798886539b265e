//! What a system starts with.

use fathom_report::{BootEntry, Part, System};

use crate::context::{Context, word};
use crate::keyed::{Item, Known, Names, lists};

/// An entry of a menu in words: another kernel, other arguments are another entry.
fn entry(entry: &BootEntry) -> String {
    let parts = [
        Some(entry.loader.as_str()),
        entry.title.as_deref(),
        entry.version.as_deref(),
        entry.image.as_deref(),
        entry.arguments.as_deref(),
    ];
    let mut all: Vec<&str> = parts.into_iter().flatten().collect();
    all.extend(entry.initramfs.iter().map(String::as_str));
    all.join(", ")
}

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let (one, other) = (&before.boot, &after.boot);
    let part = Part::Kernels;
    let names = Names { part, list: "kernels", item: "kernel" };
    lists(
        names,
        (&one.kernels, &other.kernels),
        |kernel| {
            let fields = vec![
                ("image", Known::maybe(kernel.image.as_deref())),
                ("initramfs", Known::maybe(kernel.initramfs.as_deref())),
                ("modules", Known::maybe(kernel.modules.as_deref())),
            ];
            (kernel.version.clone(), Item { fields, evidence: kernel.evidence.clone() })
        },
        context,
    );
    context.fact(part, "starts by default", (&one.default, &other.default), entry);
    let names = Names { part, list: "firmware", item: "firmware" };
    let firmware = |it: &_| (word(it), Item { fields: Vec::new(), evidence: Vec::new() });
    lists(names, (&one.firmware, &other.firmware), firmware, context);
    let names = Names { part, list: "drivers", item: "driver" };
    lists(
        names,
        (&one.drivers, &other.drivers),
        |driver| {
            let fields = vec![("place", Known::Is(word(&driver.place)))];
            (driver.name.clone(), Item { fields, evidence: vec![driver.evidence.clone()] })
        },
        context,
    );
}
