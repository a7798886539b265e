//! What the disks are made of, what is mounted, and what stands in the way of moving them.

use std::collections::BTreeMap;

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

/// What a concern is called, and the system that it is about.
type Called = (String, Option<String>);

/// The concerns that one of the two could not tell, with the reasons of each.
fn undecided(
    before: &Report,
    after: &Report,
) -> BTreeMap<Called, (Option<String>, Option<String>)> {
    let mut all: BTreeMap<Called, (Option<String>, Option<String>)> = BTreeMap::new();
    for one in &before.undecided {
        all.entry((one.id.clone(), one.system.clone())).or_default().0 = Some(one.reason.clone());
    }
    for one in &after.undecided {
        all.entry((one.id.clone(), one.system.clone())).or_default().1 = Some(one.reason.clone());
    }
    all
}

pub(crate) fn concerns(before: &Report, after: &Report, context: &mut Context) {
    let part = Part::Concerns;
    let undecided = undecided(before, after);
    // Where one has no system, nearly all of its concerns could not be told; its list says why.
    let has_systems = !before.systems.is_empty() && !after.systems.is_empty();
    for ((id, system), (was, is)) in undecided.iter().filter(|_| has_systems) {
        let what = match system {
            Some(system) => format!("concern {id} of {system}"),
            None => format!("concern {id}"),
        };
        context.hidden(part, &what, was.clone(), is.clone(), Vec::new());
    }
    // What one of the two could not tell is neither added nor removed.
    let decided = |report: &Report| {
        let mut all = report.concerns.clone();
        all.items.retain(|it| !undecided.contains_key(&(it.id.clone(), it.system.clone())));
        all
    };
    lists(
        Names { part, list: "concerns", item: "concern" },
        (&decided(before), &decided(after)),
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
