//! OpenVEX 0.2.0: how the packages of a machine stand to their flaws.
//!
//! The product is the machine, and the packages are parts of it: what was decided about one machine is
//! nothing that holds for its packages elsewhere.

use std::collections::BTreeMap;
use std::io::{self, Write};

use fathom_report::finding::{Finding, Findings, MACHINE, VexStatus};
use fathom_report::percent_encoded;
use serde_json::{Value, json};

use super::vex::{Stated, reference, stated};
use crate::sbom::uuid;

/// Packages of which the same is said.
type Key<'f> = (&'f str, VexStatus, Option<&'f str>, String);

/// Writes the findings of a machine, made at this time (RFC 3339). Such a document has a statement at
/// least: where there is no finding, there is none to be written.
pub fn write(findings: &Findings, timestamp: &str, out: &mut dyn Write) -> io::Result<()> {
    let all = stated(findings);
    let mut groups: BTreeMap<Key<'_>, Vec<&Finding>> = BTreeMap::new();
    for stated in &all {
        let Stated { finding, status, justification, text, .. } = stated;
        let key = (finding.cve_id.as_str(), *status, *justification, text.clone());
        groups.entry(key).or_default().push(finding);
    }
    if groups.is_empty() {
        return Err(super::nothing_to_state());
    }
    let machine = format!("{MACHINE}{}", percent_encoded(&findings.subject, true));
    let notes: Vec<_> = findings
        .notes
        .iter()
        .map(|note| format!("; {}: {}", note.kind.name(), note.message))
        .collect();
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("urn:uuid:{}", uuid(&["openvex", &findings.subject, timestamp])),
        "author": findings.generator,
        "timestamp": timestamp,
        "version": 1,
        // What the statements leave unsaid has no other place.
        "tooling": format!("{}{}", findings.generator, notes.concat()),
        "statements": groups
            .iter()
            .map(|(key, packages)| statement(key, packages, &machine))
            .collect::<Vec<_>>(),
    });
    crate::json::write(&document, out)?;
    out.write_all(b"\n")
}

fn statement(key: &Key<'_>, packages: &[&Finding], machine: &str) -> Value {
    let (flaw, status, justification, text) = key;
    let mut vulnerability = json!({"name": flaw});
    let first = packages.first();
    let mut aliases: Vec<_> = first.map_or(Vec::new(), |it| it.aliases.to_vec());
    aliases.sort_unstable();
    aliases.dedup();
    if !aliases.is_empty() {
        vulnerability["aliases"] = json!(aliases);
    }
    if let Some(description) = first.and_then(|it| it.description.as_ref()) {
        vulnerability["description"] = json!(description);
    }
    let parts: BTreeMap<String, Value> = packages.iter().map(|it| part(it)).collect();
    let mut statement = json!({
        "vulnerability": vulnerability,
        "products": [{"@id": machine, "subcomponents": parts.into_values().collect::<Vec<_>>()}],
        "status": status.name(),
    });
    match (status, justification) {
        (VexStatus::Affected, _) => statement["action_statement"] = json!(text),
        // The one or the other, by the schema.
        (VexStatus::NotAffected, Some(word)) => {
            statement["justification"] = json!(word);
            statement["status_notes"] = json!(text);
        }
        (VexStatus::NotAffected, None) => statement["impact_statement"] = json!(text),
        (VexStatus::Fixed | VexStatus::UnderInvestigation, _) => {
            statement["status_notes"] = json!(text);
        }
    }
    statement
}

/// A package, behind what it is called.
fn part(finding: &Finding) -> (String, Value) {
    match &finding.purl {
        Some(purl) => (purl.clone(), json!({"@id": purl, "identifiers": {"purl": purl}})),
        None => {
            let name = format!("urn:uuid:{}", reference(finding));
            let part = json!({"@id": name});
            (name, part)
        }
    }
}
