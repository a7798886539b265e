//! Moments as Windows counts them, as the report writes them.

use fathom_filesystem::Timestamp;
use fathom_registry::Filetime;

use crate::packages::package::moment;

/// A count of 100 nanoseconds since 1601, in whole seconds. Zero and the greatest number mean
/// "never", and what lies before 1970 or past the year 9999 is no moment of a computer's.
pub(super) fn filetime(steps: u64) -> Option<String> {
    let (seconds, _) = Filetime(steps).unix();
    if steps == 0 || steps >= i64::MAX as u64 {
        return None;
    }
    moment(seconds)
}

/// A day as installers write it, `20230115`, as `2023-01-15`. Some write it as their language does,
/// which cannot be told apart.
pub(super) fn day(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month, day) = (&text[..4], &text[4..6], &text[6..]);
    let fits = |part: &str, most: u32| part.parse().is_ok_and(|n: u32| n >= 1 && n <= most);
    (fits(month, 12) && fits(day, 31) && year > "1970").then(|| format!("{year}-{month}-{day}"))
}

/// The day of a moment, as accounts tell the last change of a password.
pub(super) fn day_of(steps: u64) -> Option<String> {
    filetime(steps).and_then(|moment| Some(moment.get(..10)?.to_owned()))
}

/// Seconds since 1970.
pub(super) fn unix(seconds: u32) -> Option<String> {
    (seconds > 0).then(|| Timestamp::new(seconds.into(), 0).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(filetime(133_500_000_000_000_000).as_deref(), Some("2024-01-17T21:20:00Z"));
        assert_eq!(filetime(133_500_000_012_345_678).as_deref(), Some("2024-01-17T21:20:01Z"));
        for never in [0, 1, i64::MAX as u64, u64::MAX] {
            assert_eq!(filetime(never), None);
        }
        assert_eq!(day("20230115").as_deref(), Some("2023-01-15"));
        for no in ["1/15/2023", "20231315", "20230100", "2023011", "２０２３０１１５", ""] {
            assert_eq!(day(no), None, "{no}");
        }
        assert_eq!(unix(0), None);
    }
}
