//! `fathom config` and `fathom doctor`, as the real binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs it in a home of its own, with nothing of the environment but this.
fn fathom(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn check_says_all_that_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let wrong = file(home.path(), "wrong.yaml", "transport:\n  conifg: {}\nlog: {level: loud}\n");
    let said = fathom(home.path(), &["config", "check", &wrong], &[]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    let expected = format!(
        "fathom: {wrong}:2:3: transport.conifg: there is no such setting; did you mean \
         transport.config?\nfathom: {wrong}:3:14: log.level: there is no \"loud\"; it is one of error, \
         warn, info, debug, trace\n"
    );
    assert_eq!(said.err, expected);
    assert_eq!(said.out, format!("{wrong}: 2 problems, 0 warnings\n"));

    let fine = file(home.path(), "fine.yaml", "log: {level: warn}\n");
    for arguments in [&["config", "check", &fine][..], &["config", "check", "--config", &fine]] {
        let said = fathom(home.path(), arguments, &[("FATHOM_LOG_LEVLE", "x")]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.err.contains("warning: FATHOM_LOG_LEVLE"), "{}", said.err);
        assert_eq!(said.out, format!("{fine}: 0 problems, 1 warning\n"));
    }
    let said = fathom(home.path(), &["config", "check", "/nowhere.yaml"], &[]);
    assert_eq!(said.code, Some(3), "{}", said.err);
    let said = fathom(home.path(), &["config", "check"], &[("FATHOM_CONFIG", &wrong)]);
    assert_eq!(said.code, Some(1));
    let said = fathom(home.path(), &["config", "check", &fine, "--set", "log"], &[]);
    assert_eq!(said.code, Some(2));
}

#[test]
fn show_says_what_came_of_it_and_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let text = "transport:\n  type: amqp\n  config:\n    url: amqp://u:hush@broker\n";
    let file = file(home.path(), "fathom.yaml", text);
    let arguments =
        ["config", "show", "--config", &file, "--set", "server.page_limit=7", "--origins"];
    let environment =
        [("FATHOM_LOG_LEVEL", "debug"), ("FATHOM_AUTH_TOKENS_BOOTSTRAP", "hush-hush-hush-hush")];
    let said = fathom(home.path(), &arguments, &environment);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for line in [
        "    url: \"amqp://u:***@broker\"  # file ",
        "  level: debug  # environment FATHOM_LOG_LEVEL\n",
        "  page_limit: 7  # flag\n",
        "    bootstrap: \"***\"  # environment FATHOM_AUTH_TOKENS_BOOTSTRAP\n",
        "  request_timeout: 30s  # default\n",
    ] {
        assert!(said.out.contains(line), "{line}\nis not in\n{}", said.out);
    }
    assert!(!said.out.contains("hush") && !said.err.contains("hush"));
    let said = fathom(home.path(), &["config", "show", "--config", &file, "--json"], &[]);
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(shown["transport"]["config"]["url"], "amqp://u:***@broker");
    let said = fathom(home.path(), &["config", "show", "--set", "log.level=loud"], &[]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    let said = fathom(home.path(), &["config", "schema"], &[]);
    let schema: Value = serde_json::from_str(&said.out).unwrap();
    assert!(schema["properties"]["transport"].is_object());
}

#[test]
fn doctor_says_what_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let key = file(home.path(), "key.pem", "key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let text = format!(
        "server: {{listen: {:?}, tls: {{certificate: /nowhere.pem, key: {key:?}}}}}\n\
         worker: {{image_roots: [{:?}, /nowhere]}}\nmetrics: {{enabled: false}}\n",
        taken.local_addr().unwrap().to_string(),
        home.path(),
    );
    let settings = file(home.path(), "fathom.yaml", &text);
    let said = fathom(home.path(), &["doctor", "--config", &settings, "--json"], &[]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(shown["healthy"], false);
    let states = |about: &str| {
        let checks = shown["checks"].as_array().unwrap().iter();
        let of = checks.filter(|check| check["about"] == about);
        of.map(|check| check["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (about, expected) in [
        ("settings", &["ok"][..]),
        ("server.tls.certificate", &["wrong"]),
        ("server.tls.key", &["warning"]),
        ("worker.image_roots", &["ok", "wrong"]),
        ("scan.database", &["wrong"]),
        ("server.listen", &["warning"]),
        ("clock", &["ok"]),
        ("data_folder", &["ok"]),
    ] {
        let found = states(about);
        // How the clock and the disk of the host are is not for a test to say.
        let host = matches!(about, "clock" | "data_folder") && found == ["warning"];
        assert!(found == expected || host, "{about}: {found:?}\n{}", said.out);
    }
    for about in ["landlock", "seccomp", "memory group", "open files", "memory"] {
        assert_eq!(states(about).len(), 1, "{about}");
    }
    let said = fathom(home.path(), &["doctor", "--config", &settings], &[]);
    assert!(said.out.contains("→ fathom db update gets one of a mirror"), "{}", said.out);
}

#[test]
fn doctor_looks_at_the_host_where_the_settings_are_broken() {
    let home = tempfile::tempdir().unwrap();
    let settings = file(home.path(), "fathom.yaml", "log: {level: loud}\n");
    let said = fathom(home.path(), &["doctor", "--config", &settings], &[]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.out.starts_with("wrong    settings "), "{}", said.out);
    assert!(said.out.contains("seccomp") && !said.out.contains("data_folder"), "{}", said.out);
}
