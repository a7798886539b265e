//! Differences as people read them in a terminal.

use std::io::{self, Write};

use fathom_report::{Change, ChangeKind, Difference, Direction, Incomparable, Part};

use crate::terminal::{Paint, Style};
use crate::text::harmless;

/// How many names of what could not be compared are shown.
const NAMED: usize = 5;

pub(super) fn print(difference: &Difference, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (before, after) = (harmless(&difference.before.name), harmless(&difference.after.name));
    writeln!(out, "{}", style.paint(Paint::Heading, &format!("{before} → {after}")))?;
    let mut part = None;
    for change in &difference.changes {
        if part != Some(change.part) {
            part = Some(change.part);
            writeln!(out, "\n{}", style.paint(Paint::Heading, title(change.part)))?;
        }
        one(change, style, out)?;
    }
    let (uncompared_count, of_both) = difference.uncompared();
    if uncompared_count > 0 {
        writeln!(out, "\n{}", style.paint(Paint::Heading, "Could not be compared"))?;
    }
    for one in difference.unknown.iter().filter(|one| !one.is_of_both()) {
        uncompared(one, style, out)?;
    }
    let count = |kind| difference.changes.iter().filter(|it| it.kind == kind).count();
    let same = match (difference.is_same(), uncompared_count) {
        (true, 0) => "nothing differs".to_owned(),
        (true, unknown) => {
            format!("nothing differs as far as could be compared; {unknown} could not")
        }
        (false, unknown) => format!(
            "{} added, {} removed, {} changed; {unknown} could not be compared",
            count(ChangeKind::Added),
            count(ChangeKind::Removed),
            count(ChangeKind::Changed)
        ),
    };
    let neither = match of_both {
        0 => String::new(),
        1 => "; 1 thing neither of them knows, for the same reason".to_owned(),
        _ => format!("; {of_both} things neither of them knows, for the same reasons"),
    };
    writeln!(out, "\n{same}{neither}")
}

fn title(part: Part) -> &'static str {
    match part {
        Part::Systems => "Systems",
        Part::Identity => "Identity",
        Part::Kernels => "Kernels",
        Part::Packages => "Packages",
        Part::Users => "Users",
        Part::Services => "Services",
        Part::Network => "Network",
        Part::Storage => "Storage",
        Part::Applications => "Applications",
        Part::Containers => "Containers",
        Part::Security => "Security",
        Part::Concerns => "Concerns",
    }
}

fn one(change: &Change, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (sign, paint) = match change.kind {
        ChangeKind::Added => ("+", Paint::Good),
        ChangeKind::Removed => ("-", Paint::Critical),
        ChangeKind::Changed => ("~", Paint::Warning),
    };
    let direction = match change.direction {
        Some(Direction::Upgrade) => " (upgrade)",
        Some(Direction::Downgrade) => " (downgrade)",
        None => "",
    };
    let fields: Vec<String> = change
        .fields
        .iter()
        .map(|field| {
            let text = |side: &Option<String>| side.as_deref().map_or("-".to_owned(), harmless);
            let name = harmless(&field.name);
            match change.kind {
                ChangeKind::Added => format!("{name} {}", text(&field.after)),
                ChangeKind::Removed => format!("{name} {}", text(&field.before)),
                ChangeKind::Changed => {
                    let direction = if name == "version" { direction } else { "" };
                    format!("{name} {} → {}{direction}", text(&field.before), text(&field.after))
                }
            }
        })
        .collect();
    let colon = if fields.is_empty() { "" } else { ": " };
    let head = format!("{sign} {} {}", harmless(&change.what), harmless(&change.name));
    writeln!(out, "  {}{colon}{}", style.paint(paint, &head), fields.join(", "))
}

fn uncompared(one: &Incomparable, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let why = [("before", &one.before), ("after", &one.after)];
    let why: Vec<String> = why
        .iter()
        .filter_map(|(side, reason)| Some(format!("{side}: {}", harmless(reason.as_deref()?))))
        .collect();
    // Both sides for one reason: it is said once.
    let why = match (&one.before, &one.after) {
        (Some(before), Some(after)) if before == after => harmless(before),
        _ => why.join("; "),
    };
    let head = format!("? {}", harmless(&one.what));
    writeln!(out, "  {}: {why}", style.paint(Paint::Warning, &head))?;
    if one.names.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = one.names.iter().take(NAMED).map(|name| harmless(name)).collect();
    let rest = match one.names.len().saturating_sub(NAMED) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    writeln!(out, "    only in one, perhaps hidden in the other: {}{rest}", named.join(", "))
}
