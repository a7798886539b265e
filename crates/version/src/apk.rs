//! The order of apk, the package manager of Alpine.
//!
//! A version is numbers with dots between them, a letter, suffixes that may have a number, the hash
//! of a commit, and a revision: `1.2.3b_rc1_git20240101~0a1b2c-r4`. The first number counts as a
//! number; of the others, one that begins with 0 is compared digit by digit, as a string.
//!
//! apk 3 is followed. apk 2 takes zeros before a number for a fraction: `1.00` is older than `1.0`
//! to it, and newer to apk 3; and `1.019` is older than `1.0102` to it, and newer to apk 3. Two
//! things that only apk 2 reads are kept, for Alpine has had such versions: a number behind the
//! letter (`5.9.2p1`), and nothing behind a dot (`1.18.-r2`). What has a fault is older than what
//! ends in its place, as apk 3 has it, and all that is behind the fault does not count; but a
//! letter behind a dot (`2.15.r-r1`) is only older, and read on.

use crate::key;
use crate::pieces::taken;

/// What may stand at one place of a version. Numbers come last.
const ALPHA: u8 = 1;
const BETA: u8 = 2;
const PRE: u8 = 3;
const RC: u8 = 4;
const FAULT: u8 = 5;
const END: u8 = 6;
const REVISION: u8 = 7;
const HASH: u8 = 8;
const SUFFIX_NUMBER: u8 = 9;
const CVS: u8 = 10;
const SVN: u8 = 11;
const GIT: u8 = 12;
const HG: u8 = 13;
const P: u8 = 14;
const LETTER: u8 = 15;
/// Behind a dot: nothing, 0 alone, and 0 with digits behind it.
const NOTHING: u8 = 16;
const ZERO: u8 = 17;
const ZEROS: u8 = 18;

/// What was read last, which says what may follow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Last {
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
}

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    if version.is_empty() {
        return None;
    }
    let (first, mut rest) = taken(version.as_bytes(), u8::is_ascii_digit);
    if first.is_empty() {
        // Nothing is known of it, but it equals only itself.
        key.push(FAULT);
        key.extend(rest);
        return Some(());
    }
    key::number(first, key);
    let mut last = Last::Number;
    while !rest.is_empty() {
        match token(rest, last, key) {
            Some((behind, read)) => (rest, last) = (behind, read),
            None => {
                key.push(FAULT);
                return Some(());
            }
        }
    }
    key.push(END);
    Some(())
}

/// Adds what stands at the beginning; nothing where that may not stand there. What is behind it,
/// and what it was.
fn token<'v>(rest: &'v [u8], last: Last, key: &mut Vec<u8>) -> Option<(&'v [u8], Last)> {
    let (first, behind) = rest.split_first()?;
    match first {
        b'a'..=b'z' if last == Last::Number => {
            key.extend([LETTER, *first]);
            Some((behind, Last::Letter))
        }
        b'0'..=b'9' if last == Last::Letter => {
            let (digits, behind) = taken(rest, u8::is_ascii_digit);
            key::number(digits, key);
            Some((behind, Last::Number))
        }
        b'0'..=b'9' if last == Last::Suffix => {
            let (digits, behind) = taken(rest, u8::is_ascii_digit);
            key.push(SUFFIX_NUMBER);
            key::number(digits, key);
            Some((behind, Last::SuffixNumber))
        }
        b'.' if last == Last::Number => {
            let (digits, behind) = taken(behind, u8::is_ascii_digit);
            match digits {
                [] => key.push(match behind.first()? {
                    b'.' | b'-' | b'_' => NOTHING,
                    b'a'..=b'z' => FAULT,
                    _ => return None,
                }),
                [b'0'] => key.push(ZERO),
                [b'0', digits @ ..] => {
                    key.push(ZEROS);
                    key::word(digits, key);
                }
                digits => key::number(digits, key),
            }
            Some((behind, Last::Number))
        }
        b'_' if last <= Last::SuffixNumber => {
            let (suffix, behind) = taken(behind, u8::is_ascii_lowercase);
            key.push(match suffix {
                b"alpha" => ALPHA,
                b"beta" => BETA,
                b"pre" => PRE,
                b"rc" => RC,
                b"cvs" => CVS,
                b"svn" => SVN,
                b"git" => GIT,
                b"hg" => HG,
                b"p" => P,
                _ => return None,
            });
            Some((behind, Last::Suffix))
        }
        b'~' if last < Last::Hash => {
            let (hash, behind) = taken(behind, u8::is_ascii_hexdigit);
            if hash.is_empty() {
                return None;
            }
            key.push(HASH);
            key::word(hash, key);
            Some((behind, Last::Hash))
        }
        b'-' => {
            // Nothing may follow a revision, so that it is one to the end or none.
            let digits = behind.strip_prefix(b"r")?;
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return None;
            }
            key.push(REVISION);
            key::number(digits, key);
            Some((&[], Last::Hash))
        }
        _ => None,
    }
}
