//! What to do about flaws, for people, in a wiki.

use std::io::{self, Write};

use fathom_report::{Plan, Restart, Step};

use crate::markdown::escape;

/// How many flaws or packages are named.
const NAMED: usize = 10;

/// Writes a plan as Markdown.
pub fn markdown(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# What to do about {}\n", escape(&plan.subject))?;
    let steps = match plan.steps.len() {
        1 => "1 step takes".to_owned(),
        count => format!("{count} steps take"),
    };
    let (before, after) = (plan.risk_before, plan.risk_after);
    writeln!(out, "{steps} the risk from {before:.1} to {after:.1} of 100.\n")?;
    for note in &plan.notes {
        writeln!(out, "> **{}**: {}\n", escape(note.kind.name()), escape(&note.message))?;
    }
    if !plan.steps.is_empty() {
        writeln!(out, "| step | package | from | to | mends | exploited | risk after | restart |")?;
        writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    }
    for (index, step) in plan.steps.iter().enumerate() {
        row(index + 1, step, out)?;
    }
    for (index, step) in plan.steps.iter().enumerate() {
        writeln!(out, "\n{}. {}", index + 1, escape(&step.advice))?;
        if let Some(command) = &step.command {
            // Commands are of one line, and hold nothing that ends a block of code.
            writeln!(out, "\n   ```sh\n   {command}\n   ```")?;
        }
    }
    if !plan.remaining.is_empty() {
        writeln!(out, "\n## What remains\n\n| why | flaws | packages | risk |\n|---|---|---|---|")?;
    }
    for remaining in &plan.remaining {
        writeln!(
            out,
            "| {} | {} | {} | {:.1} |",
            escape(&remaining.reason),
            escape(&some_of(&remaining.flaws)),
            escape(&some_of(&remaining.packages)),
            remaining.risk,
        )?;
    }
    Ok(())
}

fn row(number: usize, step: &Step, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = step.packages.iter().map(|it| it.package.clone()).collect();
    let (from, to) = step.packages.first().map_or(("", ""), |it| (&it.from, &it.to));
    let channel = step.channel.as_ref().map_or(String::new(), |it| format!(" ({it})"));
    writeln!(
        out,
        "| {number} | {} | {} | {} | {} | {} | {:.1} | {} |",
        escape(&some_of(&names)),
        escape(from),
        escape(&format!("{to}{channel}")),
        step.flaws.len(),
        step.exploited.len(),
        step.risk_after,
        restart(step.restart),
    )
}

/// What to start again, in words; nothing where that is nothing.
pub fn restart(restart: Restart) -> &'static str {
    match restart {
        Restart::None => "",
        Restart::Services => "services",
        Restart::Machine => "the machine",
    }
}

/// The first names, and how many more there are.
pub fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
