//! What the service writes: for programs and for people, and nothing that it must not.

use std::process::Command;

use serde_json::{Value, json};

use crate::site::{Interface, PATIENCE, Process, fathom, until};

/// The lines that are objects, once one of them fits.
fn lines(process: &Process, what: &str, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
    until(&format!("{what}: {:?}", process.said()), || {
        let said = process.said();
        let lines: Vec<Value> =
            said.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.iter().any(&fits).then_some(lines)
    })
}

fn ended(line: &Value, job: &str) -> bool {
    line["message"] == "a job ended" && line["job_id"] == job
}

#[test]
fn a_job_is_followed_by_its_ids() {
    let folder = tempfile::tempdir().unwrap();
    let further = ["--log-format", "json", "--set", "metrics.enabled=false"];
    let process = Process::serve(folder.path(), &further);
    let site = Interface::of(&process);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [("traceparent", parent.as_str()), ("x-correlation-id", "from-the-ticket-4711")];
    let job = json!({
        "operation": "fathom.echo",
        "payload": { "fail": "ODD", "password": "hunter2" },
        "execution": { "max_attempts": 1 },
    });
    let id = site.send(&job, &headers);
    let all = lines(&process, "the job does not end", |line| ended(line, &id));
    // With this format every line is an object, from the first on.
    assert_eq!(process.said().len(), all.len(), "{:?}", process.said());
    let of_job: Vec<_> = all.iter().filter(|line| line["job_id"] == id.as_str()).collect();
    let said: Vec<_> = of_job.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(said, ["a job was taken in", "a job was taken on", "a job ended"], "{of_job:#?}");
    for line in &of_job {
        assert_eq!(line["trace_id"], trace, "{line}");
        assert_eq!(line["span_id"].as_str().unwrap().len(), 16, "{line}");
        assert_eq!(line["correlation_id"], "from-the-ticket-4711", "{line}");
        assert_eq!(line["operation"], "echo", "{line}");
    }
    for line in &of_job[1..] {
        assert!(line["worker"].is_string() && line["attempt"] == 1, "{line}");
    }
    let last = of_job[2];
    assert_eq!((&last["level"], &last["status"]), (&json!("warn"), &json!("failed")));
    assert_eq!((&last["code"], &last["reason"]), (&json!("ODD"), &json!("it was asked to fail")));
    let request = all.iter().find(|line| line["message"] == "a request was answered").unwrap();
    for (field, value) in [
        ("method", json!("POST")),
        ("route", json!("/api/v1/jobs")),
        ("status", json!(202)),
        ("caller", json!("loopback")),
        ("from", json!("127.0.0.1")),
        ("correlation_id", json!("from-the-ticket-4711")),
        ("trace_id", json!(trace)),
    ] {
        assert_eq!(request[field], value, "{request}");
    }
    assert!(request["duration_ms"].as_f64().unwrap() > 0.0, "{request}");
    assert!(!process.said().concat().contains("hunter2"));
}

#[test]
fn a_job_that_is_lost_with_its_worker_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let quick = ["--set", "worker.lease=2s", "--set", "worker.heartbeat=1s"];
    let quiet = ["--log-format", "json", "--set", "metrics.enabled=false"];
    let further = [&["--no-worker"][..], &quick, &quiet].concat();
    let server = Process::serve(folder.path(), &further);
    let site = Interface::of(&server);
    let mut command = fathom();
    command.args(["worker", "--id", "w1", "--data"]).arg(&data).args(quick).args(quiet);
    let worker = Process::start(&mut command);
    let job = json!({ "operation": "fathom.echo", "payload": { "delay_seconds": 30 } });
    let id = site.send(&job, &[("x-correlation-id", "ticket-4711")]);
    lines(&worker, "nobody takes it", |line| line["message"] == "a job was taken on");
    // It is killed.
    drop(worker);
    let swept = |line: &Value| line["message"] == "a job was swept";
    let all = lines(&server, "it is not swept", swept);
    let line = all.iter().find(|line| swept(line)).unwrap();
    let taken = all.iter().find(|line| line["message"] == "a job was taken in").unwrap();
    assert_eq!(line["job_id"], id);
    assert_eq!(line["reason"], "w1 had it and was not heard of any more");
    assert_eq!(line["correlation_id"], "ticket-4711");
    assert_eq!(line["trace_id"], taken["trace_id"], "{line}\n{taken}");
    site.ask("DELETE", &format!("/api/v1/jobs/{id}"), &[], None);
    lines(&server, "nobody calls it off", |line| {
        line["message"] == "a job was called off" && line["job_id"] == id
    });
}

