//! Pre-releases as Semantic Versioning has them.

use crate::key::{self, ABOVE};

/// What stands behind the numbers of a version. Both come before a further number.
const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;

/// Before an identifier that is no number: it comes behind all numbers.
const WORD: u8 = ABOVE;

/// Adds that there is no pre-release.
pub(crate) fn none(key: &mut Vec<u8>) {
    key.push(RELEASE);
}

/// Adds the identifiers of a pre-release, with dots between them. Of two that are alike to the end
/// of one of them, the shorter one comes first. Nothing where one of them is empty, or has
/// characters that cannot be meant.
pub(crate) fn encode(identifiers: &str, key: &mut Vec<u8>) -> Option<()> {
    key.push(PRERELEASE);
    for identifier in identifiers.split('.') {
        if identifier.is_empty()
            || identifier.contains(|c: char| c.is_control() || c.is_whitespace())
        {
            return None;
        }
        if identifier.bytes().all(|byte| byte.is_ascii_digit()) {
            key::number(identifier.as_bytes(), key);
        } else {
            key.push(WORD);
            key::word(identifier.as_bytes(), key);
        }
    }
    Some(())
}

/// The version without the metadata of a build, which do not count.
pub(crate) fn without_build(version: &str) -> &str {
    version.split_once('+').map_or(version, |(version, _)| version)
}
