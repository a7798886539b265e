//! The loop of a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fathom_jobs::{
    Backoff, Envelope, ErrorReport, ExecutionSummary, Hold, Holding, Metrics, Operation, Outputs,
    Progress, ResultDocument, Status, Taken, rfc3339,
};
use fathom_store::{Claimed, Finish, JobState};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{Instrument as _, Span, info, info_span, warn};

use crate::handler::{Done, Handler, Handlers, Stop, Task, Trouble};
use crate::meters::{Ended, Handled, Meters, Of};
use crate::source::Source;
use crate::span::{self, Phases};
use crate::teller;

/// How much work, by how long jobs took lately, a worker takes on ahead.
const AHEAD: Duration = Duration::from_millis(250);
/// How many jobs for each place it takes on at most.
const MOST_AHEAD: usize = 64;
/// How often the store is asked at least what is to become of the jobs that are being done.
const LISTEN: Duration = Duration::from_secs(2);
/// How long whoever was asked to stop may go on before it is left alone.
const GRACE: Duration = Duration::from_secs(10);

/// How a worker goes about it.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How many jobs it does at once.
    pub concurrency: usize,
    /// How long it holds a job without a sign of life.
    pub lease: Duration,
    /// How long it goes on with what it has when it has to leave.
    pub drain: Duration,
    /// How long a job that failed waits.
    pub backoff: Backoff,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            concurrency: 2,
            lease: Duration::from_secs(30),
            drain: Duration::from_secs(60),
            backoff: Backoff::default(),
        }
    }
}

struct Worker {
    hold: Hold,
    handlers: Handlers,
    rules: Rules,
    meters: Arc<Meters>,
    places: Semaphore,
    progress: mpsc::Sender<(String, i64, Progress)>,
    leaving: watch::Receiver<bool>,
    /// How long jobs took lately, in microseconds.
    usual: AtomicU64,
}

