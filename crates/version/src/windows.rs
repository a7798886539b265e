//! The order of files and builds of Windows.

use crate::dotted;

/// Numbers; those that are missing are 0. What stands behind a blank names the build, and does not
/// count: `10.0.19041.1 (WinBuild.160101.0800)`.
pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    let (_, rest) = dotted::encode(version.trim(), key)?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(())
}
