//! One server: the processes that it is made of, started, paused, killed and started again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A server, running or not. It is killed when this is dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// How each of its processes is started. The first of them may be needed by the others.
    pub(crate) commands: Vec<Command>,
    /// What tells the command where it is.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// Whether it answers.
    pub(crate) answers: Box<dyn Fn() -> bool>,
    /// What it prints.
    pub(crate) log: PathBuf,
    pub(crate) running: Vec<Child>,
}

impl Server {
    /// Starts its processes.
    pub(crate) fn start(&mut self) -> Result<()> {
        if !self.running.is_empty() {
            bail!("{} runs already", self.name);
        }
        for command in &mut self.commands {
            let log = File::options().create(true).append(true).open(&self.log)?;
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            let child =
                command.spawn().with_context(|| format!("{} could not be started", self.name))?;
            self.running.push(child);
        }
        Ok(())
    }

    /// Waits until it answers. One that ends instead is started again: what a killed one has left
    /// to the kernel may take a moment to go.
    pub(crate) fn wait_until_ready(&mut self, limit: Duration, stopped: &AtomicBool) -> Result<()> {
        let since = Instant::now();
        while !(self.answers)() {
            if stopped.load(Ordering::Relaxed) {
                bail!("interrupted");
            }
            if since.elapsed() > limit {
                bail!("{} does not answer:\n{}", self.name, self.last_words());
            }
            let mut ended = false;
            for child in &mut self.running {
                ended |= child.try_wait()?.is_some();
            }
            if ended {
                if since.elapsed() > limit / 4 {
                    bail!("{} has ended:\n{}", self.name, self.last_words());
                }
                self.kill();
                std::thread::sleep(Duration::from_millis(200));
                self.start()?;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        for mut child in self.running.drain(..) {
            let _ = child.wait();
        }
    }

    /// Sends the signal to every process of it.
    pub(crate) fn signal(&self, signal: Signal) {
        let all = parents();
        let mut family: Vec<u32> = self.running.iter().map(Child::id).collect();
        let mut next = 0;
        while let Some(&parent) = family.get(next) {
            next += 1;
            family.extend(all.iter().filter(|(_, of)| **of == parent).map(|(child, _)| *child));
        }
        for pid in family.into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            let _ = kill_process(pid, signal);
        }
    }

    fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(4000)..]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The parent of every process.
fn parents() -> BTreeMap<u32, u32> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // The name of the program, in brackets, may hold anything.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if let Some(parent) = rest.split(' ').nth(1).and_then(|parent| parent.parse().ok()) {
            found.insert(pid, parent);
        }
    }
    found
}
