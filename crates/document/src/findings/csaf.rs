//! CSAF 2.0, of the profile for VEX: how the packages of a machine stand to their flaws.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use fathom_report::finding::{Finding, Findings, MACHINE, VexStatus};
use fathom_report::percent_encoded;
use serde_json::{Map, Value, json};

use super::vex::{Remedy, Stated, is_cve, package, reference, stated};
use crate::sbom::{tool, uuid};

/// What the machine is called within the document.
const WHOLE: &str = "machine";

/// Writes the findings of a machine, made at this time (RFC 3339). Such a document has a flaw at least:
/// where there is no finding, there is none to be written.
pub fn write(findings: &Findings, timestamp: &str, out: &mut dyn Write) -> io::Result<()> {
    let all = stated(findings);
    let mut flaws: BTreeMap<&str, Vec<&Stated<'_>>> = BTreeMap::new();
    for stated in &all {
        flaws.entry(&stated.finding.cve_id).or_default().push(stated);
    }
    if flaws.is_empty() {
        return Err(super::nothing_to_state());
    }
    let mut packages: BTreeMap<String, &Finding> = BTreeMap::new();
    for stated in &all {
        packages.entry(reference(stated.finding)).or_insert(stated.finding);
    }
    let document = json!({
        "document": head(findings, timestamp),
        "product_tree": tree(findings, &packages),
        "vulnerabilities":
            flaws.values().filter_map(|of_flaw| flaw(of_flaw)).collect::<Vec<_>>(),
    });
    crate::json::write(&document, out)?;
    out.write_all(b"\n")
}

fn head(findings: &Findings, timestamp: &str) -> Value {
    let (name, version) = tool(&findings.generator);
    let notes: Vec<_> = findings
        .notes
        .iter()
        .map(|note| json!({"category": "general", "title": note.kind.name(), "text": note.message}))
        .collect();
    let mut engine = json!({"name": name});
    if !version.is_empty() {
        engine["version"] = json!(version);
    }
    let mut head = json!({
        "category": "csaf_vex",
        "csaf_version": "2.0",
        "lang": "en",
        "publisher": {
            "category": "user",
            "name": findings.generator,
            "namespace": "urn:fathom:scan",
        },
        "title": format!("Flaws of {}", findings.subject),
        "tracking": {
            "id": format!("fathom-{}", uuid(&["csaf", &findings.subject, timestamp])),
            "status": "final",
            "version": "1",
            "initial_release_date": timestamp,
            "current_release_date": timestamp,
            "generator": {"date": timestamp, "engine": engine},
            "revision_history": [{"date": timestamp, "number": "1", "summary": "Scanned"}],
        },
    });
    if !notes.is_empty() {
        head["notes"] = Value::Array(notes);
    }
    head
}

/// The machine, the packages by themselves, and the packages on the machine, which are what is spoken of.
fn tree(findings: &Findings, packages: &BTreeMap<String, &Finding>) -> Value {
    let name = format!("{MACHINE}{}", percent_encoded(&findings.subject, true));
    let mut products = vec![json!({"product_id": WHOLE, "name": name})];
    let mut relationships = Vec::with_capacity(packages.len());
    for (id, finding) in packages {
        let mut product = json!({"product_id": id, "name": package(finding)});
        if let Some(purl) = &finding.purl {
            product["product_identification_helper"] = json!({"purl": purl});
        }
        products.push(product);
        relationships.push(json!({
            "category": "installed_on",
            "product_reference": id,
            "relates_to_product_reference": WHOLE,
            "full_product_name": {
                "product_id": on_machine(id),
                "name": format!("{} on {}", package(finding), findings.subject),
            },
        }));
    }
    json!({"full_product_names": products, "relationships": relationships})
}

fn on_machine(id: &str) -> String {
    format!("{WHOLE}:{id}")
}

/// Names of products in their order, each once.
type Ids = BTreeSet<String>;

fn flaw(all: &[&Stated<'_>]) -> Option<Value> {
    let finding = all.first()?.finding;
    let mut statuses: BTreeMap<VexStatus, Ids> = BTreeMap::new();
    let mut flags: BTreeMap<&str, Ids> = BTreeMap::new();
    let mut impacts: BTreeMap<&str, Ids> = BTreeMap::new();
    let mut remedies: BTreeMap<(Remedy, &str), Ids> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for stated in all {
        let id = on_machine(&reference(stated.finding));
        // Of one package one thing is said.
        if !known.insert(id.clone()) {
            continue;
        }
        statuses.entry(stated.status).or_default().insert(id.clone());
        match (stated.status, stated.justification) {
            (VexStatus::Affected, _) => {
                remedies.entry((stated.remedy, &stated.text)).or_default().insert(id);
            }
            (VexStatus::NotAffected, label) => {
                if let Some(label) = label {
                    flags.entry(label).or_default().insert(id.clone());
                }
                impacts.entry(&stated.text).or_default().insert(id);
            }
            (VexStatus::Fixed | VexStatus::UnderInvestigation, _) => {}
        }
    }
    let status: Map<String, Value> = statuses
        .iter()
        .map(|(status, ids)| {
            let list = match status {
                VexStatus::NotAffected => "known_not_affected",
                VexStatus::Affected => "known_affected",
                VexStatus::Fixed => "fixed",
                VexStatus::UnderInvestigation => "under_investigation",
            };
            (list.to_owned(), json!(ids))
        })
        .collect();
    let text = finding.description.as_deref().unwrap_or(&finding.cve_id);
    let mut value = json!({
        "notes": [{"category": "description", "text": text}],
        "product_status": status,
    });
    if is_cve(&finding.cve_id) {
        value["cve"] = json!(finding.cve_id);
    } else {
        let system = finding.cve_id.split('-').next().filter(|name| !name.is_empty());
        let system = system.unwrap_or("fathom");
        value["ids"] = json!([{"system_name": system, "text": finding.cve_id}]);
    }
    let mut add = |name: &str, items: Vec<Value>| {
        if !items.is_empty() {
            value[name] = Value::Array(items);
        }
    };
    let flags = flags.iter().map(|(label, ids)| json!({"label": label, "product_ids": ids}));
    add("flags", flags.collect());
    let impacts = impacts
        .iter()
        .map(|(text, ids)| json!({"category": "impact", "details": text, "product_ids": ids}));
    add("threats", impacts.collect());
    let remedies = remedies.iter().map(|((remedy, text), ids)| {
        let category = match remedy {
            Remedy::Fix => "vendor_fix",
            Remedy::NoneYet => "none_available",
            Remedy::NonePlanned => "no_fix_planned",
        };
        json!({"category": category, "details": text, "product_ids": ids})
    });
    add("remediations", remedies.collect());
    Some(value)
}
