//! dpkg: this machine's own database, and one with changes that have not been merged.

use anyhow::{Result, ensure};
use fathom_guest::report::Package;

use super::{Case, Work, ours, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("packages/dpkg", |work| {
            work.bash(COPY)?;
            compare(work)
        }),
        Case::new("packages/dpkg-updates", |work| {
            work.bash(COPY)?;
            work.bash(UPDATES)?;
            let before = ours(work, "root")?;
            compare(work)?;
            // dpkg merges the changes when it next writes; what it wrote reads as the same.
            work.bash("dpkg --admindir=$PWD/root/var/lib/dpkg --clear-avail 2>/dev/null || true")?;
            work.bash("for want in hold install; do echo bash $want; done | dpkg --admindir=$PWD/root/var/lib/dpkg --set-selections")?;
            let left = work.bash("ls root/var/lib/dpkg/updates")?;
            ensure!(left.trim().is_empty(), "{left} were not merged");
            let key = |package: &Package| (line(package), package.vendor.clone(), package.size);
            let mut before: Vec<_> = before.iter().map(key).collect();
            let mut after: Vec<_> = ours(work, "root")?.iter().map(key).collect();
            before.sort();
            after.sort();
            ensure!(before == after, "the merged database reads otherwise");
            compare(work)
        }),
    ]
}

const COPY: &str =
    "mkdir -p root/var/lib; cp -a /var/lib/dpkg root/var/lib/; rm -rf root/var/lib/dpkg/info";

/// A version changed, a package half gone, another gone, one that is new, and a later change of the
/// first.
const UPDATES: &str = r#"
at=root/var/lib/dpkg; rm -f $at/updates/*
cat > $at/updates/0000 <<'S'
Package: bash
Status: install ok half-configured
Maintainer: Nobody <n@x>
Architecture: amd64
Version: 9:1.0-1
S
cat > $at/updates/0001 <<'S'
Package: tar
Status: deinstall ok config-files
Maintainer: Nobody <n@x>
Architecture: amd64
Version: 1.2.3
Config-Version: 1.2.3

Package: not-there-before
Status: install ok unpacked
Maintainer: Nobody <n@x>
Architecture: all
Source: another (2:1-2)
Version: 0~x+y
S
cat > $at/updates/0002 <<'S'
Package: bash
Status: install ok installed
Maintainer: Nobody <n@x>
Installed-Size: 77
Architecture: amd64
Version: 9:2.0-1
S
cat > $at/updates/0003 <<'S'
Package: sed
Status: deinstall ok not-installed
Maintainer: Nobody <n@x>
Architecture: amd64
S
"#;

fn compare(work: &Work) -> Result<()> {
    // dpkg lists packages that it only knows to be gone when they have a version or are asked for.
    let theirs = work.bash(
        "dpkg-query --admindir=$PWD/root/var/lib/dpkg -W -f \
         '${Package} ${Architecture} ${Version} ${db:Status-Status} ${source:Package} ${source:Version}\\n' \
         | grep -v ' not-installed '",
    )?;
    let ours = ours(work, "root")?;
    same(&theirs, &ours.iter().map(line).collect::<Vec<_>>())
}

fn line(package: &Package) -> String {
    let epoch = package.epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
    let version = format!("{epoch}{}", package.version);
    format!(
        "{} {} {version} {} {} {}",
        package.name,
        package.architecture.as_deref().unwrap_or(""),
        package.state.as_deref().unwrap_or("installed"),
        package.source.as_ref().unwrap_or(&package.name),
        package.source_version.as_ref().unwrap_or(&version),
    )
}
