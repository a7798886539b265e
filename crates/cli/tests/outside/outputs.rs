//! Results that are written elsewhere: once, whatever is killed or stopped in between.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use fathom_artefact::{Artefacts, BucketSettings, Key};
use fathom_secret::Secret;
use fathom_store::{Options, Store};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::site::{Place, Process, buckets, has, sum, variable};

/// A job on a small file, with its result written.
fn payload(place: &Place) -> Value {
    let path = place.images.join("small.raw");
    fs::write(&path, vec![7; 1 << 20]).unwrap();
    json!({ "image": { "path": path }, "output": { "destination": place.results } })
}

/// What a result says of the one file, which is there and is that.
fn the_file(place: &Place, result: &Value) -> Vec<u8> {
    assert_eq!(result["status"], "completed", "{result}");
    let written = &result["outputs"]["written"][0];
    let location = written["location"].as_str().unwrap();
    assert_eq!(result["outputs"]["primary"], location);
    let bytes = fs::read(location).unwrap();
    assert_eq!(written["bytes"], bytes.len(), "{result}");
    assert_eq!(written["sha256"], sum(&bytes), "{result}");
    assert_eq!(place.names().len(), 1, "{:?}", place.names());
    bytes
}

#[test]
fn a_result_is_written_as_was_asked_for() {
    if !has(&["gzip", "zstd"]) {
        return;
    }
    let place = Place::new();
    let sample = place.sample();
    let site = place.serve(&[]);
    let printed = |format: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fathom"));
        let output = command.args(["inspect", "--format", format]).arg(&sample).output().unwrap();
        output.stdout
    };
    for (number, (format, compression, ending)) in [
        ("json", "none", "json"),
        ("yaml", "gzip", "yaml.gz"),
        ("markdown", "zstd", "md.zst"),
        ("html", "none", "html"),
        ("csv", "none", "csv"),
        ("cyclonedx", "none", "cdx.json"),
        ("spdx", "gzip", "spdx.json.gz"),
    ]
    .into_iter()
    .enumerate()
    {
        let job = format!("job-as-{number}");
        let output = json!({
            "format": format, "compression": compression,
            "destination": place.results.join("team/a"),
        });
        site.send(
            &job,
            "guestkit.inspect",
            json!({ "image": { "path": sample }, "output": output }),
        );
        let result = site.result(&job);
        assert_eq!(result["status"], "completed", "{result}");
        let written = &result["outputs"]["written"][0];
        let location = place.results.join(format!("team/a/{job}.{ending}"));
        assert_eq!(written["location"], location.to_str().unwrap(), "{result}");
        assert_eq!(
            (&written["format"], &written["compression"]),
            (&json!(format), &json!(compression))
        );
        let bytes = fs::read(&location).unwrap();
        assert_eq!(
            (&written["bytes"], &written["sha256"]),
            (&json!(bytes.len()), &json!(sum(&bytes)))
        );
        assert_eq!(result["metrics"]["disk_write_bytes"], bytes.len(), "{result}");
        let unpack = match compression {
            "gzip" => "gzip",
            "zstd" => "zstd",
            _ => "cat",
        };
        let arguments: &[&str] = if unpack == "cat" { &[] } else { &["-dc"] };
        let output = Command::new(unpack).args(arguments).arg(&location).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        match format {
            "json" => assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), result["data"]),
            "markdown" | "html" => assert_eq!(text.as_bytes(), printed(format), "{text}"),
            "yaml" => assert!(text.contains("hostname:"), "{text}"),
            "csv" => assert!(text.lines().count() > 1, "{text}"),
            "cyclonedx" => assert!(text.contains("\"bomFormat\""), "{text}"),
            _ => assert!(text.contains("SPDX-"), "{text}"),
        }
    }
}

