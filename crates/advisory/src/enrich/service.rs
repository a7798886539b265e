//! Enriching for others: whatever goes wrong, an answer that says so, and in time.
//!
//! Who matches is behind a trait, so that it can be this process or another one. A call has a time
//! to end in, tries again what may go better, and never answers with an empty list where it could not
//! look: there is a note instead.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fathom_report::Report;
use fathom_report::finding::{Findings, Note, NoteKind};

use super::{Options, nothing, scan};
use crate::database::Database;
use crate::error::{Kind, Result};

/// Why a call failed, in a word that can be counted by.
pub type Reason = &'static str;

/// Compares a report with what is known.
pub trait Matcher: Send + Sync {
    /// What is known to be wrong with the machine of the report.
    fn findings(&self, report: &Report, subject: &str, options: &Options) -> Result<Findings>;
}

/// A database of this machine.
impl Matcher for Database {
    fn findings(&self, report: &Report, subject: &str, options: &Options) -> Result<Findings> {
        scan(report, subject, self, options)
    }
}

/// Hears how enriching went.
pub trait Recorder: Send + Sync {
    /// A call ended: `result` is `success` or `failure`, and `reason` says why it failed. Counted as
    /// `fathom_enrichment_total{result,reason}`, timed as `fathom_enrichment_duration_seconds`; how
    /// many packages there were is `fathom_enrichment_components`, how many findings
    /// `fathom_enrichment_findings`.
    fn enrichment(&self, ended: &Ended);

    /// The matcher answered or failed once: `fathom_matcher_duration_seconds`.
    fn matcher(&self, duration: Duration);
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why it failed; nothing where it did not.
    pub reason: Option<Reason>,
    /// How long it took.
    pub duration: Duration,
    /// How many packages the report has.
    pub components: usize,
    /// How many findings came of it.
    pub findings: usize,
}

/// A recorder that keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unrecorded;

impl Recorder for Unrecorded {
    fn enrichment(&self, _: &Ended) {}

    fn matcher(&self, _: Duration) {}
}

/// What a call may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a call takes at most, tries and waiting for others together.
    pub timeout: Duration,
    /// How many more times something is tried that may go better.
    pub retries: u32,
    /// How long before it is tried again; twice as long before each further time.
    pub pause: Duration,
    /// How many are at work at once.
    pub concurrency: usize,
    /// The most packages that a report may have.
    pub components: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            retries: 2,
            pause: Duration::from_millis(100),
            concurrency: thread::available_parallelism().map_or(1, usize::from),
            components: 500_000,
        }
    }
}

/// Enriches reports.
pub struct Enricher {
    matcher: Option<Arc<dyn Matcher>>,
    recorder: Arc<dyn Recorder>,
    limits: Limits,
    places: Arc<Places>,
}

impl Enricher {
    /// One that asks the matcher, if there is one.
    pub fn new(
        matcher: Option<Arc<dyn Matcher>>,
        recorder: Arc<dyn Recorder>,
        limits: Limits,
    ) -> Self {
        let places = Places { free: Mutex::new(limits.concurrency.max(1)), freed: Condvar::new() };
        Self { matcher, recorder, limits, places: Arc::new(places) }
    }

    /// What is known to be wrong with the machine of the report; with a note where that could not be
    /// found out.
    pub fn enrich(&self, report: &Arc<Report>, subject: &str, options: &Options) -> Findings {
        let start = Instant::now();
        let components = report.systems.iter().map(|system| system.packages.items.len()).sum();
        let outcome = self.try_all(report, subject, options, components, start);
        let reason = outcome.as_ref().err().map(|failed| failed.reason);
        let findings = outcome.unwrap_or_else(|failed| {
            let mut findings = nothing(report, subject, options);
            findings.notes.push(Note { kind: failed.kind, message: failed.message });
            findings
        });
        self.recorder.enrichment(&Ended {
            reason,
            duration: start.elapsed(),
            components,
            findings: findings.vulnerabilities.len(),
        });
        findings
    }

