//! Where a worker gets its jobs from: the store alone, or a broker that says which to look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fathom_jobs::{Desk, Hold, Submitter, Taken};
use fathom_queue::{Body, Delivery, Transport};
use tracing::{info, warn};

use crate::meters::Meters;

/// How often a worker looks for work of other processes in a store that does not call.
const IDLE: Duration = Duration::from_millis(200);
/// How long a broker may be waited for.
const WAIT: Duration = Duration::from_secs(2);
/// When a job that we may not do is offered to others again.
const OTHERS: Duration = Duration::from_secs(2);
/// When what cannot be recorded now is tried again.
const LATER: Duration = Duration::from_secs(5);

/// What the store is called where it distributes jobs itself.
const STORE: &str = "store";

/// Where a worker gets its jobs from.
pub struct Source {
    desk: Desk,
    broker: Option<Arc<dyn Transport>>,
    /// Whether the broker did lately what it was asked for.
    well: AtomicBool,
}

impl Source {
    /// From the store of this desk, where a broker is given of those that it tells of. What others
    /// publish there is taken in at the desk.
    pub fn new(desk: Desk, broker: Option<Arc<dyn Transport>>) -> Self {
        Self { desk, broker, well: AtomicBool::new(true) }
    }

    /// Tells what has not happened yet as 0.
    pub(crate) fn begin(&self, meters: &Meters) {
        let name = self.broker.as_ref().map_or(STORE, |broker| broker.name());
        meters.fetched(name, 0);
        meters.failures(name, 0);
    }

    /// Up to so many jobs; waits for the first of them, for a while.
    pub(crate) async fn next(
        &self,
        hold: &Hold,
        most: u32,
        meters: &Meters,
    ) -> Result<Vec<Taken>, fathom_store::Error> {
        let Some(broker) = &self.broker else {
            let got = hold.claim(most, None).await.inspect_err(|_| meters.failed(STORE))?;
            meters.fetched(STORE, got.len());
            if got.is_empty() {
                self.desk.store().work(IDLE).await;
            }
            return Ok(got);
        };
        match broker.receive(most as usize, WAIT).await {
            Ok(deliveries) => {
                if !self.well.swap(true, Ordering::Relaxed) {
                    info!(transport = broker.name(), "the broker answers again");
                }
                meters.fetched(broker.name(), deliveries.len());
                self.look(broker.as_ref(), hold, most, deliveries, meters).await
            }
            Err(error) => {
                if self.well.swap(false, Ordering::Relaxed) {
                    let transport = broker.name();
                    warn!(transport, %error, "the broker does not answer; the store is asked meanwhile");
                }
                meters.failed(broker.name());
                // Jobs are in the store all the same.
                let got = hold.claim(most, None).await?;
                if got.is_empty() {
                    tokio::time::sleep(IDLE).await;
                }
                Ok(got)
            }
        }
    }

    /// Takes on what the messages are about, and says to the broker what became of each.
    async fn look(
        &self,
        broker: &dyn Transport,
        hold: &Hold,
        most: u32,
        deliveries: Vec<Delivery>,
        meters: &Meters,
    ) -> Result<Vec<Taken>, fathom_store::Error> {
        let mut wanted = Vec::with_capacity(deliveries.len());
        let mut tickets = Vec::with_capacity(deliveries.len());
        let mut recorded = Vec::new();
        let mut taken_in = Vec::new();
        let mut later = Vec::new();
        for delivery in deliveries {
            match &delivery.body {
                Body::Ticket(ticket) => {
                    wanted.push(ticket.job.clone());
                    tickets.push((ticket.job.clone(), delivery));
                }
                Body::Foreign(bytes) => {
                    let from = format!("{}:{}", broker.name(), delivery.source);
                    let by = Submitter::everywhere(&from);
                    let taken = match Desk::read(bytes, &delivery.identity) {
                        Ok(envelope) => self.desk.take_in(envelope, &by).await,
                        Err(refusal) => Err(refusal),
                    };
                    match taken {
                        Ok((receipt, told)) => {
                            wanted.push(receipt.job_id);
                            taken_in.extend(told);
                            recorded.push(delivery.receipt);
                        }
                        Err(refusal) if refusal.is_passing() => later.push(delivery),
                        Err(refusal) => {
                            let kept = self.desk.bury(&from, bytes, &refusal.message).await;
                            let buried = match kept {
                                Ok(()) => broker.bury(delivery, &refusal.message).await,
                                Err(_) => broker.give_back(vec![delivery], LATER).await,
                            };
                            // What the broker was not told comes again.
                            if buried.is_err() {
                                meters.failed(broker.name());
                            }
                        }
                    }
                }
            }
        }
        let got = match hold.claim(most, Some(&wanted)).await {
            Ok(got) => got,
            // The messages come again when we were silent for long enough, or gone.
            Err(error) => {
                later.extend(tickets.into_iter().map(|(_, delivery)| delivery));
                self.settle(broker, recorded, later, LATER, meters).await;
                return Err(error);
            }
        };
        let has = |id: &str| got.iter().any(|taken| taken.job.id == id);
        let left: Vec<String> = wanted.into_iter().filter(|job| !has(job)).collect();
        // Of what we did not get some may be for others; where it cannot be told now, a sweep will.
        let ready = match left.is_empty() {
            true => Vec::new(),
            false => self.desk.store().ready(&left).await.unwrap_or_default(),
        };
        self.desk.announce(taken_in.iter().filter(|told| ready.contains(&told.job)));
        let mut others = Vec::new();
        for (job, delivery) in tickets {
            if ready.contains(&job) {
                others.push(delivery);
            } else {
                recorded.push(delivery.receipt);
            }
        }
        self.settle(broker, recorded, later, LATER, meters).await;
        self.settle(broker, Vec::new(), others, OTHERS, meters).await;
        Ok(got)
    }

    async fn settle(
        &self,
        broker: &dyn Transport,
        done: Vec<fathom_queue::Receipt>,
        back: Vec<Delivery>,
        after: Duration,
        meters: &Meters,
    ) {
        // A message that the broker was not told about comes again, and its job is not there to be
        // taken any more.
        if !done.is_empty() && broker.acknowledge(done).await.is_err() {
            meters.failed(broker.name());
        }
        if !back.is_empty() && broker.give_back(back, after).await.is_err() {
            meters.failed(broker.name());
        }
    }
}
