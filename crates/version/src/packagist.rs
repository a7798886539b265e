//! The order of Composer.
//!
//! Composer makes four numbers of up to four, understands what stability is named behind them, and
//! has the `version_compare` of PHP compare what it made. Of two versions one of which has ended,
//! that one is older than a number or a patch, and newer than a pre-release. What stands behind the
//! numbers and means nothing to Composer is read as PHP reads it. A branch (`dev-main`) is neither
//! older nor newer than anything.

use crate::key::{self, ABOVE};
use crate::pieces::taken;

/// What may stand at one place of a version; numbers stand between the end and a patch. All names
/// that are not known are alike.
const UNKNOWN: u8 = 1;
const DEVELOPMENT: u8 = 2;
const ALPHA: u8 = 3;
const BETA: u8 = 4;
const CANDIDATE: u8 = 5;
const END: u8 = 6;
const PATCH: u8 = ABOVE;

/// How many numbers a version has to Composer.
const NUMBERS: usize = 4;

/// The most digits of the first number. What has more is a date, of which not four numbers are
/// made.
const FIRST_DIGITS: usize = 5;

/// How many digits a date begins with.
const YEAR_DIGITS: usize = 4;

/// What Composer takes for the numbers that a branch leaves open: `1.x-dev`.
const OPEN: u64 = 9_999_999;

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let version = version.trim().to_ascii_lowercase();
    let version = version.strip_prefix('v').unwrap_or(&version);
    let version = version.split_once('+').map_or(version, |(version, _)| version).as_bytes();
    encode_version(version, key)?;
    key.push(END);
    Some(())
}

/// A version in lower case without what does not count. It begins with a digit.
fn encode_version(version: &[u8], key: &mut Vec<u8>) -> Option<()> {
    let (first, behind) = taken(version, u8::is_ascii_digit);
    if first.is_empty() {
        return None;
    }
    let start = key.len();
    let mut rest = version;
    if first.len() <= FIRST_DIGITS {
        let is_branch;
        (rest, is_branch) = encode_numbers(version, key);
        if is_branch {
            // Without saying that it is one, it is a constraint.
            return encode_development(rest, key).filter(|()| !rest.is_empty());
        }
        if encode_known(rest, key) {
            return Some(());
        }
    }
    if first.len() > FIRST_DIGITS || is_date(first, behind) {
        key.truncate(start);
        rest = encode_date(version, key);
        if encode_known(rest, key) {
            return Some(());
        }
    }
    encode_plain(rest, key);
    Some(())
}

/// Whether these are a year and, behind it, a month at least: `2010-01-31`.
fn is_date(first: &[u8], behind: &[u8]) -> bool {
    let month = without(behind, b".:-");
    let digits = taken(month, u8::is_ascii_digit).0.len();
    first.len() == YEAR_DIGITS && month.len() < behind.len() && digits >= 2
}

/// All numbers at the beginning, whatever separates them, and what is behind them.
fn encode_date<'v>(mut rest: &'v [u8], key: &mut Vec<u8>) -> &'v [u8] {
    loop {
        let (digits, behind) = taken(without(rest, b".:-"), u8::is_ascii_digit);
        if digits.is_empty() {
            return rest;
        }
        key::number(digits, key);
        rest = behind;
    }
}

/// Adds what Composer understands behind the numbers; nothing where it does not understand all of
/// it.
fn encode_known(rest: &[u8], key: &mut Vec<u8>) -> bool {
    let start = key.len();
    let is_known = encode_stability(rest, key).is_some();
    if !is_known {
        key.truncate(start);
    }
    is_known
}

/// The numbers at the beginning, of which four are made; and what is behind them, and whether some
/// of them were left open, as only branches do.
fn encode_numbers<'v>(version: &'v [u8], key: &mut Vec<u8>) -> (&'v [u8], bool) {
    let (first, mut rest) = taken(version, u8::is_ascii_digit);
    key::number(first, key);
    let mut is_branch = false;
    for _ in 1..NUMBERS {
        let behind = rest.strip_prefix(b".").unwrap_or_default();
        let (digits, behind_digits) = taken(behind, u8::is_ascii_digit);
        if !digits.is_empty() {
            rest = behind_digits;
            key::number(digits, key);
        } else if let [b'x' | b'*', behind @ ..] = behind {
            rest = behind;
            is_branch = true;
            key::value(OPEN, key);
        } else {
            key::value(if is_branch { OPEN } else { 0 }, key);
        }
    }
    (rest, is_branch)
}

/// The stability that may stand behind the numbers, with numbers of its own.
fn encode_stability(rest: &[u8], key: &mut Vec<u8>) -> Option<()> {
    const STABILITIES: [(&[u8], u8); 8] = [
        (b"beta", BETA),
        (b"b", BETA),
        (b"rc", CANDIDATE),
        (b"alpha", ALPHA),
        (b"a", ALPHA),
        (b"patch", PATCH),
        (b"pl", PATCH),
        (b"p", PATCH),
    ];
    let named = without(rest, b"._-");
    if let Some(behind) = named.strip_prefix(b"stable") {
        // Neither numbers nor development behind it count.
        let ignored = &mut Vec::new();
        return encode_development(encode_stability_numbers(behind, ignored), ignored);
    }
    let known = |(name, mark): &(&[u8], u8)| Some((*mark, named.strip_prefix(*name)?));
    match STABILITIES.iter().find_map(known) {
        Some((mark, behind)) => {
            key.push(mark);
            encode_development(encode_stability_numbers(behind, key), key)
        }
        None => encode_development(named, key),
    }
}

/// The numbers of a stability, and what is behind them.
fn encode_stability_numbers<'v>(mut rest: &'v [u8], key: &mut Vec<u8>) -> &'v [u8] {
    loop {
        let (digits, behind) = taken(without(rest, b".-"), u8::is_ascii_digit);
        if digits.is_empty() {
            return rest;
        }
        key::number(digits, key);
        rest = behind;
    }
}

/// Behind all else there may stand that it is under development, and nothing else.
fn encode_development(rest: &[u8], key: &mut Vec<u8>) -> Option<()> {
    if rest.is_empty() {
        return Some(());
    }
    key.push(DEVELOPMENT);
    (without(rest, b".-") == b"dev").then_some(())
}

/// What stands behind one of the separators, if one stands there.
fn without<'v>(text: &'v [u8], separators: &[u8]) -> &'v [u8] {
    match text.split_first() {
        Some((first, rest)) if separators.contains(first) => rest,
        _ => text,
    }
}

/// Any text, as PHP compares it: numbers and words, whatever stands between them. Of a word only
/// its beginning counts.
fn encode_plain(mut rest: &[u8], key: &mut Vec<u8>) {
    while let Some(first) = rest.first() {
        let piece;
        match first {
            b'0'..=b'9' => {
                (piece, rest) = taken(rest, u8::is_ascii_digit);
                key::number(piece, key);
            }
            b'a'..=b'z' => {
                (piece, rest) = taken(rest, u8::is_ascii_lowercase);
                key.push(match piece {
                    [b'd', b'e', b'v', ..] => DEVELOPMENT,
                    [b'a', ..] => ALPHA,
                    [b'b', ..] => BETA,
                    [b'r', b'c', ..] => CANDIDATE,
                    [b'p', ..] => PATCH,
                    _ => UNKNOWN,
                });
            }
            _ => rest = &rest[1..],
        }
    }
}
