//! The order of pacman (vercmp(8)).
//!
//! What separates two stretches matters by its length alone: a longer one is newer. `vercmp`
//! contradicts itself where a version ends with separators: `1.` is newer than `1..a`, which is
//! newer than `1.1`, which is newer than `1.`. Here such an end is read as one more stretch,
//! between words and numbers.

use crate::key::{self, ABOVE};
use crate::pieces::{skipped, taken};

/// What may stand at one place of a version, besides numbers, which stand between the end and
/// separators.
const WORD: u8 = 1;
const END: u8 = 2;
/// One separator, and then what it separates.
const SEPARATOR: u8 = ABOVE;
/// Several of them, their count, and then what they separate.
const SEPARATORS: u8 = ABOVE + 1;

/// The release, which has an end at least, is left out where there is none: so none comes before
/// all.
pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    if version.is_empty() {
        return None;
    }
    let (epoch, rest) = taken(version.as_bytes(), u8::is_ascii_digit);
    let (epoch, rest) = match rest.split_first() {
        Some((b':', rest)) => (epoch, rest),
        _ => (&b""[..], version.as_bytes()),
    };
    key::number(epoch, key);
    match rest.iter().rposition(|byte| *byte == b'-') {
        Some(dash) => {
            encode_part(&rest[..dash], key);
            encode_part(&rest[dash + 1..], key);
        }
        None => encode_part(rest, key),
    }
    Some(())
}

fn encode_part(mut part: &[u8], key: &mut Vec<u8>) {
    loop {
        let before = part.len();
        part = skipped(part, |byte| !byte.is_ascii_alphanumeric());
        match before - part.len() {
            0 => {}
            1 => key.push(SEPARATOR),
            more => {
                key.push(SEPARATORS);
                key::value(more as u64, key);
            }
        }
        match part.first() {
            None => return key.push(END),
            Some(_) => part = key::stretch(part, WORD, key),
        }
    }
}
