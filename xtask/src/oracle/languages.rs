//! Packages of languages as their own tools install and list them.
//!
//! The files go into a small ext4, which is inspected with `--deep`: the whole way from the volume
//! over the walk to the list is tried.

mod go;
mod java;
mod npm;
mod others;
mod python;
mod rust;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use fathom_guest::Options;
use fathom_guest::report::{Coverage, Package, PackageKind};

use super::guest::same;
use super::{Case, Work};
use crate::shell;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("languages/composer", others::composer),
        Case::new("languages/dotnet", others::dotnet),
        Case::new("languages/gem", others::gem),
        Case::new("languages/go", go::programs),
        Case::new("languages/java", java::archives),
        Case::new("languages/npm", npm::modules),
        Case::new("languages/python", python::distributions),
        Case::new("languages/rust", rust::programs),
    ]
}

/// The packages of that kind in the folder `root`; nothing may be wrong with them.
fn found(work: &Work, kind: PackageKind) -> Result<Vec<Package>> {
    work.bash(
        "mkdir -p root/etc; echo ID=debian > root/etc/os-release; : > root/etc/fstab
         rm -f image; size=$(( $(du -sm root | cut -f1) * 2 + 32 ))
         mke2fs -q -t ext4 -d root image ${size}M 2>&1",
    )?;
    let options = Options { deep: true, ..Options::default() };
    let inspection = fathom_guest::inspect(&work.discover(&["image"], &[])?, &options);
    ensure!(inspection.problems.is_empty(), "problems: {:?}", inspection.problems);
    let system = inspection.systems.into_iter().next().context("no system was found")?;
    ensure!(system.problems.is_empty(), "problems: {:?}", system.problems);
    ensure!(system.packages.coverage == Coverage::Complete, "{:?}", system.packages.reason);
    Ok(system.packages.items.into_iter().filter(|package| package.kind == kind).collect())
}

/// A folder of this project that belongs to the cases.
fn folder(name: &str) -> PathBuf {
    shell::project().join("xtask/src/oracle/languages").join(name)
}

/// Something that is fetched by `script` into a folder of our own cache, once.
fn cached(name: &str, script: &str) -> Result<PathBuf> {
    let folder = shell::cache()?.join("languages").join(name);
    if !folder.join("complete").exists() {
        std::fs::create_dir_all(&folder)?;
        shell::bash(&folder, script)?;
        std::fs::write(folder.join("complete"), "")?;
    }
    Ok(folder)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
