//! When something was written: 100-nanosecond steps since the year 1601.

/// Seconds from 1601 to 1970.
const EPOCH: i64 = 11_644_473_600;
const STEPS: u64 = 10_000_000;

/// A point in time as Windows counts it, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filetime(pub u64);

impl Filetime {
    /// Seconds since 1970, and nanoseconds on top of them.
    pub fn unix(self) -> (i64, u32) {
        let seconds = (self.0 / STEPS) as i64 - EPOCH;
        (seconds, (self.0 % STEPS) as u32 * 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epochs() {
        assert_eq!(Filetime(0).unix(), (-EPOCH, 0));
        assert_eq!(Filetime(116_444_736_000_000_001).unix(), (0, 100));
        assert_eq!(Filetime(u64::MAX).unix().1, 955_161_500);
    }
}
