//! Processes of the service, and whoever asks them.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// The folder of the sources.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub(crate) fn fathom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fathom"));
    command.env_clear().current_dir(root());
    command
}

pub(crate) fn sum(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// A port that nobody has taken yet.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Tries until it gives something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that runs, and what it has written to standard error.
pub(crate) struct Process {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&said);
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line));
        });
        Self { child, said }
    }

    /// `fathom serve` over what lies in the folder, with the settings in there, where there are any.
    pub(crate) fn serve(folder: &Path, further: &[&str]) -> Self {
        let mut command = fathom();
        command.arg("serve").args(["--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
        Self::start(command.args(further))
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// What stands behind this in a line that it writes.
    pub(crate) fn says(&self, what: &str) -> String {
        until(&format!("it does not say {what:?}"), || {
            let said = self.said();
            said.iter().find_map(|line| line.split_once(what).map(|(_, rest)| rest.to_owned()))
        })
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        until("it does not end", || self.child.try_wait().unwrap());
    }
}

/// The interface of a process.
pub(crate) struct Interface(pub(crate) String);

impl Interface {
    pub(crate) fn of(process: &Process) -> Self {
        // Behind it, in a line of JSON, there is more.
        let said = process.says("serving ");
        Self(said.split('"').next().unwrap().to_owned())
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (u16, String) {
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(PATIENCE))
                .build(),
        );
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.0))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => agent.run(request.body(body.to_string()).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        (answer.status().as_u16(), text)
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.ask("GET", path, &[], None).1
    }

    /// Sends a job that is taken, and says what it is called.
    pub(crate) fn send(&self, job: &Value, headers: &[(&str, &str)]) -> String {
        let (status, receipt) = self.ask("POST", "/api/v1/jobs", headers, Some(job));
        assert_eq!(status, 202, "{receipt}");
        let receipt: Value = serde_json::from_str(&receipt).unwrap();
        receipt["job_id"].as_str().unwrap().to_owned()
    }

    /// What a job came to.
    pub(crate) fn result(&self, job: &str) -> Value {
        until(&format!("{job} does not end"), || {
            let (status, text) = self.ask("GET", &format!("/api/v1/jobs/{job}/result"), &[], None);
            assert!(matches!(status, 200 | 409), "{status} {text}");
            (status == 200).then(|| serde_json::from_str(&text).unwrap())
        })
    }

    pub(crate) fn run(&self, operation: &str, payload: Value) -> Value {
        let job = json!({ "operation": operation, "payload": payload });
        self.result(&self.send(&job, &[]))
    }
}
