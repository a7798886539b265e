//! What to do about flaws, as people read it in a terminal.

use std::io::{self, Write};

use fathom_document::findings::{plan_markdown, restart, some_of};
use fathom_report::finding::Findings;
use fathom_report::{Plan, Restart, Step};

use crate::args::ScanFormat;
use crate::terminal::{Paint, Style};
use crate::text::harmless;

pub(super) fn write(
    all: &[Findings],
    format: ScanFormat,
    is_list: bool,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    if is_list && format == ScanFormat::Json {
        let plans: Vec<Plan> = all.iter().map(fathom_advisory::plan).collect();
        fathom_document::json(&plans, out)?;
        return out.write_all(b"\n");
    }
    for findings in all {
        let plan = fathom_advisory::plan(findings);
        match format {
            ScanFormat::Json => {
                fathom_document::json(&plan, out)?;
                out.write_all(b"\n")?;
            }
            ScanFormat::Markdown => plan_markdown(&plan, out)?,
            _ => print(&plan, style, out)?,
        }
    }
    Ok(())
}

fn print(plan: &Plan, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let head = match plan.steps.len() {
        0 => format!("{}: nothing is known that mends anything", plan.subject),
        count => format!(
            "{}: {count} step{} take{} the risk from {:.1} to {:.1} of 100",
            plan.subject,
            if count == 1 { "" } else { "s" },
            if count == 1 { "s" } else { "" },
            plan.risk_before,
            plan.risk_after,
        ),
    };
    writeln!(out, "{}", style.paint(Paint::Heading, &harmless(&head)))?;
    for (index, step) in plan.steps.iter().enumerate() {
        one(index + 1, step, style, out)?;
    }
    for remaining in &plan.remaining {
        let line = format!(
            "\n{} flaws remain, risk {:.1}: {}",
            remaining.flaws.len(),
            remaining.risk,
            remaining.reason,
        );
        writeln!(out, "{line}")?;
        writeln!(out, "    {}", harmless(&some_of(&remaining.flaws)))?;
        writeln!(out, "    in {}", harmless(&some_of(&remaining.packages)))?;
    }
    Ok(())
}

fn one(number: usize, step: &Step, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = step.packages.iter().map(|it| it.package.clone()).collect();
    let (from, to) = step.packages.first().map_or(("", ""), |it| (&it.from, &it.to));
    let channel = step.channel.as_ref().map_or(String::new(), |it| format!(" ({it})"));
    let head = harmless(&format!("{number}. {} {from} → {to}{channel}", some_of(&names)));
    writeln!(out, "\n{}", style.paint(Paint::Heading, &head))?;
    let exploited = match step.exploited.as_slice() {
        [] => String::new(),
        known => format!("; exploited: {}", harmless(&some_of(known))),
    };
    writeln!(out, "    mends {}{exploited}", harmless(&some_of(&step.flaws)))?;
    writeln!(out, "    risk {:.1} → {:.1}", step.risk_before, step.risk_after)?;
    if step.restart != Restart::None {
        writeln!(out, "    then start again: {}", restart(step.restart))?;
    }
    match &step.command {
        Some(command) => writeln!(out, "    {}", style.paint(Paint::Good, &harmless(command)))?,
        None => writeln!(out, "    {}", harmless(&step.advice))?,
    }
    if let Some(channel) = step.channel.as_ref().filter(|_| step.command.is_some()) {
        writeln!(out, "    {}", harmless(&format!("it comes from {channel}")))?;
    }
    Ok(())
}
