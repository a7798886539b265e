//! Passes on how far jobs have come, many at once.

use std::time::Duration;

use fathom_jobs::{Hold, Progress};
use tokio::sync::mpsc;

/// How many may wait to be told.
const WAITING: usize = 1024;
/// How long they gather.
const PAUSE: Duration = Duration::from_millis(100);

/// Begins to pass on; ends when nobody has anything to say any more.
pub(crate) fn start(hold: Hold) -> mpsc::Sender<(String, i64, Progress)> {
    let (sender, mut told) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut batch: Vec<(String, i64, Progress)> = Vec::new();
        while told.recv_many(&mut batch, WAITING).await > 0 {
            let events: Vec<_> = batch
                .drain(..)
                .map(|(job, fence, progress)| {
                    (job, fence, serde_json::to_string(&progress).unwrap_or_default())
                })
                .collect();
            // Progress is for people who watch: what cannot be told now is not worth telling later.
            let _ = hold.tell(&events).await;
            tokio::time::sleep(PAUSE).await;
        }
    });
    sender
}
