//! How long we wait for whom, and how often we knock.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::{Error, Kind, Result};

/// The first pause between two attempts, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long we go on trying while the connection is what fails.
pub(crate) struct Patience {
    since: Instant,
    limit: Duration,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Patience {
        Patience { since: Instant::now(), limit, pause: FIRST_PAUSE }
    }

    /// Pauses before the next attempt, at growing intervals; or gives the error back where another
    /// attempt makes nothing good or comes too late.
    pub(crate) async fn after(&mut self, error: Error) -> Result<()> {
        if !error.is_passing() || self.since.elapsed() + self.pause >= self.limit {
            return Err(error);
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Takes no answer for an answer after this time.
pub(crate) async fn within<T>(
    limit: Duration,
    what: &str,
    answer: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
        Err(Error::new(Kind::Unreachable, format!("{what} did not answer within {limit:?}")))
    })
}
