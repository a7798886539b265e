//! Tells a broker of jobs that may be taken.

use std::sync::Arc;

use fathom_queue::{Ticket, Transport};
use fathom_store::Announcement;
use tokio::sync::mpsc;

/// How many may wait to be told.
const WAITING: usize = 10_000;
/// How many are told at once.
const BATCH: usize = 500;

/// Tells a broker of jobs, many at once. What it cannot tell is told by a sweep later: the store knows
/// the job all the same. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Announcer {
    door: mpsc::Sender<Ticket>,
}

impl Announcer {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        let (door, mut waiting) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                // It looks for a broker that is gone by itself, for a while.
                let _ = transport.publish(&batch).await;
                batch.clear();
            }
        });
        Self { door }
    }

    pub(crate) fn tell(&self, job: &Announcement) {
        let ticket = Ticket {
            job: job.job.clone(),
            pool: job.pool.clone(),
            priority: job.priority,
            key: job.job.clone(),
        };
        let _ = self.door.try_send(ticket);
    }
}
