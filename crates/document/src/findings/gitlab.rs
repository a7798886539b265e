//! The report of container scanning that GitLab takes, of version 15.

use std::io::{self, Write};

use fathom_report::finding::{Finding, Findings, Severity};
use serde_json::{Value, json};

use super::is_address;
use super::vex::reference;
use crate::sbom::tool;

/// Writes the findings of any number of machines, scanned at this time (RFC 3339).
pub fn write(all: &[Findings], timestamp: &str, out: &mut dyn Write) -> io::Result<()> {
    let generator = all.first().map_or("fathom 0", |findings| findings.generator.as_str());
    let (name, version) = tool(generator);
    let maker = json!({
        "id": name,
        "name": "Fathom",
        "version": version,
        "vendor": {"name": "Fathom"},
    });
    // It has seconds and no zone.
    let time = timestamp.get(..19).unwrap_or(timestamp);
    let flaws: Vec<_> = all
        .iter()
        .flat_map(|findings| findings.vulnerabilities.iter().map(|it| flaw(findings, it)))
        .collect();
    let notes = || all.iter().flat_map(|findings| &findings.notes);
    let has_failed = notes().any(|note| note.kind.is_failure());
    let messages: Vec<_> = notes()
        .map(|note| {
            let level = if note.kind.is_failure() { "fatal" } else { "warn" };
            json!({"level": level, "value": format!("{}: {}", note.kind.name(), note.message)})
        })
        .collect();
    let document = json!({
        "version": "15.0.7",
        "scan": {
            "analyzer": maker,
            "scanner": maker,
            "type": "container_scanning",
            "start_time": time,
            "end_time": time,
            "status": if has_failed { "failure" } else { "success" },
            "messages": messages,
        },
        "vulnerabilities": flaws,
    });
    crate::json::write(&document, out)?;
    out.write_all(b"\n")
}

fn flaw(findings: &Findings, finding: &Finding) -> Value {
    let severity = match finding.severity {
        Some(Severity::Critical) => "Critical",
        Some(Severity::High) => "High",
        Some(Severity::Medium) => "Medium",
        Some(Severity::Low) => "Low",
        Some(Severity::Negligible) => "Info",
        None => "Unknown",
    };
    let system = findings.systems.first();
    let system = system.map_or_else(
        || "unknown".to_owned(),
        |it| {
            let parts = [&it.distribution, &it.version];
            parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(":")
        },
    );
    let kind = if finding.cve_id.starts_with("CVE-") { "cve" } else { "advisory" };
    let links = finding.references.iter().filter(|it| is_address(it));
    let links: Vec<_> = links.map(|url| json!({"url": url})).collect();
    json!({
        "id": crate::sbom::uuid(&[&findings.subject, &finding.cve_id, &reference(finding)]),
        "name": finding.cve_id,
        "description": finding.description.as_deref().unwrap_or(&finding.remediation),
        "severity": severity,
        "solution": finding.remediation,
        "identifiers": [{"type": kind, "name": finding.cve_id, "value": finding.cve_id}],
        "links": links,
        "location": {
            "dependency": {
                "package": {"name": finding.package},
                "version": finding.installed_version,
            },
            "operating_system": system,
            "image": findings.subject,
        },
    })
}
