//! `alpm_pkg_vercmp`: two versions side by side.

use std::cmp::Ordering;

use fathom_version::Scheme;

use crate::random::Random;
use crate::{by_number, check};

const PIECES: [&str; 20] = [
    "0",
    "1",
    "01",
    "10",
    "a",
    "b",
    "rc",
    "Z",
    ".",
    ".",
    "-",
    "-",
    "+",
    "_",
    "..",
    "1.0",
    "2.0",
    ":",
    "1:",
    "123456789012345678901234567890",
];

/// Epoch, version and release.
fn parts(version: &str) -> (&str, &str, Option<&str>) {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
        _ => ("0", version),
    };
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

fn part(one: &str, other: &str) -> Ordering {
    let is_between = |c: char| !c.is_ascii_alphanumeric();
    let letters = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let (mut one, mut other) = (one, other);
    while !one.is_empty() && !other.is_empty() {
        let (a, b) = (one.trim_start_matches(is_between), other.trim_start_matches(is_between));
        let separators = (one.len() - a.len()).cmp(&(other.len() - b.len()));
        if separators != Ordering::Equal {
            return separators;
        }
        if digits(a) != digits(b) {
            return digits(a).cmp(&digits(b));
        }
        let kind = |c: char| c.is_ascii_digit() == digits(a) && c.is_ascii_alphanumeric();
        (one, other) = (a.trim_start_matches(kind), b.trim_start_matches(kind));
        let (a, b) = (&a[..a.len() - one.len()], &b[..b.len() - other.len()]);
        let order = if digits(a) { by_number(a, b) } else { a.cmp(b) };
        if order != Ordering::Equal {
            return order;
        }
    }
    // What is left of one of them is newer, unless it begins with a letter.
    match (one.is_empty(), other.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if letters(other) {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, _) => {
            if letters(one) {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}

#[test]
fn pacman_as_vercmp() {
    let (mut random, mut versions) = (Random::new(), 0);
    while versions < 50_000 {
        let (one, other) = random.pair(&["1", "1.0", "1-", "2:1.0-1", ""], &PIECES);
        let (a, b) = (parts(&one), parts(&other));
        // Where separators are the end, vercmp contradicts itself.
        let is_plain = |it: &(&str, &str, Option<&str>)| {
            let ends = |part: &str| part.ends_with(|c: char| !c.is_ascii_alphanumeric());
            !ends(it.1) && !it.2.is_some_and(ends)
        };
        if one.is_empty() || other.is_empty() || !is_plain(&a) || !is_plain(&b) {
            continue;
        }
        let order =
            by_number(a.0, b.0).then_with(|| part(a.1, b.1)).then_with(|| match (a.2, b.2) {
                (Some(a), Some(b)) => part(a, b),
                // No key says that it equals all of them.
                (a, b) => a.is_some().cmp(&b.is_some()),
            });
        check(Scheme::Pacman, &one, &other, order);
        versions += 1;
    }
}
