//! The order of Python (PEP 440), in all spellings that it allows.
//!
//! A version is an epoch, numbers, a pre-release, a post-release, a development release, and a
//! local label: `1!2.0.3rc4.post5.dev6+local.7`. Only the numbers must be there.

mod legacy;

use crate::dotted;
use crate::key::{self, ABOVE};
use crate::pieces::{skipped, taken};

/// The beginning of what is no version of PEP 440. The others begin with the number of their epoch.
const LEGACY: u8 = 1;

/// What stands behind the numbers, all before a further number: a development release alone, the
/// kinds of pre-releases, and no pre-release.
const ONLY_DEVELOPMENT: u8 = 1;
const ALPHA: u8 = 2;
const BETA: u8 = 3;
const CANDIDATE: u8 = 4;
const NO_PRERELEASE: u8 = 5;

/// No post-release comes before all that have one.
const NO_POST: u8 = 1;

/// No development release comes behind all that are one.
const NO_DEVELOPMENT: u8 = ABOVE;

/// In a local label, words come before numbers.
const WORD: u8 = 1;

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    if version.is_empty() || version.contains('\0') {
        return None;
    }
    let start = key.len();
    if encode_valid(&version.trim().to_lowercase(), key).is_none() {
        key.truncate(start);
        key.push(LEGACY);
        legacy::encode(&version.to_lowercase(), key);
    }
    Some(())
}

fn encode_valid(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let (version, local) = match version.split_once('+') {
        Some((version, local)) => (version, Some(local)),
        None => (version, None),
    };
    let release = match version.split_once('!') {
        Some((epoch, release)) => {
            if epoch.is_empty() || !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            key::number(epoch.as_bytes(), key);
            release
        }
        None => {
            key::value(0, key);
            version
        }
    };
    let (_, rest) = dotted::encode(release, key)?;
    encode_phases(rest.as_bytes(), key)?;
    local.map_or(Some(()), |local| encode_local(local.as_bytes(), key))
}

/// Pre-release, post-release and development release, of which nothing may be left.
fn encode_phases(rest: &[u8], key: &mut Vec<u8>) -> Option<()> {
    const PRERELEASES: [(&[u8], u8); 8] = [
        (b"alpha", ALPHA),
        (b"a", ALPHA),
        (b"beta", BETA),
        (b"b", BETA),
        (b"preview", CANDIDATE),
        (b"pre", CANDIDATE),
        (b"rc", CANDIDATE),
        (b"c", CANDIDATE),
    ];
    let (prerelease, rest) = phase(rest, &PRERELEASES);
    let (post, rest) = match numbered_post(rest) {
        Some((number, rest)) => (Some(number), rest),
        None => {
            let (post, rest) = phase(rest, &[(b"post", 0), (b"rev", 0), (b"r", 0)]);
            (post.map(|(_, number)| number), rest)
        }
    };
    let (development, rest) = phase(rest, &[(b"dev", 0)]);
    if !rest.is_empty() {
        return None;
    }
    match prerelease {
        Some((kind, number)) => {
            key.push(kind);
            key::number(number, key);
        }
        None if post.is_none() && development.is_some() => key.push(ONLY_DEVELOPMENT),
        None => key.push(NO_PRERELEASE),
    }
    match post {
        Some(number) => key::number(number, key),
        None => key.push(NO_POST),
    }
    match development {
        Some((_, number)) => key::number(number, key),
        None => key.push(NO_DEVELOPMENT),
    }
    Some(())
}

/// The mark of the name at the beginning and the number behind it, which may be missing, and the
/// rest. A separator may stand before the name and behind it.
fn phase<'v>(text: &'v [u8], names: &[(&[u8], u8)]) -> (Option<(u8, &'v [u8])>, &'v [u8]) {
    let named = without_separator(text);
    let found = names.iter().find_map(|(name, mark)| Some((*mark, named.strip_prefix(*name)?)));
    match found {
        Some((mark, behind)) => {
            let (number, rest) = taken(without_separator(behind), u8::is_ascii_digit);
            (Some((mark, number)), rest)
        }
        None => (None, text),
    }
}

/// The number of a post-release that is a dash and a number alone, and the rest.
fn numbered_post(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (number, rest) = taken(text.strip_prefix(b"-")?, u8::is_ascii_digit);
    (!number.is_empty()).then_some((number, rest))
}

fn without_separator(text: &[u8]) -> &[u8] {
    match text.split_first() {
        Some((b'-' | b'_' | b'.', rest)) => rest,
        _ => text,
    }
}

/// Labels that differ only behind the end of one of them: the shorter one comes first.
fn encode_local(label: &[u8], key: &mut Vec<u8>) -> Option<()> {
    for part in label.split(|byte| matches!(byte, b'-' | b'_' | b'.')) {
        if part.is_empty() || !skipped(part, u8::is_ascii_alphanumeric).is_empty() {
            return None;
        }
        if part.iter().all(u8::is_ascii_digit) {
            key::number(part, key);
        } else {
            key.push(WORD);
            key::word(part, key);
        }
    }
    Some(())
}
