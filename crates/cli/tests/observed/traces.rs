//! One job as one trace, from the request to the worker's phases, as a decoder that is not ours reads it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::site::{Interface, Process, fathom, root, sum, until};

/// Takes what is sent by OTLP.
#[derive(Clone)]
struct Collector {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

struct Request {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Collector {
    /// Which answers with this status.
    fn new(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let collector = Self { port, requests: Arc::default() };
        let kept = Arc::clone(&collector.requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, kept) = (stream.unwrap(), Arc::clone(&kept));
                std::thread::spawn(move || serve(stream, status, &kept));
            }
        });
        collector
    }

    fn endpoint(&self) -> String {
        format!("tracing.otlp_endpoint=http://127.0.0.1:{}", self.port)
    }

    /// The spans that have come, as the decoder reads them.
    fn spans(&self, python: &str) -> Vec<Value> {
        let script = root().join("crates/cli/tests/observed/decode.py");
        let mut command = Command::new(python);
        let command = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        for request in self.requests.lock().unwrap().iter() {
            let length = u32::try_from(request.body.len()).unwrap();
            input.write_all(&length.to_be_bytes()).unwrap();
            input.write_all(&request.body).unwrap();
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn serve(stream: TcpStream, status: &str, kept: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        kept.lock().unwrap().push(Request { line: line.trim_end().to_owned(), headers, body });
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A Python that can read OTLP, where the tests have one.
fn python() -> Option<String> {
    let python = std::env::var("FATHOM_TEST_PYTHON").ok();
    if python.is_none() {
        println!("skipped: FATHOM_TEST_PYTHON is not set; cargo xtask test sets it");
        assert!(std::env::var_os("FATHOM_TEST_REQUIRED").is_none());
    }
    python
}

/// What the processes of a case have in common.
struct Case {
    folder: tempfile::TempDir,
    further: Vec<String>,
    collector: Collector,
}

impl Case {
    fn new(transport: &[String]) -> Self {
        let collector = Collector::new("200 OK");
        let mut further = vec!["--log-format".to_owned(), "json".to_owned()];
        for setting in
            [collector.endpoint(), "metrics.enabled=false".to_owned()].iter().chain(transport)
        {
            further.extend(["--set".to_owned(), setting.clone()]);
        }
        Self { folder: tempfile::tempdir().unwrap(), further, collector }
    }

    fn start(&self, verb: &str, arguments: &[&str]) -> Process {
        let mut command = fathom();
        command.arg(verb).arg("--data").arg(self.folder.path().join("data"));
        // Names of hosts and the like are taken from the environment by nobody here.
        command.env("FATHOM_TRACING_OTLP_HEADERS", "x-api-key: sesame");
        Process::start(command.args(arguments).args(&self.further))
    }
}

fn span<'s>(spans: &'s [Value], name: &str) -> &'s Value {
    let mut found = spans.iter().filter(|span| span["name"] == name);
    let one = found.next().unwrap_or_else(|| panic!("there is no span {name}: {spans:#?}"));
    assert!(found.next().is_none(), "there are several spans {name}: {spans:#?}");
    one
}

/// Sends a job to a service of its own, which a worker of its own does, and looks at its trace.
fn one_job_is_one_trace(transport: &[String]) {
    let Some(python) = python() else { return };
    let case = Case::new(transport);
    let mut server = case.start("serve", &["--listen", "127.0.0.1:0", "--no-worker"]);
    let site = Interface::of(&server);
    let mut worker = case.start("worker", &["--id", "w1", "--images", "samples"]);
    worker.says("does ");
    let image = root().join("samples/server.qcow2");
    let checksum = sum(&fs::read(&image).unwrap());
    let job = json!({
        "operation": "fathom.inspect",
        "payload": { "image": { "path": image, "checksum": checksum } },
    });
    let (trace, caller) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let parent = format!("00-{trace}-{caller}-01");
    let id = site.send(&job, &[("traceparent", &parent), ("x-correlation-id", "ticket-4711")]);
    let result = site.result(&id);
    assert_eq!(result["status"], "completed", "{result}");
    worker.end();
    server.end();
    let all = case.collector.spans(&python);
    let spans: Vec<Value> = all.into_iter().filter(|span| span["trace"] == trace).collect();

    // Each beneath the one that it was done for, from who asked to the last phase.
    for (name, above, kind) in [
        ("submit", "POST /api/v1/jobs", "SPAN_KIND_PRODUCER"),
        ("queue", "submit", "SPAN_KIND_INTERNAL"),
        ("attempt", "submit", "SPAN_KIND_CONSUMER"),
        ("claim", "attempt", "SPAN_KIND_INTERNAL"),
        ("inspect", "attempt", "SPAN_KIND_INTERNAL"),
        ("complete", "attempt", "SPAN_KIND_INTERNAL"),
        ("opening", "inspect", "SPAN_KIND_INTERNAL"),
        ("verifying", "inspect", "SPAN_KIND_INTERNAL"),
        ("discovering", "inspect", "SPAN_KIND_INTERNAL"),
        ("inspecting", "inspect", "SPAN_KIND_INTERNAL"),
        ("reporting", "inspect", "SPAN_KIND_INTERNAL"),
        ("finishing", "inspect", "SPAN_KIND_INTERNAL"),
    ] {
        let (one, above) = (span(&spans, name), span(&spans, above));
        assert_eq!((&one["parent"], &one["kind"]), (&above["id"], &json!(kind)), "{one}");
        let at = |span: &Value, end| span[end].as_u64().unwrap();
        assert!(at(one, "start") <= at(one, "end"), "{one}");
        // The store has a clock of its own, and may be asked for jobs before there is one.
        let by_the_store = ["queue", "attempt", "claim"].contains(&name);
        let slack = if by_the_store { 1_000_000_000 } else { 2000 };
        assert!(at(above, "start") <= at(one, "start") + slack, "{above}\n{one}");
        if !by_the_store {
            assert!(at(one, "end") <= at(above, "end") + slack, "{above}\n{one}");
        }
    }
    let request = span(&spans, "POST /api/v1/jobs");
    assert_eq!(request["parent"], caller, "{request}");
    assert_eq!(request["kind"], "SPAN_KIND_SERVER");
    for (name, value) in [
        ("http.request.method", json!("POST")),
        ("http.route", json!("/api/v1/jobs")),
        ("http.response.status_code", json!(202)),
        ("correlation_id", json!("ticket-4711")),
        ("caller", json!("loopback")),
    ] {
        assert_eq!(request["attributes"][name], value, "{request}");
    }
    let attempt = span(&spans, "attempt");
    for (name, value) in [
        ("job_id", json!(id)),
        ("operation", json!("inspect")),
        ("attempt", json!(1)),
        ("worker", json!("w1")),
        ("correlation_id", json!("ticket-4711")),
        ("status", json!("completed")),
    ] {
        assert_eq!(attempt["attributes"][name], value, "{attempt}");
    }
    assert_eq!(attempt["resource"]["service.name"], "fathom");
    assert_eq!(attempt["resource"]["service.instance.id"], "w1");
    assert_ne!(request["resource"]["service.instance.id"], "w1");
    assert_eq!(attempt["scope"], "fathom");

    // The result has the ids, and so have the lines of both processes.
    let submit = span(&spans, "submit");
    assert_eq!(result["observability"]["trace_id"], trace, "{result}");
    assert_eq!(result["observability"]["span_id"], submit["id"], "{result}");
    assert_eq!(result["observability"]["parent_span_id"], request["id"], "{result}");
    for (process, message, span) in
        [(&server, "a job was taken in", submit), (&worker, "a job ended", attempt)]
    {
        let said = process.said();
        let lines = said.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut lines = lines.filter(|line| line["message"] == message);
        let line = lines.next_back().unwrap();
        assert_eq!((&line["trace_id"], &line["span_id"]), (&span["trace"], &span["id"]), "{line}");
    }
    for request in case.collector.requests.lock().unwrap().iter() {
        assert_eq!(request.line, "POST /v1/traces HTTP/1.1");
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        assert_eq!(request.headers["x-api-key"], "sesame");
    }
    for process in [&server, &worker] {
        assert!(!process.said().concat().contains("sesame"));
    }
}

#[test]
fn one_job_is_one_trace_by_the_store() {
    one_job_is_one_trace(&[]);
}

#[test]
fn one_job_is_one_trace_by_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    one_job_is_one_trace(&[
        "transport.type=folder".to_owned(),
        format!("transport.config.folder={}", folder.path().display()),
    ]);
}

