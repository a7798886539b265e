//! Whether the clock can be right: leases, tokens and ages go by it.

use std::path::Path;
use std::time::SystemTime;

use super::Findings;

/// Where systemd says that the clock follows a server of time.
const FOLLOWED: &str = "/run/systemd/timesync";

pub(super) fn check(findings: &mut Findings) {
    let now = SystemTime::now();
    let shown = crate::clock::rfc3339(now);
    let remedy = "let the clock follow a server of time (timedatectl set-ntp true)";
    // No program is older than the day that it was put here.
    let program = std::env::current_exe().and_then(std::fs::metadata);
    let installed = program.and_then(|program| program.modified()).ok();
    if installed.is_some_and(|installed| installed > now) {
        let what = format!("it is {shown}, before this program was put here");
        return findings.wrong("clock", what, remedy);
    }
    let folder = Path::new(FOLLOWED);
    match folder.exists() && !folder.join("synchronized").exists() {
        true => findings.warning("clock", format!("{shown}; it follows no server yet"), remedy),
        false => findings.ok("clock", shown),
    }
}
