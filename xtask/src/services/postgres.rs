//! PostgreSQL, with a superuser, so that each test makes a database of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::authority::{CERTIFICATE, KEY};
use super::folder::{Folder, free_port, password};
use super::server::Server;
use crate::shell;

pub(crate) const PACKAGES: &[&str] = &["postgresql"];

const USER: &str = "fathom";

pub(crate) fn prepare(folder: &Folder) -> Result<Server> {
    let home = folder.sub("postgres")?;
    let programs = programs()?;
    let (port, password) = (free_port()?, password()?);
    fs::write(home.join("password"), &password)?;
    for name in [CERTIFICATE, KEY] {
        fs::copy(folder.path().join(name), home.join(name))?;
    }
    let root = rustix::process::geteuid().is_root();
    if root {
        // PostgreSQL refuses to be root.
        shell::bash(&home, "chown -R postgres:postgres .")?;
    }
    let data = home.join("data");
    let initialised = as_postgres(root)
        .arg(programs.join("initdb"))
        .args(["--username", USER, "--auth=scram-sha-256", "--no-locale", "--encoding=UTF8"])
        .args(["--no-sync", "--pwfile"])
        .arg(home.join("password"))
        .arg("--pgdata")
        .arg(&data)
        .current_dir(&home)
        .output()
        .context("initdb could not be started")?;
    anyhow::ensure!(
        initialised.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&initialised.stderr)
    );

    let mut command = as_postgres(root);
    command.arg(programs.join("postgres")).arg("-D").arg(&data).current_dir(&home);
    for setting in [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={}", home.display()),
        "shared_buffers=32MB".to_owned(),
        "max_connections=200".to_owned(),
        "fsync=on".to_owned(),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", home.join(CERTIFICATE).display()),
        format!("ssl_key_file={}", home.join(KEY).display()),
    ] {
        command.arg("-c").arg(setting);
    }
    let ready = programs.join("pg_isready");
    Ok(Server {
        name: "postgres",
        commands: vec![command],
        variables: vec![(
            "FATHOM_TEST_POSTGRES",
            format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres"),
        )],
        answers: Box::new(move || is_ready(&ready, port)),
        log: folder.path().join("postgres.log"),
        running: Vec::new(),
    })
}

/// A command that runs as the user whom Debian's package makes, where we are root. It is told of our
/// end only if the change of users comes first.
fn as_postgres(root: bool) -> Command {
    let mut command = Command::new("setpriv");
    if root {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.args(["--pdeathsig", "KILL", "--"]);
    command
}

fn is_ready(program: &Path, port: u16) -> bool {
    Command::new(program)
        .args(["--quiet", "--host=127.0.0.1", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Where the programs of the newest installed version are.
fn programs() -> Result<PathBuf> {
    let mut versions = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")? {
        let path = entry?.path();
        let version: Option<u32> =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        versions.extend(version.map(|version| (version, path.join("bin"))));
    }
    versions.retain(|(_, path)| path.join("initdb").exists());
    versions.sort();
    Ok(versions.pop().context("no version of PostgreSQL is installed")?.1)
}
