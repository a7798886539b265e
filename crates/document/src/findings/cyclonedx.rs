//! CycloneDX 1.6 with what is wrong, and how each stands (VEX).

use std::collections::BTreeMap;
use std::io::{self, Write};

use fathom_report::finding::{
    Excepted, Exemption, ExemptionKind, Finding, Findings, Severity, State, VexStatus,
};
use serde_json::{Value, json};

use super::is_address;
use super::vex::reference;
use crate::sbom::{tool, uuid};

/// Writes the findings of a machine, made at this time (RFC 3339).
pub fn write(findings: &Findings, timestamp: &str, out: &mut dyn Write) -> io::Result<()> {
    let (name, version) = tool(&findings.generator);
    let mut components: BTreeMap<String, Value> = BTreeMap::new();
    let excepted = findings.excepted.iter().map(|it| &it.finding);
    for finding in findings.vulnerabilities.iter().chain(excepted) {
        let reference = reference(finding);
        components.entry(reference.clone()).or_insert_with(|| {
            let mut component = json!({
                "type": "library",
                "bom-ref": reference,
                "name": finding.package,
                "version": finding.installed_version,
            });
            if let Some(purl) = &finding.purl {
                component["purl"] = json!(purl);
            }
            component
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

/// A flaw for each flaw and each way that packages stand to it.
fn flaws(findings: &Findings) -> Vec<Value> {
    let mut flaws: BTreeMap<(&str, State), Vec<&Finding>> = BTreeMap::new();
    for finding in &findings.vulnerabilities {
        flaws.entry((&finding.cve_id, finding.state)).or_default().push(finding);
    }
    let mut values: Vec<_> = flaws
        .into_values()
        .filter_map(|of_flaw| {
            let finding = of_flaw.first()?;
            let name = uuid(&[&finding.cve_id, finding.state.name()]);
            Some(flaw(finding, &of_flaw, &name, analysis(finding)))
        })
        .collect();
    let mut decided: BTreeMap<(&str, String), Vec<&Excepted>> = BTreeMap::new();
    for excepted in &findings.excepted {
        let what = super::decided(excepted);
        decided.entry((&excepted.finding.cve_id, what)).or_default().push(excepted);
    }
    for ((name, what), of_flaw) in decided {
        let Some(first) = of_flaw.first() else { continue };
        let all: Vec<_> = of_flaw.iter().map(|it| &it.finding).collect();
        let reference = uuid(&[name, "decided", &what]);
        let analysis = analysis_of_excepted(&first.finding, &first.exemption);
        values.push(flaw(&first.finding, &all, &reference, analysis));
    }
    values
}

/// How a finding stands.
fn analysis(finding: &Finding) -> Value {
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
    analysis
}

/// How a finding stands that somebody has decided about.
fn analysis_of_excepted(finding: &Finding, exemption: &Exemption) -> Value {
    let said = exemption.statement.as_ref();
    let state = match (exemption.kind, said.map(|it| it.status)) {
        (ExemptionKind::Deferred, _) => {
            let mut analysis = analysis(finding);
            let until = exemption.until.as_ref().map_or(String::new(), |it| format!(" until {it}"));
            analysis["detail"] = json!(format!("Put off{until}: {}", exemption.reason));
            return analysis;
        }
        (_, Some(VexStatus::Fixed)) => "resolved",
        (_, Some(_)) => "not_affected",
        (ExemptionKind::FalsePositive, None) => "false_positive",
    };
    let mut analysis = json!({"state": state, "detail": exemption.reason});
    let word = said.and_then(|it| it.justification.as_deref()).and_then(justification);
    if let Some(word) = word.filter(|_| state == "not_affected") {
        analysis["justification"] = json!(word);
    }
    analysis
}

/// The word of CycloneDX for a justification, whosever word that is.
fn justification(word: &str) -> Option<&'static str> {
    Some(match word {
        "component_not_present" | "vulnerable_code_not_present" | "code_not_present" => {
            "code_not_present"
        }
        "vulnerable_code_not_in_execute_path" | "code_not_reachable" => "code_not_reachable",
        "inline_mitigations_already_exist" | "protected_by_mitigating_control" => {
            "protected_by_mitigating_control"
        }
        "requires_configuration" => "requires_configuration",
        "requires_dependency" => "requires_dependency",
        "requires_environment" | "vulnerable_code_cannot_be_controlled_by_adversary" => {
            "requires_environment"
        }
        "protected_by_compiler" => "protected_by_compiler",
        "protected_at_runtime" => "protected_at_runtime",
        "protected_at_perimeter" => "protected_at_perimeter",
        _ => return None,
    })
}

fn flaw(finding: &Finding, all: &[&Finding], name: &str, analysis: Value) -> Value {
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
    let mut value = json!({
        "id": finding.cve_id,
        "bom-ref": name,
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
    let addresses = finding.references.iter().filter(|it| is_address(it));
    let advisories: Vec<_> = addresses.map(|url| json!({"url": url})).collect();
    if !advisories.is_empty() {
        value["advisories"] = Value::Array(advisories);
    }
    value
}
