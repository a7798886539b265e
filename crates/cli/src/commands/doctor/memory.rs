//! Whether this host has the memory that jobs may take.

use fathom_config::Config;

use super::Findings;
use crate::text::size;

pub(super) fn check(config: &Config, findings: &mut Findings) {
    let about = "memory";
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = text.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    let Some(total) = kilobytes.map(|kilobytes| kilobytes.saturating_mul(1024)) else {
        return findings.warning(about, "/proc/meminfo does not say how much there is", "");
    };
    let (jobs, each) = (config.worker.concurrency, config.worker.limits.memory.get());
    // Where nothing is said, as many jobs are done as fit.
    let wanted = each.saturating_mul(u64::from(jobs.max(1)));
    match wanted > total {
        false => findings.ok(about, format!("{} in all, {} a job", size(total), size(each))),
        true => {
            let what = format!("jobs may take {}, and this host has {}", size(wanted), size(total));
            findings.warning(about, what, "lower worker.concurrency or worker.limits.memory");
        }
    }
}
