//! The schema that is checked in is the one of the types.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

#[test]
fn the_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/report.v1.json");
    let wanted = format!("{}\n", serde_json::to_string_pretty(&fathom_report::schema()).unwrap());
    if std::env::var_os("FATHOM_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "schemas/report.v1.json is out of date: run `FATHOM_BLESS=1 cargo test -p fathom-report`"
    );
}
