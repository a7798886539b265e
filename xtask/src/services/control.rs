//! What tests may do to the servers: a socket that takes one line, `VERB NAME`, and answers `ok` or
//! what went wrong. The verbs are `kill`, `start` (answered when the server is ready), `pause` and
//! `continue`. All of it happens in the thread that has started the servers, since they end with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use super::server::Server;

/// The socket.
pub(crate) struct Control {
    path: PathBuf,
    listener: UnixListener,
}

impl Control {
    pub(crate) fn listen(folder: &Path) -> Result<Control> {
        let path = folder.join("control");
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Control { path, listener })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Does what is asked for by now.
    pub(crate) fn serve(&mut self, servers: &mut [Server], stopped: &AtomicBool) {
        while let Ok((stream, _)) = self.listener.accept() {
            let answer = match perform(&stream, servers, stopped) {
                Ok(()) => "ok".to_owned(),
                Err(error) => format!("{error:#}").replace('\n', " "),
            };
            let _ = writeln!(&stream, "{answer}");
        }
    }
}

fn perform(stream: &UnixStream, servers: &mut [Server], stopped: &AtomicBool) -> Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let (verb, name) = line.trim().split_once(' ').context("VERB NAME is expected")?;
    let server = servers
        .iter_mut()
        .find(|server| server.name == name)
        .with_context(|| format!("{name} was not started"))?;
    match verb {
        "kill" => server.kill(),
        "start" => {
            server.start()?;
            server.wait_until_ready(super::START, stopped)?;
        }
        "pause" => server.signal(Signal::STOP),
        "continue" => server.signal(Signal::CONT),
        _ => bail!("{verb} is none of kill, start, pause, continue"),
    }
    Ok(())
}
