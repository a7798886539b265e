//! The schemas that are checked in are those of the types.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

#[test]
fn the_schemas_are_those_that_are_checked_in() {
    for (name, schema) in fathom_jobs::schemas() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../schemas/{name}.v1.json"));
        let mut text = serde_json::to_string_pretty(&schema).unwrap();
        text.push('\n');
        if std::env::var_os("FATHOM_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept, text, "FATHOM_BLESS=1 cargo test -p fathom-jobs writes {name} anew");
    }
}
