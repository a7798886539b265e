//! JUnit: what continuous integration shows as tests. A flaw is a test that failed, and a package
//! without one is a test that passed; what somebody has decided about is a test that was skipped, and
//! what findings do not say is an error of the suite.

use std::io::{self, Write};

use fathom_report::finding::Findings;

use super::{decided, fix, severity};
use crate::html::page::escape;

/// Writes the findings of any number of machines, a suite each.
pub fn write(all: &[Findings], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"fathom scan\">")?;
    for findings in all {
        suite(findings, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let (failures, errors) = (findings.vulnerabilities.len(), findings.notes.len());
    let skipped = findings.excepted.len();
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">",
        escape(&findings.subject),
        failures + errors + skipped,
    )?;
    for note in &findings.notes {
        writeln!(
            out,
            "    <testcase classname=\"scan\" name=\"{0}\"><error type=\"{0}\" message=\"{1}\"/></testcase>",
            note.kind.name(),
            escape(&note.message),
        )?;
    }
    for finding in &findings.vulnerabilities {
        let fix = match fix(finding) {
            none if none.is_empty() => finding.state.name().to_owned(),
            fix => format!("fixed in {fix}"),
        };
        writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\"><failure type=\"{}\" message=\"{}\">{}</failure></testcase>",
            escape(&format!("{} {}", finding.package, finding.installed_version)),
            escape(&finding.cve_id),
            severity(finding),
            escape(&format!("{} {}: {fix}", finding.package, finding.installed_version)),
            escape(finding.description.as_deref().unwrap_or(&finding.remediation)),
        )?;
    }
    for excepted in &findings.excepted {
        let finding = &excepted.finding;
        writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\"><skipped message=\"{}\"/></testcase>",
            escape(&format!("{} {}", finding.package, finding.installed_version)),
            escape(&finding.cve_id),
            escape(&decided(excepted)),
        )?;
    }
    writeln!(out, "  </testsuite>")
}
