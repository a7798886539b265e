//! What the handlers share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use fathom_fleet::Advisories;
use fathom_jobs::{Desk, Gather};
use fathom_secret::Secret;
use fathom_store::{Deed, Store};
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use crate::connections::Connections;
use crate::guesses::Guesses;
use crate::identify::Identities;
use crate::limit::Limiter;
use crate::meters::Meters;
use crate::problem::Problem;

/// How many deeds are recorded in one transaction at most.
const BATCH: usize = 256;

/// How many passwords are looked at at once.
const LOGINS: usize = 2;

/// How a service behaves.
pub struct Rules {
    /// The largest body of a request.
    pub body_limit: usize,
    /// The most entries of a page.
    pub page_limit: u32,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How many connections may be open at once.
    pub max_connections: usize,
    /// How long the head of a request may take, with the silence before it.
    pub idle_timeout: Duration,
    /// How many requests each caller may make.
    pub rate: Option<Rate>,
    /// Whether whoever comes over the loopback needs no token.
    pub open: bool,
    /// Whether somebody may come from there at all.
    pub admits: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Whether what stands in front of us there says truly who comes.
    pub trusts: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// What is known of flaws, unless nobody is to look for them.
    pub advisories: Option<Arc<Advisories>>,
    /// Whether tokens of ours count that did not come of a login.
    pub tokens: bool,
    /// How long one counts at most.
    pub token_lifetime: Duration,
    /// A token by which everything may be done, to set an installation up with.
    pub bootstrap: Option<Secret>,
    /// How long a login counts.
    pub session_lifetime: Duration,
    /// Whose tokens count besides ours.
    pub identities: Option<Identities>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            body_limit: 2 << 20,
            page_limit: 500,
            request_timeout: Duration::from_secs(30),
            max_connections: 512,
            idle_timeout: Duration::from_secs(75),
            rate: None,
            open: false,
            admits: Box::new(|_| true),
            trusts: Box::new(|_| false),
            advisories: None,
            tokens: true,
            token_lifetime: Duration::from_secs(365 * 24 * 3600),
            bootstrap: None,
            session_lifetime: Duration::from_secs(12 * 3600),
            identities: None,
        }
    }
}

/// How many requests somebody may make.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// A second, in the long run.
    pub per_second: f64,
    /// At once.
    pub burst: u32,
}

/// The service, as its handlers see it. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) desk: Desk,
    pub(crate) rules: Rules,
    pub(crate) registry: Arc<Registry>,
    pub(crate) meters: Meters,
    pub(crate) connections: Connections,
    pub(crate) limiter: Limiter,
    pub(crate) guesses: Guesses,
    /// How many passwords are looked at at once.
    pub(crate) logins: Semaphore,
    pub(crate) version: &'static str,
    /// Places for those who have documents compared.
    pub(crate) scans: Arc<Semaphore>,
    deeds: Gather<Deed, bool>,
}

impl Service {
    /// A service over a desk. What `registry` knows is told at `/metrics`. Needs a runtime of tokio
    /// around it.
    pub fn new(desk: Desk, rules: Rules, mut registry: Registry, version: &'static str) -> Self {
        let meters = Meters::register(&mut registry, version);
        let store = desk.store().clone();
        let deeds = Gather::new(BATCH, move |deeds: Vec<Deed>| {
            let store = store.clone();
            async move {
                let recorded = store.record(&deeds).await.is_ok();
                vec![recorded; deeds.len()]
            }
        });
        let inner = Inner {
            desk,
            registry: Arc::new(registry),
            meters,
            connections: Connections::new(rules.max_connections),
            limiter: Limiter::new(rules.rate),
            guesses: Guesses::default(),
            logins: Semaphore::new(LOGINS),
            scans: Arc::new(Semaphore::new(crate::routes::SCANS)),
            rules,
            version,
            deeds,
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.inner.desk
    }

    pub(crate) fn store(&self) -> &Store {
        self.inner.desk.store()
    }

    /// Counts a request of this caller, and refuses it where it is one too many.
    pub(crate) fn limit(&self, who: &str) -> Result<(), Problem> {
        self.inner.limiter.take(who).map_err(|seconds| {
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "RATE_LIMITED",
                "too many requests; slow down",
            )
            .retry_after(seconds)
        })
    }

    /// Records what is about to be done. What cannot be recorded is not done.
    pub(crate) async fn record(&self, deed: Deed) -> Result<(), Problem> {
        if self.inner.deeds.ask(deed).await == Some(true) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "AUDIT_UNAVAILABLE",
            "what was asked for cannot be recorded at the moment, and is not done; try again",
        )
        .retry_after(1))
    }
}
