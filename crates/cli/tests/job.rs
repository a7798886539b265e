//! `fathom job` against a service that runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "observed/site.rs"]
#[allow(dead_code, reason = "other tests need the rest")]
mod site;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use site::{Interface, Process, fathom, free_port, root};

/// What a command came to.
#[derive(Debug)]
struct Came {
    code: i32,
    out: String,
    said: String,
}

impl Came {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, if it ended with this.
    fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// `fathom job` for whoever has this in the environment.
fn job_as(variables: &[(&str, &str)], arguments: &[&str]) -> Came {
    job_of(variables, arguments, "")
}

fn job_of(variables: &[(&str, &str)], arguments: &[&str], input: &str) -> Came {
    let mut command = fathom();
    command.arg("job").args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Came {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A service, and what asks it.
struct Service {
    _process: Process,
    address: String,
    _folder: tempfile::TempDir,
}

impl Service {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = serve(folder.path());
        let Interface(address) = Interface::of(&process);
        Self { _process: process, address, _folder: folder }
    }

    fn job(&self, arguments: &[&str]) -> Came {
        job_as(&[("FATHOM_SERVER", &self.address)], arguments)
    }
}

fn serve(folder: &Path) -> Process {
    let further = [
        "--images",
        "samples",
        "--set",
        "metrics.enabled=false",
        "--set",
        "worker.lease=2s",
        "--set",
        "worker.heartbeat=1s",
    ];
    Process::serve(folder, &further)
}

#[test]
fn a_job_is_sent_and_followed_and_says_how_it_ended() {
    let service = Service::new();
    let image = root().join("samples/server.qcow2");
    let image = image.to_str().unwrap();
    let came = service.job(&["submit", "inspect", "--image", image, "--id", "job-web-1", "--wait"]);
    let came = came.with(0);
    assert!(came.out.starts_with("job-web-1 is completed, and took "), "{came:?}");
    assert!(came.said.contains("job-web-1 is sent; when this is interrupted, it goes on"));

    // What it came to, whole and without what is around it.
    let result = service.job(&["result", "job-web-1"]).with(0).json();
    assert_eq!(result["data"]["report"]["schema"], "fathom.report/v1");
    let data = service.job(&["result", "job-web-1", "--data"]).with(0).json();
    assert_eq!(data, result["data"]);

    let failing = ["submit", "echo", "--payload", "{\"fail\":\"ODD\"}", "--id", "job-odd-1"];
    let came = service.job(&[&failing[..], &["--wait"]].concat()).with(20);
    assert!(came.out.contains("job-odd-1 is failed"), "{came:?}");
    assert!(came.out.contains(": ODD: it was asked to fail\n"), "{came:?}");
    let came = service.job(&["result", "job-odd-1", "--data"]).with(20);
    assert!(came.said.contains("job-odd-1: ODD: it was asked to fail"), "{came:?}");
    let view = service.job(&["watch", "job-odd-1", "--json"]).with(20).json();
    assert_eq!(view["error"]["code"], "ODD");

    let slow = ["submit", "echo", "--payload", "{\"delay_seconds\":30}"];
    let came = service.job(&[&slow[..], &["--timeout", "1", "--wait"]].concat()).with(22);
    assert!(came.out.contains("TIMEOUT"), "{came:?}");
    // It lasts from when somebody took it.
    assert!(!came.out.contains(" ms: "), "{came:?}");

    // Sent again under its key, it is the first one.
    let keyed = ["submit", "echo", "--key", "monday", "--json"];
    let first = service.job(&keyed).with(0).json();
    let id = first["job_id"].as_str().unwrap();
    service.job(&["watch", id]).with(0);
    let again = service.job(&["submit", "echo", "--key", "monday"]).with(0);
    assert_eq!(again.out, format!("{id}\n"));
    assert!(again.said.contains("it was sent before, and is completed"), "{again:?}");
}

#[test]
fn jobs_are_listed_and_shown() {
    let service = Service::new();
    for number in 1..=3 {
        let id = format!("job-echo-{number}");
        service.job(&["submit", "echo", "--id", &id, "--wait"]).with(0);
    }
    let odd = ["submit", "echo", "--payload", "{\"fail\":\"ODD\"}", "--id", "job-odd-1", "--wait"];
    service.job(&odd).with(20);
    let list = service.job(&["list"]).with(0);
    let lines: Vec<&str> = list.out.lines().collect();
    assert_eq!(lines.len(), 5, "{list:?}");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        words(lines[0]),
        ["job", "status", "operation", "try", "submitted", "took", "worker", "trouble"]
    );
    assert_eq!(words(lines[1])[..4], ["job-odd-1", "failed", "echo", "1/1"]);
    assert_eq!(words(lines[1]).last().unwrap(), "ODD");
    assert_eq!(words(lines[4])[..4], ["job-echo-1", "completed", "echo", "1/1"]);
    let failed = service.job(&["list", "--status", "failed,dead", "--json"]).with(0).json();
    assert_eq!(failed.as_array().unwrap().len(), 1, "{failed}");
    assert_eq!(failed[0]["job_id"], "job-odd-1");
    let two = service.job(&["list", "--limit", "2"]).with(0);
    assert_eq!(two.out.lines().count(), 3);
    assert!(two.said.contains("there are more than 2; --limit shows more"), "{two:?}");
    let none = service.job(&["list", "--operation", "scan"]).with(0);
    assert_eq!(none.out.lines().count(), 1);

    let shown = service.job(&["show", "job-odd-1"]).with(0);
    assert!(shown.out.starts_with("job-odd-1 is failed\n  operation     echo\n"), "{shown:?}");
    assert!(shown.out.contains("\n  trouble       ODD: it was asked to fail\n"), "{shown:?}");
    assert!(shown.out.contains(" by loopback\n"), "{shown:?}");
    let view = service.job(&["show", "job-odd-1", "--json"]).with(0).json();
    assert_eq!(view["status"], "failed");
}

#[test]
fn jobs_are_called_off_and_sent_again() {
    let service = Service::new();
    // Of a pool without workers.
    service.job(&["submit", "echo", "--pool", "elsewhere", "--id", "job-waits"]).with(0);
    let shown = service.job(&["show", "job-waits"]).with(0);
    assert!(shown.out.contains("\n  no worker     "), "{shown:?}");
    let came = service.job(&["result", "job-waits"]).with(24);
    assert!(came.said.contains("the job has not ended") && came.out.is_empty(), "{came:?}");
    let came = service.job(&["cancel", "job-waits"]).with(0);
    assert!(came.said.contains("job-waits is called off"), "{came:?}");
    let came = service.job(&["watch", "job-waits"]).with(21);
    assert!(came.out.starts_with("job-waits is cancelled: CANCELLED: "), "{came:?}");

    let slow = ["submit", "echo", "--payload", "{\"delay_seconds\":30}", "--id", "job-long-1"];
    service.job(&slow).with(0);
    let came = service.job(&["cancel", "job-long-1", "--json"]).with(0);
    assert_eq!(came.json()["job_id"], "job-long-1");
    service.job(&["watch", "job-long-1"]).with(21);

    let odd = ["submit", "echo", "--payload", "{\"fail\":\"ODD\"}", "--id", "job-odd-1", "--wait"];
    service.job(&odd).with(20);
    let came = service.job(&["replay", "job-odd-1"]).with(0);
    assert!(came.said.contains("job-odd-1 waits for its turn again"), "{came:?}");
    service.job(&["watch", "job-odd-1"]).with(20);
    service.job(&["submit", "echo", "--id", "job-fine-1", "--wait"]).with(0);
    let came = service.job(&["replay", "job-fine-1"]).with(2);
    assert!(came.said.contains("the job is completed"), "{came:?}");
}

#[test]
fn a_job_comes_from_a_file_or_standard_input() {
    let service = Service::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.json");
    let job = json!({
        "operation": "guestkit.echo", "job_id": "job-file-1", "payload": { "a": 1 },
        "execution": { "priority": 3 },
    });
    std::fs::write(&file, job.to_string()).unwrap();
    let of_file = ["submit", "--file", file.to_str().unwrap(), "--priority", "9", "--wait"];
    service.job(&of_file).with(0);
    let view = service.job(&["show", "job-file-1", "--json"]).with(0).json();
    assert_eq!((&view["priority"], &view["operation"]), (&json!(9), &json!("echo")));
    let server = [("FATHOM_SERVER", service.address.as_str())];
    let piped = json!({ "operation": "fathom.echo", "job_id": "job-pipe-1" }).to_string();
    assert_eq!(job_of(&server, &["submit", "--file", "-"], &piped).with(0).out, "job-pipe-1\n");
    for (text, why) in [("[]", "an object of JSON is meant"), ("{", "it is no JSON")] {
        let came = job_of(&server, &["submit", "--file", "-"], text).with(2);
        assert!(came.said.contains(why), "{came:?}");
    }
    // What the service does not take is said as it says it.
    let came = service.job(&["submit", "inspect", "--image", "/etc/passwd"]).with(2);
    assert!(came.said.contains("image: ") && came.said.contains("(VALIDATION_ERROR)"), "{came:?}");
    let came = service.job(&["submit", "conjure"]).with(2);
    assert!(came.said.contains("conjure"), "{came:?}");
    let came = service.job(&["submit", "echo", "--payload", "3"]).with(2);
    assert!(came.said.contains("--payload: an object of JSON is meant"), "{came:?}");
}

#[test]
fn who_may_not_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let token = |name: &str, role: &str| {
        let mut command = fathom();
        command.args(["token", "create", name, "--role", role, "--data"]).arg(&data);
        let output = command.output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (operator, viewer) = (token("sender", "operator"), token("looker", "viewer"));
    let process = serve(folder.path());
    let Interface(address) = Interface::of(&process);
    let server = ("FATHOM_SERVER", address.as_str());
    let came = job_as(&[server], &["list"]).with(7);
    assert!(
        came.said.contains("the token goes into FATHOM_TOKEN, or into --token-file"),
        "{came:?}"
    );
    let wrong = format!("{}x", &operator[..operator.len() - 1]);
    let came = job_as(&[server, ("FATHOM_TOKEN", &wrong)], &["list"]).with(7);
    assert!(came.said.contains("(UNAUTHENTICATED)") && !came.said.contains(&wrong), "{came:?}");
    let came = job_as(&[server, ("FATHOM_TOKEN", &viewer)], &["submit", "echo"]).with(7);
    assert!(came.said.contains("submitJob asks for the role operator (FORBIDDEN)"), "{came:?}");
    job_as(&[server, ("FATHOM_TOKEN", &viewer)], &["list"]).with(0);
    job_as(&[server, ("FATHOM_TOKEN", &operator)], &["submit", "echo", "--wait"]).with(0);

    let file = folder.path().join("token");
    std::fs::write(&file, format!("{operator}\n")).unwrap();
    let of_file = ["submit", "echo", "--token-file", file.to_str().unwrap(), "--wait"];
    let came = job_as(&[server], &of_file).with(0);
    assert!(came.said.contains("others can read the token; chmod 600 mends that"), "{came:?}");
    let file = file.to_str().unwrap();
    job_as(&[server, ("FATHOM_TOKEN_FILE", file)], &["list"]).with(0);
    job_as(&[server, ("FATHOM_TOKEN_FILE", "/nonexistent")], &["list"]).with(3);
    let came = job_as(&[server, ("FATHOM_TOKEN", "a\r\nX-Role: admin")], &["list"]).with(2);
    assert!(came.said.contains("spaces or control characters"), "{came:?}");
    // These variables are no settings, and no reason to complain.
    let mut command = fathom();
    command.env("FATHOM_TOKEN", &viewer).env("FATHOM_SERVER", &address);
    let output = command.args(["config", "check"]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_service_that_is_not_there_is_said_to_be_so() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let came = job_as(&[], &["list", "--server", &nobody]).with(8);
    assert!(came.said.contains("nobody answers there; is `fathom serve` running?"), "{came:?}");
    let came = job_as(&[], &["list", "--server", "http://nowhere.invalid"]).with(8);
    assert!(came.said.contains("http://nowhere.invalid"), "{came:?}");
    for (server, why) in [
        ("127.0.0.1:8080", "it is no address such as"),
        ("ftp://h", "begins with http:// or https://"),
        ("http://me:secret@h", "an address has no secrets in it"),
        ("http://h?token=secret", "it is no address of a service"),
    ] {
        let came = job_as(&[], &["list", "--server", server]).with(2);
        assert!(came.said.contains(why), "{server}: {came:?}");
        assert!(!came.said.contains("me:secret"), "{came:?}");
    }
    let came = job_as(&[], &["show", "../workers"]).with(3);
    assert!(came.said.contains("no job is called so"), "{came:?}");
    let service = Service::new();
    let came = service.job(&["show", "job-unknown"]).with(3);
    assert!(came.said.contains("there is no job job-unknown (NOT_FOUND)"), "{came:?}");
}

/// Somebody who answers everything with this.
fn stranger(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let length = answer.len();
            let head = "content-type: text/html\r\nconnection: close";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\n{head}\r\ncontent-length: {length}\r\n\r\n{answer}"
            );
        }
    });
    address
}

