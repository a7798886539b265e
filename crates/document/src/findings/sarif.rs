//! SARIF 2.1.0: what code scanning takes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use fathom_report::finding::{Finding, Findings, Severity};
use serde_json::{Value, json};

use super::{decided, is_address, severity};
use crate::sbom::tool;

/// Writes the findings of any number of machines, a run each.
pub fn write(all: &[Findings], out: &mut dyn Write) -> io::Result<()> {
    let runs: Vec<_> = all.iter().map(run).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": runs,
    });
    crate::json::write(&document, out)?;
    out.write_all(b"\n")
}

fn run(findings: &Findings) -> Value {
    let (name, version) = tool(&findings.generator);
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    let excepted = || findings.excepted.iter();
    for finding in findings.vulnerabilities.iter().chain(excepted().map(|it| &it.finding)) {
        rules.entry(&finding.cve_id).or_insert(finding);
    }
    let places: BTreeMap<&str, usize> =
        rules.keys().enumerate().map(|(place, name)| (*name, place)).collect();
    let result = |finding: &Finding| {
        result(finding, places.get(finding.cve_id.as_str()).copied().unwrap_or_default())
    };
    let open = findings.vulnerabilities.iter().map(|finding| {
        let mut open = result(finding);
        // Where some are suppressed, the others say that they are not.
        if !findings.excepted.is_empty() {
            open["suppressions"] = json!([]);
        }
        open
    });
    let results = open.chain(excepted().map(|excepted| {
        let mut suppressed = result(&excepted.finding);
        suppressed["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": decided(excepted),
        }]);
        suppressed
    }));
    let notes: Vec<_> = findings
        .notes
        .iter()
        .map(|note| {
            json!({
                "level": if note.kind.is_failure() { "error" } else { "warning" },
                "descriptor": {"id": note.kind.name()},
                "message": {"text": plain(&note.message)},
            })
        })
        .collect();
    json!({
        "tool": {"driver": {
            "name": name,
            "version": version,
            "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
        }},
        "invocations": [{
            "executionSuccessful": !findings.notes.iter().any(|note| note.kind.is_failure()),
            "toolExecutionNotifications": notes,
        }],
        "results": results.collect::<Vec<_>>(),
    })
}

/// A message in which nothing is a link: `[text](address)` would be one.
fn plain(text: &str) -> String {
    text.replace('[', "\\[").replace(']', "\\]")
}

fn rule(finding: &Finding) -> Value {
    let text = finding.description.as_deref().unwrap_or(&finding.cve_id);
    let mut rule = json!({
        "id": finding.cve_id,
        "shortDescription": {"text": plain(&finding.cve_id)},
        "fullDescription": {"text": plain(text)},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {
            // Code scanning sorts by this.
            "security-severity": format!("{:.1}", score(finding)),
            "tags": ["security", severity(finding)],
        },
    });
    if let Some(reference) = finding.references.iter().find(|it| is_address(it)) {
        rule["helpUri"] = json!(reference);
    }
    rule
}

/// The score, or the middle of what the word means where there is none.
fn score(finding: &Finding) -> f64 {
    finding.cvss_score.unwrap_or(match finding.severity {
        Some(Severity::Critical) => 9.5,
        Some(Severity::High) => 8.0,
        Some(Severity::Medium) => 5.5,
        Some(Severity::Low) => 2.0,
        Some(Severity::Negligible) => 0.1,
        None => 5.0,
    })
}

fn level(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical | Severity::High) => "error",
        Some(Severity::Medium) | None => "warning",
        Some(Severity::Low | Severity::Negligible) => "note",
    }
}

fn result(finding: &Finding, rule: usize) -> Value {
    let text = format!(
        "{} {} has {}. {}.",
        finding.package, finding.installed_version, finding.cve_id, finding.remediation
    );
    // Paths of the guest are told as they are: nothing of them is looked up here.
    let place = finding.location.as_deref().unwrap_or(&finding.evidence.0);
    let uri: String = place.trim_start_matches('/').chars().map(encoded).collect();
    json!({
        "ruleId": finding.cve_id,
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": {"text": plain(&text)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": if uri.is_empty() { "unknown".to_owned() } else { uri }},
        }}],
        "partialFingerprints": {
            "flawInPackage/v1":
                format!("{}:{}:{}", finding.cve_id, finding.package, finding.installed_version),
        },
        "properties": {
            "package": finding.package,
            "installedVersion": finding.installed_version,
            "fixedVersion": finding.fixed_version,
            "state": finding.state.name(),
            "risk": finding.risk.score,
        },
    })
}

/// A character as addresses have it.
fn encoded(c: char) -> String {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~' | '/' => c.to_string(),
        c => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect()
        }
    }
}
