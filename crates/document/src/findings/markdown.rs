//! For people, in a wiki.

use std::io::{self, Write};

use fathom_report::finding::Findings;

use super::{counts, decided, fix, severity};
use crate::markdown::escape;

/// Writes the findings of a machine as Markdown.
pub fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Flaws of {}\n", escape(&findings.subject))?;
    writeln!(out, "{}.\n", counts(findings).join("; "))?;
    for note in &findings.notes {
        writeln!(out, "> **{}**: {}\n", escape(note.kind.name()), escape(&note.message))?;
    }
    if !findings.vulnerabilities.is_empty() {
        writeln!(out, "| flaw | severity | CVSS | package | installed | fixed | state |")?;
        writeln!(out, "|---|---|---|---|---|---|---|")?;
    }
    for finding in &findings.vulnerabilities {
        let score = finding.cvss_score.map_or(String::new(), |it| format!("{it:.1}"));
        writeln!(
            out,
            "| {} | {} | {score} | {} | {} | {} | {} |",
            escape(&finding.cve_id),
            severity(finding),
            escape(&finding.package),
            escape(&finding.installed_version),
            escape(&fix(finding)),
            finding.state.name(),
        )?;
    }
    if !findings.excepted.is_empty() {
        writeln!(out, "\n## Told apart\n\n| flaw | package | what was decided |\n|---|---|---|")?;
    }
    for excepted in &findings.excepted {
        let finding = &excepted.finding;
        writeln!(
            out,
            "| {} | {} {} | {} |",
            escape(&finding.cve_id),
            escape(&finding.package),
            escape(&finding.installed_version),
            escape(&decided(excepted)),
        )?;
    }
    Ok(())
}
