//! `Gem::Version`: segments, and zeros for those that are missing.

use std::cmp::Ordering;

use fathom_version::Scheme;

use crate::random::Random;
use crate::{by_number, check};

const PIECES: [&str; 15] =
    ["0", "0", "1", "01", "10", ".", ".", ".", "a", "b", "pre", "A", "-", "1.0", "2"];

/// Stretches of digits and of letters, where a dash stands for `.pre.`; without the zeros before
/// the first word and those at the end.
fn segments(version: &str) -> Vec<String> {
    let version = version.replace('-', ".pre.");
    let mut segments: Vec<String> = Vec::new();
    let mut last = '.';
    for c in version.chars() {
        let is_digit = |c: char| c.is_ascii_digit();
        match segments.last_mut() {
            _ if c == '.' => {}
            Some(segment) if last != '.' && is_digit(last) == is_digit(c) => segment.push(c),
            _ => segments.push(c.to_string()),
        }
        last = c;
    }
    let is_word = |segment: &String| segment.starts_with(|c: char| c.is_ascii_alphabetic());
    let words = segments.iter().position(is_word).unwrap_or(segments.len());
    let mut words = segments.split_off(words);
    for part in [&mut segments, &mut words] {
        while part.last().is_some_and(|last| last.bytes().all(|byte| byte == b'0')) {
            part.pop();
        }
    }
    segments.extend(words);
    segments
}

fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (segments(one), segments(other));
    for at in 0..one.len().max(other.len()) {
        let (a, b) =
            (one.get(at).map_or("0", String::as_str), other.get(at).map_or("0", String::as_str));
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = match (is_number(a), is_number(b)) {
            (true, true) => by_number(a, b),
            (false, false) => a.cmp(b),
            (a, b) => a.cmp(&b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[test]
fn gem_by_its_segments() {
    let mut random = Random::new();
    for _ in 0..50_000 {
        let (one, other) = random.pair(&["1", "1.0", "1.2.3", "1.0.a", "0"], &PIECES);
        check(Scheme::Gem, &one, &other, compare(&one, &other));
    }
}

#[test]
fn platforms_do_not_count() {
    for platform in [
        "java",
        "jruby",
        "x86_64-linux",
        "x86_64-linux-gnu",
        "aarch64-linux-musl",
        "arm64-darwin",
        "arm64-darwin-23",
        "universal-darwin-20",
        "x64-mingw32",
        "x64-mingw-ucrt",
        "x86-mswin32-60",
        "mswin32",
        "armv7-linux",
        "riscv64-linux",
        "ppc64le-linux",
        "x86-freebsd-13",
        "java-11",
    ] {
        check(Scheme::Gem, &format!("1.2.3-{platform}"), "1.2.3", Ordering::Equal);
        check(Scheme::Gem, &format!("1.2.3.rc1-{platform}"), "1.2.3.rc1", Ordering::Equal);
    }
    for word in ["javascript", "rc1", "1", "linuxish", "beta-linux", "x86", "amd64-beta"] {
        check(Scheme::Gem, &format!("1.2.3-{word}"), "1.2.3", Ordering::Less);
    }
}
