//! Follows a job: the events that the service tells of it (Server-Sent Events).

use std::io::{BufRead, Read as _};
use std::time::Duration;

use fathom_block::ErrorKind;
use fathom_jobs::Progress;
use serde_json::Value;

use super::client::Client;
use crate::exit::{Failure, say};
use crate::progress::Progress as Bar;
use crate::text::harmless;

/// The longest line of a stream.
const LONGEST: u64 = 1 << 20;
/// How often a service that is away is asked.
const TRIES: u32 = 9;
/// How long to wait before it is asked again, the longer the longer it is away.
const PAUSE: Duration = Duration::from_millis(500);

/// Waits until the job has ended, and tells meanwhile how far it has come.
pub(super) fn to_the_end(client: &Client, id: &str, path: &str) -> Result<(), Failure> {
    let mut told = Told { id, seen: 0, phase: String::new(), bar: None };
    let path = format!("{path}/events");
    let mut stream = client.stream(&path, told.seen)?;
    while !told.all(stream) {
        std::thread::sleep(PAUSE);
        stream = patiently(|| client.stream(&path, told.seen))?;
    }
    Ok(())
}

/// Asks again while the service is away: it may be about to be there again, and what was begun goes on.
pub(super) fn patiently<T>(mut ask: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for failed in 1..TRIES {
        match ask() {
            Err(Failure::Read(error)) if error.kind() == ErrorKind::Unreachable => {
                if failed == 1 {
                    say(&format!("{error}; trying again"));
                }
                std::thread::sleep(PAUSE * failed);
            }
            done => return done,
        }
    }
    ask()
}

/// What was told of a job.
struct Told<'a> {
    id: &'a str,
    /// The number of the last event.
    seen: u64,
    phase: String,
    bar: Option<(Bar, u64)>,
}

impl Told<'_> {
    /// Takes all that comes. True where the job has ended.
    fn all(&mut self, mut stream: impl BufRead) -> bool {
        let (mut kind, mut data) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            // A stream that breaks off is taken up where it did.
            if !matches!(stream.by_ref().take(LONGEST).read_line(&mut line), Ok(1..)) {
                return false;
            }
            let line = line.trim_end_matches(['\r', '\n']);
            match line.split_once(": ") {
                Some(("id", id)) => self.seen = id.parse().unwrap_or(self.seen),
                Some(("event", named)) => kind = named.to_owned(),
                Some(("data", text)) => data = text.to_owned(),
                _ if line.is_empty() => {
                    if self.event(&kind, &data) {
                        return true;
                    }
                    (kind, data) = (String::new(), String::new());
                }
                // A sign of life.
                _ => {}
            }
        }
    }

    /// Takes one event. True where the job has ended.
    fn event(&mut self, kind: &str, data: &str) -> bool {
        let value: Value = serde_json::from_str(data).unwrap_or_default();
        match kind {
            "progress" => {
                if let Ok(progress) = serde_json::from_value(value) {
                    self.progress(progress);
                }
                false
            }
            "status" => {
                let status = value["status"].as_str().unwrap_or_default();
                let ended = ["completed", "failed", "cancelled", "timeout", "dead"];
                if self.phase.is_empty() && !ended.contains(&status) {
                    self.say(status, None);
                }
                ended.contains(&status)
            }
            _ => false,
        }
    }

    fn progress(&mut self, progress: Progress) {
        if progress.phase != self.phase {
            self.say(&progress.phase, progress.progress_percent);
        }
        let percent = u64::from(progress.progress_percent.unwrap_or(0));
        if let Some((bar, shown)) = &mut self.bar {
            bar.add(percent.saturating_sub(*shown));
            *shown = percent.max(*shown);
        }
    }

    /// What is being done now: in a bar, or on a line where there is no terminal.
    fn say(&mut self, phase: &str, percent: Option<u8>) {
        phase.clone_into(&mut self.phase);
        let shown = harmless(phase);
        if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            let what = format!("{} {shown}", self.id);
            match &self.bar {
                Some((bar, _)) => bar.call(&what),
                None => self.bar = Some((Bar::percent(&what), 0)),
            }
            return;
        }
        match percent {
            Some(percent) => say(&format!("{}: {shown}, {percent} %", self.id)),
            None => say(&format!("{}: {shown}", self.id)),
        }
    }
}
