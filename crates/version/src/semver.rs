//! The order of Semantic Versioning, read leniently.

use crate::{dotted, prerelease};

/// As npm reads loosely: with a `v` or `=` before the version, and a pre-release that begins with a
/// letter also without a dash. Any count of numbers is taken; those that are missing are 0.
pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let version = version.trim().trim_start_matches(['v', 'V', '=', ' ']);
    let (_, rest) = dotted::encode(prerelease::without_build(version), key)?;
    match rest.strip_prefix('-') {
        Some(identifiers) => prerelease::encode(identifiers, key),
        None if rest.is_empty() => {
            prerelease::none(key);
            Some(())
        }
        None if rest.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            prerelease::encode(rest, key)
        }
        None => None,
    }
}
