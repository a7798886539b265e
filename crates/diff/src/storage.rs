//! What the disks are made of, what is mounted, and what stands in the way of moving them.

use fathom_report::{Listing, Part, Report, System, Volume};

use crate::context::{Context, word};
use crate::keyed::{Item, Known, Names, lists};

/// Volumes: how large they are and what lies on them; not how full they are, which changes by the
/// minute and is nobody's doing.
fn volume(volume: &Volume) -> (String, Item) {
    let fields = vec![
        ("size", Known::Is(volume.size.to_string())),
        ("layer", Known::Is(volume.layer.clone())),
        ("content", Known::Is(volume.content.clone())),
        ("encrypted", Known::Is(volume.encrypted.to_string())),
        ("label", Known::maybe(volume.label.as_deref())),
        ("uuid", Known::maybe(volume.uuid.as_deref())),
        ("parents", Known::set(&volume.parents)),
    ];
    (volume.id.clone(), Item { fields, evidence: Vec::new() })
}

/// The volumes of a report as a list, which is as complete as the disks could be read.
fn listing(report: &Report) -> Listing<Volume> {
    let mut all = Listing::complete(report.storage.volumes.clone(), Vec::new());
    if let Some(problem) = report.problems.first() {
        all.hide(problem.message.clone());
    }
    all
}

pub(crate) fn volumes(before: &Report, after: &Report, context: &mut Context) {
    let names = Names { part: Part::Storage, list: "volumes", item: "volume" };
    lists(names, (&listing(before), &listing(after)), volume, context);
}

pub(crate) fn concerns(before: &Report, after: &Report, context: &mut Context) {
    let names = Names { part: Part::Concerns, list: "concerns", item: "concern" };
    lists(
        names,
        (&before.concerns, &after.concerns),
        |concern| {
            let fields = vec![
                ("category", Known::Is(word(&concern.category))),
                ("label", Known::Is(concern.label.clone())),
                ("message", Known::Is(concern.message.clone())),
            ];
            (concern.id.clone(), Item { fields, evidence: concern.evidence.clone() })
        },
        context,
    );
}

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let names = Names { part: Part::Storage, list: "mounts", item: "mount" };
    lists(
        names,
        (&before.mounts, &after.mounts),
        |mount| {
            let fields = vec![
                ("device", Known::Is(mount.device.clone())),
                ("kind", Known::Is(mount.kind.clone())),
                ("options", Known::list(&mount.options)),
                ("volume", Known::maybe(mount.volume.as_deref())),
            ];
            (mount.path.clone(), Item { fields, evidence: vec![mount.evidence.clone()] })
        },
        context,
    );
    let names = Names { part: Part::Storage, list: "swap", item: "swap" };
    lists(
        names,
        (&before.swap, &after.swap),
        |swap| {
            let evidence = vec![swap.evidence.clone()];
            (swap.device.clone(), Item { fields: Vec::new(), evidence })
        },
        context,
    );
}