#[test]
fn one_job_is_one_trace_by_redis() {
    let Ok(url) = std::env::var("FATHOM_TEST_REDIS") else {
        println!("skipped: FATHOM_TEST_REDIS is not set; cargo xtask test sets it");
        let without = std::env::var("FATHOM_TEST_WITHOUT").unwrap_or_default();
        assert!(
            std::env::var_os("FATHOM_TEST_REQUIRED").is_none()
                || without.split(',').any(|name| name == "redis")
        );
        return;
    };
    one_job_is_one_trace(&[
        "transport.type=redis".to_owned(),
        format!("transport.config.url={url}"),
        format!("transport.config.stream=traced-{}", std::process::id()),
        format!("transport.config.group=traced-{}", std::process::id()),
    ]);
}

#[test]
fn who_sends_ids_with_a_job_is_followed_by_these() {
    let Some(python) = python() else { return };
    let case = Case::new(&[]);
    let mut process = case.start("serve", &["--listen", "127.0.0.1:0"]);
    let site = Interface::of(&process);
    let (trace, sender) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let job = |observability: Value| {
        json!({
            "operation": "fathom.echo", "payload": { "fail": "ODD" }, "observability": observability,
        })
    };
    let ids = json!({ "trace_id": trace, "span_id": sender, "correlation_id": "c", "own": 1 });
    let result = site.result(&site.send(&job(ids.clone()), &[]));
    // What somebody has sent is handed back as it was.
    assert_eq!(result["observability"], ids);
    // What is no id is neither followed nor a reason to refuse the job.
    let odd = json!({ "trace_id": "not one", "correlation_id": "d" });
    let result = site.result(&site.send(&job(odd.clone()), &[]));
    assert_eq!(result["observability"], odd);
    process.end();
    let all = case.collector.spans(&python);
    let spans: Vec<Value> = all.into_iter().filter(|span| span["trace"] == trace).collect();
    for name in ["submit", "queue", "attempt"] {
        assert_eq!(span(&spans, name)["parent"], sender);
    }
    let attempt = span(&spans, "attempt");
    assert_eq!(attempt["status"], 2, "{attempt}");
    assert_eq!(attempt["message"], "ODD: it was asked to fail");
}

