//! How often somebody may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::service::Rate;

/// How many callers are told apart.
const CALLERS: usize = 10_000;

/// A bucket for each caller, filled at a steady rate.
pub(crate) struct Limiter {
    rate: Option<Rate>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl Limiter {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Counts a request. Where it is one too many: after how many seconds the next may come.
    pub(crate) fn take(&self, caller: &str) -> Result<(), u32> {
        let Some(rate) = self.rate else { return Ok(()) };
        let full = f64::from(rate.burst.max(1));
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CALLERS && !buckets.contains_key(caller) {
            // Those that are full again are as if they had never come.
            buckets.retain(|_, it| {
                it.left + now.duration_since(it.at).as_secs_f64() * rate.per_second < full
            });
            if buckets.len() >= CALLERS {
                return Err(1);
            }
        }
        let bucket = buckets.entry(caller.to_owned()).or_insert(Bucket { left: full, at: now });
        let refilled = bucket.left + now.duration_since(bucket.at).as_secs_f64() * rate.per_second;
        bucket.left = refilled.min(full);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let seconds = (1.0 - bucket.left) / rate.per_second.max(0.001);
        Err(seconds.ceil().clamp(1.0, 3600.0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::{CALLERS, Limiter};
    use crate::service::Rate;

    #[test]
    fn a_burst_is_let_through_and_no_more() {
        let limiter = Limiter::new(Some(Rate { per_second: 0.5, burst: 3 }));
        for _ in 0..3 {
            limiter.take("one").unwrap();
        }
        assert_eq!(limiter.take("one"), Err(2));
        limiter.take("two").unwrap();
        Limiter::new(None).take("one").unwrap();
    }

    #[test]
    fn many_callers_take_no_more_memory() {
        let limiter = Limiter::new(Some(Rate { per_second: 0.1, burst: 1 }));
        for number in 0..CALLERS {
            limiter.take(&number.to_string()).unwrap();
        }
        assert_eq!(limiter.take("one more"), Err(1));
        assert_eq!(limiter.buckets.lock().unwrap().len(), CALLERS);
    }
}