    fn try_all(
        &self,
        report: &Arc<Report>,
        subject: &str,
        options: &Options,
        components: usize,
        start: Instant,
    ) -> std::result::Result<Findings, Failed> {
        let Some(matcher) = &self.matcher else {
            let message = "there is nothing to compare with: no database, and no matcher elsewhere";
            return Err(Failed::new(NoteKind::MissingScanner, "missing_scanner", message));
        };
        if components > self.limits.components {
            let message = format!(
                "the report has {components} packages, and {} are compared at most",
                self.limits.components,
            );
            return Err(Failed::new(NoteKind::ScanFailed, "too_large", message));
        }
        let mut pause = self.limits.pause;
        for retry in 0.. {
            let failed = match self.try_once(matcher, report, subject, options, start) {
                Ok(findings) => return Ok(findings),
                Err(failed) => failed,
            };
            let left = self.limits.timeout.saturating_sub(start.elapsed());
            if !failed.is_passing || retry >= self.limits.retries || left <= pause {
                return Err(failed);
            }
            thread::sleep(pause);
            pause = pause.saturating_mul(2);
        }
        Err(Failed::new(NoteKind::ScanFailed, "matcher_failed", "it was never tried"))
    }

    fn try_once(
        &self,
        matcher: &Arc<dyn Matcher>,
        report: &Arc<Report>,
        subject: &str,
        options: &Options,
        start: Instant,
    ) -> std::result::Result<Findings, Failed> {
        let late = || {
            let message = format!(
                "the matcher did not answer within {:.0} s; try again, or allow it more",
                self.limits.timeout.as_secs_f64(),
            );
            Failed::new(NoteKind::ScanFailed, "timeout", message)
        };
        let place = Places::take(&self.places, start + self.limits.timeout).ok_or_else(late)?;
        let (sender, receiver) = mpsc::channel();
        let (matcher, report) = (Arc::clone(matcher), Arc::clone(report));
        let (subject, options) = (subject.to_owned(), options.clone());
        let began = Instant::now();
        // Who does not answer in time keeps its place until it does, so that those who wait for
        // nothing do not become many.
        let spawned = thread::Builder::new().name("matcher".to_owned()).spawn(move || {
            let work = || matcher.findings(&report, &subject, &options);
            let answer = catch_unwind(AssertUnwindSafe(work));
            drop(place);
            // Nobody hears it any more who has stopped waiting.
            drop(sender.send(answer));
        });
        if let Err(error) = spawned {
            let message = format!("this host has no thread to compare in: {error}");
            return Err(Failed::passing("host", message));
        }
        let left = self.limits.timeout.saturating_sub(start.elapsed());
        let answer = receiver.recv_timeout(left);
        self.recorder.matcher(began.elapsed());
        match answer {
            Ok(Ok(Ok(findings))) => Ok(findings),
            Ok(Ok(Err(error))) if error.kind() == Kind::Io => {
                Err(Failed::passing("matcher_failed", error.to_string()))
            }
            Ok(Ok(Err(error))) if error.kind() == Kind::Missing => {
                let reason = "missing_scanner";
                Err(Failed::new(NoteKind::MissingScanner, reason, error.to_string()))
            }
            Ok(Ok(Err(error))) => {
                Err(Failed::new(NoteKind::ScanFailed, "database_damaged", error.to_string()))
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                let message = "the matcher broke down over this report";
                Err(Failed::new(NoteKind::ScanFailed, "matcher_broke", message))
            }
            Err(RecvTimeoutError::Timeout) => Err(late()),
        }
    }
}

/// Why a call has no findings.
struct Failed {
    kind: NoteKind,
    reason: Reason,
    message: String,
    /// Whether it may go better another time.
    is_passing: bool,
}

impl Failed {
    fn new(kind: NoteKind, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, reason, message: message.into(), is_passing: false }
    }

    fn passing(reason: Reason, message: impl Into<String>) -> Self {
        Self { is_passing: true, ..Self::new(NoteKind::ScanFailed, reason, message) }
    }
}

/// How many may be at work.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A place that is taken, until it is dropped.
struct Place(Arc<Places>);

