//! Real servers for tests: installed as Debian packages or by checksum, started on free ports of this machine with
//! data of their own, and gone again when the command that they were started for has ended.
//!
//! A server dies with this program, whichever way it ends (`PR_SET_PDEATHSIG`), and what a killed
//! run has left on the disk the next one takes away. What a command may do to the servers beside
//! talking to them (kill, start, pause) it asks for through a socket: see `control`.

mod authority;
mod control;
mod folder;
mod kafka;
mod oidc;
mod postgres;
mod rabbitmq;
mod redis;
mod s3;
mod server;

use std::ffi::OsString;
use std::fmt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{shell, tools};
use control::Control;
use folder::Folder;
use server::Server;

/// How long all of them may take to be ready.
const START: Duration = Duration::from_secs(60);
/// How long the command has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// What to start, and what for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these of the servers.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Kind>,
    /// The command, which finds the servers by `FATHOM_TEST_…` in its environment.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// A server that we know how to start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    Postgres,
    Redis,
    Rabbitmq,
    Kafka,
    Oidc,
    S3,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Postgres => "postgres",
            Kind::Redis => "redis",
            Kind::Rabbitmq => "rabbitmq",
            Kind::Kafka => "kafka",
            Kind::Oidc => "oidc",
            Kind::S3 => "s3",
        })
    }
}

impl Kind {
    /// Every one of them.
    pub(crate) const ALL: &[Kind] =
        &[Kind::Postgres, Kind::Redis, Kind::Rabbitmq, Kind::Kafka, Kind::Oidc, Kind::S3];

    fn packages(self) -> &'static [&'static str] {
        match self {
            Kind::Postgres => postgres::PACKAGES,
            Kind::Redis => redis::PACKAGES,
            Kind::Rabbitmq => rabbitmq::PACKAGES,
            Kind::Kafka => kafka::PACKAGES,
            Kind::Oidc => oidc::PACKAGES,
            Kind::S3 => s3::PACKAGES,
        }
    }

    /// The services that the packages may have started, which are none of ours.
    fn system_service(self) -> &'static str {
        match self {
            Kind::Postgres => "postgresql",
            Kind::Redis => "redis-server",
            Kind::Rabbitmq => "rabbitmq-server",
            Kind::Kafka => "kafka",
            Kind::Oidc => "oidc",
            Kind::S3 => "moto",
        }
    }

    fn prepare(self, folder: &Folder) -> Result<Server> {
        match self {
            Kind::Postgres => postgres::prepare(folder),
            Kind::Redis => redis::prepare(folder),
            Kind::Rabbitmq => rabbitmq::prepare(folder),
            Kind::Kafka => kafka::prepare(folder),
            Kind::Oidc => oidc::prepare(folder),
            Kind::S3 => s3::prepare(folder),
        }
    }
}

/// Runs a command beside the servers.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let kinds = if arguments.only.is_empty() { Kind::ALL } else { &arguments.only };
    let (program, rest) = arguments.command.split_first().context("no command is given")?;
    let mut command = owned_by_us("TERM");
    command.arg(program).args(rest);
    during(kinds, command)
}

/// Runs the command while servers of these kinds are there.
pub(crate) fn during(kinds: &[Kind], mut command: Command) -> Result<()> {
    install(kinds)?;

    let stopped = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stopped);
    ctrlc::set_handler(move || seen.store(true, Ordering::Relaxed))
        .context("signals cannot be caught")?;

    let started = Instant::now();
    let folder = Folder::make()?;
    authority::make(folder.path())?;
    let mut servers = Vec::new();
    for kind in kinds {
        let mut server = kind.prepare(&folder).with_context(|| format!("{kind:?}"))?;
        server.start()?;
        servers.push(server);
    }
    for server in &mut servers {
        server.wait_until_ready(START, &stopped)?;
        command.envs(server.variables.iter().map(|(name, value)| (name, value)));
    }
    if kinds.iter().any(|kind| !matches!(kind, Kind::Postgres | Kind::Oidc | Kind::S3)) {
        // The clients that other people publish with.
        let clients = shell::project().join("xtask/src/services/requirements.txt");
        command.env("FATHOM_TEST_PYTHON", tools::python_with(&clients)?);
    }
    let mut control = Control::listen(folder.path())?;
    command.env("FATHOM_TEST_CONTROL", control.path());
    command.env("FATHOM_TEST_AUTHORITY", folder.path().join(authority::AUTHORITY));
    let names: Vec<_> = servers.iter().map(|server| server.name).collect();
    println!("started {} in {:.1} s", names.join(", "), started.elapsed().as_secs_f32());

    let mut child = command.spawn().context("the command could not be started")?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if stopped.load(Ordering::Relaxed) {
            end(&mut child)?;
            bail!("interrupted");
        }
        control.serve(&mut servers, &stopped);
        std::thread::sleep(Duration::from_millis(10));
    };
    if status.success() { Ok(()) } else { bail!("the command ended with {status}") }
}

/// Installs what is missing. A machine on which a package starts a service of its own has that
/// stopped again; what was there before is left alone.
fn install(kinds: &[Kind]) -> Result<()> {
    tools::install_packages(&["openssl", "util-linux"])?;
    if kinds.contains(&Kind::Kafka) && !tools::is_there("java") {
        tools::install_packages(&["openjdk-17-jre-headless"])?;
    }
    if kinds.contains(&Kind::Oidc) && !tools::is_there("npm") {
        tools::install_packages(&["nodejs", "npm"])?;
    }
    for kind in kinds {
        if tools::install_packages(kind.packages())? {
            let _ = Command::new("service").args([kind.system_service(), "stop"]).output();
        }
    }
    Ok(())
}

/// A command that the kernel sends this signal to when we are gone.
pub(crate) fn owned_by_us(signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal, "--"]);
    command
}

/// Asks the command to end, and ends it where it does not.
fn end(child: &mut Child) -> Result<()> {
    if let Some(pid) = Pid::from_raw(i32::try_from(child.id())?) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let since = Instant::now();
    while since.elapsed() < GRACE {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}
