//! What a worker counts. Labels have few values: never the name of a job or a machine.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// From a hundredth of a second to an hour.
const BUCKETS: [f64; 14] =
    [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// By operation and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Ended {
    pub(crate) operation: &'static str,
    pub(crate) status: &'static str,
}

/// By operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Of {
    pub(crate) operation: &'static str,
}

/// By handler and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Handled {
    pub(crate) handler: &'static str,
    pub(crate) status: &'static str,
}

/// By transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct By {
    pub(crate) transport: &'static str,
}

/// What a worker counts.
#[derive(Debug)]
pub struct Meters {
    pub(crate) jobs: Family<Ended, Counter>,
    pub(crate) durations: Family<Of, Histogram>,
    pub(crate) active: Gauge,
    pub(crate) executions: Family<Handled, Counter>,
    pub(crate) handler_durations: Family<Handled, Histogram>,
    pub(crate) refused: Counter,
    fetches: Family<By, Counter>,
    errors: Family<By, Counter>,
}

impl Meters {
    /// Meters that `registry` tells of.
    pub fn register(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let meters = Self {
            jobs: Family::default(),
            durations: Family::new_with_constructor(histogram),
            active: Gauge::default(),
            executions: Family::default(),
            handler_durations: Family::new_with_constructor(histogram),
            refused: Counter::default(),
            fetches: Family::default(),
            errors: Family::default(),
        };
        let Self { jobs, durations, active, executions, handler_durations, .. } = &meters;
        registry.register("fathom_worker_jobs", "Tries that ended, by how", jobs.clone());
        registry.register(
            "fathom_worker_jobs_duration_seconds",
            "How long a job took from its claim to its end",
            durations.clone(),
        );
        registry.register("fathom_worker_active_jobs", "Jobs being done", active.clone());
        registry.register(
            "fathom_handler_executions",
            "Times that a handler was called, by how it ended",
            executions.clone(),
        );
        registry.register(
            "fathom_handler_duration_seconds",
            "How long a handler took",
            handler_durations.clone(),
        );
        registry.register(
            "fathom_worker_results_refused",
            "Results that did not count, since the job was somebody else's by then",
            meters.refused.clone(),
        );
        registry.register(
            "fathom_transport_fetches",
            "Jobs that came from the store, or messages from a broker",
            meters.fetches.clone(),
        );
        registry.register(
            "fathom_transport_errors",
            "Times that the store or a broker did not do what it was asked for",
            meters.errors.clone(),
        );
        meters
    }

    /// Tells what has not happened yet as 0, so that the first time shows.
    pub(crate) fn begin(&self, operations: impl IntoIterator<Item = &'static str>) {
        for operation in operations {
            drop(self.durations.get_or_create(&Of { operation }));
            for status in ["completed", "failed"] {
                self.jobs.get_or_create(&Ended { operation, status }).inc_by(0);
            }
            for status in ["success", "error"] {
                let handled = Handled { handler: operation, status };
                self.executions.get_or_create(&handled).inc_by(0);
                drop(self.handler_durations.get_or_create(&handled));
            }
        }
    }

    pub(crate) fn fetched(&self, transport: &'static str, messages: usize) {
        self.fetches.get_or_create(&By { transport }).inc_by(messages as u64);
    }

    pub(crate) fn failed(&self, transport: &'static str) {
        self.failures(transport, 1);
    }

    pub(crate) fn failures(&self, transport: &'static str, times: u64) {
        self.errors.get_or_create(&By { transport }).inc_by(times);
    }
}
