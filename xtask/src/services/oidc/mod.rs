//! A provider of identities: oidc-provider on Node.js, whose tokens are those of clients.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::authority::{CERTIFICATE, KEY};
use super::folder::{Folder, free_port, password};
use super::owned_by_us;
use super::server::Server;
use crate::shell;

/// npm may be there from elsewhere than Debian.
pub(crate) const PACKAGES: &[&str] = &[];

const SCRIPT: &str = include_str!("provider.mjs");
/// What it is made of, and what that has to be.
const PROJECT: &str = include_str!("package.json");
const LOCK: &str = include_str!("package-lock.json");

pub(crate) fn prepare(folder: &Folder) -> Result<Server> {
    let home = folder.sub("oidc")?;
    let (port, secret) = (free_port()?, password()?);
    let script = home.join("provider.mjs");
    fs::write(&script, SCRIPT)?;
    let mut command = owned_by_us("KILL");
    command.arg("node").arg(&script).arg(modules()?).arg(port.to_string());
    command.args([CERTIFICATE, KEY].map(|name| folder.path().join(name))).arg(&secret);
    command.current_dir(&home);
    Ok(Server {
        name: "oidc",
        commands: vec![command],
        variables: vec![
            ("FATHOM_TEST_OIDC", format!("https://localhost:{port}")),
            ("FATHOM_TEST_OIDC_SECRET", secret),
        ],
        answers: Box::new(move || {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
        }),
        log: folder.path().join("oidc.log"),
        running: Vec::new(),
    })
}

/// The folder with what is installed, brought once and held to its checksums.
fn modules() -> Result<PathBuf> {
    let version = PROJECT
        .split_once("\"oidc-provider\": \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(version, _)| version)
        .context("no version of oidc-provider is named")?;
    let root = shell::cache()?.join(format!("oidc-provider-{version}"));
    fs::create_dir_all(&root)?;
    if !root.join("complete").exists() {
        println!("installing oidc-provider {version}");
        fs::write(root.join("package.json"), PROJECT)?;
        fs::write(root.join("package-lock.json"), LOCK)?;
        shell::bash(&root, "npm ci --ignore-scripts --no-audit --no-fund --silent 2>&1")
            .context("oidc-provider")?;
        fs::write(root.join("complete"), "")?;
    }
    Ok(root)
}