#[test]
fn a_job_that_others_publish_goes_on_in_their_trace() {
    let Some(python) = python() else { return };
    let watched = tempfile::tempdir().unwrap();
    let case = Case::new(&[
        "transport.type=folder".to_owned(),
        format!("transport.config.folder={}", watched.path().display()),
    ]);
    let mut process = case.start("serve", &["--listen", "127.0.0.1:0"]);
    let site = Interface::of(&process);
    let (trace, sender) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let job = json!({
        "operation": "fathom.echo", "job_id": "job-published-1",
        "observability": { "trace_id": trace, "span_id": sender, "correlation_id": "theirs" },
    });
    fs::write(watched.path().join("job.json.tmp"), job.to_string()).unwrap();
    fs::rename(watched.path().join("job.json.tmp"), watched.path().join("job.json")).unwrap();
    until("nobody takes it in", || {
        let (status, _) = site.ask("GET", "/api/v1/jobs/job-published-1", &[], None);
        (status == 200).then_some(())
    });
    assert_eq!(site.result("job-published-1")["status"], "completed");
    process.end();
    let all = case.collector.spans(&python);
    let spans: Vec<Value> = all.into_iter().filter(|span| span["trace"] == trace).collect();
    for name in ["submit", "queue", "attempt"] {
        let span = span(&spans, name);
        assert_eq!(span["parent"], sender);
    }
    assert_eq!(span(&spans, "submit")["attributes"]["correlation_id"], "theirs");
}

#[test]
fn what_is_not_sampled_is_not_sent() {
    let Some(python) = python() else { return };
    let case = Case::new(&["tracing.sample_ratio=0".to_owned()]);
    let mut process = case.start("serve", &["--listen", "127.0.0.1:0"]);
    let site = Interface::of(&process);
    let wanted = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let echo = json!({ "operation": "fathom.echo" });
    for headers in [&[("traceparent", wanted)][..], &[]] {
        site.result(&site.send(&echo, headers));
    }
    process.end();
    let spans = case.collector.spans(&python);
    assert!(spans.iter().any(|span| span["name"] == "attempt"), "{spans:?}");
    assert!(spans.iter().all(|span| span["trace"] == wanted[3..35]), "{spans:?}");
}

/// Does jobs while the collector is like this, and says what became of the spans.
fn jobs_are_done_with(endpoint: &str, folder: &Path) -> (Process, String) {
    let further = ["--set", endpoint, "--set", "metrics.enabled=false", "--log-format", "json"];
    let process = Process::serve(folder, &further);
    let site = Interface::of(&process);
    for _ in 0..20 {
        let result = site.result(&site.send(&json!({ "operation": "fathom.echo" }), &[]));
        assert_eq!(result["status"], "completed");
    }
    let figures = until("spans are neither sent nor dropped", || {
        let text = site.get("/metrics");
        let none = |status| text.contains(&format!("spans_total{{status=\"{status}\"}} 0\n"));
        (endpoint.ends_with(":9") || !(none("sent") && none("dropped"))).then_some(text)
    });
    (process, figures)
}

#[test]
fn a_collector_that_is_away_or_refuses_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, _) =
        jobs_are_done_with("tracing.otlp_endpoint=http://127.0.0.1:9", folder.path());
    process.says("traces cannot be sent, and are tried again");
    let began = std::time::Instant::now();
    process.end();
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());

    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::new("400 Bad Request");
    let (process, figures) = jobs_are_done_with(&collector.endpoint(), folder.path());
    process.says("traces were refused");
    assert!(figures.contains("fathom_traces_spans_total{status=\"sent\"} 0\n"), "{figures}");
}
