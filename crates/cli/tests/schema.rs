//! What the commands print with `--json` is what `schemas/` promises, and no more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).to_str().unwrap().to_owned()
}

fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(repository(&format!("schemas/{name}.v1.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The words of JSON Schema that ours uses. A property that the schema does not name is an error
/// here, so that nothing is printed that is not described.
fn check(root: &Value, rule: &Value, value: &Value, at: &str) -> Result<(), String> {
    let rules = rule.as_object().ok_or("a rule is no object")?;
    for (word, argument) in rules {
        let fits = match word.as_str() {
            "$ref" => {
                let pointer = argument.as_str().unwrap_or_default().trim_start_matches('#');
                let target = root.pointer(pointer).ok_or(format!("{pointer} is not there"))?;
                check(root, target, value, at)?;
                true
            }
            "type" => match argument {
                Value::Array(types) => types.iter().any(|name| is_type(name, value)),
                name => is_type(name, value),
            },
            "const" => value == argument,
            "enum" => argument.as_array().is_some_and(|values| values.contains(value)),
            "minimum" => value.as_i64() >= argument.as_i64() || value.is_u64(),
            "required" => argument
                .as_array()
                .is_some_and(|names| names.iter().all(|name| has(value, name.as_str()))),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, argument, item, &format!("{at}/{index}"))?;
                }
                true
            }
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    let rule = argument.get(name).ok_or(format!("{at}: {name} is undescribed"))?;
                    check(root, rule, inner, &format!("{at}/{name}"))?;
                }
                true
            }
            "anyOf" => {
                let mut rules = argument.as_array().into_iter().flatten();
                rules.any(|rule| check(root, rule, value, at).is_ok())
            }
            "oneOf" => {
                let rules = argument.as_array().into_iter().flatten();
                rules.filter(|rule| check(root, rule, value, at).is_ok()).count() == 1
            }
            "pattern" => value.as_str().is_some_and(|text| {
                text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            }),
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => true,
            other => return Err(format!("this test does not know the word {other}")),
        };
        if !fits {
            return Err(format!("{at}: {value} breaks {word} {argument}"));
        }
    }
    Ok(())
}

fn has(value: &Value, name: Option<&str>) -> bool {
    name.is_some_and(|name| value.get(name).is_some())
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

fn fathom(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_fathom")).args(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn info(arguments: &[&str]) -> Value {
    fathom(&[&["disk", "info", "--json"], arguments].concat())
}

#[test]
fn listings_are_what_the_schema_says() {
    let schema = schema("entries");
    let sample = repository("samples/server.qcow2");
    for arguments in [
        vec!["ls", "-R", &sample],
        vec!["tree", &sample],
        vec!["find", &sample, "--name", "*"],
        vec!["stat", &sample, "/", "/etc/os-release", "/etc/passwd"],
    ] {
        let document = fathom(&[arguments.as_slice(), &["--json"]].concat());
        assert!(document.as_array().is_some_and(|entries| entries.len() >= 3));
        check(&schema, &schema, &document, "").unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn disk_info_is_what_the_schema_says() {
    let schema = schema("disk-info");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let sample = repository("samples/server.qcow2");
    let whole = std::fs::read(&sample).unwrap();
    let cut = file("cut.qcow2", &whole[..300_000]);
    let nothing = file("nothing.raw", &[7; 4096]);
    for arguments in [vec!["--io", &sample], vec![&cut], vec![&nothing, "--disk", &sample]] {
        let document = info(&arguments);
        check(&schema, &schema, &document, "").unwrap_or_else(|error| panic!("{error}"));
    }
    // It was looked, and there is nothing; it could not be looked: these differ.
    assert_eq!(info(&[&nothing])["volumes"][0]["content"]["kind"], "nothing");
    let damaged = info(&[&cut]);
    assert_eq!(damaged["volumes"][0]["content"]["kind"], "unknown");
    assert_eq!(damaged["volumes"][0]["problems"][0]["kind"], "corrupt");
}

#[test]
fn reports_are_what_the_schema_says() {
    let schema = schema("report");
    let sample = repository("samples/server.qcow2");
    let report = fathom(&["inspect", "--json", &sample]);
    check(&schema, &schema, &report, "").unwrap_or_else(|error| panic!("{error}"));
    let system = &report["systems"][0];
    assert_eq!(system["identity"]["distribution"]["value"], "debian");
    assert_eq!(system["packages"]["items"].as_array().unwrap().len(), 8);
    // Several machines are a list, of which one that is no disk keeps none of the others away.
    let output = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(["inspect", "--json", &sample, "/no/such/disk", &sample])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(9));
    let several: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(several.as_array().unwrap().len(), 2);
    assert_eq!(several[0], report);
}

#[test]
fn the_checker_checks() {
    let schema = schema("disk-info");
    let mut document = info(&[&repository("samples/server.qcow2")]);
    document["volumes"][1]["layer"]["kind"] = json!("nonsense");
    assert!(check(&schema, &schema, &document, "").is_err());
    document = info(&[&repository("samples/server.qcow2")]);
    document["surprise"] = json!(1);
    assert!(check(&schema, &schema, &document, "").is_err());
}
