//! CycloneDX 1.6 with what is wrong, and how each stands (VEX).

use std::collections::BTreeMap;
use std::io::{self, Write};

use fathom_report::finding::{Finding, Findings, Severity, State};
use serde_json::{Value, json};

use crate::sbom::{tool, uuid};

/// Writes the findings of a machine, made at this time (RFC 3339).
pub fn write(findings: &Findings, timestamp: &str, out: &mut dyn Write) -> io::Result<()> {
    let (name, version) = tool(&findings.generator);
    let mut components: BTreeMap<String, Value> = BTreeMap::new();
    for finding in &findings.vulnerabilities {
        let reference = reference(finding);
        components.entry(reference.clone()).or_insert_with(|| {
            json!({
                "type": "library",
                "bom-ref": reference,
                "name": finding.package,
                "version": finding.installed_version,
            })
        });
    }
    let notes: Vec<_> = findings
        .notes
        .iter()
        .map(|note| {
            json!({"name": format!("fathom:note:{}", note.kind.name()), "value": note.message})
        })
        .collect();
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid(&["findings", &findings.subject, timestamp])),
        "version": 1,
        "metadata": {
            "timestamp": timestamp,
            "tools": {"components": [{"type": "application", "name": name, "version": version}]},
            "component": {"type": "container", "bom-ref": "machine", "name": findings.subject},
            "properties": notes,
        },
        "components": components.into_values().collect::<Vec<_>>(),
        "vulnerabilities": flaws(findings),
    });
    crate::json::write(&document, out)?;
    out.write_all(b"\n")
}

fn reference(finding: &Finding) -> String {
    uuid(&[
        finding.system.as_deref().unwrap_or_default(),
        finding.package_kind.name(),
        &finding.package,
        &finding.installed_version,
        finding.architecture.as_deref().unwrap_or_default(),
        finding.location.as_deref().unwrap_or_default(),
    ])
}

/// A flaw for each flaw and each way that packages stand to it.
fn flaws(findings: &Findings) -> Vec<Value> {
    let mut flaws: BTreeMap<(&str, State), Vec<&Finding>> = BTreeMap::new();
    for finding in &findings.vulnerabilities {
        flaws.entry((&finding.cve_id, finding.state)).or_default().push(finding);
    }
    flaws.into_values().filter_map(|of_flaw| flaw(&of_flaw)).collect()
}

fn flaw(all: &[&Finding]) -> Option<Value> {
    let finding = all.first()?;
    let scores = finding.cvss.iter().map(|cvss| {
        let method = match (cvss.version, cvss.vector.starts_with("CVSS:3.1")) {
            (2, _) => "CVSSv2",
            (3, true) => "CVSSv31",
            (3, false) => "CVSSv3",
            _ => "CVSSv4",
        };
        json!({
            "source": {"name": cvss.source},
            "score": cvss.score,
            "method": method,
            "vector": cvss.vector,
        })
    });
    let ratings: Vec<_> = scores
        .chain(finding.severity.map(|severity| {
            let source = finding.severity_source.as_deref().unwrap_or("fathom");
            let word = match severity {
                Severity::Negligible => "info",
                other => other.name(),
            };
            json!({"source": {"name": source}, "severity": word, "method": "other"})
        }))
        .collect();
    let (state, response) = match finding.state {
        State::Fixed => ("exploitable", Some("update")),
        State::Affected | State::Deferred => ("exploitable", None),
        State::WillNotFix | State::EndOfLife => ("exploitable", Some("will_not_fix")),
        State::UnderInvestigation => ("in_triage", None),
        State::NotAffected => ("not_affected", None),
    };
    let mut analysis = json!({"state": state, "detail": finding.remediation});
    if let Some(response) = response {
        analysis["response"] = json!([response]);
    }
    let mut value = json!({
        "id": finding.cve_id,
        "bom-ref": uuid(&[&finding.cve_id, finding.state.name()]),
        "ratings": ratings,
        "recommendation": finding.remediation,
        "analysis": analysis,
        "affects": all.iter().map(|it| json!({"ref": reference(it)})).collect::<Vec<_>>(),
    });
    let weaknesses: Vec<u32> = finding
        .weaknesses
        .iter()
        .filter_map(|name| name.strip_prefix("CWE-")?.parse().ok())
        .collect();
    if !weaknesses.is_empty() {
        value["cwes"] = json!(weaknesses);
    }
    if let Some(description) = &finding.description {
        value["description"] = json!(description);
    }
    if !finding.references.is_empty() {
        let advisories = finding.references.iter().map(|url| json!({"url": url}));
        value["advisories"] = advisories.collect();
    }
    Some(value)
}
