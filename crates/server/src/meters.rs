//! What the service counts, and how it is told. Labels have few values: a path is told by its pattern.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::process;
use crate::service::Service;

const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    state: &'static str,
}

/// How many pools are told apart: who names a thousand of them does not make a thousand series.
const POOLS: usize = 50;

/// What the service counts.
pub(crate) struct Meters {
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram>,
    depth: Family<Pool, Gauge>,
    connections: Family<Connections, Gauge>,
}

impl Meters {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let meters = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            depth: Family::default(),
            connections: Family::default(),
        };
        registry.register(
            "fathom_http_requests",
            "Requests that were answered",
            meters.requests.clone(),
        );
        registry.register(
            "fathom_http_request_duration_seconds",
            "How long it took to begin to answer",
            meters.durations.clone(),
        );
        registry.register(
            "fathom_worker_queue_depth",
            "Jobs that nobody has taken yet",
            meters.depth.clone(),
        );
        registry.register(
            "fathom_store_connections",
            "Connections to the store",
            meters.connections.clone(),
        );
        process::register(registry);
        meters
    }

    pub(crate) fn request(
        &self,
        method: &Method,
        route: &'static str,
        status: StatusCode,
        took: Duration,
    ) {
        let method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::DELETE => "DELETE",
            Method::HEAD => "HEAD",
            _ => "other",
        };
        self.requests.get_or_create(&Answered { method, route, status: status.as_u16() }).inc();
        self.durations.get_or_create(&Asked { method, route }).observe(took.as_secs_f64());
    }

    async fn refresh(&self, service: &Service) -> Result<(), fathom_store::Error> {
        let store = service.desk().store();
        let (open, idle) = store.connections();
        for (state, count) in [("busy", open.saturating_sub(idle)), ("idle", idle)] {
            self.connections.get_or_create(&Connections { state }).set(count.into());
        }
        let waiting = store.waiting().await?;
        self.depth.clear();
        let mut others = 0;
        for (index, (pool, jobs)) in waiting.into_iter().enumerate() {
            if index < POOLS {
                self.depth.get_or_create(&Pool { pool }).set(jobs);
            } else {
                others += jobs;
            }
        }
        if others > 0 {
            self.depth.get_or_create(&Pool { pool: "(others)".to_owned() }).set(others);
        }
        Ok(())
    }
}

/// All that is counted, as Prometheus reads it. What the store would have to say is left out where it
/// does not answer.
pub async fn exposition(service: &Service) -> String {
    let inner = &service.inner;
    let limit = Duration::from_secs(2);
    if !matches!(tokio::time::timeout(limit, inner.meters.refresh(service)).await, Ok(Ok(()))) {
        inner.meters.depth.clear();
    }
    let mut text = String::new();
    // It writes to memory.
    let _ = prometheus_client::encoding::text::encode(&mut text, &inner.registry);
    text
}
