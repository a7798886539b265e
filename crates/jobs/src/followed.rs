//! How a job is followed from who sends it to who does it: it carries the ids of the span in which it was
//! taken in, unless whoever sends it has given it others.

use fathom_store::Told;
use fathom_trace::Context;
use serde::Deserialize;
use tracing::{Span, field, info_span, warn};

use crate::envelope::{Envelope, Observability};

/// The member with the flags of W3C, beside those that the protocol names.
const FLAGS: &str = "trace_flags";

impl Observability {
    /// What is to be read of a job that lies in the store.
    pub fn of_envelope(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Only {
            observability: Option<Observability>,
        }
        let only: Option<Only> = serde_json::from_str(text).ok();
        only.and_then(|only| only.observability).unwrap_or_default()
    }

    /// Where in which trace the job is, where that is said as OpenTelemetry has it.
    pub fn context(&self) -> Option<Context> {
        let flags = self.other.get(FLAGS).and_then(|flags| flags.as_str());
        Context::of(self.trace_id.as_deref()?, self.span_id.as_deref()?, flags)
    }
}

/// Writes what a sweep has done to a job, where its trace is.
pub(crate) fn swept(told: &Told) {
    let observability = Observability::of_envelope(&told.envelope);
    let span = info_span!(
        parent: None,
        "sweep",
        otel.parent = observability.context().map(|context| context.to_string()),
        otel.error = told.reason,
        job_id = told.job,
        correlation_id = observability.correlation_id,
    );
    span.in_scope(|| warn!(reason = told.reason, "a job was swept"));
}

/// The span in which a job is taken in.
pub(crate) fn submission(envelope: &mut Envelope, operation: &'static str) -> Span {
    let sent = envelope.observability.as_ref().and_then(Observability::context);
    let correlation = envelope.observability.as_ref().and_then(|it| it.correlation_id.as_deref());
    let span = info_span!(
        "submit",
        otel.kind = "producer",
        otel.parent = sent.map(|context| context.to_string()),
        job_id = envelope.job_id,
        operation,
        namespace = field::Empty,
        correlation_id = correlation,
        otel.error = field::Empty,
    );
    let known = envelope.observability.as_ref().is_some_and(|it| it.trace_id.is_some());
    if let Some(context) = Context::of_span(&span).filter(|_| !known) {
        let observability = envelope.observability.get_or_insert_default();
        observability.trace_id = Some(context.trace.to_string());
        observability.span_id = Some(context.span.to_string());
        observability.parent_span_id = context.parent.map(|parent| parent.to_string());
        observability.other.insert(FLAGS.to_owned(), context.flags().into());
    }
    span
}
