//! How long to wait before the next try.

use std::time::Duration;

/// Waits that double, up to a longest, each spread so that many who failed together do not come back
/// together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(2), longest: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// The wait after `failures` of them: between half of it and the whole.
    pub fn after(&self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(1_u32 << failures.saturating_sub(1).min(20));
        doubled.min(self.longest).mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    #[test]
    fn waits_double_and_end() {
        let backoff = Backoff::default();
        for (failures, seconds) in [(0, 2), (1, 2), (2, 4), (3, 8), (9, 300), (1000, 300)] {
            let wait = backoff.after(failures);
            let whole = Duration::from_secs(seconds);
            assert!(wait <= whole && wait >= whole / 2, "{failures}: {wait:?}");
        }
    }
}
