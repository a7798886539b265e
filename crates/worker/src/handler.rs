//! What does a job.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use fathom_jobs::{Hold, Metrics, Operation, Outputs, Progress};
use fathom_store::Time;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::span::Phases;

/// Why a job that is being worked at has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was called off.
    Cancelled,
    /// It is somebody else's now.
    Lost,
    /// The try took too long.
    TimedOut,
    /// It should have been done by now.
    Late,
    /// The worker has to leave.
    Leaving,
}

/// A job, as far as it concerns who does it.
pub struct Task {
    /// What it is called.
    pub job: String,
    /// Whose it is.
    pub namespace: String,
    /// What it is about.
    pub data: Value,
    /// The largest disk that may be looked at, in bytes.
    pub largest_disk: Option<u64>,
    /// When it was sent.
    pub submitted: Time,
    pub(crate) fence: i64,
    pub(crate) hold: Hold,
    pub(crate) stop: watch::Receiver<Option<Stop>>,
    pub(crate) progress: mpsc::Sender<(String, i64, Progress)>,
    pub(crate) phases: Phases,
}

impl Task {
    /// Says how far it has come. Where nobody keeps up with it, some of it is not told.
    pub fn progress(&self, phase: &str, percent: Option<u8>, message: &str) {
        self.phases.enter(phase);
        self.tell(phase, percent, message);
    }

    /// The same of a phase that it went into elsewhere.
    pub(crate) fn tell(&self, phase: &str, percent: Option<u8>, message: &str) {
        let progress = Progress {
            phase: phase.to_owned(),
            progress_percent: percent.map(|percent| percent.min(100)),
            message: message.to_owned(),
        };
        let _ = self.progress.try_send((self.job.clone(), self.fence, progress));
    }

    /// Whether the job is still this worker's, and not called off, as the store has it now. To be asked
    /// before something is done that others see.
    pub async fn is_held(&self) -> Result<bool, fathom_store::Error> {
        self.hold.is_held(&self.job, self.fence).await
    }

    /// Ends when the job has to.
    pub async fn stopped(&self) -> Stop {
        let mut stop = self.stop.clone();
        match stop.wait_for(Option::is_some).await {
            Ok(stop) => stop.unwrap_or(Stop::Leaving),
            // Whoever would say so is gone.
            Err(_) => Stop::Leaving,
        }
    }
}

/// What came of a job that was done.
#[derive(Debug, Default)]
pub struct Done {
    /// What the operation gives.
    pub data: Value,
    /// What was written elsewhere.
    pub outputs: Outputs,
    /// What it took.
    pub metrics: Option<Metrics>,
}

/// Why a job could not be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// What was being done.
    pub phase: Option<String>,
    /// What else there is to say.
    pub details: Value,
    /// Whether it might be done by other means.
    pub recoverable: bool,
    /// Whether the same may well succeed later.
    pub retry: bool,
}

impl Trouble {
    /// Trouble that trying again does not mend.
    pub fn lasting(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            phase: None,
            details: Value::Null,
            recoverable: false,
            retry: false,
        }
    }

    /// Trouble that may well be over at the next try.
    pub fn passing(code: &str, message: impl Into<String>) -> Self {
        Self { recoverable: true, retry: true, ..Self::lasting(code, message) }
    }
}

/// A job being done.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Done, Trouble>> + Send + 'a>>;

/// Does the jobs of one operation.
pub trait Handler: Send + Sync {
    /// Which.
    fn operation(&self) -> Operation;

    /// Does it. Who is asked to stop ([`Task::stopped`]) ends soon; what it gives then does not count.
    fn run<'a>(&'a self, task: &'a Task) -> Running<'a>;
}

/// The handlers of a worker.
#[derive(Clone, Default)]
pub struct Handlers {
    by_operation: BTreeMap<&'static str, Arc<dyn Handler>>,
}

impl Handlers {
    /// One more.
    #[must_use]
    pub fn with(mut self, handler: impl Handler + 'static) -> Self {
        self.by_operation.insert(handler.operation().as_str(), Arc::new(handler));
        self
    }

    /// What can be done with them.
    pub fn operations(&self) -> Vec<String> {
        self.names().map(str::to_owned).collect()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.by_operation.keys().copied()
    }

    pub(crate) fn get(&self, operation: &str) -> Option<Arc<dyn Handler>> {
        self.by_operation.get(operation).cloned()
    }
}
