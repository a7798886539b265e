//! The schema that is checked in is the one of the types.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

/// Holds the checked in schema of a document to that of its types.
fn check(document: &str, schema: &serde_json::Value) {
    let name = format!("schemas/{document}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&name);
    let wanted = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    if std::env::var_os("FATHOM_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{name} is out of date: run `FATHOM_BLESS=1 cargo test -p fathom-report`"
    );
}

#[test]
fn the_schema_is_that_of_the_types() {
    check("report.v1", &fathom_report::schema());
}

#[test]
fn the_schema_of_differences_is_that_of_the_types() {
    check("diff.v1", &fathom_report::difference_schema());
}

#[test]
fn the_schema_of_findings_is_that_of_the_types() {
    check("findings.v1", &fathom_report::finding::schema());
}

#[test]
fn the_schema_of_differences_of_findings_is_that_of_the_types() {
    check("findings-diff.v1", &fathom_report::finding_difference::schema());
}

#[test]
fn the_schema_of_plans_is_that_of_the_types() {
    check("plan.v1", &fathom_report::plan_schema());
}

#[test]
fn what_both_documents_have_is_the_same() {
    let (report, findings) = (fathom_report::schema(), fathom_report::finding::schema());
    for (name, of_findings) in findings["$defs"].as_object().unwrap() {
        if let Some(of_report) = report["$defs"].get(name) {
            assert_eq!(of_report, of_findings, "{name}");
        }
    }
}
