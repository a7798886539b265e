//! Where jobs are handed in and asked about.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fathom_queue::Transport;
use fathom_store::{
    Announcement, Cancelled, Event, Job, JobFilter, JobState, NewJob, NewLetter, Store, Submitted,
    SweepRules, Swept, Time, Worker, WorkerState,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{Instrument as _, Span, info, warn};

use crate::announcer::Announcer;
use crate::envelope::{Envelope, check_id};
use crate::followed::{self, submission};
use crate::gather::Gather;
use crate::moment::rfc3339;
use crate::operation::Operation;
use crate::refusal::{Refusal, RefusalCode};
use crate::requirement::Requirement;
use crate::result::{ErrorReport, Progress, ResultDocument, Status};
use crate::worker::WorkerDescription;

/// How many jobs are recorded in one transaction at most.
const BATCH: usize = 256;
/// How long a worker may be silent before it counts as gone.
const SILENCE: Duration = Duration::from_secs(60);
/// How often whoever takes a job may be lost with it.
const DELIVERIES: u32 = 3;

/// Looks at what a job is about before it is taken.
pub type Check = dyn Fn(Operation, &Value) -> Result<(), Refusal> + Send + Sync;

/// Where jobs are handed in and asked about. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    submit: Gather<NewJob, Result<Submitted, Refusal>>,
    check: Box<Check>,
    broker: Option<Broker>,
}

/// What distributes jobs, where the store does not do it alone.
struct Broker {
    transport: Arc<dyn Transport>,
    announcer: Announcer,
    /// When those that nobody took were last told of although others were waiting.
    told_again: Mutex<Instant>,
}

/// Who hands jobs in or asks about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitter {
    /// What they are called in the audit.
    pub name: String,
    /// Whose jobs those are that name no namespace.
    pub namespace: String,
    /// The namespaces that they may see; nothing: all.
    pub namespaces: Option<Vec<String>>,
}

impl Submitter {
    /// Somebody who may see everything.
    pub fn everywhere(name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: "default".to_owned(), namespaces: None }
    }

    /// Whether they may see what is of this namespace.
    pub fn sees(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == namespace))
    }
}

/// What whoever hands a job in gets for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// What the job is called.
    pub job_id: String,
    /// Where it stands.
    pub status: Status,
    /// When it was first handed in.
    pub submitted_at: String,
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// What it is called.
    pub job_id: String,
    /// Where it stands.
    pub status: Status,
    /// What is to be done, without a family.
    pub operation: String,
    /// Whose it is.
    pub namespace: String,
    /// The pool that is told of it.
    pub pool: String,
    /// 10 comes first.
    pub priority: u8,
    /// Which try it is at.
    pub attempt: u32,
    /// How often it is tried at most.
    pub max_attempts: u32,
    /// When it was handed in.
    pub submitted_at: String,
    /// Who handed it in.
    pub submitted_by: String,
    /// When somebody began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// When it is tried next, where it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// Who has or had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// Whether whoever has it is asked to stop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_requested: bool,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Trouble>,
    /// Why none of the workers may do it, where none may: a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<String>,
}

