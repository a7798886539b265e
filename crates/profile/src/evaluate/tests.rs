//! Each word of the language: yes, no, and that it cannot be told.

use serde_json::{Value, json};

use super::*;
use crate::language::parse;

fn system() -> Value {
    let known = |value: Value| json!({"state": "known", "value": value, "evidence": ["/f"]});
    let unknown = || json!({"state": "unknown", "reason": "unread"});
    let list = |coverage: &str, items: Value| {
        let reason = (coverage != "complete").then_some("cut");
        json!({"coverage": coverage, "reason": reason, "evidence": ["/list"], "items": items})
    };
    json!({
        "identity": {
            "distribution": known(json!("debian")),
            "version": known(json!("12")),
            "hostname": json!({"state": "absent", "evidence": ["/etc/hostname"]}),
            "edition": unknown(),
            "end_of_life": known(json!({"support": "2026-06-10"})),
        },
        "packages": list("complete", json!([
            {"name": "bash", "version": "5", "evidence": "/dpkg"},
            {"name": "telnetd", "version": "1", "state": "config-files", "evidence": "/dpkg"},
        ])),
        "services": list("partial", json!([
            {"name": "ssh.service", "enabled": known(json!("enabled")), "evidence": ["/ssh"]},
            {"name": "cups.service", "enabled": known(json!("masked")), "evidence": ["/cups"]},
        ])),
        "users": {
            "accounts": list("complete", json!([
                {"name": "root", "id": "0", "password": known(json!("set")), "groups": [], "evidence": "/p"},
                {"name": "odd", "id": "1000", "password": unknown(), "groups": ["sudo"], "evidence": "/p"},
            ])),
            "sudo": list("unknown", json!([])),
        },
        "security": {
            "sshd": known(json!({"settings": [
                {"name": "permitrootlogin", "value": "no", "evidence": "/sshd"},
                {"name": "maxauthtries", "value": "6"},
            ]})),
            "kernel_parameters": list("partial", json!([{"name": "a", "value": "1"}])),
            "password_policy": list("complete", json!([
                {"name": "DAYS", "value": "99"},
                {"name": "DAYS", "value": "many"},
            ])),
        },
        "mounts": list("complete", json!([
            {"path": "/", "options": ["defaults"]},
            {"path": "/tmp", "options": ["nodev", "noexec"]},
        ])),
        "concerns": list("partial", json!([{"id": "static-ip", "category": "Warning", "message": "m"}])),
        "undecided": [{"id": "no-virtio-in-initramfs", "reason": "cut"}],
    })
}

fn verdict(check: &str) -> Verdict {
    let system = system();
    let expression = parse(check).unwrap_or_else(|why| panic!("{check}: {why}"));
    Evaluator::new(&system, Day::parse("2026-01-01").unwrap()).evaluate(&expression)
}

fn check(wanted: Truth, checks: &[&str]) {
    for check in checks {
        let verdict = verdict(check);
        assert_eq!(verdict.truth, wanted, "{check}: {}", verdict.message());
    }
}

#[test]
fn statements() {
    check(
        Truth::Yes,
        &[
            r#"identity.distribution = "debian""#,
            r#"identity.distribution in ["ubuntu", "debian"]"#,
            r#"identity.version < 13"#,
            r#"identity.hostname is absent"#,
            r#"identity.hostname != "x""#,
            r#"identity.distribution matches "d*b*n""#,
            r#"identity.end_of_life.support < today+180"#,
        ],
    );
    check(
        Truth::No,
        &[
            r#"identity.distribution != "debian""#,
            r#"identity.hostname is known"#,
            r#"identity.hostname = "x""#,
            r#"identity.version >= 13"#,
            r#"identity.distribution matches "d*x*n""#,
            r#"identity.end_of_life.support < today"#,
        ],
    );
    check(
        Truth::Unknown,
        &[
            r#"identity.edition = "x""#,
            r#"identity.edition != "x""#,
            r#"identity.edition is absent"#,
            r#"not identity.edition is known"#,
            // What is no number is neither smaller nor larger than one.
            r#"identity.distribution < 1"#,
            r#"identity.distribution < today"#,
        ],
    );
}

