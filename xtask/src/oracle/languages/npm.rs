//! Node.js: what npm installs, as it lists it.

use anyhow::Result;
use fathom_guest::report::PackageKind;

use super::{cached, folder, found, same, shown};
use crate::oracle::Work;

/// With scopes, one version within another package, and one package under another name.
pub(super) fn modules(work: &Work) -> Result<()> {
    let project = shown(&folder("npm"));
    let app = cached(
        "npm",
        &format!(
            "cp {project}/package.json {project}/package-lock.json .
             npm ci --ignore-scripts --no-audit --no-fund --silent 2>&1"
        ),
    )?;
    work.bash(&format!(
        "mkdir -p root/srv; cp -a {} root/srv/app; rm root/srv/app/complete",
        shown(&app)
    ))?;
    // A package under another name is said as `other@npm:name@version`; the first line is the project.
    let said = work.bash(
        r#"cd root/srv/app; npm ls --all --parseable --long | tail -n +2 |
sed -E "s#^$PWD##; s#:(@?[^@]+)@npm:#:#; s#:(@?[^@]+)@([^@]+)\$#\t\1\t\2#; s#^#/srv/app#""#,
    )?;
    let ours = found(work, PackageKind::Npm)?.into_iter().map(|package| {
        let place = package.location.unwrap_or_default();
        format!("{place}\t{}\t{}", package.name, package.version)
    });
    same(&said, &ours.collect::<Vec<_>>())
}