#[test]
fn what_may_not_be_written_is_refused_at_the_door() {
    let place = Place::new();
    let image = json!({ "path": place.sample() });
    let site = place.serve(&[]);
    let results = place.results.display();
    for (output, said) in [
        (
            json!({ "destination": "/etc" }),
            "output.destination: \"/etc\": it lies beneath no place",
        ),
        (json!({ "destination": format!("{results}/../data") }), "output.destination: "),
        (json!({ "destination": format!("{results}x") }), "output.destination: "),
        (json!({ "destination": format!("{results}/.ssh") }), "output.destination: "),
        (json!({ "destination": "s3://reports/" }), "output.destination: "),
        (json!({ "destination": "file:///tmp" }), "output.destination: "),
        (json!({ "format": "spdx" }), "output.format: it is of what is written elsewhere"),
        (json!({ "format": "sarif", "destination": place.results }), "output.format: there is no"),
        (
            json!({ "compression": "xz", "destination": place.results }),
            "output.compression: there is",
        ),
    ] {
        let job = json!({
            "operation": "fathom.inspect", "payload": { "image": image, "output": output },
        });
        let (status, problem) = site.ask("POST", "/api/v1/jobs", Some(&job));
        assert_eq!(status, 400, "{output}: {problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(said), "{output}: {problem}");
    }
    // What the text does not show the worker finds: a link that leads out.
    std::os::unix::fs::symlink("/tmp", place.results.join("out")).unwrap();
    let output = json!({ "destination": place.results.join("out") });
    site.send("job-linked", "fathom.checksum", json!({ "image": image, "output": output }));
    let result = site.result("job-linked");
    assert_eq!(result["error"]["code"], "DESTINATION_REFUSED", "{result}");
    assert!(result["error"]["message"].as_str().unwrap().contains("leads out"), "{result}");
    assert_eq!(site.view("job-linked")["attempt"], 1);
}

/// Killed when the bytes are on the disk and the file has not got its name.
#[test]
fn killed_before_the_name_is_taken() {
    let place = Place::new();
    let payload = payload(&place);
    let mut site = place.serve(&[]);
    let lock = place.lock();
    site.send("job-killed-before", "fathom.checksum", payload);
    place.until_there_is(".partial");
    site.kill();
    assert_eq!(place.names().len(), 1);
    drop(lock);
    let site = place.serve(&[]);
    let result = site.result("job-killed-before");
    assert_eq!(place.names(), ["job-killed-before.json"]);
    the_file(&place, &result);
}

/// Killed when the file has its name and the store has not been told: it cannot be written to.
#[test]
fn killed_after_the_name_is_taken() {
    if !has(&["python3"]) {
        return;
    }
    let place = Place::new();
    let payload = payload(&place);
    let mut site = place.serve(&[]);
    let lock = place.lock();
    site.send("job-killed-after", "fathom.checksum", payload);
    place.until_there_is(".partial");
    let script = "import sqlite3, sys\n\
                  db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)\n\
                  db.execute('BEGIN IMMEDIATE')\n\
                  print('locked', flush=True)\n\
                  sys.stdin.read()\n";
    let mut holder = Command::new("python3")
        .args(["-c", script])
        .arg(place.database())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    drop(lock);
    place.until_there_is("job-killed-after.json");
    crate::site::until(
        || place.names() == ["job-killed-after.json"],
        || format!("{:?}", place.names()),
    );
    let first = fs::metadata(place.results.join("job-killed-after.json")).unwrap().ino();
    site.kill();
    holder.stdin.take().unwrap().write_all(b"x").unwrap();
    holder.wait().unwrap();
    let site = place.serve(&[]);
    let result = site.result("job-killed-after");
    the_file(&place, &result);
    let second = fs::metadata(place.results.join("job-killed-after.json")).unwrap().ino();
    assert_ne!(first, second, "the second try has not written");
}

/// Stops a process where it holds up nobody: in the middle of a transaction of SQLite it would.
fn stop(process: &Process, place: &Place) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let address = place.database().display().to_string();
    crate::site::until(
        || {
            process.signal(Signal::STOP);
            let written = runtime.block_on(async {
                let options = Options::default();
                let opened = Store::open(&address, &options);
                tokio::time::timeout(Duration::from_secs(3), opened).await
            });
            let free = matches!(written, Ok(Ok(_)));
            if !free {
                process.signal(Signal::CONT);
            }
            free
        },
        || "it is always in a transaction".to_owned(),
    );
}

/// A worker that is stopped, taken for dead, and goes on when another has done its job.
#[test]
fn who_was_taken_for_dead_writes_nothing() {
    let place = Place::new();
    let payload = payload(&place);
    let site = place.serve(&["--no-worker"]);
    let late = place.worker("late");
    let lock = place.lock();
    site.send("job-contested", "fathom.checksum", payload);
    place.until_there_is(".partial");
    stop(&late, &place);
    drop(lock);
    let other = place.worker("other");
    let result = site.result("job-contested");
    assert_eq!(result["worker_id"], "other", "{result}");
    let there = || fs::metadata(place.results.join("job-contested.json")).unwrap().ino();
    let first = there();
    late.signal(Signal::CONT);
    // It takes away what it had half written, and nothing else changes.
    crate::site::until(
        || place.names() == ["job-contested.json"],
        || format!("{:?}", place.names()),
    );
    std::thread::sleep(Duration::from_secs(2));
    the_file(&place, &result);
    assert_eq!((first, site.result("job-contested")), (there(), result));
    drop((late, other));
}

#[test]
fn results_go_into_buckets() {
    let Some(buckets) = buckets() else { return };
    let prefix = format!("outputs-{}", std::process::id());
    let place = Place::new().set(buckets).set(format!("worker.results=s3://reports/{prefix}"));
    let sample = place.sample();
    let site = place.serve(&[]);
    let output = json!({
        "destination": format!("s3://reports/{prefix}/a/"), "compression": "zstd", "format": "spdx",
    });
    let payload = json!({ "image": { "path": sample }, "output": output });
    site.send("job-in-a-bucket", "fathom.inspect", payload);
    let result = site.result("job-in-a-bucket");
    assert_eq!(result["status"], "completed", "{result}");
    let key = format!("{prefix}/a/job-in-a-bucket.spdx.json.zst");
    assert_eq!(result["outputs"]["primary"], format!("s3://reports/{key}"));
    let secret = variable("FATHOM_TEST_S3_KEY", "s3").unwrap();
    let (name, secret) = secret.split_once(':').unwrap();
    let settings = BucketSettings {
        endpoint: variable("FATHOM_TEST_S3", "s3"),
        key: Some((name.to_owned(), Secret::new(secret))),
        path_style: true,
        ..BucketSettings::new("reports")
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let there = runtime.block_on(async {
        let bucket = Artefacts::in_bucket(&settings, "").unwrap();
        bucket.get(&Key::new(key).unwrap(), 64 << 20).await.unwrap()
    });
    assert_eq!(result["outputs"]["written"][0]["sha256"], sum(&there));
    assert!(!site.said.lock().unwrap().join("\n").contains(secret));
    for destination in ["s3://reports/", "s3://images/x", "s3://reports/other"] {
        let job = json!({
            "operation": "fathom.inspect",
            "payload": { "image": { "path": sample }, "output": { "destination": destination } },
        });
        let (status, problem) = site.ask("POST", "/api/v1/jobs", Some(&job));
        assert_eq!(status, 400, "{destination}: {problem}");
    }
}
