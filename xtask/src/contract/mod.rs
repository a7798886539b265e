//! The interface against its own document: schemathesis asks the real service what the document says may
//! be asked, and much that it says may not, and every answer must be one that the document has.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell::{project, visible};
use crate::tools;

/// How long the service may take to look at the sample.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much to ask.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many examples of each operation.
    #[arg(long, default_value_t = 200)]
    examples: u32,
    /// What the dice begin with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    tools::install_packages(&["python3-venv", "curl"])?;
    let folder = project().join("xtask/src/contract");
    let python = tools::python_with(&folder.join("requirements.txt"))?;
    visible(&project(), "cargo build --quiet --package fathom-cli")?;
    let fathom = std::env::current_exe()?.with_file_name("fathom");
    let place = std::env::temp_dir().join(format!("fathom-contract-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    let done = ask(arguments, &fathom, &python, &place);
    std::fs::remove_dir_all(&place)?;
    done
}

/// Ends with us.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(arguments: &Arguments, fathom: &Path, python: &Path, place: &Path) -> Result<()> {
    let data = place.join("data");
    let made = Command::new(fathom)
        .args(["token", "create", "contract", "--role", "admin", "--data"])
        .arg(&data)
        .output()?;
    ensure!(made.status.success(), "no token: {}", String::from_utf8_lossy(&made.stderr));
    let token = String::from_utf8(made.stdout)?.trim().to_owned();
    something_to_compare_with(fathom, place)?;
    let mut child = Command::new(fathom)
        .args(["serve", "--listen", "127.0.0.1:0", "--set", "metrics.enabled=false"])
        .args(["--set", "server.rate_limit.per_second=0", "--data"])
        .arg(&data)
        .arg("--images")
        .arg(project().join("samples"))
        .stderr(Stdio::piped())
        .spawn()
        .context("the service could not be started")?;
    let mut lines = BufReader::new(child.stderr.take().context("it says nothing")?).lines();
    let _service = Service(child);
    let server = loop {
        let line = lines.next().context("the service ended")??;
        if let Some((_, server)) = line.split_once("serving ") {
            break server.to_owned();
        }
    };
    std::thread::spawn(move || lines.for_each(drop));
    something_to_ask_for(&server, &token)?;
    let status = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(project().join("xtask/src/contract/schemathesis.toml"))
        .args(["run", &format!("{server}/api/v1/openapi.json"), "--checks", "all", "--header"])
        .arg(format!("Authorization: Bearer {token}"))
        .args(["--max-examples", &arguments.examples.to_string()])
        .args(["--seed", &arguments.seed.to_string(), "--request-timeout", "20"])
        .args(["--warnings", "off", "--continue-on-failure"])
        .current_dir(place)
        .status()?;
    ensure!(status.success(), "the interface is not what its document says");
    Ok(())
}

/// A database of advisories with one flaw in it.
fn something_to_compare_with(fathom: &Path, place: &Path) -> Result<()> {
    let feeds = place.join("feeds");
    std::fs::create_dir_all(&feeds)?;
    let flaw = serde_json::json!({
        "id": "CVE-2031-0001", "modified": "2026-09-01T00:00:00Z",
        "affected": [{ "package": { "ecosystem": "Debian:12", "name": "openssl" },
            "ranges": [{ "type": "ECOSYSTEM",
                "events": [{ "introduced": "0" }, { "fixed": "9999:1" }] }] }],
    });
    std::fs::write(feeds.join("debian-osv.jsonl"), flaw.to_string())?;
    let built = Command::new(fathom)
        .args(["db", "build", "--db"])
        .arg(place.join("data/advisories"))
        .arg(&feeds)
        .output()?;
    ensure!(built.status.success(), "no database: {}", String::from_utf8_lossy(&built.stderr));
    Ok(())
}

/// A machine that was looked at, so that there is something to be found.
fn something_to_ask_for(server: &str, token: &str) -> Result<()> {
    let ask = |arguments: &[&str]| -> Result<String> {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--header"])
            .arg(format!("Authorization: Bearer {token}"))
            .args(arguments)
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    };
    let image = project().join("samples/server.qcow2");
    let job = serde_json::json!({ "operation": "fathom.inspect",
        "payload": { "image": { "path": image } } });
    let jobs = format!("{server}/api/v1/jobs");
    ask(&["--header", "Content-Type: application/json", "--data", &job.to_string(), &jobs])?;
    let since = Instant::now();
    while !ask(&[&format!("{server}/api/v1/vms")])?.contains("\"vm-") {
        if since.elapsed() > PATIENCE {
            bail!("the sample was not looked at: {}", ask(&[&jobs])?);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
