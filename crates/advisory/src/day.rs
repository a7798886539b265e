//! Days, in two bytes.

use std::fmt;

/// A day since 1970-01-01; that one itself stands for one that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub(crate) u16);

impl Day {
    /// The day that the text begins with, as `2024-05-18T19:52:18Z` does; unknown where it does not.
    pub fn of(text: &str) -> Self {
        Self::parse(text).unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.get(..10)?.splitn(3, '-').map(|part| {
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i32>().ok())?
        });
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if !(1970..=2149).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day)
        {
            return None;
        }
        // Years that begin in March have the day that some lack at their end.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let of_year = (153 * month + 2) / 5 + day - 1;
        let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468;
        u16::try_from(days).ok().map(Self)
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
        if !self.is_known() {
            return out.write_str("unknown");
        }
        let days = u32::from(self.0) + 719_468;
        let era = days / 146_097;
        let of_era = days % 146_097;
        let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = match month < 10 {
            true => (of_era_year + era * 400, month + 3),
            false => (of_era_year + era * 400 + 1, month - 9),
        };
        write!(out, "{year:04}-{month:02}-{day:02}")
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
