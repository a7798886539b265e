//! `fathom serve` with its worker: the operations on machines, asked for over HTTP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fathom_report::{Fact, Family, Listing, Package, PackageKind, Report, System};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(40);

fn fathom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fathom"));
    command.env_clear().current_dir(root());
    command
}

/// The folder of the sources.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A service that runs.
struct Site {
    child: Child,
    address: String,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Site {
    /// Over what lies in `folder`, with these images.
    fn new(folder: &Path, images: &Path, further: &[&str]) -> Self {
        let mut child = fathom()
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--set", "metrics.enabled=false", "--data"])
            .arg(folder.join("data"))
            .arg("--images")
            .arg(images)
            .args(further)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = Vec::new();
        let address = loop {
            let Some(Ok(line)) = said.next() else { panic!("it ended: {lines:?}") };
            if let Some((_, address)) = line.split_once("serving ") {
                break address.to_owned();
            }
            lines.push(line);
        };
        // What it says later on is not to fill the pipe.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, address }
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(PATIENCE))
                .build(),
        );
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("content-type", "application/json");
        let answer = match body {
            Some(body) => agent.run(request.body(body.to_string()).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (answer.status().as_u16(), value)
    }

    /// Sends a job that is taken, and says what it is called.
    fn send(&self, job: &Value) -> String {
        let (status, receipt) = self.ask("POST", "/api/v1/jobs", Some(job));
        assert_eq!(status, 202, "{receipt}");
        receipt["job_id"].as_str().unwrap().to_owned()
    }

    fn view(&self, job: &str) -> Value {
        self.ask("GET", &format!("/api/v1/jobs/{job}"), None).1
    }

    /// What a job came to.
    fn result(&self, job: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.ask("GET", &format!("/api/v1/jobs/{job}/result"), None) {
                (200, result) => return result,
                (409, _) if Instant::now() < until => {}
                (_, other) => panic!("{other} {}", self.view(job)),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn run(&self, operation: &str, payload: Value) -> Value {
        self.result(&self.send(&json!({ "operation": operation, "payload": payload })))
    }

    /// Waits until a job is at this.
    fn until(&self, job: &str, at: impl Fn(&Value) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !at(&self.view(job)) {
            assert!(Instant::now() < until, "{}", self.view(job));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn sum(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// A folder with images in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let images = fs::canonicalize(folder.path()).unwrap().join("images");
    fs::create_dir(&images).unwrap();
    fs::copy(root().join("samples/server.qcow2"), images.join("server.qcow2")).unwrap();
    (folder, images)
}

/// A file of noughts that takes no room.
fn sparse(path: &Path, length: u64) {
    fs::File::create(path).unwrap().set_len(length).unwrap();
}

/// A report on a machine of this name with one package.
fn report(hostname: &str, version: &str) -> Value {
    let mut system = System::unknown("/dev/sda1", Family::Linux, "nobody looked");
    system.identity.distribution = Fact::known("debian".to_owned(), "/etc/os-release");
    system.identity.version = Fact::known("11".to_owned(), "/etc/os-release");
    system.identity.hostname = Fact::known(hostname.to_owned(), "/etc/hostname");
    let package = Package {
        source: Some("openssl".to_owned()),
        architecture: Some("amd64".to_owned()),
        ..Package::bare(PackageKind::Deb, "libssl1.1", version, "/var/lib/dpkg/status")
    };
    system.packages = Listing::complete(vec![package], Vec::new());
    serde_json::to_value(Report::of(vec![system], "nobody looked")).unwrap()
}

#[test]
fn an_image_is_inspected_as_the_command_does_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path(), Path::new("samples"), &[]);
    let path = root().join("samples/server.qcow2");
    let checksum = sum(&fs::read(&path).unwrap());
    let image = json!({ "path": path, "format": "qcow2", "checksum": checksum });
    // As guestkit's own example sends it, but for the flaws, for which a database is needed.
    let payload = json!({ "image": image, "options": { "include_security": true } });
    let result = site.run("guestkit.inspect", payload);
    assert_eq!(result["status"], "completed", "{result}");
    let printed =
        fathom().args(["inspect", "--json", "--checksum", &checksum]).arg(&path).output().unwrap();
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(result["data"]["report"], printed);
    assert_eq!(result["data"].as_object().unwrap().len(), 2, "{}", result["data"]);
    assert_eq!(result["data"]["machine"]["name"], "server");
    let metrics = &result["metrics"];
    assert!(metrics["disk_read_bytes"].as_u64().unwrap() > 0, "{metrics}");
    assert!(metrics["peak_memory_mb"].as_u64().unwrap() > 0, "{metrics}");

    // What is left out is gone, and said.
    let options =
        json!({ "include_packages": false, "include_storage": false, "profiles": ["security"] });
    let result = site.run("fathom.inspect", json!({ "image": image, "options": options }));
    let data = &result["data"];
    assert_eq!(data["left_out"], json!(["packages", "storage"]), "{result}");
    let system = &data["report"]["systems"][0];
    assert!(system.get("packages").is_none() && system.get("mounts").is_none(), "{system}");
    assert!(system["users"].is_object() && data["report"].get("storage").is_none());
    assert_eq!(data["profiles"][0]["name"], "security");

    // Without a database nothing passes for free of flaws.
    for (operation, options) in
        [("inspect", json!({ "scan_vulnerabilities": true })), ("scan", json!({}))]
    {
        let payload = json!({ "image": image, "options": options });
        let result = site.run(&format!("fathom.{operation}"), payload);
        assert_eq!(result["status"], "failed", "{result}");
        assert_eq!(result["error"]["code"], "NO_DATABASE", "{result}");
        assert!(result["error"]["message"].as_str().unwrap().contains("fathom db"), "{result}");
    }

    let (_, workers) = site.ask("GET", "/api/v1/workers", None);
    let capabilities = &workers["workers"][0]["capabilities"];
    assert_eq!(
        capabilities["operations"],
        json!(["checksum", "diff", "echo", "inspect", "profile", "scan"]),
        "{workers}"
    );
    assert_eq!(capabilities["features"], json!(["confined"]));
    assert_eq!(capabilities["filesystems"][0], "ext");
    assert!(capabilities["disk_formats"].as_array().unwrap().contains(&json!("qcow2")));

    // A disk that is larger than the job allows.
    let job = json!({
        "operation": "fathom.inspect",
        "payload": { "image": image },
        "constraints": { "maximum_disk_size_gb": 0 },
    });
    let result = site.result(&site.send(&job));
    assert_eq!(result["error"]["code"], "DISK_TOO_LARGE", "{result}");
}

#[test]
fn what_may_not_be_read_is_refused_at_the_door() {
    let (folder, images) = place();
    let site = Site::new(folder.path(), &images, &[]);
    let outside = root().join("samples/server.qcow2");
    let upwards = format!("{}/../data/fathom.db", images.display());
    let paths = [
        outside.to_str().unwrap(),
        &upwards,
        "/proc/self/mem",
        "file:///etc/passwd",
        "https://127.0.0.1/disk.qcow2",
        "https://images.example.org/disk.qcow2",
        "server.qcow2",
        "",
    ];
    for path in paths {
        for operation in ["inspect", "scan", "profile", "checksum"] {
            let job = json!({
                "operation": format!("fathom.{operation}"),
                "payload": { "image": { "path": path } },
            });
            let (status, problem) = site.ask("POST", "/api/v1/jobs", Some(&job));
            assert_eq!(status, 400, "{operation} {path}: {problem}");
            assert!(problem["detail"].as_str().unwrap().starts_with("image: "), "{problem}");
        }
        let job = json!({
            "operation": "fathom.diff",
            "payload": {
                "before": { "report": report("a", "1") }, "after": { "image": { "path": path } },
            },
        });
        let (status, problem) = site.ask("POST", "/api/v1/jobs", Some(&job));
        assert_eq!(status, 400, "diff {path}: {problem}");
    }
    let job = json!({
        "operation": "guestkit.inspect",
        "payload": {
            "image": { "path": images.join("server.qcow2") },
            "output": { "destination": "/results" },
        },
    });
    let (status, problem) = site.ask("POST", "/api/v1/jobs", Some(&job));
    assert_eq!((status, &problem["code"]), (400, &json!("VALIDATION_ERROR")), "{problem}");
    let (_, jobs) = site.ask("GET", "/api/v1/jobs", None);
    assert_eq!(jobs["jobs"], json!([]));
}

#[test]
fn an_image_that_is_not_what_it_should_be_is_the_jobs_trouble_alone() {
    let (folder, images) = place();
    let path = images.join("server.qcow2");
    let site = Site::new(folder.path(), &images, &[]);
    let wrong = sum(b"something else");
    for operation in ["inspect", "checksum"] {
        let job = site.send(&json!({
            "operation": format!("guestkit.{operation}"),
            "payload": { "image": { "path": path, "checksum": wrong } },
            "execution": { "max_attempts": 3 },
        }));
        let result = site.result(&job);
        assert_eq!(result["status"], "failed", "{result}");
        assert_eq!(result["error"]["code"], "CHECKSUM_MISMATCH", "{result}");
        assert_eq!(result["error"]["retry_recommended"], false, "{result}");
        assert_eq!(site.view(&job)["attempt"], 1);
    }
    // Its tables lie outside of it.
    let mut bytes = fs::read(&path).unwrap();
    bytes[40..48].copy_from_slice(&u64::MAX.to_be_bytes());
    fs::write(images.join("damaged.qcow2"), bytes).unwrap();
    let damaged =
        site.run("fathom.inspect", json!({ "image": { "path": images.join("damaged.qcow2") } }));
    assert_eq!(damaged["status"], "failed", "{damaged}");
    assert_eq!(damaged["error"]["code"], "CORRUPT", "{damaged}");
    // Nothing is on it: that is said, and what there is of a report comes along.
    sparse(&images.join("empty.raw"), 4 << 20);
    let empty =
        site.run("fathom.inspect", json!({ "image": { "path": images.join("empty.raw") } }));
    assert_eq!(empty["status"], "failed", "{empty}");
    assert_eq!(empty["error"]["details"]["report"]["schema"], "fathom.report/v1", "{empty}");
    let result = site.run("fathom.inspect", json!({ "image": { "path": path } }));
    assert_eq!(result["status"], "completed", "{result}");
}

#[test]
fn checksums_are_of_the_file_or_of_what_the_guest_sees() {
    let (folder, images) = place();
    let path = images.join("server.qcow2");
    let bytes = fs::read(&path).unwrap();
    let site = Site::new(folder.path(), &images, &[]);
    let image = json!({ "path": path, "checksum": sum(&bytes) });
    let of_file = site.run("fathom.checksum", json!({ "image": image }));
    let expected = json!({
        "algorithm": "sha256", "content": "file", "value": sum(&bytes), "bytes": bytes.len(), "matches": true,
    });
    assert_eq!(of_file["data"], expected);
    // What the guest sees does not depend on how it is packed.
    let mut raw = vec![0; 2 << 20];
    raw[1 << 20..][..5].copy_from_slice(b"guest");
    let (unpacked, packed) = (images.join("small.raw"), images.join("small.qcow2"));
    fs::write(&unpacked, &raw).unwrap();
    let output = fathom().args(["disk", "convert"]).arg(&unpacked).arg(&packed).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let image = json!({ "path": packed, "checksum": sum(&fs::read(&packed).unwrap()) });
    let of_disk = site.run("fathom.checksum", json!({ "image": image, "content": "disk" }));
    let expected = json!({
        "algorithm": "sha256", "content": "disk", "value": sum(&raw), "bytes": raw.len(),
    });
    assert_eq!(of_disk["data"], expected, "{of_disk}");
}

#[test]
fn reports_are_judged_and_compared_without_an_image() {
    let (folder, images) = place();
    let feeds = folder.path().join("feeds");
    fs::create_dir(&feeds).unwrap();
    let feed = json!({
        "id": "CVE-2021-3711",
        "modified": "2021-09-01T00:00:00Z",
        "affected": [{
            "package": { "ecosystem": "Debian:11", "name": "openssl" },
            "ranges": [{
                "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.1.1l-1" }],
            }],
        }],
    });
    fs::write(feeds.join("debian-osv.jsonl"), feed.to_string()).unwrap();
    let database = folder.path().join("data/advisories");
    let site = Site::new(folder.path(), &images, &[]);
    let scan = json!({ "report": report("web", "1.1.1k-1") });
    let result = site.run("fathom.scan", scan.clone());
    assert_eq!(result["error"]["code"], "NO_DATABASE", "{result}");
    // It is looked for anew: nobody has to start the service again.
    let built = fathom().args(["db", "build", "--db"]).arg(&database).arg(&feeds).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let result = site.run("fathom.scan", scan);
    let findings = &result["data"]["findings"];
    assert_eq!(findings["schema"], "fathom.findings/v1", "{result}");
    assert_eq!(findings["vulnerabilities"][0]["cve_id"], "CVE-2021-3711");

    let result = site.run("fathom.profile", json!({ "report": report("web", "1") }));
    let names: Vec<_> =
        result["data"]["profiles"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["security", "hardening", "compliance", "performance", "migration"]);
    let payload = json!({ "report": report("web", "1"), "profiles": ["migration"] });
    let result = site.run("guestkit.profile", payload);
    assert_eq!(result["data"]["profiles"].as_array().unwrap().len(), 1, "{result}");

    let payload = json!({
        "before": { "report": report("web", "1.1.1k-1") },
        "after": { "report": report("web-2", "1.1.1n-0") },
    });
    let result = site.run("fathom.diff", payload);
    let difference = &result["data"]["difference"];
    let names: Vec<_> =
        difference["changes"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["host name", "libssl1.1 (deb amd64)"], "{difference}");

    // One image and what it was.
    let image = json!({ "image": { "path": images.join("server.qcow2") } });
    let was = site.run("fathom.inspect", image.clone());
    let payload = json!({ "before": { "report": was["data"]["report"] }, "after": image });
    let result = site.run("fathom.diff", payload);
    assert_eq!(result["data"]["difference"]["changes"], json!([]), "{result}");
}

/// What is kept of machines, and what becomes of it when something else is known.
#[test]
fn machines_are_known_and_compared_anew() {
    let (folder, images) = place();
    let site = Site::new(folder.path(), &images, &[]);
    let get = |path: &str| site.ask("GET", path, None);
    let image = json!({ "image": { "path": images.join("server.qcow2") } });
    let result = site.run("fathom.inspect", image.clone());
    let id = result["data"]["machine"]["id"].as_str().unwrap().to_owned();
    let vm = format!("/api/v1/vms/{id}");
    let report = get(&format!("{vm}/report")).1;
    assert_eq!(report, result["data"]["report"]);
    let system = &report["systems"][0];
    let listed = get("/api/v1/vms?filter=package+is+known").1;
    let listed = &listed["vms"][0];
    assert_eq!(listed["id"], id.as_str());
    assert_eq!(listed["os"], system["identity"]["distribution"]["value"]);
    assert_eq!(listed["vulnerabilities"], Value::Null);
    let (status, problem) = get(&format!("{vm}/findings"));
    assert_eq!((status, &problem["code"]), (409, &json!("NOT_SCANNED")));

    // A flaw in one of its packages is published.
    let package = &system["packages"]["items"][0];
    let name = package.get("source").unwrap_or(&package["name"]);
    let ecosystem = match listed["os"].as_str().unwrap() {
        "debian" => format!("Debian:{}", listed["os_version"].as_str().unwrap()),
        other => panic!("a feed for {other} is to be written here"),
    };
    let feeds = folder.path().join("feeds");
    fs::create_dir(&feeds).unwrap();
    let feed = json!({
        "id": "CVE-2031-0001",
        "modified": "2026-09-01T00:00:00Z",
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{
                "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "9999:1" }],
            }],
        }],
    });
    fs::write(feeds.join("debian-osv.jsonl"), feed.to_string()).unwrap();
    let built = fathom()
        .args(["db", "build", "--db"])
        .arg(folder.path().join("data/advisories"))
        .arg(&feeds)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let until = |what: &str, wanted: &dyn Fn(&Value) -> bool| {
        let end = Instant::now() + PATIENCE;
        loop {
            let (_, machine) = get(&vm);
            if wanted(&machine) {
                return machine;
            }
            assert!(Instant::now() < end, "{what}: {machine}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("compared", &|it| it["matched_at"].is_string());
    let findings = get(&format!("{vm}/findings")).1;
    assert_eq!(findings["vulnerabilities"][0]["cve_id"], "CVE-2031-0001", "{findings}");
    let (status, brought) = site.ask("POST", "/api/v1/scan", Some(&report));
    assert_eq!((status, &brought["vulnerabilities"]), (200, &findings["vulnerabilities"]));
    let carriers = get("/api/v1/cves/CVE-2031-0001/vms?count=true").1;
    assert_eq!((&carriers["vms"][0]["id"], &carriers["total"]), (&json!(id), &json!(1)));
    assert_eq!(get("/api/v1/advisories/status").1["available"], true);

    // Somebody decides to live with it, and then not to.
    let wanted = json!({ "cve_id": "CVE-2031-0001", "kind": "deferred", "reason": "next week",
        "machines": "server*" });
    let (_, asked) = site.ask("POST", "/api/v1/exceptions", Some(&wanted));
    let exception = format!("/api/v1/exceptions/{}", asked["id"].as_str().unwrap());
    let step = |name: &str| site.ask("POST", &format!("{exception}/{name}"), Some(&json!({})));
    assert_eq!(step("approve").1["status"], "approved");
    until("excepted", &|it| it["vulnerabilities"]["excepted"].as_u64() > Some(0));
    let findings = get(&format!("{vm}/findings")).1;
    assert_eq!(findings["excepted"][0]["exemption"]["reason"], "next week", "{findings}");
    assert_eq!(get("/api/v1/cves/CVE-2031-0001").1["excepted"], 1);
    assert_eq!(step("cancel").1["status"], "cancelled");
    until("told again", &|it| it["vulnerabilities"]["excepted"].as_u64() == Some(0));

    // Scanned at once, by a job; and then forgotten.
    let result = site.run("fathom.scan", image);
    assert_eq!(result["data"]["machine"]["id"], id.as_str(), "{result}");
    assert_eq!(get(&format!("{vm}/reports")).1["reports"].as_array().unwrap().len(), 2);
    let (status, gone) = site.ask("DELETE", &vm, None);
    assert_eq!((status, &gone["inspections"], &gone["jobs"]), (200, &json!(2), &json!(2)));
    assert_eq!(get(&vm).0, 404);
    assert_eq!(get("/api/v1/summary").1["vms"], 0);
}

#[test]
fn an_inspection_that_is_called_off_ends() {
    let (folder, images) = place();
    let large = images.join("large.raw");
    sparse(&large, 200 << 30);
    // A worker learns of it when it gives its sign of life, four times a lease.
    let further = ["--set", "worker.lease=2s", "--set", "worker.heartbeat=1s"];
    let site = Site::new(folder.path(), &images, &further);
    let image = json!({ "path": large, "checksum": sum(b"") });
    let job = site.send(&json!({ "operation": "fathom.inspect", "payload": { "image": image } }));
    site.until(&job, |view| view["progress"]["phase"] == "verifying");
    let began = Instant::now();
    let (status, view) = site.ask("DELETE", &format!("/api/v1/jobs/{job}"), None);
    assert_eq!(status, 202, "{view}");
    let result = site.result(&job);
    assert_eq!(result["status"], "cancelled", "{result}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // The child hashes what the guest sees, and is killed.
    let payload = json!({ "image": { "path": large }, "content": "disk" });
    let job = site.send(&json!({ "operation": "fathom.checksum", "payload": payload }));
    site.until(&job, |view| view["progress"]["phase"] == "hashing");
    site.ask("DELETE", &format!("/api/v1/jobs/{job}"), None);
    assert_eq!(site.result(&job)["status"], "cancelled");
    let image = json!({ "path": images.join("server.qcow2") });
    let result = site.run("fathom.inspect", json!({ "image": image }));
    assert_eq!(result["status"], "completed", "{result}");
}

#[test]
fn a_job_outlives_the_service_that_is_killed() {
    let (folder, images) = place();
    let large = images.join("large.raw");
    let further = ["--set", "worker.lease=2s", "--set", "worker.heartbeat=1s"];
    let mut site = Site::new(folder.path(), &images, &further);
    // Long enough to be killed in, and short enough to be waited for.
    sparse(&large, 1 << 30);
    let payload = json!({ "image": { "path": large } });
    let job = site.send(&json!({ "operation": "fathom.checksum", "payload": payload }));
    site.until(&job, |view| view["status"] == "running" || view["status"] == "assigned");
    site.kill();
    let site = Site::new(folder.path(), &images, &further);
    let result = site.result(&job);
    assert_eq!(result["status"], "completed", "{result}");
    assert_eq!(result["data"]["bytes"], 1_u64 << 30);
    let (_, jobs) = site.ask("GET", "/api/v1/jobs", None);
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1, "{jobs}");
    // Nobody does it again.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(site.result(&job), result);
    assert_eq!(site.view(&job)["status"], "completed");
}
