//! The published document is the one that is checked in, and the one that is served.

use std::path::Path;

use fathom_server::{Rules, document};
use serde_json::Value;

use crate::site::Site;

#[test]
fn the_document_is_the_one_that_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi.v1.json");
    let mut text = serde_json::to_string_pretty(&document()).unwrap();
    text.push('\n');
    if std::env::var_os("FATHOM_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, text, "FATHOM_BLESS=1 cargo test -p fathom-server writes it anew");
}

#[test]
fn the_document_is_served() {
    let site = Site::new(Rules::default());
    let answer = site.get("/api/v1/openapi.json", None);
    assert_eq!((answer.status, answer.json()), (200, document()));
}

#[test]
fn each_operation_is_described_once() {
    let document = document();
    let mut seen = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(seen.insert(id.clone()), "{id} is there twice");
            for field in ["summary", "responses", "security"] {
                let is = !matches!(&operation[field], Value::Null | Value::String(_) if operation[field] == "");
                assert!(is, "{method} {path} has no {field}");
            }
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
}

/// Everything that is referred to is there.
#[test]
fn no_reference_leads_nowhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target}");
                }
                fields.values().for_each(|value| walk(document, value));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}
