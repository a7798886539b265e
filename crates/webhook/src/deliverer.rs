//! The loop that delivers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fathom_block::source::Web;
use fathom_jobs::Backoff;
use fathom_store::{Delivered, Due, Error, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::endpoint::{Endpoint, Refused};

/// How many messages are under way at once.
const PARALLEL: usize = 8;
/// How long it waits where nothing is due.
const PAUSE: Duration = Duration::from_secs(1);
/// How much longer than a message may take its claim holds.
const MARGIN: Duration = Duration::from_secs(10);
/// The waits between tries: some forty in a day.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(3600) };
/// The answer of who will never take it.
const GONE: u16 = 410;

/// Delivers what webhooks are to be told.
pub struct Deliverer {
    store: Store,
    endpoints: HashMap<String, Arc<(Endpoint, Web)>>,
    names: Vec<String>,
    lease: Duration,
    backoff: Backoff,
}

impl Deliverer {
    /// Says in the store who is told from now on.
    pub async fn register(store: Store, endpoints: Vec<Endpoint>) -> Result<Self, Error> {
        let webhooks: Vec<_> = endpoints.iter().map(Endpoint::webhook).collect();
        store.set_webhooks(&webhooks).await?;
        let longest = endpoints.iter().map(|it| it.timeout).max().unwrap_or_default();
        let names = webhooks.into_iter().map(|it| it.name).collect();
        let endpoints = endpoints
            .into_iter()
            .map(|it| {
                let web = it.web();
                (it.name.clone(), Arc::new((it, web)))
            })
            .collect();
        Ok(Self { store, endpoints, names, lease: longest + MARGIN, backoff: BACKOFF })
    }

    /// Waits as this says between tries.
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Delivers until `stop` says to leave; what is under way is ended first.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        if self.names.is_empty() {
            return;
        }
        let this = Arc::new(self);
        let mut under_way = JoinSet::new();
        while !*stop.borrow() {
            while under_way.try_join_next().is_some() {}
            let free = PARALLEL.saturating_sub(under_way.len());
            if free == 0 {
                under_way.join_next().await;
                continue;
            }
            let most = u32::try_from(free).unwrap_or(u32::MAX);
            // Where the store does not answer it is asked again.
            let due = this.store.due_deliveries(&this.names, most, this.lease).await;
            let due = due.unwrap_or_default();
            if due.is_empty() {
                tokio::select! {
                    () = this.store.work(PAUSE) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
                continue;
            }
            for one in due {
                under_way.spawn(Arc::clone(&this).deliver(one));
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn deliver(self: Arc<Self>, due: Due) {
        let Some(endpoint) = self.endpoints.get(&due.webhook).map(Arc::clone) else { return };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let (id, fence, attempt, age) = (due.id.clone(), due.fence, due.attempt, due.age);
        let give_up = endpoint.0.give_up;
        let sent = tokio::task::spawn_blocking(move || endpoint.0.send(&endpoint.1, &due, now));
        let came = match sent.await {
            Ok(Ok(status)) => Delivered::Yes(status),
            Ok(Err(Refused { status: Some(GONE), why })) => Delivered::Never(Some(GONE), why),
            Ok(Err(Refused { status, why })) => {
                let wait = self.backoff.after(attempt);
                if age.saturating_add(wait) > give_up {
                    let tries = format!("{why}; given up after {attempt} tries");
                    Delivered::Never(status, tries)
                } else {
                    Delivered::Again(wait, status, why)
                }
            }
            Err(_) => {
                Delivered::Again(self.backoff.after(attempt), None, "a bug of ours".to_owned())
            }
        };
        // What cannot be said now is due again when the claim is over, and told once more.
        let _ = self.store.delivered(&id, fence, &came).await;
    }
}
