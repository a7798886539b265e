//! The order of the UAPI Group's Version Format Specification, which systemd follows.

use std::cmp::Ordering;

use crate::pieces::{by_number, skipped, taken};

/// As the UAPI Group's Version Format Specification compares, and systemd with it.
pub fn uapi(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    let is_other =
        |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'~' | b'^');
    loop {
        one = skipped(one, is_other);
        other = skipped(other, is_other);
        // Earlier than the end are pre-releases.
        match separated(b'~', &mut one, &mut other) {
            Ordering::Equal => {}
            order => return order,
        }
        if one.is_empty() || other.is_empty() {
            return one.len().min(1).cmp(&other.len().min(1));
        }
        for separator in [b'-', b'^', b'.'] {
            match separated(separator, &mut one, &mut other) {
                Ordering::Equal => {}
                order => return order,
            }
        }
        let starts = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
        let numeric = starts(one) || starts(other);
        let kind = if numeric { u8::is_ascii_digit } else { u8::is_ascii_alphabetic };
        let (ours, rest) = taken(one, kind);
        let (theirs, other_rest) = taken(other, kind);
        (one, other) = (rest, other_rest);
        let order = if numeric {
            let has = (!ours.is_empty()).cmp(&!theirs.is_empty());
            has.then_with(|| by_number(ours, theirs))
        } else {
            ours.cmp(theirs)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Passes over the separator where both have it; where only one has, that one is older.
fn separated(separator: u8, one: &mut &[u8], other: &mut &[u8]) -> Ordering {
    match (one.split_first(), other.split_first()) {
        (Some((a, rest_one)), Some((b, rest_other))) if *a == separator && *b == separator => {
            (*one, *other) = (rest_one, rest_other);
            Ordering::Equal
        }
        (Some((a, _)), _) if *a == separator => Ordering::Less,
        (_, Some((b, _))) if *b == separator => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_systemd_says() {
        for (one, other, order) in [
            ("122.1", "123~rc1-1", Ordering::Less),
            ("123~rc1-1", "123", Ordering::Less),
            ("123", "123-a", Ordering::Less),
            ("123-a", "123-a.1", Ordering::Less),
            ("123-a.1", "123-1", Ordering::Less),
            ("123-1", "123-1.1", Ordering::Less),
            ("123-1.1", "123^post1", Ordering::Less),
            ("123^post1", "123.a-1", Ordering::Less),
            ("123.a-1", "123.1-1", Ordering::Less),
            ("123.1-1", "123a-1", Ordering::Less),
            ("123a-1", "124-1", Ordering::Less),
            ("A", "a", Ordering::Less),
            ("6.1.10", "6.1.9", Ordering::Greater),
            ("01", "1", Ordering::Equal),
        ] {
            assert_eq!(uapi(one, other), order, "{one} {other}");
            assert_eq!(uapi(other, one), order.reverse(), "{other} {one}");
        }
    }
}
