//! The order of NuGet: Semantic Versioning with up to four numbers, and without regard to case.

use crate::{dotted, prerelease};

/// The most numbers of a version.
const NUMBERS: usize = 4;

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let version = prerelease::without_build(version.trim());
    let (count, rest) = dotted::encode(version, key)?;
    if count > NUMBERS {
        return None;
    }
    if rest.is_empty() {
        prerelease::none(key);
        return Some(());
    }
    prerelease::encode(&rest.strip_prefix('-')?.to_ascii_lowercase(), key)
}
