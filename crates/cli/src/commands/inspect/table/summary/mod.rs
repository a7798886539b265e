//! The summary: a line or two of every section, which tell whether to look at it in full.

mod access;
mod concerns;
mod doors;
mod identity;
mod network;
mod packages;
mod security;
mod storage;
mod workloads;

use std::io::{self, Write};

use fathom_report::{Coverage, Fact, Listing, Report, System};

use super::heading;
use super::layout::wrap;
use crate::terminal::{Paint, Style};
use crate::text::harmless;

/// How wide the names of the lines are.
const NAMES: usize = 14;

/// How many things a line names before it only counts.
const NAMED: usize = 6;

/// Something that a line says, harmless, and whether that stands out.
pub(super) struct Said {
    text: String,
    paint: Option<Paint>,
}

impl Said {
    /// Something plain.
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), paint: None }
    }

    /// Something that stands out.
    fn painted(paint: Paint, text: impl Into<String>) -> Self {
        Self { text: text.into(), paint: Some(paint) }
    }

    /// Something that could not be looked at.
    fn unknown(reason: &str) -> Self {
        Self::painted(Paint::Warning, format!("unknown: {}", harmless(reason)))
    }

    /// Something that was looked for and is not there.
    fn absent() -> Self {
        Self::painted(Paint::Faint, "-")
    }

    /// What is to be known of a fact.
    fn fact<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> Self {
        match fact {
            Fact::Known { value, .. } => Self::plain(harmless(&show(value))),
            Fact::Absent { .. } => Self::absent(),
            Fact::Unknown { reason } => Self::unknown(reason),
        }
    }
}

/// Prints the summary.
pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for system in &report.systems {
        writeln!(out, "\n{}", heading(system, style))?;
        rows(system, style, out)?;
    }
    writeln!(out, "\n{}", style.paint(Paint::Heading, "Disks"))?;
    storage::volumes(report, style, out)?;
    concerns::write(report, style, out)?;
    concerns::problems(report, style, out)
}

fn rows(system: &System, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let problems = match system.problems.len() {
        0 => Said::plain("none"),
        count => Said::painted(Paint::Warning, format!("{count}; --section problems shows them")),
    };
    let mut all = identity::lines(system);
    all.extend([
        ("kernels", identity::kernels(system)),
        ("packages", packages::packages(&system.packages)),
        ("users", access::users(system)),
        ("sudo", access::sudo(system)),
        ("services", packages::services(system)),
        ("network", network::interfaces(system)),
        ("names", network::names(system)),
        ("firewall", network::firewalls(system)),
        ("applications", workloads::applications(system)),
        ("containers", workloads::containers(system)),
        ("ssh", security::sshd(system)),
        ("confinement", security::confinement(system)),
        ("updates", security::updates(system)),
        ("certificates", security::certificates(system)),
        ("mounts", storage::mounts(system)),
        ("problems", problems),
    ]);
    // What one version does not look for at all is said once, not in every line.
    let mut unsought = Vec::new();
    for (name, said) in all {
        if said.text.starts_with("unknown: this version does not look for") {
            unsought.push(name);
            continue;
        }
        line(name, &said, style, out)?;
    }
    if unsought.is_empty() {
        return Ok(());
    }
    let text = format!("unknown, this version does not look for it: {}", unsought.join(", "));
    line("not looked", &Said::painted(Paint::Warning, text), style, out)
}

/// A line, and below it what does not fit.
fn line(name: &str, said: &Said, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let room = style.width.map_or(usize::MAX, |width| width - NAMES - 2);
    for (number, text) in wrap(&said.text, room).iter().enumerate() {
        let name = if number == 0 { name } else { "" };
        let name = style.paint(Paint::Faint, &format!("{name:NAMES$}"));
        let text = match said.paint {
            Some(paint) => style.paint(paint, text),
            None => text.clone(),
        };
        writeln!(out, "  {name}{text}")?;
    }
    Ok(())
}

/// How many there are, and whether that is all; `what` has the names for one and for several.
fn counted<T>(listing: &Listing<T>, what: (&str, &str)) -> Said {
    counted_of(listing.items.len(), listing, what, "")
}

/// The same with more behind the number, where there are any.
fn counted_with<T>(listing: &Listing<T>, what: (&str, &str), more: &str) -> Said {
    counted_of(listing.items.len(), listing, what, more)
}

/// The same, where not all that is listed counts.
fn counted_of<T>(
    count: usize,
    listing: &Listing<T>,
    (one, several): (&str, &str),
    more: &str,
) -> Said {
    let what = if count == 1 { one } else { several };
    let more = match more {
        "" => String::new(),
        _ if count == 0 => String::new(),
        more => format!("; {more}"),
    };
    match (listing.coverage, listing.reason.as_deref()) {
        (Coverage::Unknown, why) => Said::unknown(why.unwrap_or("it could not be looked")),
        (Coverage::Partial, why) => {
            let why = harmless(why.unwrap_or("some could not be read"));
            Said::painted(Paint::Warning, format!("{count} {what}{more}; perhaps more: {why}"))
        }
        (Coverage::Complete, Some(why)) if count == 0 => {
            Said::plain(format!("none: {}", harmless(why)))
        }
        (Coverage::Complete, None) if count == 0 => Said::plain("none"),
        (Coverage::Complete, _) => Said::plain(format!("{count} {what}{more}")),
    }
}

/// Some names, and how many more there are.
fn some<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    let named: Vec<_> = names.take(NAMED).map(harmless).collect();
    match count.saturating_sub(NAMED) {
        0 => named.join(", "),
        rest => format!("{} and {rest} more", named.join(", ")),
    }
}
