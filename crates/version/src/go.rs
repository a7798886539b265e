//! The order of modules and releases of Go.
//!
//! Modules follow Semantic Versioning. A pseudo-version is a pre-release there, which the time of
//! its commit orders. Go itself is released as `go1.21.3`, `go1.22rc1` or `go1.9beta2`; advisories
//! write `1.22.0-rc.1` for the second, and so it is read here.

use crate::pieces::taken;
use crate::{dotted, prerelease, semver};

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    match version.strip_prefix("go") {
        Some(release) => encode_release(release, key),
        None => semver::encode(version, key),
    }
}

/// A release of Go. What others have added behind a dash or a blank does not count: `go1.21.3
/// X:fips`.
fn encode_release(release: &str, key: &mut Vec<u8>) -> Option<()> {
    let release = prerelease::without_build(release);
    let release = release.split(['-', ' ']).next().unwrap_or_default();
    let (_, rest) = dotted::encode(release, key)?;
    if rest.is_empty() {
        prerelease::none(key);
        return Some(());
    }
    let (kind, number) = taken(rest.as_bytes(), u8::is_ascii_alphabetic);
    let number = rest.get(rest.len() - number.len()..)?;
    if !matches!(kind, b"alpha" | b"beta" | b"rc") || number.is_empty() {
        return None;
    }
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kind = rest.get(..kind.len())?;
    prerelease::encode(&format!("{kind}.{number}"), key)
}
