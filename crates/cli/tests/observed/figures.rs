//! What is counted: told as it is documented, and as promtool wants it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::site::{Interface, Process, fathom, free_port, root, sum, until};

/// A family of figures: its kind, its labels, and how it is told.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) samples: Vec<(String, String)>,
}

/// The families of an exposition in the text format.
pub(crate) fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (named, kind) = rest.split_once(' ').unwrap();
            name = named.to_owned();
            families.entry(name.clone()).or_default().kind = kind.to_owned();
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&name), "{line} is not of {name}");
            let (series, value) = line.rsplit_once(' ').unwrap();
            let family = families.get_mut(&name).unwrap();
            let labels = series.split_once('{').map_or("", |(_, rest)| rest.trim_end_matches('}'));
            for label in labels.split("\",").filter_map(|part| part.split_once("=\"")) {
                // Prometheus puts it there itself.
                if label.0 != "le" {
                    family.labels.insert(label.0.to_owned());
                }
            }
            family.samples.push((series.to_owned(), value.to_owned()));
        }
    }
    families
}

/// What is documented: the kind and the labels of each family.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let page = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `fathom_"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().replace('`', ""));
        let (name, kind) = (cells.next().unwrap(), cells.next().unwrap());
        let labels = cells.next().unwrap();
        let labels = labels.split(", ").filter(|label| !label.is_empty()).map(str::to_owned);
        (name, (kind, labels.collect()))
    })
    .collect()
}

/// Makes a database of advisories in which one package of Debian has a flaw.
fn advisories(folder: &Path) {
    let feeds = folder.join("feeds");
    fs::create_dir(&feeds).unwrap();
    let feed = json!({
        "id": "CVE-2021-3711",
        "modified": "2021-09-01T00:00:00Z",
        "affected": [{
            "package": { "ecosystem": "Debian:12", "name": "openssl" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }],
        }],
    });
    fs::write(feeds.join("debian-osv.jsonl"), feed.to_string()).unwrap();
    let database = folder.join("data/advisories");
    let built = fathom().args(["db", "build", "--db"]).arg(&database).arg(&feeds).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

/// A service that has done some of everything.
pub(crate) struct Busy {
    /// Where it tells what it counts.
    pub(crate) port: u16,
    /// What it told.
    pub(crate) told: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Busy {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        advisories(folder.path());
        let port = free_port();
        let metrics = format!("metrics.port={port}");
        // Nobody collects traces there.
        let tracing = "tracing.otlp_endpoint=http://127.0.0.1:9";
        let further = ["--images", "samples", "--set", &metrics, "--set", tracing];
        let process = Process::serve(folder.path(), &further);
        let site = Interface::of(&process);
        let image = root().join("samples/server.qcow2");
        let checksum = sum(&fs::read(&image).unwrap());
        for (operation, checksum, status) in [
            ("scan", checksum.clone(), "completed"),
            ("checksum", checksum, "completed"),
            ("inspect", sum(b"another"), "failed"),
        ] {
            let payload = json!({ "image": { "path": image, "checksum": checksum } });
            let result = site.run(&format!("fathom.{operation}"), payload);
            assert_eq!(result["status"], status, "{result}");
        }
        // Nobody is there to take it.
        let waits =
            json!({ "operation": "fathom.echo", "routing": { "worker_pool": "elsewhere" } });
        site.send(&waits, &[]);
        assert!(site.get("/metrics").contains("fathom_worker_jobs_total"));
        let told = Interface(format!("http://127.0.0.1:{port}")).get("/metrics");
        Self { port, told, _process: process, _folder: folder }
    }
}

