//! The report as people read it in a terminal: a summary of every section, or sections in full.

mod layout;
mod summary;

use std::io::{self, Write};

use fathom_document::{Section, view};
use fathom_report::{Fact, Report, System};

use self::layout::Tables;
pub(super) use self::layout::wrap;
use crate::terminal::{Paint, Style};
use crate::text::{harmless, size};

/// Prints the report: the sections that were asked for in full, or else a summary of all.
pub(super) fn print(
    report: &Report,
    sections: &[Section],
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for disk in &report.disks {
        let name = style.paint(Paint::Heading, &harmless(&disk.name));
        writeln!(out, "{name}: {}, {}", harmless(&disk.format), size(disk.virtual_size))?;
        if let Some(checksum) = &disk.checksum {
            writeln!(out, "  {} is as it should be", harmless(checksum))?;
        }
    }
    if report.systems.is_empty() {
        let found = match report.problems.is_empty() {
            true => "no operating system found",
            false => "no operating system found in what could be read",
        };
        writeln!(out, "\n{}", style.paint(Paint::Warning, found))?;
    }
    if sections.is_empty() {
        return summary::write(report, style, out);
    }
    for system in &report.systems {
        if !sections.iter().any(|section| view::is_of_system(*section)) {
            continue;
        }
        writeln!(out, "\n{}", heading(system, style))?;
        for section in sections {
            view::system(*section, system, &mut Tables::new(style, out))?;
        }
    }
    // A section such as the problems has a list for each system and one for the disks.
    let is_both = |section: &Section| view::is_of_system(*section) && view::is_of_machine(*section);
    if !report.systems.is_empty() && sections.iter().any(is_both) {
        writeln!(out, "\n{}", style.paint(Paint::Heading, "The disks"))?;
    }
    for section in sections.iter().filter(|section| view::is_of_machine(**section)) {
        view::machine(*section, report, &mut Tables::new(style, out))?;
    }
    Ok(())
}

/// What a system is called, and where it lies.
fn heading(system: &System, style: Style) -> String {
    let identity = &system.identity;
    let name = match (&identity.name, &identity.distribution) {
        (Fact::Known { value, .. }, _) | (_, Fact::Known { value, .. }) => harmless(value),
        _ => "unknown system".to_owned(),
    };
    format!("{} on {}", style.paint(Paint::Heading, &name), harmless(&system.root))
}
