//! What a child has used up, as the kernel counts it.

use std::time::Duration;

use rustix::param::clock_ticks_per_second;

/// What a child has used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The most bytes it had in memory at once, as far as it was seen: looked at whenever it says
    /// something, and at its end where that is an orderly one.
    pub peak_memory: u64,
    /// How long its threads have run together.
    pub cpu: Duration,
}

impl Usage {
    /// Looks at a process that is there, or has ended and was not reaped. What is gone of it keeps the
    /// value from before.
    pub(crate) fn look(&mut self, process: u32) {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}"));
        if let Some(bytes) = read("status").ok().as_deref().and_then(high_water) {
            self.peak_memory = self.peak_memory.max(bytes);
        }
        if let Some(ticks) = read("stat").ok().as_deref().and_then(ticks) {
            let second = clock_ticks_per_second().max(1);
            self.cpu = self.cpu.max(Duration::from_millis(ticks.saturating_mul(1000) / second));
        }
    }
}

/// `VmHWM` of `/proc/PID/status`, in bytes.
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The ticks in user mode and in the kernel, of `/proc/PID/stat`. The name before them may hold
/// anything, but ends with the last parenthesis.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    next()?.checked_add(next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_understood() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 12 30 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("nonsense"), None);
        assert_eq!(high_water("VmPeak:\t 9 kB\nVmHWM:\t    1024 kB\n"), Some(1 << 20));
        let mut usage = Usage::default();
        usage.look(std::process::id());
        assert!(usage.peak_memory > 100_000, "{usage:?}");
    }
}
