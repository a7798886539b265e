//! Moments as the report writes them.

/// Seconds since 1970 as RFC 3339 in UTC. What lies outside the years that it can write is nothing.
pub(super) fn rfc3339(seconds: i64) -> Option<String> {
    let days = seconds.div_euclid(86400);
    if !(-719_528..=2_932_896).contains(&days) {
        return None;
    }
    let (year, month, day) = civil(days);
    let rest = seconds.rem_euclid(86400);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// The date of a day counted from 1970-01-01, in years that begin in March, so that the leap day is
/// the last; 400 such years have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let check = |seconds, expected| assert_eq!(rfc3339(seconds).as_deref(), expected);
        check(0, Some("1970-01-01T00:00:00Z"));
        check(951_827_696, Some("2000-02-29T12:34:56Z"));
        check(4_107_542_399, Some("2100-02-28T23:59:59Z"));
        check(u32::MAX.into(), Some("2106-02-07T06:28:15Z"));
        check(-1, Some("1969-12-31T23:59:59Z"));
        check(253_402_300_799, Some("9999-12-31T23:59:59Z"));
        check(253_402_300_800, None);
        check(i64::MIN, None);
    }
}
