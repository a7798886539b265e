//! What `--diff` says.

use std::io::{self, Write};

use fathom_report::finding::Severity;
use fathom_report::finding_difference::{Cause, Change, ChangeKind, Difference, WhichSide};

use crate::terminal::{Paint, Style};
use crate::text::harmless;

/// Prints a difference for people.
pub(super) fn print(difference: &Difference, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (before, after) = (&difference.before.subject, &difference.after.subject);
    let head = format!("{} → {}", harmless(before), harmless(after));
    writeln!(out, "{}", style.paint(Paint::Heading, &head))?;
    let database = match difference.same_database {
        true => "compared with the same database",
        false => "compared with different databases",
    };
    let packages = match difference.same_packages {
        Some(true) => "the same is installed",
        Some(false) => "what is installed differs",
        None => "whether the same is installed is not known",
    };
    writeln!(out, "{database}; {packages}")?;
    let mut kind = None;
    for change in &difference.changes {
        if kind != Some(change.kind) {
            kind = Some(change.kind);
            let title = match change.kind {
                ChangeKind::New => "New",
                ChangeKind::Changed => "Changed",
                ChangeKind::Gone => "Gone",
            };
            writeln!(out, "\n{}", style.paint(Paint::Heading, title))?;
        }
        one(change, style, out)?;
    }
    let counted = difference.summary;
    writeln!(
        out,
        "\n{} new, {} changed, {} gone, {} the same",
        counted.new, counted.changed, counted.gone, counted.same
    )?;
    for doubt in &difference.doubts {
        let side = match doubt.side {
            WhichSide::Before => before,
            WhichSide::After => after,
        };
        let note = &doubt.note;
        let text = format!("not all of {side} was seen: {}: {}", note.kind.name(), note.message);
        writeln!(out, "{}", style.paint(Paint::Warning, &harmless(&text)))?;
    }
    Ok(())
}

fn one(change: &Change, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (sign, paint) = match change.kind {
        ChangeKind::New => ("+", Paint::Critical),
        ChangeKind::Changed => ("~", Paint::Warning),
        ChangeKind::Gone => ("-", Paint::Good),
    };
    let severity = change.severity.map_or("unrated", Severity::name);
    let fields: Vec<String> = change
        .fields
        .iter()
        .map(|field| {
            let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
            let name = field.name.replace('_', " ");
            format!("{name} {} → {}", text(&field.before), text(&field.after))
        })
        .collect();
    let what = match (change.kind, &change.fixed_version) {
        (ChangeKind::Changed, _) => fields.join(", "),
        (_, Some(version)) => format!("mended in {version}"),
        (_, None) => change.state.name().to_owned(),
    };
    let why = match (change.cause, change.kind) {
        (Cause::Database, ChangeKind::Gone) => "it is not said of this version any more",
        (Cause::Database, _) => "more is known",
        (Cause::Machine, ChangeKind::New) => "the machine changed",
        (Cause::Machine, ChangeKind::Gone) => "the package changed, or is not there",
        (Cause::Machine, ChangeKind::Changed) => "the machine changed",
        (Cause::Decision, _) => "somebody has decided",
        (Cause::Unknown, _) => "it cannot be told why",
    };
    let line = format!(
        "  {} {:10}  {} {}  {what}  ({why})",
        style.paint(paint, &format!("{sign} {:16}", harmless(&change.cve_id))),
        severity,
        harmless(&change.package),
        harmless(&change.installed_version),
        what = harmless(&what),
    );
    writeln!(out, "{line}")
}