#[test]
fn unknown_decides_only_where_it_must() {
    let (yes, no, unknown) =
        (r#"identity.version = "12""#, r#"identity.version = "11""#, r#"identity.edition = "x""#);
    check(Truth::Yes, &[&format!("{unknown} or {yes}"), &format!("not ({unknown} and {no})")]);
    check(Truth::No, &[&format!("{unknown} and {no}"), &format!("{no} and {unknown}")]);
    check(Truth::Unknown, &[&format!("{unknown} or {no}"), &format!("{yes} and {unknown}")]);
}

#[test]
fn settings() {
    check(
        Truth::Yes,
        &[
            r#"sshd["permitrootlogin"] = "no""#,
            r#"sshd["maxauthtries"] > 4"#,
            r#"password_policy["nothing"] is absent"#,
        ],
    );
    check(Truth::No, &[r#"sshd["maxauthtries"] <= 4"#, r#"password_policy["nothing"] <= 4"#]);
    check(
        Truth::Unknown,
        &[
            // The part of the list that is missing could say otherwise.
            r#"sysctl["a"] = "1""#,
            r#"sysctl["b"] is absent"#,
            // Neither a file nor a default that is known says it.
            r#"sshd["nothing"] is absent"#,
            // The last counts, and is no number.
            r#"password_policy["DAYS"] <= 365"#,
        ],
    );
}

#[test]
fn lists() {
    check(
        Truth::Yes,
        &[
            r#"any packages where name = "bash""#,
            r#"no packages where name = "rsh""#,
            r#"every mounts where path = "/tmp" has options contains "nodev""#,
            r#"every mounts where path = "/none" has options contains "nodev""#,
            r#"count packages >= 2"#,
            r#"any services where enabled = "enabled""#,
            r#"count services >= 2"#,
            r#"any accounts where groups contains "sudo""#,
            r#"count accounts where password = "set" >= 1"#,
        ],
    );
    check(
        Truth::No,
        &[
            r#"every mounts has options contains "nodev""#,
            r#"count packages = 3"#,
            r#"no services where enabled = "masked""#,
            r#"every services has enabled = "enabled""#,
            r#"count services <= 1"#,
        ],
    );
    check(
        Truth::Unknown,
        &[
            r#"any services where name = "x.service""#,
            r#"no services where name = "x.service""#,
            r#"every services has name ends ".service""#,
            r#"count services = 2"#,
            r#"count services <= 9"#,
            r#"any sudo where it contains "ALL""#,
            r#"count sudo = 0"#,
            r#"no accounts where password = "empty""#,
            r#"count accounts where password = "set" = 1"#,
        ],
    );
}

#[test]
fn short_words() {
    check(
        Truth::Yes,
        &[
            r#"installed "zsh", "bash""#,
            r#"enabled "ssh""#,
            r#"concern "static-ip""#,
            // The list is not complete, but says of which concerns.
            r#"not concern "disk-encrypted""#,
        ],
    );
    // Removed, with its configuration left behind.
    check(Truth::No, &[r#"installed "telnetd""#, r#"installed "zsh""#]);
    check(
        Truth::Unknown,
        &[
            r#"enabled "cups""#,
            r#"not enabled "telnet""#,
            r#"concern "no-virtio-in-initramfs""#,
            r#"no concerns where category = "Critical""#,
        ],
    );
}

#[test]
fn what_was_found_is_said_with_its_place() {
    let found = verdict(r#"sshd["permitrootlogin"] = "no""#);
    assert!(found.message().contains("is no"), "{}", found.message());
    assert_eq!(found.evidence, ["/f", "/sshd"]);
    let of_or = verdict(r#"identity.version = "11" or installed "zsh""#);
    assert_eq!(of_or.message(), "identity.version is 12; zsh is not installed");
}

#[test]
fn work_is_bounded() {
    let items = vec![json!({"kind": "y"}); 300];
    let keys = json!({"coverage": "complete", "evidence": [], "items": items});
    let accounts = vec![json!({"keys": keys}); 300];
    let system = json!({"users": {"accounts": {
        "coverage": "complete", "evidence": [], "items": accounts,
    }}});
    let kinds = vec![r#"kind = "x""#; 50].join(" or ");
    let expression = parse(&format!("any accounts where any keys where ({kinds})")).unwrap();
    let evaluator = Evaluator::new(&system, Day::parse("2026-01-01").unwrap());
    assert_eq!(evaluator.evaluate(&expression).truth, Truth::Unknown);
}
