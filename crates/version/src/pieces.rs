//! The pieces that versions are read in.

use std::cmp::Ordering;

/// What is left behind the bytes at the beginning that are to be skipped.
pub(crate) fn skipped(text: &[u8], skip: impl Fn(&u8) -> bool) -> &[u8] {
    taken(text, skip).1
}

/// The bytes at the beginning that are to be taken, and the rest.
pub(crate) fn taken(text: &[u8], take: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !take(byte)).unwrap_or(text.len()))
}

/// The order of numbers of any length, written in decimal digits.
pub fn by_number(one: &[u8], other: &[u8]) -> Ordering {
    let is_zero = |byte: &u8| *byte == b'0';
    let (one, other) = (skipped(one, is_zero), skipped(other, is_zero));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// The epoch, which is nought where none is written, and the rest.
pub(crate) fn epoch(version: &str) -> Option<(u64, &str)> {
    match version.split_once(':') {
        Some((epoch, rest)) => Some((epoch.parse().ok()?, rest)),
        None => Some((0, version)),
    }
}