#[test]
fn whoever_answers_otherwise_is_not_believed() {
    for answer in ["<h1>It works!</h1>", "{}", "[]", "null", "{\"jobs\":[{}]}"] {
        let address = stranger(answer);
        for arguments in [&["list"][..], &["show", "job-web-1"], &["submit", "echo"]] {
            let came = job_as(&[("FATHOM_SERVER", &address)], arguments).with(8);
            assert!(came.said.contains("it answers what fathom does not"), "{answer}: {came:?}");
        }
    }
}

#[test]
fn a_job_is_followed_while_its_service_is_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let serve = || {
        let mut command = fathom();
        command.args(["serve", "--no-worker", "--set", "metrics.enabled=false"]);
        command.args(["--listen", &address, "--data"]).arg(folder.path().join("data"));
        let process = Process::start(&mut command);
        process.says("serving ");
        process
    };
    let server = serve();
    let mut command = fathom();
    command.args(["worker", "--set", "metrics.enabled=false", "--data"]);
    let worker = Process::start(command.arg(folder.path().join("data")));
    worker.says("does ");
    let url = format!("http://{address}");
    let slow = ["submit", "echo", "--payload", "{\"delay_seconds\":8}", "--id", "job-slow-1"];
    job_as(&[("FATHOM_SERVER", &url)], &slow).with(0);
    let watching =
        std::thread::spawn(move || job_as(&[("FATHOM_SERVER", &url)], &["watch", "job-slow-1"]));
    std::thread::sleep(Duration::from_secs(2));
    // Killed, in the middle of what it tells.
    drop(server);
    std::thread::sleep(Duration::from_secs(1));
    let _server = serve();
    let came = watching.join().unwrap().with(0);
    assert!(came.out.starts_with("job-slow-1 is completed"), "{came:?}");
    assert!(came.said.contains("job-slow-1: waiting, 0 %"), "{came:?}");
    assert!(came.said.contains("nobody answers there") && came.said.contains("; trying again"));
}
