//! Rules, applied to the sample disk by the program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).to_str().unwrap().to_owned()
}

fn fathom(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fathom")).args(arguments).output().unwrap()
}

fn inspect(arguments: &[&str]) -> Output {
    let sample = repository("samples/server.qcow2");
    fathom(&[&["inspect", &sample], arguments].concat())
}

fn profiles(output: &Output) -> Vec<Value> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["profiles"].as_array().cloned().unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with one rule that asks for a package.
fn house(id: &str, package: &str, severity: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rule = format!(
        "id = {id:?}\ntitle = \"it is there\"\nrationale = \"r\"\nseverity = {severity:?}\n\
         check = 'installed {package:?}'\n"
    );
    std::fs::create_dir(folder.path().join("house")).unwrap();
    std::fs::write(folder.path().join(format!("house/{id}.toml")), rule).unwrap();
    folder
}

#[test]
fn every_profile_comes_to_something_and_none_is_told_unasked() {
    assert!(profiles(&inspect(&["--json"])).is_empty());
    let all = profiles(&inspect(&["--json", "--profile", "all"]));
    assert_eq!(all.len(), 5);
    for profile in &all {
        let results = profile["results"].as_array().unwrap();
        assert!(results.len() >= 20, "{}", profile["name"]);
        // The score is made of what is known, and is there only if something is.
        let known = results.iter().any(|it| it["outcome"] == "pass" || it["outcome"] == "fail");
        assert_eq!(profile["score"].is_u64(), known, "{}", profile["name"]);
        assert!(results.iter().all(|it| it["message"] != ""), "{}", profile["name"]);
    }
    let named: Vec<_> = profiles(&inspect(&["--json", "--profile", "hardening,security"]))
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(named, ["hardening", "security"]);
}

#[test]
fn a_failed_rule_fails_the_command_only_where_that_is_asked() {
    let there = house("house-ssl", "openssl", "high");
    let gone = house("house-gone", "no-such-package", "high");
    let run = |folder: &tempfile::TempDir, more: &[&str]| {
        let path = folder.path().to_str().unwrap();
        inspect(&[&["--rules", path, "--json"], more].concat())
    };
    let passed = run(&there, &["--fail-on", "low"]);
    let failed = run(&gone, &["--fail-on", "high"]);
    let outcome = |output: &Output| profiles(output)[0]["results"][0]["outcome"].clone();
    assert_eq!((outcome(&passed), outcome(&failed)), ("pass".into(), "fail".into()));
    assert_ne!(passed.status.code(), Some(1));
    assert_eq!(failed.status.code(), Some(1));
    assert_ne!(run(&gone, &[]).status.code(), Some(1));
    assert_ne!(run(&gone, &["--fail-on", "critical"]).status.code(), Some(1));
    assert_eq!(inspect(&["--fail-on", "low"]).status.code(), Some(2));
}

#[test]
fn rules_that_are_given_and_not_applied_are_said() {
    let house = house("house-ssl", "openssl", "high");
    let path = house.path().to_str().unwrap();
    let left_out = inspect(&["--rules", path, "--profile", "security", "--json"]);
    assert_eq!(profiles(&left_out).len(), 1);
    let said = text(&left_out.stderr);
    assert!(said.contains("add --profile house"), "{said}");
    for named in ["security,house", "all"] {
        let applied = inspect(&["--rules", path, "--profile", named, "--json"]);
        assert!(!text(&applied.stderr).contains("not applied"), "{named}");
    }
}

#[test]
fn the_table_shows_what_fails_before_what_is_unknown() {
    let gone = house("house-gone", "no-such-package", "high");
    let path = gone.path().to_str().unwrap();
    let printed = text(&inspect(&["--rules", path]).stdout);
    assert!(printed.contains("house-gone"), "{printed}");
    let printed = text(&inspect(&["--profile", "all"]).stdout);
    assert!(printed.contains("score") && printed.contains("not applicable"), "{printed}");
}

#[test]
fn what_is_wrong_with_rules_is_said() {
    let twice = house("sshd-no-root-password", "x", "low");
    let output = inspect(&["--rules", twice.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let tested = fathom(&["profile", "test", twice.path().to_str().unwrap()]);
    assert_eq!((tested.status.code(), &tested.stderr), (Some(2), &output.stderr));
    assert!(text(&output.stderr).contains("two rules sshd-no-root-password"));
    let output = inspect(&["--profile", "securty"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no profile \"securty\""));
    let output = inspect(&["--rules", "/no/such/folder"]);
    assert_eq!(output.status.code(), Some(3));
    let tested = fathom(&["profile", "test", "/no/such/folder"]);
    assert_eq!((tested.status.code(), tested.stderr), (Some(3), output.stderr));
    let wrong = house("house-wrong", "x", "lw");
    let output = inspect(&["--rules", wrong.path().to_str().unwrap()]);
    assert!(text(&output.stderr).contains("did you mean \"low\""), "{}", text(&output.stderr));
}

#[test]
fn rules_are_listed_shown_and_tested() {
    let list = text(&fathom(&["profile", "list", "migration"]).stdout);
    assert!(list.starts_with("migration: ") && list.contains("virtio-disk-driver"), "{list}");
    assert!(!list.contains("sshd-no-root-password"));
    let show = text(&fathom(&["profile", "show", "virtio-disk-driver"]).stdout);
    assert!(show.contains("check      any drivers where"), "{show}");
    let output = fathom(&["profile", "show", "virtio-disk"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("virtio-disk-driver"));
    let example = repository("crates/profile/tests/house");
    let test = fathom(&["profile", "test", &example]);
    assert_eq!(text(&test.stdout), "1 rule, 4 fixtures: all as they say\n");
    assert_eq!(test.status.code(), Some(0));
}