#[test]
fn secrets_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = fathom();
    command.args(["token", "create", "watcher", "--role", "viewer", "--data"]);
    let made = command.arg(folder.path().join("data")).output().unwrap();
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert!(token.starts_with("fathom_"), "{token}");
    let further =
        ["--log-format", "json", "--log-level", "trace", "--set", "metrics.enabled=false"];
    let process = Process::serve(folder.path(), &further);
    let site = Interface::of(&process);
    let bearer = format!("Bearer {token}");
    let with = [("authorization", bearer.as_str())];
    let wrong = format!("Bearer {}x", &token[..token.len() - 1]);
    let (status, _) = site.ask("GET", "/api/v1/jobs?namespace=sesame", &with, None);
    assert_eq!(status, 200);
    for (path, header) in [("/api/v1/jobs?status=sesame", &bearer), ("/api/v1/jobs", &wrong)] {
        let (status, _) = site.ask("GET", path, &[("authorization", header)], None);
        assert!(matches!(status, 400 | 401), "{status}");
    }
    let (status, _) = site.ask("GET", "/sesame", &with, None);
    assert_eq!(status, 404);
    let job = json!({ "operation": "fathom.echo", "payload": { "open": "sesame" } });
    let (status, _) = site.ask("POST", "/api/v1/jobs", &with, Some(&job));
    assert_eq!(status, 403);
    let all = lines(&process, "no 403", |line| line["status"] == 403 && line["route"].is_string());
    let said = process.said().concat();
    for secret in [&token[7..], "sesame", &wrong[14..]] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    let line = all.iter().find(|line| line["status"] == 403 && line["route"].is_string()).unwrap();
    assert_eq!(line["code"], "FORBIDDEN", "{line}");
    assert!(line["caller"].as_str().unwrap().starts_with("watcher ("), "{line}");
    let refused = all.iter().find(|line| line["status"] == 401 && line["route"].is_string());
    assert_eq!(refused.unwrap()["code"], "UNAUTHENTICATED");
}

/// What tries to end its line, and to begin another.
const FORGED: &str = "ODD\n{\"level\":\"info\",\"message\":\"forged\"}\r\u{1b}[2K\u{9b}2J\u{202e}";

#[test]
fn nobody_writes_lines_of_their_own() {
    for format in ["json", "text"] {
        let folder = tempfile::tempdir().unwrap();
        let further = ["--log-format", format, "--set", "metrics.enabled=false"];
        let process = Process::serve(folder.path(), &further);
        let site = Interface::of(&process);
        let job = json!({ "operation": "fathom.echo", "payload": { "fail": FORGED } });
        let id = site.send(&job, &[("x-correlation-id", "a b=c")]);
        site.result(&id);
        until(&format!("{:?}", process.said()), || {
            process.said().iter().any(|line| line.contains("a job ended")).then_some(())
        });
        let said = process.said();
        for line in &said {
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
            assert!(!line.starts_with("{\"level\""), "{line:?}");
        }
        let last = said.iter().find(|line| line.contains("a job ended")).unwrap();
        match format {
            "json" => {
                let line: Value = serde_json::from_str(last).unwrap();
                assert_eq!(line["code"], FORGED);
            }
            _ => {
                assert!(last.contains(&format!("warn  a job ended job_id={id} ")), "{last}");
                assert!(last.contains("code=\"ODD\\n{\\\"level\\\""), "{last}");
                assert!(said[0].starts_with("fathom: what is known is kept in "), "{said:?}");
            }
        }
    }
}

#[test]
fn how_much_is_written_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = fathom();
    command.env("FATHOM_LOG_LEVEL", "warn").arg("serve");
    command.args(["--listen", "127.0.0.1:0", "--set", "metrics.enabled=false", "--data"]);
    let process = Process::start(command.arg(folder.path().join("data")));
    let site = Interface::of(&process);
    let fine = site.send(&json!({ "operation": "fathom.echo" }), &[]);
    site.result(&fine);
    let job = json!({ "operation": "fathom.echo", "payload": { "fail": "ODD" } });
    let failing = site.send(&job, &[]);
    // Where there is no terminal, lines are for programs once the service is there.
    let all = lines(&process, "no end", |line| ended(line, &failing));
    assert!(all.iter().all(|line| line["level"] == "warn"), "{all:?}");
    assert!(!all.iter().any(|line| line["job_id"] == fine.as_str()), "{all:?}");
    assert!(process.said()[0].starts_with("fathom: what is known is kept in "));
}

#[test]
fn people_at_a_terminal_get_text() {
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let serve = format!(
        "{} serve --listen 127.0.0.1:0 --set metrics.enabled=false --data {}",
        env!("CARGO_BIN_EXE_fathom"),
        folder.path().join("data").display()
    );
    // It makes a terminal, and keeps what is written to it.
    let mut command = Command::new("script");
    command.args(["--quiet", "--flush", "--command", &serve]).arg(&said);
    let _process = Process::start(command.stdout(std::process::Stdio::null()));
    let read = || std::fs::read_to_string(&said).unwrap_or_default();
    let address = until("it does not serve", || {
        let text = read();
        let (_, address) = text.split_once("serving ")?;
        address.split_once("\r\n").map(|(address, _)| address.to_owned())
    });
    let site = Interface(address);
    let id = site.send(&json!({ "operation": "fathom.echo" }), &[]);
    let line = until(&format!("within {PATIENCE:?}"), || {
        let text = read();
        text.lines().find(|line| line.contains("a job ended")).map(str::to_owned)
    });
    assert!(line.contains(&format!("info  a job ended job_id={id} operation=echo attempt=1 ")));
}
