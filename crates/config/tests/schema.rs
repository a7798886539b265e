//! The schema that is checked in and the page of the documentation are those of the types.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

fn check(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    if std::env::var_os("FATHOM_BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{name} is out of date: run `FATHOM_BLESS=1 cargo test -p fathom-config`"
    );
}

#[test]
fn the_schema_is_that_of_the_types() {
    let schema = serde_json::to_string_pretty(&fathom_config::schema()).unwrap();
    check("schemas/config.v1.json", &format!("{schema}\n"));
}

#[test]
fn docs_configuration_md_lists_the_settings() {
    check("docs/configuration.md", &fathom_config::page());
}