impl Places {
    /// A place, unless none becomes free until then.
    fn take(places: &Arc<Self>, until: Instant) -> Option<Place> {
        let mut free = places.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            let left = until.checked_duration_since(Instant::now())?;
            let waited = places.freed.wait_timeout(free, left);
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Some(Place(Arc::clone(places)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::day::Day;
    use crate::error::Error;
    use crate::risk::Weights;

    /// What a matcher does when it is asked for the first time, the second time, …
    enum Does {
        Answer,
        Fail,
        Damage,
        Break,
        Hang,
    }

    struct Told {
        all: Vec<Does>,
        asked: AtomicUsize,
    }

    impl Matcher for Told {
        fn findings(&self, report: &Report, subject: &str, options: &Options) -> Result<Findings> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            let path = Path::new("db");
            match self.all.get(asked).unwrap_or(&Does::Answer) {
                Does::Answer => Ok(nothing(report, subject, options)),
                Does::Fail => {
                    Err(Error::io(path, "cannot be read")(std::io::Error::other("broken pipe")))
                }
                Does::Damage => Err(Error::corrupt(path, "is damaged")),
                Does::Break => unreachable!("a matcher that breaks down"),
                Does::Hang => {
                    thread::sleep(Duration::from_millis(300));
                    Ok(nothing(report, subject, options))
                }
            }
        }
    }

    #[derive(Default)]
    struct Kept(Mutex<Vec<Option<Reason>>>);

    impl Recorder for Kept {
        fn enrichment(&self, ended: &Ended) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(ended.reason);
        }

        fn matcher(&self, _: Duration) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(Some("asked"));
        }
    }

    #[track_caller]
    fn check(all: Vec<Does>, limits: Limits, expected: &[Option<Reason>]) {
        let matcher = Arc::new(Told { all, asked: AtomicUsize::new(0) });
        let recorder = Arc::new(Kept::default());
        let enricher = Enricher::new(Some(matcher), recorder.clone(), limits);
        let findings = enricher.enrich(&report(), "test", &options());
        let kept = recorder.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(*kept, expected);
        let failed = kept.last().is_some_and(Option::is_some);
        assert_eq!(findings.notes.iter().any(|it| it.kind == NoteKind::ScanFailed), failed);
    }

    fn report() -> Arc<Report> {
        Arc::new(Report::of(Vec::new(), "not asked"))
    }

    fn options() -> Options {
        Options {
            weights: Weights::default(),
            texts: false,
            today: Day::default(),
            generator: "test".to_owned(),
        }
    }

    fn limits() -> Limits {
        Limits {
            timeout: Duration::from_secs(20),
            retries: 1,
            pause: Duration::from_millis(1),
            concurrency: 1,
            components: 10,
        }
    }

    #[test]
    fn what_may_go_better_is_tried_again() {
        let asked = Some("asked");
        check(vec![Does::Answer], limits(), &[asked, None]);
        check(vec![Does::Fail, Does::Answer], limits(), &[asked, asked, None]);
        check(vec![Does::Fail, Does::Fail], limits(), &[asked, asked, Some("matcher_failed")]);
        check(vec![Does::Damage], limits(), &[asked, Some("database_damaged")]);
        check(vec![Does::Break], limits(), &[asked, Some("matcher_broke")]);
    }

    #[test]
    fn nobody_is_waited_for_longer_than_allowed() {
        let short = Limits { timeout: Duration::from_millis(50), ..limits() };
        check(vec![Does::Hang], short, &[Some("asked"), Some("timeout")]);
    }

    #[test]
    fn who_hangs_keeps_its_place() {
        let matcher = Arc::new(Told { all: vec![Does::Hang], asked: AtomicUsize::new(0) });
        let short = Limits { timeout: Duration::from_millis(50), ..limits() };
        let enricher = Enricher::new(Some(matcher.clone()), Arc::new(Unrecorded), short);
        enricher.enrich(&report(), "test", &options());
        let second = enricher.enrich(&report(), "test", &options());
        assert!(second.notes.iter().any(|it| it.kind == NoteKind::ScanFailed));
        assert_eq!(matcher.asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn without_a_matcher_there_is_a_note() {
        let enricher = Enricher::new(None, Arc::new(Unrecorded), limits());
        let findings = enricher.enrich(&report(), "test", &options());
        assert!(findings.notes.iter().any(|it| it.kind == NoteKind::MissingScanner));
    }
}
