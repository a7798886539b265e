//! How long something takes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{parts, text_value};

/// Units, the largest first, in milliseconds.
const UNITS: &[(&str, u64)] = &[
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// A length of time: `30s`, `5m`, `1h30m`. A number without a unit is none, since what is meant by it
/// differs from program to program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

text_value!(
    Span,
    "duration",
    "A length of time: numbers with the units w, d, h, m, s and ms, the largest first.",
    "30s",
    "1h30m"
);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// So many days.
    pub const fn days(days: u64) -> Self {
        Self::seconds(days * 86_400)
    }

    /// As the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no length of time; write it as 30s, 5m or 1h30m");
        let mut milliseconds = 0_u64;
        let mut last = None;
        for (number, unit) in parts(text).ok_or_else(wrong)? {
            if unit.is_empty() {
                return Err(format!(
                    "{text} of what? Write {text}s for seconds, {text}m for minutes"
                ));
            }
            let place = UNITS.iter().position(|(name, _)| *name == unit).ok_or_else(wrong)?;
            if last.is_some_and(|last| place <= last) {
                return Err(format!("{text:?}: the largest unit comes first, and each once"));
            }
            last = Some(place);
            let (_, weight) = UNITS[place];
            milliseconds = number
                .checked_mul(weight)
                .and_then(|more| milliseconds.checked_add(more))
                .ok_or_else(|| format!("{text:?} is longer than can be told"))?;
        }
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_millis() as u64;
        if rest == 0 {
            return f.write_str("0s");
        }
        // Weeks are read, and written as days.
        for (unit, weight) in &UNITS[1..] {
            if rest >= *weight {
                write!(f, "{}{unit}", rest / weight)?;
                rest %= weight;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str, seconds: u64) {
        let span: Span = text.parse().unwrap();
        assert_eq!((span.to_string().as_str(), span.get().as_secs()), (shown, seconds), "{text}");
        assert_eq!(shown.parse::<Span>().unwrap(), span);
    }

    #[test]
    fn read_and_written() {
        check("30s", "30s", 30);
        check("5m", "5m", 300);
        check("1h30m", "1h30m", 5400);
        check("90m", "1h30m", 5400);
        check("2w", "14d", 14 * 86_400);
        check("1s500ms", "1s500ms", 1);
        check("0s", "0s", 0);
    }

    #[test]
    fn refused() {
        for (text, why) in [
            ("30", "30 of what? Write 30s for seconds, 30m for minutes"),
            ("", "is no length of time"),
            ("-5s", "is no length of time"),
            ("1.5h", "is no length of time"),
            ("5 parsecs", "is no length of time"),
            ("1m1h", "the largest unit comes first"),
            ("1m1m", "each once"),
            ("99999999999999999w", "longer than can be told"),
            ("99999999999999999999s", "is no length of time"),
        ] {
            let error = text.parse::<Span>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
