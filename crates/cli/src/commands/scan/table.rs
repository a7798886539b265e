//! Findings as people read them in a terminal: by package, what mends it, and what it has.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use fathom_document::findings::{counts, fix};
use fathom_report::finding::{Finding, Findings, Severity, VexStatement, VexStatus};

use crate::terminal::{Paint, Style};
use crate::text::harmless;

/// How many packages of one source are named.
const NAMED: usize = 3;

pub(super) fn print(
    findings: &Findings,
    explain: bool,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let systems: Vec<_> = findings
        .systems
        .iter()
        .map(|it| {
            let parts = [&it.hostname, &it.distribution, &it.version];
            parts.into_iter().flatten().map(|it| harmless(it)).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let head = format!("{}: {}", harmless(&findings.subject), systems.join("; "));
    writeln!(out, "{}", style.paint(Paint::Heading, &head))?;
    for group in groups(&findings.vulnerabilities) {
        writeln!(out, "\n{}", style.paint(Paint::Heading, &group.head()))?;
        for finding in group.flaws {
            one(finding, explain, style, out)?;
        }
    }
    let [flaws, rest] = counts(findings);
    writeln!(out, "\n{flaws}\n{rest}")?;
    if findings.summary.excepted > 0 {
        writeln!(
            out,
            "{} findings are told apart, as somebody has decided:",
            findings.summary.excepted
        )?;
    }
    for excepted in &findings.excepted {
        let (finding, exemption) = (&excepted.finding, &excepted.exemption);
        let line = format!("  {} {}: {}", finding.cve_id, finding.package, exemption.reason);
        writeln!(out, "{}", harmless(&line))?;
        if let Some(said) = exemption.statement.as_ref().filter(|_| explain) {
            writeln!(out, "      {}", harmless(&statement(said)))?;
        }
    }
    Ok(())
}

/// What was built from one source and is of one version.
#[derive(Default)]
struct Group<'f> {
    names: Vec<&'f str>,
    /// A finding for each flaw.
    flaws: Vec<&'f Finding>,
}

impl Group<'_> {
    fn head(&self) -> String {
        let more = match self.names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = self.names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let version = self.flaws.first().map_or("", |it| it.installed_version.as_str());
        harmless(&format!("{names}{more} {version}"))
    }
}

/// Findings by what they are in, that with the gravest first.
fn groups(findings: &[Finding]) -> Vec<Group<'_>> {
    let mut places = HashMap::new();
    let (mut named, mut told) = (HashSet::new(), HashSet::new());
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in findings {
        let source = finding.source_package.as_deref().unwrap_or(&finding.package);
        let place = *places.entry((source, &finding.installed_version)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group::default());
        }
        let group = &mut groups[place];
        if named.insert((place, finding.package.as_str())) {
            group.names.push(&finding.package);
        }
        if told.insert((place, finding.cve_id.as_str())) {
            group.flaws.push(finding);
        }
    }
    groups
}

fn one(finding: &Finding, explain: bool, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let severity = finding.severity.map_or("unrated", Severity::name);
    let paint = match finding.severity {
        Some(Severity::Critical) => Paint::Critical,
        Some(Severity::High) => Paint::Warning,
        _ => Paint::Faint,
    };
    let score = finding.cvss_score.map_or_else(|| "   -".to_owned(), |it| format!("{it:4.1}"));
    let fix = match fix(finding) {
        none if none.is_empty() => finding.state.name().to_owned(),
        fix => fix,
    };
    let mut marks = Vec::new();
    if finding.exploitability.exploited_since.is_some() {
        marks.push("exploited".to_owned());
    }
    if finding.exploitability.ransomware {
        marks.push("ransomware".to_owned());
    }
    if let Some(epss) = finding.exploitability.epss.filter(|it| *it >= 0.1) {
        marks.push(format!("EPSS {:.0} %", epss * 100.0));
    }
    if let Some(said) = &finding.vex {
        marks.push(match said.status {
            VexStatus::UnderInvestigation => "VEX: being looked into".to_owned(),
            _ => format!("VEX: {}", said.status.name().replace('_', " ")),
        });
    }
    if finding.inactive {
        marks.push("kernel that does not start".to_owned());
    }
    let line = format!(
        "  {:16} {} {score}  {}  {}",
        harmless(&finding.cve_id),
        style.paint(paint, &format!("{severity:10}")),
        harmless(&fix),
        marks.join(", "),
    );
    writeln!(out, "{}", line.trim_end())?;
    if explain {
        for because in finding.because.iter() {
            let text = format!(
                "      {} ({}), {}: {}",
                because.advisory, because.provider, because.ecosystem, because.rule,
            );
            writeln!(out, "{}", harmless(&text))?;
        }
        if let Some(said) = &finding.vex {
            writeln!(out, "      {}", harmless(&statement(said)))?;
        }
        writeln!(out, "      installed: {}", harmless(&finding.evidence.0))?;
    }
    Ok(())
}

/// Who says how it stands, where, and since when.
fn statement(said: &VexStatement) -> String {
    let author = said.author.as_ref().map_or(String::new(), |it| format!(" by {it}"));
    let since = said.timestamp.as_ref().map_or(String::new(), |it| format!(" of {it}"));
    let texts = [&said.justification, &said.detail];
    let why = texts.into_iter().flatten().cloned().collect::<Vec<_>>().join(": ");
    let status = said.status.name();
    let colon = if why.is_empty() { "" } else { ": " };
    format!("{}{author}{since}, {status}{colon}{why}", said.document)
}
