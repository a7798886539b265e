//! From a job to its images and back: what blocks runs on a thread of its own, is told when the job
//! has to end, and says how far it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fathom_confine::Canceller;
use fathom_jobs::Metrics;
use fathom_report::Report;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::payload::Wrong;
use crate::handler::{Stop, Task, Trouble};
use crate::image::{Failure, Image, Images, Inspection, Outcome, Phase, Progress};

/// How often it is said how far the same thing is.
const PAUSE: Duration = Duration::from_millis(500);

/// A machine that was looked at.
pub(super) struct Seen {
    pub(super) report: Report,
    pub(super) metrics: Metrics,
}

/// Looks at a machine. Where there is no operating system in it, that is trouble that brings the report
/// along: nobody is to take it for a machine on which nothing is installed.
pub(super) async fn machine(
    task: &Task,
    images: &Arc<Images>,
    disks: Vec<Image>,
    deep: bool,
) -> Result<Seen, Trouble> {
    let largest_disk = task.largest_disk;
    let request = Inspection { images: disks, deep, largest_disk, ..Inspection::default() };
    let inspect = move |images: &Images, progress: &mut dyn FnMut(Progress), end: &Canceller| {
        images.inspect(&request, progress, end)
    };
    let outcome = look(task, images, inspect).await?;
    compute(move || seen(outcome)).await
}

fn seen(outcome: Outcome) -> Result<Seen, Trouble> {
    let report: Report = serde_json::from_slice(&outcome.report)
        .map_err(|error| Trouble::lasting("PROTOCOL_VIOLATED", error.to_string()))?;
    if let Some(none) = outcome.none {
        return Err(Trouble { details: json!({ "report": report }), ..trouble(none) });
    }
    let metrics = Metrics {
        disk_read_bytes: outcome.read.bytes,
        disk_write_bytes: 0,
        peak_memory_mb: outcome.peak_memory.div_ceil(1_000_000),
        cpu_seconds: outcome.cpu.as_secs_f64(),
    };
    Ok(Seen { report, metrics })
}

/// What two tries at the same job took together.
pub(super) fn sum(one: Option<Metrics>, other: Option<Metrics>) -> Option<Metrics> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Metrics {
            disk_read_bytes: one.disk_read_bytes.saturating_add(other.disk_read_bytes),
            disk_write_bytes: 0,
            peak_memory_mb: one.peak_memory_mb.max(other.peak_memory_mb),
            cpu_seconds: one.cpu_seconds + other.cpu_seconds,
        }),
        (one, other) => one.or(other),
    }
}

/// Ends what was begun when nobody waits for it any more.
struct EndsWith(Canceller);

impl Drop for EndsWith {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Has something done to images until it is done, or the job has to end.
pub(super) async fn look<T: Send + 'static>(
    task: &Task,
    images: &Arc<Images>,
    work: impl FnOnce(&Images, &mut dyn FnMut(Progress), &Canceller) -> Result<T, Failure>
    + Send
    + 'static,
) -> Result<T, Trouble> {
    let ending = EndsWith(Canceller::new());
    let (canceller, images, phases) = (ending.0.clone(), Arc::clone(images), task.phases.clone());
    let (teller, mut told) = watch::channel(None);
    let mut work = tokio::task::spawn_blocking(move || {
        let mut at = None;
        let mut progress = |progress: Progress| {
            // Whoever listens need not hear of each: those that are over soon are phases all the same.
            if at.replace(progress.phase) != Some(progress.phase) {
                phases.enter(&name(progress.phase));
            }
            // Who was told may be gone.
            let _ = teller.send(Some(progress));
        };
        let done = work(&images, &mut progress, &canceller);
        phases.leave();
        done
    });
    let mut stop: Option<Stop> = None;
    let mut last: Option<(Phase, Instant)> = None;
    loop {
        tokio::select! {
            done = &mut work => return match done {
                Ok(done) => done.map_err(trouble),
                Err(_) => Err(bug()),
            },
            why = task.stopped(), if stop.is_none() => {
                stop = Some(why);
                ending.0.cancel();
            }
            // Once it is over, only the end is waited for.
            Ok(()) = told.changed() => {
                let Some(now): Option<Progress> = *told.borrow_and_update() else { continue };
                if last.is_some_and(|(phase, at)| phase == now.phase && at.elapsed() < PAUSE) {
                    continue;
                }
                last = Some((now.phase, Instant::now()));
                task.tell(&name(now.phase), Some(percent(now)), "");
            }
        }
    }
}

/// Has something computed that needs no images.
pub(super) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(bug()))
}

fn bug() -> Trouble {
    Trouble::passing("INTERNAL_ERROR", "a bug in the worker; its log says more")
}

/// A payload that makes no sense. The desk has looked at it already; jobs of elsewhere it has not.
pub(super) fn invalid(wrong: Wrong) -> Trouble {
    Trouble::lasting("VALIDATION_ERROR", wrong)
}

/// A failure of the reader as trouble of a job.
pub(super) fn trouble(failure: Failure) -> Trouble {
    Trouble {
        code: failure.code.as_str().to_owned(),
        phase: Some(name(failure.phase)),
        message: failure.message,
        details: Value::Null,
        recoverable: failure.recoverable,
        retry: failure.retry_recommended,
    }
}

/// As documents write it.
fn name(phase: Phase) -> String {
    match serde_json::to_value(phase) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

/// How much of it all is done. Nobody knows what comes, so that each phase has its share.
fn percent(now: Progress) -> u8 {
    let (from, to) = match now.phase {
        Phase::Opening => (0, 2),
        Phase::Verifying => (2, 30),
        Phase::Starting => (30, 31),
        Phase::Discovering => (31, 40),
        Phase::Inspecting => (40, 90),
        Phase::Hashing => (31, 95),
        Phase::Reporting => (90, 95),
    };
    let share = match now.total {
        Some(total) if total > 0 => {
            u128::from(now.done.min(total)) * (to - from) / u128::from(total)
        }
        _ => 0,
    };
    u8::try_from(from + share).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_its_share() {
        for (phase, done, total, expected) in [
            (Phase::Opening, 0, Some(1), 0),
            (Phase::Verifying, 50, Some(100), 16),
            (Phase::Hashing, 7, Some(0), 31),
            (Phase::Hashing, u64::MAX, Some(u64::MAX), 95),
            (Phase::Inspecting, 0, None, 40),
            (Phase::Reporting, 9, Some(1), 95),
        ] {
            assert_eq!(percent(Progress { phase, done, total }), expected, "{phase:?}");
        }
        assert_eq!(name(Phase::Verifying), "verifying");
    }
}