/// Takes jobs on and has them done until `stop` says to leave; then ends what it has, or gives it
/// back.
pub async fn run(
    hold: Hold,
    handlers: Handlers,
    rules: Rules,
    meters: Arc<Meters>,
    mut stop: watch::Receiver<bool>,
    source: Source,
) {
    meters.begin(handlers.names());
    source.begin(&meters);
    let (leave, leaving) = watch::channel(false);
    let worker = Arc::new(Worker {
        progress: teller::start(hold.clone()),
        places: Semaphore::new(rules.concurrency.max(1)),
        usual: AtomicU64::new(1_000_000),
        hold,
        handlers,
        rules,
        meters,
        leaving,
    });
    let (drained, draining) = watch::channel(false);
    let heart = tokio::spawn(beat(Arc::clone(&worker), draining));
    let mut running = JoinSet::new();
    let mut trouble = Duration::from_millis(100);
    while !*stop.borrow() {
        while running.try_join_next().is_some() {}
        let wanted = worker.wanted();
        if wanted == 0 {
            tokio::select! {
                _ = running.join_next(), if !running.is_empty() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            continue;
        }
        // It is not broken off: what the store has given us by then would be nobody's for a lease.
        match source.next(&worker.hold, wanted, &worker.meters).await {
            Ok(got) => {
                trouble = Duration::from_millis(100);
                for taken in got {
                    running.spawn(Arc::clone(&worker).perform(taken));
                }
            }
            Err(_) => {
                // The store is away: there is nothing to do but to wait for it.
                tokio::select! {
                    () = tokio::time::sleep(trouble) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
                trouble = (trouble * 2).min(Duration::from_secs(5));
            }
        }
    }
    drained.send_replace(true);
    let _ = tokio::time::timeout(worker.rules.drain, async {
        while running.join_next().await.is_some() {}
    })
    .await;
    leave.send_replace(true);
    let _ = tokio::time::timeout(GRACE + Duration::from_secs(1), async {
        while running.join_next().await.is_some() {}
    })
    .await;
    running.shutdown().await;
    heart.abort();
    // What cannot be given back now is taken back when its lease is over.
    let _ = worker.hold.leave().await;
}

/// Signs of life, several a lease, and often enough that who calls a job off need not wait for long.
async fn beat(worker: Arc<Worker>, draining: watch::Receiver<bool>) {
    let pause = (worker.rules.lease / 4).min(LISTEN).max(Duration::from_millis(20));
    loop {
        // What the store says of our jobs is noted; that it does not answer is, too.
        let drains = *draining.borrow();
        let _ = worker.hold.beat(drains).await;
        tokio::time::sleep(pause).await;
    }
}

/// How a try ended, before it is known whether there is another.
enum Outcome {
    Done(Done),
    Trouble(Trouble),
    Stopped(Stop),
}

/// A job with who does it, and by which it is told to stop.
type Prepared = (Task, Arc<dyn Handler>, watch::Sender<Option<Stop>>);

impl Worker {
    /// How many more jobs to take on. Short ones are taken on by the dozen, since a claim costs as
    /// much for one as for many; of long ones only as many as there are places.
    fn wanted(&self) -> u32 {
        let usual = Duration::from_micros(self.usual.load(Ordering::Relaxed).max(1));
        let ahead = (AHEAD.as_micros() / usual.as_micros().max(1)) as usize;
        let most = self.rules.concurrency.max(1) * ahead.clamp(1, MOST_AHEAD);
        let free = most.saturating_sub(self.hold.count());
        // Little by little would be a transaction for each.
        if free * 4 < most { 0 } else { u32::try_from(free).unwrap_or(u32::MAX) }
    }

    async fn perform(self: Arc<Self>, taken: Taken) {
        let operation = operation(&taken.job.operation);
        let worker = &self.hold.description().worker_id;
        let span = span::attempt(&taken, operation, worker);
        self.follow(taken.job, taken.holding, operation).instrument(span).await;
    }

    async fn follow(
        &self,
        job: Claimed,
        holding: watch::Receiver<Holding>,
        operation: &'static str,
    ) {
        let started = Instant::now();
        info!(max_attempts = job.max_attempts, "a job was taken on");
        let outcome = self.attempt(&job, holding).await;
        let took = started.elapsed();
        let (finish, status) = self.judge(&job, outcome, took);
        let counts = match finish {
            // Nothing that is said about it would count.
            None => {
                self.hold.let_go(&job);
                false
            }
            Some(finish) => {
                tell(&finish, status, took);
                self.hold.finish(&job, finish).instrument(info_span!("complete", status)).await
            }
        };
        if counts {
            self.meters.jobs.get_or_create(&Ended { operation, status }).inc();
            self.meters.durations.get_or_create(&Of { operation }).observe(took.as_secs_f64());
        } else {
            warn!(status, "what came of a job does not count: it is somebody else's by now");
            self.meters.refused.inc();
        }
    }

    async fn attempt(&self, job: &Claimed, mut holding: watch::Receiver<Holding>) -> Outcome {
        let mut leaving = self.leaving.clone();
        let left = job.left.unwrap_or(Duration::MAX);
        let late = left <= job.timeout;
        let limit = tokio::time::sleep(left.min(job.timeout));
        tokio::pin!(limit);
        let called_off = |holding: &Holding| match holding {
            Holding::Cancelled => Stop::Cancelled,
            _ => Stop::Lost,
        };
        let place = tokio::select! {
            place = self.places.acquire() => place,
            changed = holding.wait_for(|it| *it != Holding::Held) => {
                return Outcome::Stopped(changed.map_or(Stop::Lost, |it| called_off(&it)));
            }
            () = &mut limit, if late => return Outcome::Stopped(Stop::Late),
            _ = leaving.wait_for(|leaving| *leaving) => return Outcome::Stopped(Stop::Leaving),
        };
        let Ok(_place) = place else { return Outcome::Stopped(Stop::Leaving) };
        // A try lasts from when it has its place; a deadline does not wait for that.
        if !late {
            limit.as_mut().reset(tokio::time::Instant::now() + job.timeout);
        }
        let span = info_span!("handler", otel.name = operation(&job.operation));
        let (task, handler, stop) = match self.prepare(job, &span) {
            Ok(prepared) => prepared,
            Err(trouble) => return Outcome::Trouble(trouble),
        };
        self.meters.active.inc();
        let began = Instant::now();
        let work = async move { handler.run(&task).await };
        let mut work = tokio::spawn(work.instrument(span));
        let mut outcome = tokio::select! {
            done = &mut work => ended(done),
            () = &mut limit => Outcome::Stopped(if late { Stop::Late } else { Stop::TimedOut }),
            changed = holding.wait_for(|it| *it != Holding::Held) => {
                Outcome::Stopped(changed.map_or(Stop::Lost, |it| called_off(&it)))
            }
            _ = leaving.wait_for(|leaving| *leaving) => Outcome::Stopped(Stop::Leaving),
        };
        if let Outcome::Stopped(why) = outcome {
            stop.send_replace(Some(why));
            if tokio::time::timeout(GRACE, &mut work).await.is_err() {
                work.abort();
            }
            outcome = Outcome::Stopped(why);
        }
        self.meters.active.dec();
        let took = began.elapsed();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min(1 << 40);
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store((usual * 7 + micros) / 8, Ordering::Relaxed);
        let status = match &outcome {
            Outcome::Done(_) => "success",
            Outcome::Trouble(_) => "error",
            Outcome::Stopped(_) => "stopped",
        };
        let handled = Handled { handler: operation(&job.operation), status };
        self.meters.executions.get_or_create(&handled).inc();
        self.meters.handler_durations.get_or_create(&handled).observe(took.as_secs_f64());
        outcome
    }

    fn prepare(&self, job: &Claimed, span: &Span) -> Result<Prepared, Trouble> {
        let handler = self.handlers.get(&job.operation).ok_or_else(|| {
            Trouble::passing("UNSUPPORTED", format!("this worker does not do {}", job.operation))
        })?;
        let envelope: Envelope = serde_json::from_str(&job.envelope).map_err(|error| {
            Trouble::lasting("MALFORMED", format!("the job cannot be read back: {error}"))
        })?;
        let gigabytes = envelope.constraints.as_ref().and_then(|it| it.maximum_disk_size_gb);
        let (stop, stopped) = watch::channel(None);
        let task = Task {
            job: job.id.clone(),
            namespace: job.namespace.clone(),
            data: envelope.payload.data,
            largest_disk: gigabytes.map(|size| size.saturating_mul(1_000_000_000)),
            submitted: job.submitted_at,
            fence: job.fence,
            hold: self.hold.clone(),
            stop: stopped,
            progress: self.progress.clone(),
            phases: Phases::of(span.clone()),
        };
        Ok((task, handler, stop))
    }

    /// What is to be said about a try, and how it is counted.
    fn judge(
        &self,
        job: &Claimed,
        outcome: Outcome,
        took: Duration,
    ) -> (Option<Finish>, &'static str) {
        let trouble = match outcome {
            Outcome::Done(done) => {
                let result = self.document(job, Status::Completed, done, None, took);
                let finish = Finish::End { state: JobState::Completed, result, error: None };
                return (Some(finish), "completed");
            }
            Outcome::Stopped(Stop::Lost) => return (None, "lost"),
            Outcome::Stopped(Stop::Leaving) => {
                return (Some(Finish::GiveBack { after: Duration::ZERO }), "given_back");
            }
            Outcome::Stopped(Stop::Cancelled) => {
                let trouble = Trouble::lasting("CANCELLED", "called off while it was being done");
                return self.end(job, JobState::Cancelled, trouble, took);
            }
            Outcome::Stopped(Stop::Late) => {
                let trouble = Trouble::lasting("DEADLINE_EXCEEDED", "its deadline passed");
                return self.end(job, JobState::TimedOut, trouble, took);
            }
            Outcome::Stopped(Stop::TimedOut) => Trouble::passing(
                "TIMEOUT",
                format!("it took longer than {} s and was ended", job.timeout.as_secs()),
            ),
            Outcome::Trouble(trouble) => trouble,
        };
        if trouble.retry && job.attempt < job.max_attempts {
            let again = Finish::Again {
                after: self.rules.backoff.after(job.attempt),
                error: (trouble.code, trouble.message),
            };
            return (Some(again), "retried");
        }
        let state = if trouble.code == "TIMEOUT" { JobState::TimedOut } else { JobState::Failed };
        self.end(job, state, trouble, took)
    }

    fn end(
        &self,
        job: &Claimed,
        state: JobState,
        trouble: Trouble,
        took: Duration,
    ) -> (Option<Finish>, &'static str) {
        let error = Some((trouble.code.clone(), trouble.message.clone()));
        let result = self.document(job, state.into(), Done::default(), Some(trouble), took);
        (Some(Finish::End { state, result, error }), state.as_str())
    }

    fn document(
        &self,
        job: &Claimed,
        status: Status,
        done: Done,
        trouble: Option<Trouble>,
        took: Duration,
    ) -> String {
        let envelope: Option<Envelope> = serde_json::from_str(&job.envelope).ok();
        let observability = envelope
            .as_ref()
            .and_then(|it| it.observability.as_ref())
            .and_then(|it| serde_json::to_value(it).ok());
        let Done { data, outputs, metrics }: Done = done;
        let (outputs, metrics): (Outputs, Option<Metrics>) = (outputs, metrics);
        ResultDocument {
            job_id: job.id.clone(),
            status,
            completed_at: rfc3339(job.claimed_at.after(took)),
            worker_id: Some(self.hold.description().worker_id.clone()),
            execution_summary: Some(ExecutionSummary {
                started_at: rfc3339(job.claimed_at),
                duration_seconds: took.as_secs_f64(),
                attempt: job.attempt,
                idempotency_key: envelope.and_then(|it| it.execution().idempotency_key),
            }),
            outputs,
            metrics,
            error: trouble.map(report),
            observability,
            data,
        }
        .to_text()
    }
}

/// Says what came of a try.
fn tell(finish: &Finish, status: &'static str, took: Duration) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    Span::current().record("status", status);
    match finish {
        Finish::End { error: Some((code, message)), .. } => {
            Span::current().record("otel.error", format!("{code}: {message}"));
            warn!(status, code, reason = message, duration_ms, "a job ended");
        }
        Finish::End { .. } => info!(status, duration_ms, "a job ended"),
        Finish::Again { after, error: (code, message) } => {
            Span::current().record("otel.error", format!("{code}: {message}"));
            let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            warn!(status, code, reason = message, duration_ms, after_ms, "a job is tried again");
        }
        Finish::GiveBack { .. } => info!(status, duration_ms, "a job is given back"),
    }
}

fn report(trouble: Trouble) -> ErrorReport {
    let Trouble { code, message, phase, details, recoverable, retry } = trouble;
    ErrorReport { code, message, phase, details, recoverable, retry_recommended: retry }
}

fn ended(done: Result<Result<Done, Trouble>, tokio::task::JoinError>) -> Outcome {
    match done {
        Ok(Ok(done)) => Outcome::Done(done),
        Ok(Err(trouble)) => Outcome::Trouble(trouble),
        Err(_) => Outcome::Trouble(Trouble {
            details: Value::Null,
            ..Trouble::passing("INTERNAL_ERROR", "a bug in the worker; its log says more")
        }),
    }
}

/// The name of an operation that lasts as long as the program does, as labels need it.
fn operation(name: &str) -> &'static str {
    Operation::ALL.into_iter().find(|it| it.as_str() == name).map_or("other", Operation::as_str)
}
