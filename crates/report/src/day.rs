//! Days of the calendar, as numbers that can be compared.

use std::fmt;

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
        if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
            return None;
        }
        // Years that begin in March, so that the day that leap years have is their last.
        let year = if month <= 2 { year - 1 } else { year };
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        Some(Self(365 * year + leaps + of_year - 719_468))
    }

    /// The day so many days after the beginning of 1970.
    pub fn of_number(days: i64) -> Self {
        Self(days)
    }

    /// How many days it is after the beginning of 1970.
    pub fn number(self) -> i64 {
        self.0
    }

    /// So many days later; earlier, if that is negative.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The same eras of 400 years, and years that begin in March, as above.
        let days = self.0.saturating_add(719_468);
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let year = year + era * 400 + i64::from(month >= 10);
        let month = if month < 10 { month + 3 } else { month - 9 };
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

/// How many days a month has.
fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_comes_back() {
        for number in -200_000..200_000 {
            let text = Day(number).to_string();
            assert_eq!(Day::parse(&text), Some(Day(number)), "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(Day::parse("1970-01-01"), Some(Day(0)));
        assert_eq!(Day::parse("2000-03-01"), Some(Day(11_017)));
        assert_eq!(Day::parse("2026-11-26T21:00:00Z"), Some(Day(20_783)));
        assert_eq!(Day::parse("1969-12-31"), Some(Day(-1)));
        assert_eq!(Day::parse("2024-03-01").unwrap(), Day::parse("2024-02-28").unwrap().plus(2));
        assert_eq!(Day::of_seconds(86_400 * 20_783 + 5), Day(20_783));
        for text in ["2026-02-29", "2026-02-31", "1900-02-29", "2026-04-31", "2026-00-01"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert!(Day::parse("2024-02-29").is_some() && Day::parse("2000-02-29").is_some());
        for text in ["", "2026", "2026-13-01", "2026-1-001", "+026-01-01", "ö026-01-01"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
