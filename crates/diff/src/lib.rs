//! What differs between two reports.
//!
//! A pure function: two reports in, their [`Difference`] out. It goes by what things are called, not
//! by where they stand in a list, so the order of a report changes nothing, but for the few lists in
//! which the order decides what holds: rules of sudo, name servers, search domains, conditions of sshd.
//!
//! What one of the two does not know cannot be compared: it is said so, and is never taken for
//! added or removed. Of two lists of which one is not complete, what both hold is compared, and what
//! only the complete one holds may be hidden in the other.

#![forbid(unsafe_code)]

mod account;
mod boot;
mod connection;
mod context;
pub mod findings;
mod identity;
mod keyed;
mod package;
mod saved;
mod security;
mod storage;
#[cfg(test)]
mod tests;
mod version;
mod workload;

use fathom_report::{
    Change, ChangeKind, DIFFERENCE_SCHEMA, Difference, FieldChange, Part, Report, Side, System,
};

use context::Context;
pub use saved::{MAX_REPORT, Unfit, report as saved_report};
pub use version::direction;

/// What differs between `before` and `after`.
pub fn compare(before: &Report, after: &Report, generator: &str) -> Difference {
    let mut context = Context::default();
    storage::volumes(before, after, &mut context);
    storage::concerns(before, after, &mut context);
    unseen_systems(before, after, &mut context);
    for pair in pairs(before, after) {
        match pair {
            (Some(before), Some(after)) => {
                context.system = Some(after.root.clone());
                systems(before, after, &mut context);
            }
            (Some(gone), None) => lone(ChangeKind::Removed, gone, after, &mut context),
            (None, Some(new)) => lone(ChangeKind::Added, new, before, &mut context),
            (None, None) => {}
        }
        context.system = None;
    }
    let Context { mut changes, mut unknown, .. } = context;
    changes.sort_by(|a, b| order(a).cmp(&order(b)));
    unknown.sort_by(|a, b| {
        (a.part, &a.system, &a.what, &a.names).cmp(&(b.part, &b.system, &b.what, &b.names))
    });
    Difference {
        schema: DIFFERENCE_SCHEMA.to_owned(),
        generator: generator.to_owned(),
        before: side(before),
        after: side(after),
        changes,
        unknown,
    }
}

/// What a change is sorted by.
fn order(it: &Change) -> (Part, &Option<String>, &str, &str, ChangeKind, &[FieldChange]) {
    (it.part, &it.system, &it.what, &it.name, it.kind, &it.fields)
}

fn side(report: &Report) -> Side {
    let mut systems: Vec<String> = report.systems.iter().map(|it| it.root.clone()).collect();
    systems.sort_unstable();
    Side {
        name: report.disks.first().map_or_else(String::new, |disk| disk.name.clone()),
        generator: report.generator.clone(),
        systems,
    }
}

/// Which system is which: by the volume of the root. Where each has only one, they are the same
/// machine's system wherever it lies.
fn pairs<'a>(
    before: &'a Report,
    after: &'a Report,
) -> Vec<(Option<&'a System>, Option<&'a System>)> {
    if let ([one], [other]) = (before.systems.as_slice(), after.systems.as_slice()) {
        return vec![(Some(one), Some(other))];
    }
    // Each is the other of one alone, however often a root is named.
    let mut new: Vec<&System> = after.systems.iter().collect();
    let mut pairs: Vec<_> = before
        .systems
        .iter()
        .map(|it| {
            let other = new.iter().position(|other| other.root == it.root);
            (Some(it), other.map(|at| new.remove(at)))
        })
        .collect();
    pairs.extend(new.into_iter().map(|it| (None, Some(it))));
    pairs
}

/// Why a system may be hidden in the disks of the report: what could not be read, or, in reports of
/// old, a volume that is locked or was not looked at where no system was found.
fn hides_systems(report: &Report) -> Option<String> {
    if let Some(problem) = report.problems.first() {
        return Some(problem.message.clone());
    }
    let volumes = &report.storage.volumes;
    let is_open = |id: &String| volumes.iter().any(|volume| volume.parents.contains(id));
    let hides = |volume: &&fathom_report::Volume| {
        let content = volume.content.as_str();
        let unread = content.ends_with("not read") || content == "could not be looked at";
        unread || volume.encrypted && !is_open(&volume.id)
    };
    let hidden = volumes.iter().filter(|_| report.systems.is_empty()).find(hides)?;
    Some(format!("{}: {}", hidden.id, hidden.content))
}

/// Where neither has a system, both may have one that could not be looked at.
fn unseen_systems(before: &Report, after: &Report, context: &mut Context) {
    if !before.systems.is_empty() || !after.systems.is_empty() {
        return;
    }
    let (was, is) = (hides_systems(before), hides_systems(after));
    if was.is_some() || is.is_some() {
        context.hidden(Part::Systems, "systems", was, is, Vec::new());
    }
}

/// A system that only one of the two has. Where the other could not be read altogether, it may have
/// it too.
fn lone(kind: ChangeKind, system: &System, other: &Report, context: &mut Context) {
    let name = system.identity.name.value().or(system.identity.distribution.value());
    let name = name.map_or(system.root.as_str(), String::as_str);
    if let Some(why) = hides_systems(other) {
        let why = format!("not all of the disks could be read: {why}");
        let (before, after) = match kind {
            ChangeKind::Removed => (None, Some(why)),
            _ => (Some(why), None),
        };
        context.hidden(Part::Systems, "system", before, after, vec![name.to_owned()]);
        return;
    }
    let root = Some(system.root.clone());
    let (before, after) =
        if kind == ChangeKind::Added { (None, root.clone()) } else { (root.clone(), None) };
    context.system = root;
    let fields = vec![FieldChange { name: "root".to_owned(), before, after }];
    context.change(Part::Systems, kind, "system", name, fields);
}

fn systems(before: &System, after: &System, context: &mut Context) {
    identity::compare(before, after, context);
    boot::compare(before, after, context);
    package::compare(before, after, context);
    account::compare(before, after, context);
    workload::compare(before, after, context);
    connection::compare(before, after, context);
    storage::compare(before, after, context);
    security::compare(before, after, context);
}
