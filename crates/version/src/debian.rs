//! The order of Debian (deb-version(7)).

use std::cmp::Ordering;

use crate::pieces::{by_number, epoch, taken};

/// By epoch, upstream version and revision; nothing where one of them is no version of Debian.
pub fn debian(one: &str, other: &str) -> Option<Ordering> {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".+-~:".contains(c);
    if !one.chars().all(legal) || !other.chars().all(legal) {
        return None;
    }
    let ((epoch_one, one), (epoch_other, other)) = (epoch(one)?, epoch(other)?);
    // No revision is as good as the revision 0.
    let split = |text| str::rsplit_once(text, '-').unwrap_or((text, "0"));
    let ((version_one, revision_one), (version_other, revision_other)) = (split(one), split(other));
    Some(
        epoch_one
            .cmp(&epoch_other)
            .then_with(|| part(version_one.as_bytes(), version_other.as_bytes()))
            .then_with(|| part(revision_one.as_bytes(), revision_other.as_bytes())),
    )
}

/// Stretches of other characters and of digits by turns. Letters come before what is none, and a tilde
/// before everything, even the end.
fn part(mut one: &[u8], mut other: &[u8]) -> Ordering {
    fn weight(byte: Option<&u8>) -> i32 {
        match byte {
            None => 0,
            Some(b'~') => -1,
            Some(byte) if byte.is_ascii_digit() => 0,
            Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
            Some(byte) => i32::from(*byte) + 256,
        }
    }
    let is_word = |text: &[u8]| text.first().is_some_and(|byte| !byte.is_ascii_digit());
    while !one.is_empty() || !other.is_empty() {
        while is_word(one) || is_word(other) {
            let order = weight(one.first()).cmp(&weight(other.first()));
            if order != Ordering::Equal {
                return order;
            }
            one = one.get(1..).unwrap_or_default();
            other = other.get(1..).unwrap_or_default();
        }
        let (number_one, number_other);
        (number_one, one) = taken(one, u8::is_ascii_digit);
        (number_other, other) = taken(other, u8::is_ascii_digit);
        let order = by_number(number_one, number_other);
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_dpkg_says() {
        for (one, other, order) in [
            ("1.9", "1.10", Ordering::Less),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0-1", "1.0-1+deb12u1", Ordering::Less),
            ("9:1", "10:0", Ordering::Less),
            ("1.0a", "1.0+", Ordering::Less),
            ("2.36-9+deb12u9", "2.36-9+deb12u10", Ordering::Less),
            ("1.2", "1:1.0", Ordering::Less),
            ("1.0", "1.0-0", Ordering::Equal),
            ("1.01", "1.1", Ordering::Equal),
            ("1.0~~", "1.0~", Ordering::Less),
        ] {
            assert_eq!(debian(one, other), Some(order), "{one} {other}");
            assert_eq!(debian(other, one), Some(order.reverse()), "{other} {one}");
        }
        assert_eq!(debian("1_0", "2"), None);
        assert_eq!(debian("a:1", "2"), None);
    }
}
