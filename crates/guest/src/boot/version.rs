//! Which of two versions is newer, as rpm and as systemd say it.

use std::cmp::Ordering;

/// As rpm compares (`rpmvercmp`), with `~` before everything and `^` behind the end.
pub(super) fn rpm(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    let is_separator = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'~' && *byte != b'^';
    loop {
        one = skipped(one, is_separator);
        other = skipped(other, is_separator);
        match (one.first() == Some(&b'~'), other.first() == Some(&b'~')) {
            (true, true) => {
                (one, other) = (&one[1..], &other[1..]);
                continue;
            }
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        match (one.first() == Some(&b'^'), other.first() == Some(&b'^')) {
            (true, true) => {
                (one, other) = (&one[1..], &other[1..]);
                continue;
            }
            (true, false) if other.is_empty() => return Ordering::Greater,
            (false, true) if one.is_empty() => return Ordering::Less,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        let Some(first) = one.first().filter(|_| !other.is_empty()) else {
            return one.len().min(1).cmp(&other.len().min(1));
        };
        let (ours, theirs) = if first.is_ascii_digit() {
            let (ours, rest) = taken(one, u8::is_ascii_digit);
            let (theirs, other_rest) = taken(other, u8::is_ascii_digit);
            // Numbers are newer than letters.
            if theirs.is_empty() {
                return Ordering::Greater;
            }
            (one, other) = (rest, other_rest);
            let (ours, theirs) = (unpadded(ours), unpadded(theirs));
            match ours.len().cmp(&theirs.len()) {
                Ordering::Equal => (ours, theirs),
                order => return order,
            }
        } else {
            let (ours, rest) = taken(one, u8::is_ascii_alphabetic);
            let (theirs, other_rest) = taken(other, u8::is_ascii_alphabetic);
            if theirs.is_empty() {
                return Ordering::Less;
            }
            (one, other) = (rest, other_rest);
            (ours, theirs)
        };
        match ours.cmp(theirs) {
            Ordering::Equal => {}
            order => return order,
        }
    }
}

/// As the UAPI Group's Version Format Specification compares, and systemd with it.
pub(super) fn uapi(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    let is_other =
        |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'~' | b'^');
    loop {
        one = skipped(one, is_other);
        other = skipped(other, is_other);
        let starts = |text: &[u8], byte: u8| text.first() == Some(&byte);
        // Earlier than the end are pre-releases.
        match (starts(one, b'~'), starts(other, b'~')) {
            (true, true) => {
                (one, other) = (&one[1..], &other[1..]);
                continue;
            }
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        if one.is_empty() || other.is_empty() {
            return one.len().min(1).cmp(&other.len().min(1));
        }
        let mut both = false;
        for separator in [b'-', b'^', b'.'] {
            match (starts(one, separator), starts(other, separator)) {
                (true, true) => {
                    (one, other) = (&one[1..], &other[1..]);
                    both = true;
                    break;
                }
                (true, false) => return Ordering::Less,
                (false, true) => return Ordering::Greater,
                (false, false) => {}
            }
        }
        if both {
            continue;
        }
        let numeric = one[0].is_ascii_digit() || other[0].is_ascii_digit();
        let kind = if numeric { u8::is_ascii_digit } else { u8::is_ascii_alphabetic };
        let (ours, rest) = taken(one, kind);
        let (theirs, other_rest) = taken(other, kind);
        (one, other) = (rest, other_rest);
        let order = if numeric {
            let has = (!ours.is_empty()).cmp(&!theirs.is_empty());
            let (ours, theirs) = (unpadded(ours), unpadded(theirs));
            has.then(ours.len().cmp(&theirs.len())).then(ours.cmp(theirs))
        } else {
            ours.cmp(theirs)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn skipped(text: &[u8], skip: impl Fn(&u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| !skip(byte)).unwrap_or(text.len());
    &text[end..]
}

fn taken(text: &[u8], take: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !take(byte)).unwrap_or(text.len()))
}

fn unpadded(digits: &[u8]) -> &[u8] {
    skipped(digits, |byte| *byte == b'0')
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
            assert_eq!(rpm(one, other), order, "{one} {other}");
            assert_eq!(rpm(other, one), order.reverse(), "{other} {one}");
        }
    }

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
