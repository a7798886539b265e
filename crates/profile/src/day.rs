//! Days of the calendar, as numbers that can be compared.

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// The day so many seconds after the beginning of 1970.
    pub fn of_seconds(seconds: u64) -> Self {
        Self((seconds / 86_400) as i64)
    }

    /// The day that a date or a time of RFC 3339 begins with, as `2026-01-31`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.get(..10)?;
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if year.len() != 4 || month.len() != 2 || day.len() != 2 || parts.next().is_some() {
            return None;
        }
        let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse());
        let year: i64 = number(year)?.ok()?;
        let (month, day): (i64, i64) = (number(month)?.ok()?, number(day)?.ok()?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        // Years that begin in March, so that the day that leap years have is their last.
        let year = if month <= 2 { year - 1 } else { year };
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        Some(Self(365 * year + leaps + of_year - 719_468))
    }

    /// So many days later; earlier, if that is negative.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(Day::parse("1970-01-01"), Some(Day(0)));
        assert_eq!(Day::parse("2000-03-01"), Some(Day(11_017)));
        assert_eq!(Day::parse("2026-11-26T21:00:00Z"), Some(Day(20_783)));
        assert_eq!(Day::parse("1969-12-31"), Some(Day(-1)));
        assert_eq!(Day::parse("2024-03-01").unwrap(), Day::parse("2024-02-28").unwrap().plus(2));
        assert_eq!(Day::of_seconds(86_400 * 20_783 + 5), Day(20_783));
        for text in ["", "2026", "2026-13-01", "2026-1-001", "+026-01-01", "ö026-01-01"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
