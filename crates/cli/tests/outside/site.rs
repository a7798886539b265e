//! Processes of the service over one store, and whoever asks them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with all that the processes have.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) images: PathBuf,
    pub(crate) results: PathBuf,
    /// What all processes are told.
    pub(crate) settings: Vec<String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        let (images, results) = (path.join("images"), path.join("results"));
        for folder in [&images, &results] {
            fs::create_dir(folder).unwrap();
        }
        let settings = vec![
            "metrics.enabled=false".to_owned(),
            "worker.lease=2s".to_owned(),
            "worker.heartbeat=500ms".to_owned(),
            "worker.concurrency=2".to_owned(),
            format!("data_folder={}", path.join("data").display()),
            format!("worker.image_roots={}", images.display()),
            format!("worker.results={}", results.display()),
        ];
        Self { folder, images, results, settings }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/fathom.db")
    }

    pub(crate) fn set(mut self, setting: impl Into<String>) -> Self {
        self.settings.push(setting.into());
        self
    }

    /// The sample image, where jobs may read it.
    pub(crate) fn sample(&self) -> PathBuf {
        let path = self.images.join("server.qcow2");
        fs::copy(sample(), &path).unwrap();
        path
    }

    pub(crate) fn process(&self, arguments: &[&str], ready: &str) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fathom"));
        command.env_clear().args(arguments).stderr(Stdio::piped()).stdout(Stdio::null());
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(Vec::<String>::new()));
        let line = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("it ended: {:?}", said.lock().unwrap());
            };
            said.lock().unwrap().push(line.clone());
            if line.contains(ready) {
                break line;
            }
        };
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| heard.lock().unwrap().push(line));
        });
        let address = line.split("serving ").nth(1).unwrap_or_default().to_owned();
        Process { child, address, said }
    }

    pub(crate) fn serve(&self, further: &[&str]) -> Process {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], further].concat();
        self.process(&arguments, "serving ")
    }

    pub(crate) fn worker(&self, name: &str) -> Process {
        self.process(&["worker", "--id", name], "at once, kept in")
    }

    /// The names in the folder of results, but for the lock.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.results).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != ".fathom.lock").collect();
        names.sort();
        names
    }

    /// Waits until there is a name with this in it.
    pub(crate) fn until_there_is(&self, part: &str) {
        until(
            || self.names().iter().any(|name| name.contains(part)),
            || format!("{:?}", self.names()),
        );
    }

    /// Holds the lock that whoever lets a file take its name must have.
    pub(crate) fn lock(&self) -> fs::File {
        let path = self.results.join(".fathom.lock");
        let file = fs::File::options().create(true).truncate(false).write(true).open(path).unwrap();
        file.lock().unwrap();
        file
    }
}

/// A process of the service.
pub(crate) struct Process {
    child: Child,
    address: String,
    pub(crate) said: Arc<Mutex<Vec<String>>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
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

    /// Sends a job that is taken.
    pub(crate) fn send(&self, id: &str, operation: &str, payload: Value) {
        let job = json!({
            "operation": operation, "job_id": id, "payload": payload, "execution": { "max_attempts": 3 },
        });
        let (status, receipt) = self.ask("POST", "/api/v1/jobs", Some(&job));
        assert_eq!(status, 202, "{receipt}");
    }

    pub(crate) fn view(&self, job: &str) -> Value {
        self.ask("GET", &format!("/api/v1/jobs/{job}"), None).1
    }

    /// What a job came to.
    pub(crate) fn result(&self, job: &str) -> Value {
        let mut result = Value::Null;
        let mut ended = || {
            let (status, answer) = self.ask("GET", &format!("/api/v1/jobs/{job}/result"), None);
            result = answer;
            status == 200
        };
        until(&mut ended, || format!("{}", self.view(job)));
        result
    }
}

/// The image that comes with the project.
pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/server.qcow2").canonicalize().unwrap()
}

pub(crate) fn sum(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Waits until it is so.
pub(crate) fn until(mut so: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "{}", otherwise());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the test was told by whoever started servers for it; nothing where nobody did.
pub(crate) fn variable(name: &str, service: &str) -> Option<String> {
    if let Ok(value) = std::env::var(name) {
        return Some(value);
    }
    let without = std::env::var("FATHOM_TEST_WITHOUT").unwrap_or_default();
    let left_out = without.split(',').any(|it| it == service);
    assert!(
        left_out || std::env::var_os("FATHOM_TEST_REQUIRED").is_none(),
        "{name} is not set: `cargo xtask services` sets it"
    );
    eprintln!("skipped: {name} is not set");
    None
}

/// Whether the machine has these programs, which `cargo xtask test` installs.
pub(crate) fn has(programs: &[&str]) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let there =
        |program: &&str| std::env::split_paths(&folders).any(|it| it.join(program).is_file());
    let all = programs.iter().all(there);
    assert!(
        all || std::env::var_os("FATHOM_TEST_REQUIRED").is_none(),
        "{programs:?} are not there"
    );
    if !all {
        eprintln!("skipped: {programs:?} are not there");
    }
    all
}

/// The setting of the buckets that the tests' server has.
pub(crate) fn buckets() -> Option<String> {
    let endpoint = variable("FATHOM_TEST_S3_TLS", "s3")?;
    let key = variable("FATHOM_TEST_S3_KEY", "s3")?;
    let authority = variable("FATHOM_TEST_AUTHORITY", "s3")?;
    let (name, secret) = key.split_once(':').unwrap();
    let bucket = |bucket: &str| {
        format!(
            "{{name: {bucket}, endpoint: '{endpoint}', access_key: {name}, secret_key: '{secret}', \
             ca_file: {authority}}}"
        )
    };
    Some(format!("buckets=[{}, {}]", bucket("reports"), bucket("images")))
}
