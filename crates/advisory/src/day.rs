//! Days, in two bytes.

use std::fmt;

/// A day since 1970-01-01; that one itself stands for one that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub(crate) u16);

impl Day {
    /// The day that the text begins with, as `2024-05-18T19:52:18Z` does; unknown where it does not.
    pub fn of(text: &str) -> Self {
        let day = fathom_report::Day::parse(text);
        day.and_then(|day| u16::try_from(day.number()).ok()).map(Self).unwrap_or_default()
    }

    /// Whether it is known.
    pub fn is_known(self) -> bool {
        self.0 != 0
    }

    /// How many days lie between it and the other, if that is later; 0 otherwise.
    pub fn until(self, other: Self) -> u16 {
        other.0.saturating_sub(self.0)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_known() {
            true => fathom_report::Day::of_number(self.0.into()).fmt(out),
            false => out.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_comes_back() {
        for day in 1..=u16::MAX {
            let text = Day(day).to_string();
            assert_eq!(Day::of(&text), Day(day), "{text}");
        }
        assert_eq!(Day(1).to_string(), "1970-01-02");
        assert_eq!(Day::of("2000-03-01T00:00:00Z"), Day(11_017));
        assert_eq!(Day::of("2026-08-16"), Day(20_681));
    }

    #[test]
    fn what_is_no_day_is_unknown() {
        for text in ["", "2024", "2024-13-01", "1969-12-31", "2024-5-18x", "20240518", "2024-0+-01"]
        {
            assert!(!Day::of(text).is_known(), "{text}");
        }
        assert_eq!(Day::default().to_string(), "unknown");
    }
}
