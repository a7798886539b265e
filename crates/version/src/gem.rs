//! The order of RubyGems.
//!
//! A version is segments, which are numbers or words; a word makes it a pre-release. What ends is
//! as good as one that goes on with zeros for ever. So what matters of zeros is what follows them:
//! a word makes the version older than its end, a number makes it newer, and the sooner it comes
//! the more so. Zeros before the first word do not count at all.

mod platform;

use crate::key;
use crate::pieces::taken;

/// What may stand at one place of a version: a word at once, a word behind as many zeros, the end,
/// a number behind as many zeros; and then numbers.
const WORD: u8 = 1;
const ZEROS_AND_WORD: u8 = 2;
const END: u8 = 3;
const ZEROS_AND_NUMBER: u8 = 4;

/// What stands for a dash.
const DASH: &[u8] = b"pre";

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let version = platform::without(version.trim());
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let mut segments = Segments { key, zeros: 0, had_word: false };
    let mut rest = version.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let segment;
        match first {
            b'0'..=b'9' => {
                (segment, rest) = taken(rest, u8::is_ascii_digit);
                segments.number(segment);
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                (segment, rest) = taken(rest, u8::is_ascii_alphabetic);
                segments.word(segment);
            }
            b'-' => {
                segments.word(DASH);
                rest = behind;
            }
            b'.' => rest = behind,
            _ => return None,
        }
    }
    segments.key.push(END);
    Some(())
}

/// Segments, of which zeros are kept back until it is known what follows them.
struct Segments<'k> {
    key: &'k mut Vec<u8>,
    zeros: u64,
    had_word: bool,
}

impl Segments<'_> {
    fn number(&mut self, digits: &[u8]) {
        if digits.iter().all(|digit| *digit == b'0') {
            self.zeros += 1;
            return;
        }
        if self.zeros > 0 {
            self.key.push(ZEROS_AND_NUMBER);
            let start = self.key.len();
            key::value(std::mem::take(&mut self.zeros), self.key);
            // More of them make it older.
            self.key.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
        }
        key::number(digits, self.key);
    }

    fn word(&mut self, word: &[u8]) {
        if self.had_word && self.zeros > 0 {
            self.key.push(ZEROS_AND_WORD);
            key::value(self.zeros, self.key);
        } else {
            self.key.push(WORD);
        }
        key::word(word, self.key);
        (self.zeros, self.had_word) = (0, true);
    }
}
