//! Moments, so that of two statements it can be told which is later.

use fathom_report::Day;

/// A moment: seconds since 1970, and billionths of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64, u32);

impl Moment {
    /// The moment that a time of RFC 3339 means, whichever zone it is written in.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let day = Day::parse(text)?;
        let rest = text.get(10..)?.strip_prefix(['T', 't', ' '])?;
        let (hour, minute) = (two(rest, 0)?, two(rest, 3)?);
        let second = two(rest, 6)?;
        let colons = rest.as_bytes();
        let is_time = colons.get(2) == Some(&b':') && colons.get(5) == Some(&b':');
        // A minute may have a second more than sixty.
        if !is_time || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let mut rest = rest.get(8..)?;
        let mut billionths = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(fraction.len());
            let (digits, after) = fraction.split_at(end);
            let digits = format!("{:0<9}", digits.get(..digits.len().min(9))?);
            billionths = digits.parse().ok().filter(|_| end > 0)?;
            rest = after;
        }
        let offset = match rest {
            "Z" | "z" => 0,
            _ => {
                let sign = match rest.bytes().next()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let (hours, minutes) = (two(rest, 1)?, two(rest, 4)?);
                let is_zone = rest.len() == 6 && rest.as_bytes().get(3) == Some(&b':');
                if !is_zone || hours > 23 || minutes > 59 {
                    return None;
                }
                sign * (hours * 3600 + minutes * 60)
            }
        };
        let of_day = hour * 3600 + minute * 60 + second - offset;
        Some(Self(day.number() * 86_400 + of_day, billionths))
    }
}

/// The number of two digits that stands there.
fn two(text: &str, at: usize) -> Option<i64> {
    let digits = text.get(at..at + 2)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_and_the_fraction_count() {
        let of = |text: &str| Moment::parse(text).unwrap_or(Moment(0, 0));
        assert_eq!(of("1970-01-02T00:00:01Z"), Moment(86_401, 0));
        assert_eq!(of("2023-01-16T19:07:16.853479631-06:00"), of("2023-01-17T01:07:16.853479631Z"));
        assert!(of("2023-01-16T19:07:16.9Z") > of("2023-01-16T19:07:16.853479631Z"));
        assert!(of("2023-01-16T19:07:16+02:00") < of("2023-01-16T19:07:16Z"));
        assert_eq!(of("2023-01-16T19:07:16.1234567891234Z"), of("2023-01-16T19:07:16.123456789Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2023-01-16",
            "2023-01-16T19:07Z",
            "2023-01-16T19:07:16",
            "2023-01-16T25:07:16Z",
            "2023-01-16T19:07:16.Z",
            "2023-01-16T19:07:16+2:00",
            "2023-01-16T19:07:16+02:00x",
            "2023-01-16T19-07-16Z",
            "2023-01-16T1é:07:16Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
