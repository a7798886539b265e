//! What the databases have in common: epochs and moments.

use fathom_filesystem::Timestamp;

/// `1:2.3-4` as 1 and `2.3-4`.
pub(super) fn split_epoch(version: &str) -> (Option<u32>, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) if epoch.parse::<u32>().is_ok() => (epoch.parse().ok(), rest),
        _ => (None, version),
    }
}

/// Seconds since 1970 as the report writes moments. What lies outside the years that it can write is
/// nothing.
pub(crate) fn moment(seconds: i64) -> Option<String> {
    const LAST: i64 = 253_402_300_799;
    (0..=LAST).contains(&seconds).then(|| Timestamp::new(seconds, 0).to_string())
}
