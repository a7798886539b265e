//! What stands in the way of moving the machine, by gravity, and what could not be read.

use std::io::{self, Write};

use fathom_report::{Category, Coverage, Outcome, Report};

use super::super::layout::wrap;
use crate::terminal::{Paint, Style};
use crate::text::harmless;

/// How far a text is set in.
const INDENT: usize = 2;

/// Writes a text, set in, and what does not fit below it.
fn indented(lead: &str, text: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let room = style.width.map_or(usize::MAX, |width| width - INDENT - lead.chars().count());
    for (number, line) in wrap(text, room).iter().enumerate() {
        let lead = if number == 0 { lead.to_owned() } else { " ".repeat(lead.chars().count()) };
        writeln!(out, "  {lead}{line}")?;
    }
    Ok(())
}

/// Writes the concerns, the gravest first.
pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let concerns = &report.concerns;
    let why = harmless(concerns.reason.as_deref().unwrap_or("some could not be read"));
    match concerns.coverage {
        Coverage::Complete if concerns.items.is_empty() => {}
        Coverage::Unknown if concerns.items.is_empty() => {
            writeln!(out, "\n{}", style.paint(Paint::Heading, "Concerns"))?;
            indented("unknown: ", &why, style, out)?;
        }
        _ => writeln!(out, "\n{}", style.paint(Paint::Heading, "Concerns"))?,
    }
    let mut sorted: Vec<_> = concerns.items.iter().collect();
    sorted.sort_by(|a, b| (a.category, &a.id, &a.message).cmp(&(b.category, &b.id, &b.message)));
    for concern in sorted {
        let (word, paint) = match concern.category {
            Category::Critical => ("critical", Paint::Critical),
            Category::Warning => ("warning", Paint::Warning),
            Category::Information => ("information", Paint::Faint),
        };
        let label = harmless(&concern.label);
        writeln!(out, "  {}{label}", style.paint(paint, &format!("{word:13}")))?;
        indented("             ", &harmless(&concern.message), style, out)?;
    }
    if concerns.coverage == Coverage::Partial {
        indented("there may be more: ", &why, style, out)?;
    }
    // Where there is no system, nearly all of them could not be told.
    if !report.undecided.is_empty() && !report.systems.is_empty() {
        let mut names: Vec<_> = report.undecided.iter().map(|one| harmless(&one.id)).collect();
        names.dedup();
        indented("could not be told: ", &names.join(", "), style, out)?;
    }
    profiles(report, style, out)
}

/// What rules make of it, a line a profile.
fn profiles(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if report.profiles.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.paint(Paint::Heading, "Profiles"))?;
    for profile in &report.profiles {
        let count = |outcome| profile.results.iter().filter(|it| it.outcome == outcome).count();
        let score = match profile.score {
            Some(score) => format!("{score}%"),
            None => "no score, nothing could be told".to_owned(),
        };
        let text = format!(
            "{score}: {} pass, {} fail, {} unknown, {} not applicable, on {}",
            count(Outcome::Pass),
            count(Outcome::Fail),
            count(Outcome::Unknown),
            count(Outcome::NotApplicable),
            harmless(&profile.system),
        );
        indented(&format!("{:14}", harmless(&profile.name)), &text, style, out)?;
    }
    Ok(())
}

/// What could not be read of the disks.
pub(super) fn problems(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.paint(Paint::Heading, "Problems of the disks"))?;
    report
        .problems
        .iter()
        .try_for_each(|problem| indented("", &harmless(&problem.message), style, out))
}
