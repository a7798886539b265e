//! How a system is guarded, as the owning tools say it.

mod certificates;
mod files;
mod sshd;
mod system;

use anyhow::{Context as _, Result, ensure};
use fathom_guest::Options;
use fathom_guest::report::{Security, Setting};

use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("security/certificates", certificates::certificates),
        Case::new("security/open-files", files::open_files),
        Case::new("security/sysctl", system::sysctl),
        Case::new("security/apt", system::apt),
        Case::new("security/audit", system::audit),
        Case::new("security/apparmor", system::apparmor),
        Case::new("security/modprobe", system::modprobe),
        Case::new("security/sshd-started", sshd::started),
    ];
    cases.extend(sshd::CASES.iter().map(|case| {
        Case::new(format!("security/sshd-{}", case.name), |work| sshd::compare(work, case))
    }));
    cases
}

/// How the one system in the folder `root` is guarded; nothing may be wrong with it.
fn security(work: &Work, deep: bool) -> Result<Security> {
    work.bash(
        "mkdir -p root/etc; [ -e root/etc/os-release ] || echo ID=debian > root/etc/os-release
         rm -f image; size=$(( $(du -sm root | cut -f1) * 2 + 32 ))
         mke2fs -q -t ext4 -d root image ${size}M 2>&1",
    )?;
    let options = Options { deep, ..Options::default() };
    let inspection = fathom_guest::inspect(&work.discover(&["image"], &[])?, &options);
    ensure!(inspection.problems.is_empty(), "problems: {:?}", inspection.problems);
    let system = inspection.systems.into_iter().next().context("no system was found")?;
    ensure!(system.problems.is_empty(), "problems: {:?}", system.problems);
    Ok(system.security)
}

/// Each as a line: the name and the value.
fn lines(settings: &[Setting]) -> Vec<String> {
    settings.iter().map(|setting| format!("{} {}", setting.name, setting.value)).collect()
}
