//! The order of Debian (deb-version(7)).

use std::cmp::Ordering;

use crate::key::{self, ABOVE};
use crate::pieces::{by_number, epoch, taken};

/// By epoch, upstream version and revision; nothing where one of them is no version of Debian.
pub fn debian(one: &str, other: &str) -> Option<Ordering> {
    let (epoch_one, version_one, revision_one) = parts(one)?;
    let (epoch_other, version_other, revision_other) = parts(other)?;
    Some(
        epoch_one
            .cmp(&epoch_other)
            .then_with(|| part(version_one.as_bytes(), version_other.as_bytes()))
            .then_with(|| part(revision_one.as_bytes(), revision_other.as_bytes())),
    )
}

/// Epoch, upstream version and revision.
fn parts(version: &str) -> Option<(u64, &str, &str)> {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".+-~:".contains(c);
    if !version.chars().all(legal) {
        return None;
    }
    let (epoch, rest) = epoch(version)?;
    // No revision is as good as the revision 0.
    let (version, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    Some((epoch, version, revision))
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

/// Before all else that may stand at its place.
const TILDE: u8 = 1;

/// The end of an upstream version or of a revision, where it ends with a number.
const END: u8 = 2;

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let (epoch, version, revision) = parts(version)?;
    key::value(epoch, key);
    encode_part(version.as_bytes(), key);
    encode_part(revision.as_bytes(), key);
    Some(())
}

/// Words and numbers by turns, which both may be empty. A word ends where a number begins, so that no
/// number stands where there could be an end, and the end is as good as the number 0 within a word.
fn encode_part(mut part: &[u8], key: &mut Vec<u8>) {
    loop {
        let (word, number);
        (word, part) = taken(part, |byte| !byte.is_ascii_digit());
        key.extend(word.iter().map(|byte| mark(*byte)));
        (number, part) = taken(part, u8::is_ascii_digit);
        key::number(number, key);
        if part.is_empty() {
            key.push(END);
            return;
        }
    }
}

/// The mark of a character in a word: the tilde before numbers, letters and then the others behind them.
fn mark(byte: u8) -> u8 {
    let letters = b'Z' - b'A' + 1;
    match byte {
        b'~' => TILDE,
        b'A'..=b'Z' => ABOVE + (byte - b'A'),
        b'a'..=b'z' => ABOVE + letters + (byte - b'a'),
        b'+' => ABOVE + 2 * letters,
        b'-' => ABOVE + 2 * letters + 1,
        b'.' => ABOVE + 2 * letters + 2,
        // Only the colon is left of what is legal.
        _ => ABOVE + 2 * letters + 3,
    }
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
