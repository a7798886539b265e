//! What the service counts, and how it is told. Labels have few values: a path is told by its pattern.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use fathom_store::Connections;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
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
struct Pooled {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

/// How many pools are told apart: who names a thousand of them does not make a thousand series.
const POOLS: usize = 50;

/// What the service counts.
pub(crate) struct Meters {
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram>,
    depth: Family<Pool, Gauge>,
    /// Pools that have had jobs waiting: when there are none any more, that is told.
    pools: Mutex<BTreeSet<String>>,
    connections: Family<Pooled, Gauge>,
    most_connections: Gauge,
    store_up: Gauge,
}

impl Meters {
    pub(crate) fn register(registry: &mut Registry, version: &'static str) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let meters = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            depth: Family::default(),
            pools: Mutex::default(),
            connections: Family::default(),
            most_connections: Gauge::default(),
            store_up: Gauge::default(),
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
        registry.register(
            "fathom_store_connections_limit",
            "How many connections to the store there may be",
            meters.most_connections.clone(),
        );
        registry.register(
            "fathom_store_up",
            "Whether the store answered when it was asked for these figures",
            meters.store_up.clone(),
        );
        registry.register("fathom_build", "Which program this is", Info::new(Build { version }));
        process::register(registry);
        meters
    }

    pub(crate) fn request(
        &self,
        method: &'static str,
        route: &'static str,
        status: StatusCode,
        took: Duration,
    ) {
        self.requests.get_or_create(&Answered { method, route, status: status.as_u16() }).inc();
        self.durations.get_or_create(&Asked { method, route }).observe(took.as_secs_f64());
    }

    async fn refresh(&self, service: &Service) -> Result<(), fathom_store::Error> {
        let store = service.desk().store();
        let Connections { busy, idle, most } = store.connections();
        for (state, count) in [("busy", busy), ("idle", idle)] {
            self.connections.get_or_create(&Pooled { state }).set(count.into());
        }
        self.most_connections.set(most.into());
        let waiting = store.waiting().await?;
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = 0;
        let mut depths: Vec<_> = pools.iter().map(|pool| (pool.clone(), 0)).collect();
        for (pool, jobs) in waiting {
            if let Some(known) = depths.iter_mut().find(|(name, _)| *name == pool) {
                known.1 = jobs;
            } else if depths.len() < POOLS {
                pools.insert(pool.clone());
                depths.push((pool, jobs));
            } else {
                others += jobs;
            }
        }
        if others > 0 {
            depths.push(("(others)".to_owned(), others));
        }
        self.depth.clear();
        for (pool, jobs) in depths {
            self.depth.get_or_create(&Pool { pool }).set(jobs);
        }
        Ok(())
    }
}

/// All that is counted, as OpenMetrics. What the store would have to say is left out where it does not
/// answer.
pub(crate) async fn exposition(service: &Service) -> String {
    let inner = &service.inner;
    let limit = Duration::from_secs(2);
    let asked = tokio::time::timeout(limit, inner.meters.refresh(service)).await;
    let answers = matches!(asked, Ok(Ok(())));
    inner.meters.store_up.set(answers.into());
    if !answers {
        inner.meters.depth.clear();
    }
    let mut text = String::new();
    // It writes to memory.
    let _ = prometheus_client::encoding::text::encode(&mut text, &inner.registry);
    text
}

/// The same in the older format of Prometheus, in which a family is called as its samples are.
pub(crate) fn plain(exposition: &str) -> String {
    let mut text = String::with_capacity(exposition.len());
    let mut about = None;
    for line in exposition.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            about = help.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            if let Some((_, help)) = about.take_if(|(named, _)| *named == name) {
                text.push_str(&format!("# HELP {name}{suffix} {help}\n"));
            }
            text.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn families_are_called_as_their_samples() {
        let open = "# HELP a Some of it.\n# TYPE a counter\na_total 1\n# HELP b_bytes More.\n\
                    # TYPE b_bytes gauge\n# UNIT b_bytes bytes\nb_bytes{c=\"#\"} 2\n\
                    # HELP d That.\n# TYPE d info\nd_info{v=\"1\"} 1\n# EOF\n";
        let plain = "# HELP a_total Some of it.\n# TYPE a_total counter\na_total 1\n\
                     # HELP b_bytes More.\n# TYPE b_bytes gauge\nb_bytes{c=\"#\"} 2\n\
                     # HELP d_info That.\n# TYPE d_info gauge\nd_info{v=\"1\"} 1\n";
        assert_eq!(super::plain(open), plain);
    }
}