/// What went wrong, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Desk {
    /// A desk over a store, which tells `transport` of jobs; each job passes `check`. Needs a runtime of tokio around it.
    pub fn new(
        store: Store,
        transport: Option<Arc<dyn Transport>>,
        check: impl Fn(Operation, &Value) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        let writer = store.clone();
        let submit = Gather::new(BATCH, move |jobs: Vec<NewJob>| {
            let store = writer.clone();
            async move {
                match store.submit(&jobs).await {
                    Ok(submitted) => submitted.into_iter().map(Ok).collect(),
                    Err(error) => {
                        let refusal = Refusal::from(error);
                        jobs.iter().map(|_| Err(refusal.clone())).collect()
                    }
                }
            }
        });
        let broker = transport.map(|transport| Broker {
            announcer: Announcer::new(Arc::clone(&transport)),
            transport,
            told_again: Mutex::new(Instant::now()),
        });
        Self { inner: Arc::new(Inner { store, submit, check: Box::new(check), broker }) }
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Reads a job in either form, so that it can be taken in. One that has no name gets one that
    /// follows from `identity`, where there is any.
    pub fn read(job: &[u8], identity: &str) -> Result<Envelope, Refusal> {
        // Only what the short form lacks is filled in with it; all that counts goes by the store's.
        Envelope::read(job, Time::of_this_machine(), identity)
    }

    /// Takes a job in, in either form, and tells the broker of it.
    pub async fn submit(&self, job: &[u8], by: &Submitter) -> Result<Receipt, Refusal> {
        self.hand_in(Self::read(job, "")?, by).await
    }

    /// The same of one that was read.
    pub async fn hand_in(&self, job: Envelope, by: &Submitter) -> Result<Receipt, Refusal> {
        let (receipt, told) = self.take_in(job, by).await?;
        if let Some(told) = told {
            self.announce([&told]);
        }
        Ok(receipt)
    }

    /// The same for whoever will take the job itself: what the broker is to be told of otherwise comes
    /// back, where the job is new.
    pub async fn take_in(
        &self,
        mut envelope: Envelope,
        by: &Submitter,
    ) -> Result<(Receipt, Option<Announcement>), Refusal> {
        let operation = envelope.operation()?;
        let span = submission(&mut envelope, operation.as_str());
        let taken = self.record(envelope, operation, by).instrument(span.clone()).await;
        if let Err(refusal) = &taken {
            span.record("otel.error", refusal.code.as_str());
        }
        taken
    }

    async fn record(
        &self,
        envelope: Envelope,
        operation: Operation,
        by: &Submitter,
    ) -> Result<(Receipt, Option<Announcement>), Refusal> {
        let namespace = namespace(&envelope, by)?;
        Span::current().record("namespace", &namespace);
        (self.inner.check)(operation, &envelope.payload.data)?;
        let (constraints, routing) = (
            envelope.constraints.clone().unwrap_or_default(),
            envelope.routing.clone().unwrap_or_default(),
        );
        let requirement = Requirement::of(operation, &constraints, &routing);
        let execution = envelope.execution();
        let new = NewJob {
            id: envelope.job_id.clone(),
            namespace,
            operation: operation.as_str().to_owned(),
            pool: requirement.pool().to_owned(),
            priority: execution.priority,
            requirement: requirement.document(),
            idempotency_key: execution.idempotency_key.clone(),
            fingerprint: envelope.fingerprint(),
            submitted_by: by.name.clone(),
            attempt: execution.attempt,
            max_attempts: execution.max_attempts,
            timeout: envelope.timeout(),
            deadline: execution.deadline(),
            cancellable: execution.cancellable,
            envelope: serde_json::to_string(&envelope).unwrap_or_default(),
        };
        let id = new.id.clone();
        let told = Announcement { job: id.clone(), pool: new.pool.clone(), priority: new.priority };
        let answer = self.inner.submit.ask(new).await.unwrap_or_else(|| {
            Err(Refusal::new(RefusalCode::Unavailable, "the service is about to end"))
        })?;
        match answer {
            Submitted::New { at } => {
                info!(
                    pool = told.pool,
                    priority = told.priority,
                    by = by.name,
                    "a job was taken in"
                );
                let receipt =
                    Receipt { job_id: id, status: Status::Pending, submitted_at: rfc3339(at) };
                Ok((receipt, Some(told)))
            }
            Submitted::Known { id: first, at, same: true } => {
                let found = self.inner.store.job(&first).await?;
                let status = found.map_or(Status::Pending, |job| outside(job.state));
                Ok((Receipt { job_id: first, status, submitted_at: rfc3339(at) }, None))
            }
            Submitted::Known { id: first, .. } if first == id => Err(Refusal::new(
                RefusalCode::Conflict,
                format!("job_id: {id} is the name of another job; each job has its own"),
            )),
            Submitted::Known { id: first, .. } => Err(Refusal::new(
                RefusalCode::Conflict,
                format!(
                    "execution.idempotency_key: {first} was sent under it and asks for something else"
                ),
            )),
            Submitted::Taken => Err(Refusal::new(
                RefusalCode::Conflict,
                format!("job_id: {id} is in use; choose another"),
            )),
        }
    }

    /// Records what came in and is no job.
    pub async fn bury(&self, source: &str, body: &[u8], reason: &str) -> Result<(), Refusal> {
        let letter =
            NewLetter { source: source.to_owned(), reason: reason.to_owned(), body: body.to_vec() };
        self.inner.store.bury(&letter).await?;
        warn!(source, reason, "what came is no job, and is kept with the reason");
        Ok(())
    }

    /// A job as it stands.
    pub async fn view(&self, id: &str, by: &Submitter) -> Result<View, Refusal> {
        let job = self.find(id, by).await?;
        let store = &self.inner.store;
        let progress = match job.state {
            JobState::Assigned | JobState::Running => store.last_event(id).await?,
            _ => None,
        };
        let unplaced = match job.state {
            JobState::Pending | JobState::Queued => self.unplaced(&job).await?,
            _ => Vec::new(),
        };
        let mut view = view(&job);
        view.progress = progress.and_then(|event| serde_json::from_str(&event.document).ok());
        view.unplaced = unplaced;
        Ok(view)
    }

    /// Jobs, the newest first, and by which number the next page goes on.
    pub async fn list(
        &self,
        mut filter: JobFilter,
        by: &Submitter,
    ) -> Result<(Vec<View>, Option<i64>), Refusal> {
        filter.namespaces = match (filter.namespaces.take(), &by.namespaces) {
            (None, seen) => seen.clone(),
            (Some(wanted), _) => Some(wanted.into_iter().filter(|name| by.sees(name)).collect()),
        };
        let most = filter.most;
        // One more than asked for tells whether there is another page.
        filter.most = most.saturating_add(1);
        let mut jobs = self.inner.store.jobs(&filter).await?;
        let next = (jobs.len() > most as usize).then(|| jobs.truncate(most as usize));
        let next = next.and_then(|()| jobs.last().map(|job| job.number));
        Ok((jobs.iter().map(view).collect(), next))
    }

    /// What a job came to, as a document; nothing while it has not ended.
    pub async fn result(&self, id: &str, by: &Submitter) -> Result<Option<String>, Refusal> {
        self.find(id, by).await?;
        Ok(self.inner.store.result(id).await?)
    }

    /// What a job told of itself after an event.
    pub async fn events(
        &self,
        id: &str,
        after: i64,
        by: &Submitter,
    ) -> Result<(Vec<Event>, Status), Refusal> {
        // Where it stands is asked first: what it told before that is then there.
        let job = self.find(id, by).await?;
        Ok((self.inner.store.events(id, after, 100).await?, outside(job.state)))
    }

    /// Calls a job off.
    pub async fn cancel(&self, id: &str, by: &Submitter) -> Result<View, Refusal> {
        self.find(id, by).await?;
        let now = self.inner.store.now().await?;
        let error = report("CANCELLED", "called off before anybody had it", false);
        let result =
            ResultDocument::without_worker(id, Status::Cancelled, rfc3339(now), error).to_text();
        let refused = |message: String| Err(Refusal::new(RefusalCode::State, message));
        match self.inner.store.cancel(id, &result).await? {
            Cancelled::AtOnce | Cancelled::Asked | Cancelled::Ended(JobState::Cancelled) => {
                info!(job_id = id, by = by.name, "a job was called off");
                self.view(id, by).await
            }
            Cancelled::Ended(state) => {
                refused(format!("the job is over: it is {}", state.as_str()))
            }
            Cancelled::Refused => {
                refused("the job was sent as one that cannot be cancelled".into())
            }
        }
    }

    /// Puts a job that failed for good back into the queue.
    pub async fn replay(&self, id: &str, by: &Submitter) -> Result<View, Refusal> {
        let job = self.find(id, by).await?;
        if !self.inner.store.replay(id).await? {
            return Err(Refusal::new(
                RefusalCode::State,
                format!(
                    "the job is {}; only what is failed, timeout or dead is sent again",
                    job.state.as_str()
                ),
            ));
        }
        info!(job_id = id, by = by.name, "a job is sent once more");
        self.view(id, by).await
    }

    /// All workers.
    pub async fn workers(&self) -> Result<Vec<Worker>, Refusal> {
        Ok(self.inner.store.workers(SILENCE).await?)
    }

    /// Tells the broker of jobs that may be taken.
    pub fn announce<'a>(&self, jobs: impl IntoIterator<Item = &'a Announcement>) {
        if let Some(broker) = &self.inner.broker {
            jobs.into_iter().for_each(|job| broker.announcer.tell(job));
        }
    }

    /// Puts in order what was left, and tells the broker of what may be taken again, and of what nobody
    /// has taken for so long.
    pub async fn sweep(&self, announce_after: Duration) -> Result<Swept, Refusal> {
        let rules = SweepRules {
            deliveries: DELIVERIES,
            announce_after,
            announce_most: self.to_tell_again(announce_after).await,
            result: |job, state, code, message| {
                let status = match state {
                    "cancelled" => Status::Cancelled,
                    "timeout" => Status::Timeout,
                    _ => Status::Dead,
                };
                let error = report(code, message, status == Status::Dead);
                ResultDocument::without_worker(job, status, rfc3339(Time::of_this_machine()), error)
                    .to_text()
            },
        };
        let swept = self.inner.store.sweep(&rules).await?;
        swept.told.iter().for_each(followed::swept);
        self.announce(swept.ready.iter().chain(&swept.forgotten));
        Ok(swept)
    }

    /// How many of the jobs that nobody has taken for long the broker is told of again. While it has
    /// some that wait, they are most likely among them; now and then some are told of all the same.
    async fn to_tell_again(&self, after: Duration) -> u32 {
        const MOST: u32 = 1000;
        let Some(broker) = &self.inner.broker else { return 0 };
        let empty = matches!(broker.transport.depth().await, Ok(Some(0)));
        let mut told = broker.told_again.lock().unwrap_or_else(PoisonError::into_inner);
        if !empty && told.elapsed() < after {
            return 0;
        }
        *told = Instant::now();
        MOST
    }

    async fn find(&self, id: &str, by: &Submitter) -> Result<Job, Refusal> {
        let unknown = || Refusal::new(RefusalCode::NotFound, format!("there is no job {id}"));
        check_id(id).map_err(|_| unknown())?;
        // What somebody may not see is not there for them.
        self.inner.store.job(id).await?.filter(|job| by.sees(&job.namespace)).ok_or_else(unknown)
    }

    /// Why no worker may do it; empty where one may.
    async fn unplaced(&self, job: &Job) -> Result<Vec<String>, Refusal> {
        let asked = self.inner.store.requirement(job.requirement).await?;
        let Some(requirement) = asked.as_deref().and_then(Requirement::parse) else {
            return Ok(Vec::new());
        };
        let mut reasons = Vec::new();
        for worker in self.workers().await? {
            if worker.state == WorkerState::Offline {
                continue;
            }
            let Ok(description) = serde_json::from_str::<WorkerDescription>(&worker.document)
            else {
                continue;
            };
            let unmet = requirement.unmet(&description);
            if unmet.is_empty() {
                return Ok(Vec::new());
            }
            reasons.push(format!("{}: {}", worker.id, unmet.join("; ")));
        }
        if reasons.is_empty() {
            reasons.push("there is no worker".to_owned());
        }
        Ok(reasons)
    }
}