#[test]
fn what_is_told_is_what_is_documented() {
    let told = &Busy::new().told;
    let families = families(told);
    let documented = documented();
    let known: BTreeMap<_, _> = families
        .iter()
        .map(|(name, family)| (name.clone(), (family.kind.clone(), family.labels.clone())))
        .collect();
    assert_eq!(documented, known, "docs/metrics.md (left) and what is told (right)\n{told}");
    for (series, value) in [
        ("fathom_worker_jobs_total{operation=\"scan\",status=\"completed\"}", "1"),
        ("fathom_worker_jobs_total{operation=\"inspect\",status=\"failed\"}", "1"),
        ("fathom_worker_jobs_total{operation=\"diff\",status=\"completed\"}", "0"),
        ("fathom_worker_queue_depth{pool=\"elsewhere\"}", "1"),
        ("fathom_checksum_verifications_total{status=\"success\"}", "2"),
        ("fathom_checksum_verifications_total{status=\"failure\"}", "1"),
        ("fathom_enrichment_matches_total{status=\"success\"}", "1"),
        ("fathom_enrichment_match_duration_seconds_count", "1"),
        ("fathom_transport_fetches_total{transport=\"store\"}", "3"),
        ("fathom_transport_errors_total{transport=\"store\"}", "0"),
        ("fathom_store_up", "1"),
    ] {
        assert!(told.contains(&format!("{series} {value}\n")), "{series} is not {value}\n{told}");
    }
    let age = &families["fathom_advisories_age_seconds"].samples[0];
    assert_eq!(age.0, "fathom_advisories_age_seconds{provider=\"debian\"}");
    assert!((0.0..3600.0).contains(&age.1.parse::<f64>().unwrap()), "{age:?}");
    // Nothing of what jobs are about is in it.
    assert!(!told.contains("server.qcow2") && !told.contains("job-"), "{told}");
    lint(told);
}

/// The program of Prometheus that checks, where there is one.
pub(crate) fn promtool() -> Option<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join("promtool").is_file()) {
        return Some(Command::new("promtool"));
    }
    println!("skipped: there is no promtool; cargo xtask setup installs it");
    assert!(std::env::var_os("FATHOM_TEST_REQUIRED").is_none(), "there is no promtool");
    None
}

fn lint(told: &str) {
    let Some(mut command) = promtool() else { return };
    let piped = Stdio::piped;
    let command = command.args(["check", "metrics"]);
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn what_waits_no_more_is_told_as_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::serve(folder.path(), &["--no-worker", "--set", "metrics.enabled=false"]);
    let site = Interface::of(&process);
    let job = site.send(&json!({ "operation": "fathom.echo" }), &[]);
    let waiting = |jobs: u32| {
        let line = format!("fathom_worker_queue_depth{{pool=\"default\"}} {jobs}\n");
        until(&line, || site.get("/metrics").contains(&line).then_some(()));
    };
    waiting(1);
    site.ask("DELETE", &format!("/api/v1/jobs/{job}"), &[], None);
    waiting(0);
}

#[test]
fn pools_are_told_apart_up_to_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let further = ["--no-worker", "--set", "metrics.enabled=false"];
    let process = Process::serve(folder.path(), &further);
    let site = Interface::of(&process);
    let pools = (0..59).map(|number| format!("pool-{number}"));
    for pool in pools.chain(["a\"} 9 \\".to_owned()]) {
        let job = json!({ "operation": "fathom.echo", "routing": { "worker_pool": pool } });
        site.send(&job, &[]);
    }
    let told = site.get("/metrics");
    let depths: Vec<&str> =
        told.lines().filter(|line| line.starts_with("fathom_worker_queue_depth{")).collect();
    assert_eq!(depths.len(), 51, "{depths:?}");
    assert!(depths.contains(&"fathom_worker_queue_depth{pool=\"(others)\"} 10"), "{depths:?}");
    let odd = "fathom_worker_queue_depth{pool=\"a\\\"} 9 \\\\\"} 1";
    assert!(depths.contains(&odd), "{depths:?}");
    lint(&told);
}

#[test]
fn figures_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::serve(folder.path(), &["--no-worker", "--set", "metrics.enabled=false"]);
    let site = Interface::of(&process);
    for _ in 0..50 {
        site.send(&json!({ "operation": "fathom.echo" }), &[]);
    }
    let mut took: Vec<Duration> = (0..21)
        .map(|_| {
            let began = Instant::now();
            assert!(site.get("/metrics").contains("fathom_store_up 1"));
            began.elapsed()
        })
        .collect();
    took.sort();
    println!("/metrics takes {:?}, at most {:?}", took[10], took[20]);
    // What it takes is 20 ms at most; a machine that does much else is given more.
    assert!(took[10] < Duration::from_secs(1), "{took:?}");
}
