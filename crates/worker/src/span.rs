//! The spans of a try at a job: it waited, it was claimed, its handler goes through phases, and what came
//! of it is recorded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fathom_jobs::{Observability, Taken};
use fathom_store::Claimed;
use tracing::{Span, field, info_span};

/// The span of a try, in which those of the wait and of the claim have ended already.
pub(crate) fn attempt(taken: &Taken, operation: &'static str, worker: &str) -> Span {
    let Claimed { id, attempt, available_at, claimed_at, envelope, .. } = &taken.job;
    let observability = Observability::of_envelope(envelope);
    let parent = observability.context().map(|context| context.to_string());
    let (asked, got) = (micros(taken.asked.0), micros(taken.asked.1));
    let waited = info_span!(
        parent: None,
        "queue",
        otel.parent = parent,
        otel.start = available_at.0,
        otel.end = claimed_at.0,
        job_id = id,
        attempt,
    );
    // Without a parent elsewhere it begins a trace of which the rest is a part.
    let above = fathom_trace::Context::of_span(&waited).map(|context| context.to_string());
    drop(waited);
    let span = info_span!(
        parent: None,
        "attempt",
        otel.kind = "consumer",
        otel.parent = parent.or(above),
        otel.start = asked,
        otel.error = field::Empty,
        job_id = id,
        operation,
        attempt,
        worker,
        correlation_id = observability.correlation_id,
        status = field::Empty,
    );
    drop(info_span!(parent: &span, "claim", otel.start = asked, otel.end = got));
    span
}

fn micros(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The phases of a handler, a span each. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Phases {
    handler: Span,
    /// The one that it is in.
    now: Arc<Mutex<Option<(String, Span)>>>,
}

impl Phases {
    pub(crate) fn of(handler: Span) -> Self {
        Self { handler, now: Arc::default() }
    }

    /// It goes into a phase, unless it is in that already.
    pub(crate) fn enter(&self, phase: &str) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.as_ref().is_none_or(|(known, _)| known != phase) {
            // One ends before the next begins.
            *now = None;
            let span = info_span!(parent: &self.handler, "phase", otel.name = phase, phase);
            *now = Some((phase.to_owned(), span));
        }
    }

    /// The phase ends, and no other begins yet.
    pub(crate) fn leave(&self) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
