//! Damaged and hostile rules: what comes back is a rule or what is wrong with it, never a panic, and
//! in bounded time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use fathom_profile::{Rule, language, run_fixtures};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// The files of the rules that are built in.
fn files() -> Vec<(String, Vec<u8>)> {
    let rules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut files = Vec::new();
    for profile in std::fs::read_dir(rules).unwrap() {
        for file in std::fs::read_dir(profile.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// Bytes that mean something to TOML or to checks.
const HURT: &[u8] = b"\"'[]{}()=<>.,#\n\0-\xff";

/// Changes, cuts, doubles or splices a few bytes.
fn damage(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        let length = dice.below(40).min(bytes.len() - at);
        match dice.below(5) {
            0 => bytes[at] = HURT[dice.below(HURT.len())],
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let part = bytes[at..at + length].to_vec();
                bytes.splice(at..at, part);
            }
            3 => {
                let from = dice.below(other.len());
                let part = &other[from..(from + length).min(other.len())];
                bytes.splice(at..at + length, part.iter().copied());
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
}

#[test]
fn damaged_rules_are_read_or_refused() {
    let files = files();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut read, mut refused) = (0, 0);
    for round in 0..4000 {
        let (name, bytes) = &files[round % files.len()];
        let mut bytes = bytes.clone();
        let other = &files[dice.below(files.len())].1;
        damage(&mut bytes, other, &mut dice);
        let text = String::from_utf8_lossy(&bytes);
        let begun = Instant::now();
        match Rule::parse("p", name, &text) {
            Ok(rule) => {
                // Whatever the fixtures now come to.
                let _ = run_fixtures(&rule);
                read += 1;
            }
            Err(error) => {
                assert!(!error.why.is_empty());
                refused += 1;
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{text}");
    }
    // Neither is the rule, or this would show nothing.
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}

#[test]
fn checks_of_nonsense_are_refused() {
    let words = [
        "any",
        "no",
        "every",
        "count",
        "where",
        "has",
        "packages",
        "it",
        "(",
        ")",
        "and",
        "or",
        "not",
        "=",
        "<",
        "\"x\"",
        "1",
        "today",
        "+",
        "[",
        "]",
        ".",
        "name",
        "identity",
        "installed",
        "in",
        "contains",
        "is",
        "absent",
        "sshd",
        ",",
        "-",
        "concern",
        "enabled",
        "mounts",
        "options",
    ];
    let mut dice = Dice(42);
    for _ in 0..20_000 {
        let length = 1 + dice.below(24);
        let check: Vec<_> = (0..length).map(|_| words[dice.below(words.len())]).collect();
        let _ = language::parse(&check.join(" "));
    }
}

/// What the fuzzer ever found, read again.
#[test]
fn what_was_ever_found_stays_mended() {
    let found = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/found/rule");
    for input in std::fs::read_dir(found).into_iter().flatten() {
        let bytes = std::fs::read(input.unwrap().path()).unwrap();
        if let Ok(rule) = Rule::parse("p", "x", &String::from_utf8_lossy(&bytes)) {
            let _ = run_fixtures(&rule);
        }
    }
}
