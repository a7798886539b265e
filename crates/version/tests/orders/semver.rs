//! Section 11 of Semantic Versioning 2.0.0, with what is lenient here; and NuGet, which follows it.

use std::cmp::Ordering;

use fathom_version::Scheme;

use crate::random::Random;
use crate::{by_number, check};

const PIECES: [&str; 22] = [
    "0",
    "1",
    "01",
    "10",
    "99999999999999999999",
    ".",
    ".",
    "-",
    "-",
    "+",
    "a",
    "B",
    "rc",
    "1.0",
    "0.0",
    "1.2.3",
    "1.2.3-",
    "alpha.",
    "v",
    "x",
    "..",
    "é",
];
const BEGINNINGS: [&str; 7] = ["1", "1.2.3", "1.2.3-a", "v1.2.3-", "0.0.1", "=1.0-", "1.0.0-rc."];

/// Numbers, and the identifiers of a pre-release.
type Version = (Vec<String>, Option<Vec<String>>);

/// The version, which must be written out.
fn parse(text: &str) -> Option<Version> {
    let text = text.split('+').next()?;
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, prerelease) = text.split_at(end);
    let numbers: Vec<String> = numbers.split('.').map(str::to_owned).collect();
    if numbers.iter().any(String::is_empty) {
        return None;
    }
    if prerelease.is_empty() {
        return Some((numbers, None));
    }
    let identifiers: Vec<_> = prerelease.strip_prefix('-')?.split('.').map(str::to_owned).collect();
    let is_plain = !identifiers.iter().any(String::is_empty);
    is_plain.then_some((numbers, Some(identifiers)))
}

pub(crate) fn compare(one: &Version, other: &Version) -> Ordering {
    for at in 0..one.0.len().max(other.0.len()) {
        let number = |version: &Version| version.0.get(at).cloned().unwrap_or_default();
        let order = by_number(&number(one), &number(other));
        if order != Ordering::Equal {
            return order;
        }
    }
    match (&one.1, &other.1) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => one
            .iter()
            .zip(other)
            .map(|(one, other)| {
                let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                match (is_number(one), is_number(other)) {
                    (true, true) => by_number(one, other),
                    (false, false) => one.cmp(other),
                    // A number is older than a word.
                    (one, other) => other.cmp(&one),
                }
            })
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(one.len().cmp(&other.len())),
    }
}

#[test]
fn semver_by_its_own_words() {
    let (mut random, mut versions) = (Random::new(), 0);
    while versions < 20_000 {
        let (one, other) = random.pair(&BEGINNINGS, &PIECES);
        let bare = |text: &str| parse(text.trim_start_matches(['v', '=']));
        if let (Some(a), Some(b)) = (bare(&one), bare(&other)) {
            check(Scheme::Semver, &one, &other, compare(&a, &b));
            versions += 1;
        }
    }
}

#[test]
fn nuget_by_its_own_words() {
    let (mut random, mut versions) = (Random::new(), 0);
    while versions < 20_000 {
        let (one, other) = random.pair(&["1", "1.2.3", "1.2.3-a", "1.0.0.1-"], &PIECES);
        let folded = |text: &str| parse(&text.to_ascii_lowercase());
        if let (Some(a), Some(b)) = (folded(&one), folded(&other)) {
            if a.0.len() <= 4 && b.0.len() <= 4 {
                check(Scheme::Nuget, &one, &other, compare(&a, &b));
                versions += 1;
            } else {
                assert_eq!(Scheme::Nuget.compare(&one, &other), None, "{one} and {other}");
            }
        }
    }
}
