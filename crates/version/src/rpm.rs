//! The order of rpm.

use std::cmp::Ordering;

use crate::pieces::{by_number, epoch, skipped, taken};

/// By epoch, version and release. Where only one of them has a release, releases do not count.
pub fn rpm(one: &str, other: &str) -> Ordering {
    let parts = |text| {
        let (epoch, rest) = epoch(text).unwrap_or((0, text));
        match str::rsplit_once(rest, '-') {
            Some((version, release)) => (epoch, version, Some(release)),
            None => (epoch, rest, None),
        }
    };
    let ((epoch_one, version_one, release_one), (epoch_other, version_other, release_other)) =
        (parts(one), parts(other));
    let releases = || match (release_one, release_other) {
        (Some(one), Some(other)) => rpm_part(one, other),
        _ => Ordering::Equal,
    };
    epoch_one
        .cmp(&epoch_other)
        .then_with(|| rpm_part(version_one, version_other))
        .then_with(releases)
}

/// A version alone, or a release (`rpmvercmp`): stretches of letters or of digits; what is neither only
/// parts them. A tilde comes before everything, even the end; a caret after the end, but before
/// everything else.
pub fn rpm_part(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    let parts = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^');
    loop {
        one = skipped(one, parts);
        other = skipped(other, parts);
        let digits = match (one.first(), other.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (one, other) = (&one[1..], &other[1..]);
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.is_ascii_digit(), b.is_ascii_digit()) {
                (true, true) => true,
                (false, false) => false,
                // A number is newer than a word.
                (true, false) => return Ordering::Greater,
                (false, true) => return Ordering::Less,
            },
        };
        let kind = if digits { u8::is_ascii_digit } else { u8::is_ascii_alphabetic };
        let (a, b);
        (a, one) = taken(one, kind);
        (b, other) = taken(other, kind);
        let order = if digits { by_number(a, b) } else { a.cmp(b) };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_rpm_says() {
        for (one, other, order) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0", "1.10", Ordering::Less),
            ("1.010", "1.10", Ordering::Equal),
            ("5.14.0", "5.14.0~rc1", Ordering::Greater),
            ("1.0^", "1.0", Ordering::Greater),
            ("1.0^", "1.0.1", Ordering::Less),
            ("1.a", "1.1", Ordering::Less),
            ("1.0.a", "1.0", Ordering::Greater),
            ("fc40", "fc39", Ordering::Greater),
            ("a", "b", Ordering::Less),
        ] {
            assert_eq!(rpm_part(one, other), order, "{one} {other}");
            assert_eq!(rpm_part(other, one), order.reverse(), "{other} {one}");
        }
        for (one, other, order) in [
            ("1.0-1.fc38", "1.0-2.fc38", Ordering::Less),
            ("1.0~rc1-1", "1.0-1", Ordering::Less),
            ("5.10-1", "1:1.0-1", Ordering::Less),
            ("1.0", "1.0-7", Ordering::Equal),
            ("0:1.0-1", "1.0-1", Ordering::Equal),
        ] {
            assert_eq!(rpm(one, other), order, "{one} {other}");
            assert_eq!(rpm(other, one), order.reverse(), "{other} {one}");
        }
    }
}
