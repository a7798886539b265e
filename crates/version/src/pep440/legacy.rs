//! The order that setuptools had before there was PEP 440, for what is no version of it.
//!
//! A version is parts that are compared as strings: numbers filled up to eight digits, and
//! everything else with a star before it, which puts it before numbers. Behind all of them stands
//! `*final`.

use crate::key;
use crate::pieces::taken;

/// How many digits numbers are filled up to.
const DIGITS: usize = 8;

/// What stands for a dash.
const DASH: &[u8] = b"final-";

/// Adds the parts of a version in lower case, in which no byte is nought.
pub(super) fn encode(version: &str, key: &mut Vec<u8>) {
    let mut parts = Parts { key, dashes: 0, zeros: 0 };
    let mut rest = version.as_bytes();
    while let Some(first) = rest.first() {
        let part;
        match first {
            b'0'..=b'9' => {
                (part, rest) = taken(rest, u8::is_ascii_digit);
                parts.number(part);
            }
            b'a'..=b'z' => {
                (part, rest) = taken(rest, u8::is_ascii_lowercase);
                parts.word(match part {
                    b"pre" | b"preview" | b"rc" => b"c",
                    b"dev" => b"@",
                    part => part,
                });
            }
            b'-' => {
                rest = &rest[1..];
                parts.word(DASH);
            }
            b'.' => rest = &rest[1..],
            _ => {
                let is_other = |byte: &u8| !matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-' | b'.');
                (part, rest) = taken(rest, is_other);
                parts.word(part);
            }
        }
    }
    parts.word(b"final");
}

/// Parts of which the last ones may yet turn out not to count: dashes, and zeros behind them.
struct Parts<'k> {
    key: &'k mut Vec<u8>,
    dashes: usize,
    zeros: usize,
}

impl Parts<'_> {
    /// Zeros do not count at the end of a series of numbers.
    fn number(&mut self, digits: &[u8]) {
        if digits.len() <= DIGITS && digits.iter().all(|digit| *digit == b'0') {
            self.zeros += 1;
            return;
        }
        self.write();
        self.key.extend(std::iter::repeat_n(b'0', DIGITS.saturating_sub(digits.len())));
        key::word(digits, self.key);
    }

    /// Dashes do not count before what comes before the final release.
    fn word(&mut self, word: &[u8]) {
        if word < b"final" {
            // Zeros that stood between dashes and this are still to be taken away, but they keep
            // the dashes before them from being taken.
            if self.zeros == 0 {
                self.dashes = 0;
            }
        }
        self.zeros = 0;
        if word == DASH {
            self.dashes += 1;
            return;
        }
        self.write();
        self.key.push(b'*');
        key::word(word, self.key);
    }

    /// Writes what counts after all.
    fn write(&mut self) {
        for _ in 0..std::mem::take(&mut self.dashes) {
            self.key.push(b'*');
            key::word(DASH, self.key);
        }
        for _ in 0..std::mem::take(&mut self.zeros) {
            self.key.extend([b'0'; DIGITS]);
            key::word(b"", self.key);
        }
    }
}
