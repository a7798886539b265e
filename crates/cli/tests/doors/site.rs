//! A service that runs, without a worker.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) fn fathom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fathom"));
    command.env_clear();
    command
}

/// Runs a command over the data in `folder`, with this on its standard input.
pub(crate) fn beside(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = fathom()
        .args(arguments)
        .arg("--data")
        .arg(folder.join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who needs none may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// A new token of this role.
pub(crate) fn token(folder: &Path, role: &str) -> String {
    let made = beside(folder, &["token", "create", "somebody", "--role", role], "");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// Whoever trusts the certificates in this file, and no others.
pub(crate) fn trusting(authority: &Path) -> ureq::Agent {
    let pem = std::fs::read(authority).unwrap();
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item.unwrap() {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::from(certificates))
        .build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(PATIENCE));
    ureq::Agent::new_with_config(config.build())
}

/// A service.
pub(crate) struct Site {
    child: Child,
    /// With its scheme.
    pub(crate) address: String,
    said: Arc<Mutex<String>>,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Site {
    /// Over what lies in `folder`, with these settings.
    pub(crate) fn new(folder: &Path, settings: &[String]) -> Self {
        let mut command = fathom();
        command
            .arg("serve")
            .args(["--no-worker", "--listen", "127.0.0.1:0", "--set", "metrics.enabled=false"])
            .arg("--data")
            .arg(folder.join("data"));
        for setting in settings {
            command.arg("--set").arg(setting);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(String::new()));
        let address = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("it ended: {}", said.lock().unwrap());
            };
            said.lock().unwrap().push_str(&format!("{line}\n"));
            if let Some((_, address)) = line.split_once("serving ") {
                break address.to_owned();
            }
        };
        let to = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                to.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self { child, address, said }
    }

    /// What it has printed so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> (u16, Value) {
        self.ask("GET", path, Some(token), None)
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        let agent = ureq::Agent::new_with_config(config.build());
        let answer = match body {
            Some(body) => agent.run(request.body(body.to_string()).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (answer.status().as_u16(), value)
    }
}
