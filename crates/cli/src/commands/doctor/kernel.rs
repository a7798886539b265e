//! What the kernel has for keeping workers apart from the host.

use std::fs;

use super::Findings;

/// Since which version of Linux there is which version of Landlock, the newest first.
const LANDLOCK: &[((u32, u32), u32)] = &[
    ((6, 15), 7),
    ((6, 12), 6),
    ((6, 10), 5),
    ((6, 7), 4),
    ((6, 2), 3),
    ((5, 19), 2),
    ((5, 13), 1),
];

/// A file of the kernel, trimmed.
fn said(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// `6.8` of `6.8.0-45-generic`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn abi(version: (u32, u32)) -> Option<u32> {
    LANDLOCK.iter().find(|(since, _)| version >= *since).map(|(_, abi)| *abi)
}

/// Landlock, by which a worker's process sees no files but its own. Asking for its version takes a
/// system call of its own; it goes by the version of the kernel.
pub(super) fn landlock(findings: &mut Findings) {
    let about = "landlock";
    let release = said("/proc/sys/kernel/osrelease").unwrap_or_default();
    let remedy = "images are then parsed in processes that could see all files of this user; use Linux \
                  5.13 or later, and name landlock in lsm= on the kernel's command line";
    let Some(abi) = version(&release).and_then(abi) else {
        return findings.warning(about, format!("Linux {release} does not have it"), remedy);
    };
    match said("/sys/kernel/security/lsm") {
        Some(active) if active.split(',').any(|name| name == "landlock") => {
            findings.ok(about, format!("version {abi} or later, by Linux {release}"));
        }
        Some(active) => {
            findings.warning(about, format!("it is not active; {active} are"), remedy);
        }
        None => {
            let what = format!(
                "Linux {release} has version {abi} of it; whether it is active cannot be told, since \
                 /sys/kernel/security/lsm cannot be read"
            );
            findings.warning(
                about,
                what,
                "mount securityfs, or look on the host of this container",
            );
        }
    }
}

/// Seccomp, by which a worker's process can ask the kernel for little.
pub(super) fn seccomp(findings: &mut Findings) {
    let remedy = "use a kernel with CONFIG_SECCOMP_FILTER";
    match said("/proc/sys/kernel/seccomp/actions_avail") {
        Some(actions) if actions.split(' ').any(|action| action == "kill_process") => {
            findings.ok("seccomp", "filters, and ending the process");
        }
        Some(actions) => {
            let what = format!("it cannot end a process, but {actions}");
            findings.warning("seccomp", what, remedy);
        }
        None => findings.warning("seccomp", "this kernel does not filter system calls", remedy),
    }
}

/// Whether the memory of this process is held to a bound by a control group.
pub(super) fn memory_cgroup(findings: &mut Findings) {
    let about = "memory group";
    let group = said("/proc/self/cgroup").unwrap_or_default();
    let unified = group.lines().find_map(|line| line.strip_prefix("0::"));
    let folder = format!("/sys/fs/cgroup{}", unified.unwrap_or("/"));
    let controllers = said(&format!("{folder}/cgroup.controllers")).unwrap_or_default();
    let limit = said(&format!("{folder}/memory.max"))
        .or_else(|| said("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
        .and_then(|text| text.parse::<u64>().ok());
    match limit {
        // Version 1 of control groups spells "none" as a number of this size.
        Some(bytes) if bytes < 1 << 60 => {
            findings.ok(about, format!("at most {}", crate::text::size(bytes)));
        }
        _ if controllers.split(' ').any(|name| name == "memory") || limit.is_some() => {
            findings.ok(about, "without a limit; each job is held to worker.limits.memory");
        }
        _ => {
            let what = "there is none for memory; each job is held to worker.limits.memory by its \
                        address space alone";
            findings.warning(about, what, "start it by systemd with MemoryMax=, or in a container");
        }
    }
}

/// How many files may be open at once.
pub(super) fn open_files(findings: &mut Findings) {
    const ENOUGH: u64 = 4096;
    let limits = said("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let mut words = line.unwrap_or_default().split_whitespace();
    let (soft, hard) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let count = |word: &str| if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() };
    let remedy = "raise it: LimitNOFILE=65536 in the unit of systemd, or ulimit -n 65536";
    match (count(soft), count(hard)) {
        (Some(_), Some(most)) if most >= ENOUGH => {
            findings.ok("open files", format!("{soft}, up to {hard}"));
        }
        (Some(_), Some(_)) => {
            let what = format!("at most {hard}; a busy server has more connections and disks open");
            findings.warning("open files", what, remedy);
        }
        _ => findings.warning("open files", "/proc/self/limits does not say how many", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_landlock() {
        for (release, expected) in [
            ("6.8.0-45-generic", Some(4)),
            ("5.10.0-30-amd64", None),
            ("5.15.167.4-microsoft-standard-WSL2", Some(1)),
            ("6.1.0-28-amd64", Some(2)),
            ("7.0.1", Some(7)),
            ("6", None),
            ("", None),
        ] {
            assert_eq!(version(release).and_then(abi), expected, "{release}");
        }
    }
}
