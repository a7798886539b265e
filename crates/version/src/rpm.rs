//! The order of rpm.

use std::cmp::Ordering;

use crate::key;
use crate::pieces::{by_number, epoch, skipped, taken};

/// By epoch, version and release. Where only one of them has a release, releases do not count.
pub fn rpm(one: &str, other: &str) -> Ordering {
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

/// Epoch, version and release.
fn parts(text: &str) -> (u64, &str, Option<&str>) {
    let (epoch, rest) = epoch(text).unwrap_or((0, text));
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

/// What only parts the stretches of a version.
fn is_between(byte: &u8) -> bool {
    !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^')
}

/// A version alone, or a release (`rpmvercmp`): stretches of letters or of digits; what is neither only
/// parts them. A tilde comes before everything, even the end; a caret after the end, but before
/// everything else.
pub fn rpm_part(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        one = skipped(one, is_between);
        other = skipped(other, is_between);
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

/// What may stand at one place of a version, besides numbers, which come last.
const TILDE: u8 = 1;
const END: u8 = 2;
const CARET: u8 = 3;
const WORD: u8 = 4;

/// The release, which has an end at least, is left out where there is none: so none comes before all.
pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let (epoch, version, release) = parts(version);
    key::value(epoch, key);
    encode_part(version.as_bytes(), key);
    if let Some(release) = release {
        encode_part(release.as_bytes(), key);
    }
    Some(())
}

fn encode_part(mut part: &[u8], key: &mut Vec<u8>) {
    loop {
        part = skipped(part, is_between);
        match part.first() {
            None => return key.push(END),
            Some(b'~') => {
                key.push(TILDE);
                part = &part[1..];
            }
            Some(b'^') => {
                key.push(CARET);
                part = &part[1..];
            }
            Some(_) => part = key::stretch(part, WORD, key),
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
