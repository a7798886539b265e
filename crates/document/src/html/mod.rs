//! A report as one HTML file.

pub(crate) mod page;
mod tables;

use std::io::{self, Write};

use fathom_report::{Category, Coverage, Report, System};

use self::page::escape;
use self::tables::Tables;
use crate::markdown::title;
use crate::view::{self, Section};
use crate::words::size;

/// Sections that are open at first: what one reads through rather than searches.
const OPEN: [Section; 3] = [Section::Identity, Section::Concerns, Section::Problems];

/// Writes a report as one page that needs nothing besides itself.
pub fn report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let name = report.disks.first().map_or("machine", |disk| disk.name.as_str());
    page::begin(name, out)?;
    for disk in &report.disks {
        let checksum = match &disk.checksum {
            Some(checksum) => format!(", {}", escape(checksum)),
            None => String::new(),
        };
        let (name, format) = (escape(&disk.name), escape(&disk.format));
        writeln!(out, "<p>{name}: {format}, {}{checksum}</p>", size(disk.virtual_size))?;
    }
    if report.systems.is_empty() {
        writeln!(out, "<p class=\"note unknown\">No operating system was found.</p>")?;
    }
    contents(report, out)?;
    page::search(out)?;
    // What stands in the way and what could not be read comes first: it bears on all the rest.
    for section in [Section::Concerns, Section::Problems, Section::Storage] {
        begin(section, "machine", &of_machine(section, report), out)?;
        view::machine(section, report, &mut Tables::new(out))?;
        end(out)?;
    }
    for (index, system) in report.systems.iter().enumerate() {
        writeln!(out, "<h2 id=\"system-{index}\">{}</h2>", escape(&title(system)))?;
        for section in Section::ALL.into_iter().filter(|it| view::is_of_system(*it)) {
            begin(section, &index.to_string(), &of_system(section, system), out)?;
            view::system(section, system, &mut Tables::new(out))?;
            end(out)?;
        }
    }
    page::end(&format!("{}, {}", report.generator, report.schema), out)
}

/// Links to the systems and their sections.
fn contents(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<nav aria-label=\"Contents\">\n<ul>")?;
    for (index, system) in report.systems.iter().enumerate() {
        writeln!(out, "<li><a href=\"#system-{index}\">{}</a></li>", escape(&title(system)))?;
    }
    writeln!(out, "</ul>\n</nav>")
}

fn begin(section: Section, of: &str, summary: &str, out: &mut dyn Write) -> io::Result<()> {
    let open = if OPEN.contains(&section) { " open" } else { "" };
    let (name, title) = (section.name(), section.title());
    writeln!(
        out,
        "<details id=\"{name}-{of}\"{open}>\n<summary>{title} <span>{}</span></summary>\n<div>",
        escape(summary)
    )
}

fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</div>\n</details>")
}

/// How many there are, and whether that is all.
fn counted(count: usize, coverage: Coverage) -> String {
    match coverage {
        Coverage::Complete => count.to_string(),
        Coverage::Partial => format!("{count}, perhaps more"),
        Coverage::Unknown if count == 0 => "unknown".to_owned(),
        Coverage::Unknown => format!("{count}, the rest unknown"),
    }
}

fn of_machine(section: Section, report: &Report) -> String {
    match section {
        Section::Concerns => {
            let all = &report.concerns;
            let grave = all.items.iter().filter(|it| it.category == Category::Critical).count();
            let grave = if grave == 0 { String::new() } else { format!(", {grave} critical") };
            format!("{}{grave}", counted(all.items.len(), all.coverage))
        }
        Section::Problems => format!("{} of the disks", report.problems.len()),
        _ => format!("{} volumes", report.storage.volumes.len()),
    }
}

fn of_system(section: Section, system: &System) -> String {
    let of = |count: usize, coverage| counted(count, coverage);
    match section {
        Section::Identity => String::new(),
        Section::Kernels => of(system.boot.kernels.items.len(), system.boot.kernels.coverage),
        Section::Packages => of(system.packages.items.len(), system.packages.coverage),
        Section::Users => {
            let accounts = &system.users.accounts;
            format!("{} accounts", of(accounts.items.len(), accounts.coverage))
        }
        Section::Services => of(system.services.items.len(), system.services.coverage),
        Section::Network => {
            let interfaces = &system.network.interfaces;
            format!("{} interfaces", of(interfaces.items.len(), interfaces.coverage))
        }
        Section::Storage => {
            format!("{} mounts", of(system.mounts.items.len(), system.mounts.coverage))
        }
        Section::Applications => of(system.applications.items.len(), system.applications.coverage),
        Section::Containers => {
            let containers = &system.containers.containers;
            of(containers.items.len(), containers.coverage)
        }
        Section::Security | Section::Concerns => String::new(),
        Section::Problems => system.problems.len().to_string(),
    }
}