/// Whose the job is: what it says, if whoever sends it may say that.
fn namespace(envelope: &Envelope, by: &Submitter) -> Result<String, Refusal> {
    let named = envelope.metadata.as_ref().and_then(|it| it.namespace.clone());
    let namespace = named.unwrap_or_else(|| by.namespace.clone());
    if by.sees(&namespace) {
        return Ok(namespace);
    }
    Err(Refusal::new(
        RefusalCode::Forbidden,
        format!("metadata.namespace: {} may not send jobs of {namespace}", by.name),
    ))
}

fn view(job: &Job) -> View {
    let waits = job.state == JobState::Pending;
    View {
        job_id: job.id.clone(),
        status: job.state.into(),
        operation: job.operation.clone(),
        namespace: job.namespace.clone(),
        pool: job.pool.clone(),
        priority: job.priority,
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        submitted_at: rfc3339(job.submitted_at),
        submitted_by: job.submitted_by.clone(),
        started_at: job.started_at.map(rfc3339),
        completed_at: job.finished_at.map(rfc3339),
        next_attempt_at: waits.then(|| rfc3339(job.available_at)),
        worker_id: job.worker.clone(),
        cancel_requested: job.cancel && !job.state.is_final(),
        progress: None,
        error: job.error.clone().map(|(code, message)| Trouble { code, message }),
        unplaced: Vec::new(),
    }
}

fn outside(state: JobState) -> Status {
    state.into()
}

fn report(code: &str, message: &str, retry: bool) -> ErrorReport {
    ErrorReport {
        code: code.to_owned(),
        message: message.to_owned(),
        phase: None,
        details: Value::Null,
        recoverable: retry,
        retry_recommended: retry,
    }
}
