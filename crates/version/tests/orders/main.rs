//! Keys beside comparisons that were written independently, from what those who made the rules say,
//! on versions that a generator makes.

mod apk;
mod gem;
mod go;
mod hostile;
mod maven;
mod packagist;
mod pacman;
mod pep440;
mod random;
mod semver;
mod windows;

use std::cmp::Ordering;

use fathom_version::{Scheme, debian, rpm};

use random::Random;

/// Numbers of every length, in decimal digits.
fn by_number(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// The keys have this order, and the other way round the other one.
fn check(scheme: Scheme, one: &str, other: &str, order: Ordering) {
    assert_eq!(scheme.compare(one, other), Some(order), "{scheme:?}: {one} and {other}");
    assert_eq!(scheme.compare(other, one), Some(order.reverse()), "{scheme:?}: {other} and {one}");
}

/// What versions of systems are made of, and what is in their way.
const PIECES: [&str; 34] = [
    "0",
    "1",
    "01",
    "9",
    "10",
    "a",
    "b",
    "rc",
    "Z",
    ".",
    ".",
    "..",
    "-",
    "-",
    "+",
    "~",
    "~",
    "~~",
    "^",
    "1.0",
    "2.0",
    ".el9",
    "deb12",
    "git",
    "0:",
    ":",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "_",
    "é",
    " ",
    "00",
    "a0",
];
const BEGINNINGS: [&str; 8] =
    ["", "1", "1.0", "1.0-1", "1:1", "01:0", "~", "99999999999999999999:1"];
const PAIRS: usize = 200_000;

#[test]
fn debian_as_without_keys() {
    let (mut random, mut versions) = (Random::new(), 0);
    for _ in 0..PAIRS {
        let (one, other) = random.pair(&BEGINNINGS, &PIECES);
        let order = debian(&one, &other);
        assert_eq!(Scheme::Debian.compare(&one, &other), order, "{one} and {other}");
        versions += usize::from(order.is_some());
    }
    assert!(versions > PAIRS / 10, "only {versions} pairs were versions");
}

#[test]
fn rpm_as_without_keys() {
    let mut random = Random::new();
    for _ in 0..PAIRS {
        let (one, other) = random.pair(&BEGINNINGS, &PIECES);
        let has_release = |version: &str| version.contains('-');
        // Where only one has a release, it does not count to the function; to rpm itself, it does.
        let release = has_release(&one).cmp(&has_release(&other));
        let order = rpm(&one, &other).then(release);
        assert_eq!(Scheme::Rpm.compare(&one, &other), Some(order), "{one} and {other}");
    }
}
