//! LUKS and LVM.

use std::path::Path;

use anyhow::{Result, bail};

use super::{Job, Manifest, Outcome, Work, compare, discover, find, start};
use crate::oracle::{Abilities, populate};

/// The disks that it fills.
const DISKS: [&str; 6] = ["luks", "luks-4k", "pv0", "pv1", "pv2", "pv3"];

/// The volumes: what it calls them, what we call them, and a key that opens what they lie in.
const VOLUMES: [(&str, &str, &str); 10] = [
    ("luks", "disk0/luks", "the first one"),
    ("luks", "disk0/luks", "the second one"),
    ("luks", "disk0/luks", "the third one"),
    ("luks-4k", "disk1/luks", "the second one"),
    ("linear", "vg0/linear", ""),
    ("striped", "vg0/striped", ""),
    ("raid1", "vg0/raid1", ""),
    ("mirror", "vg0/mirror", ""),
    ("degraded", "vg0/degraded", ""),
    ("crypt", "vg0/crypt/luks", "the first one"),
];

/// Has the volumes made, and compares each with what the appliance read of it.
pub(super) fn run(work: &Work, kept: &Path) -> Result<Vec<Outcome>> {
    let mut names: Vec<&str> = VOLUMES.iter().map(|(name, ..)| *name).collect();
    names.dedup();
    let mut script = String::new();
    let mut disks = Vec::new();
    for name in DISKS {
        let size = if name.starts_with("pv") { "1G" } else { "96M" };
        script.push_str(&format!("truncate -s {size} {name}.img\n"));
        disks.push((name.to_owned(), format!("{name}.img")));
    }
    for name in names {
        script.push_str(&format!("truncate -s 64M {name}.tar\n"));
        disks.push((format!("{name}.tar"), format!("{name}.tar")));
    }
    work.bash(&script)?;
    let script = include_str!("volumes.sh").to_owned();
    start(work, kept, &Job { script, files: Vec::new(), disks, fixture })?;
    let outcome = |(name, id, key): &(&str, &str, &str)| {
        let shown = if key.is_empty() { (*id).to_owned() } else { format!("{id} by {key:?}") };
        (shown, check(work, name, id, key))
    };
    Ok(VOLUMES.iter().map(outcome).collect())
}

fn check(work: &Work, name: &str, id: &str, key: &str) -> Result<usize> {
    work.bash(&format!(
        "mkdir -p told/{name}; [ -e told/{name}/etc ] || \
         tar --xattrs --xattrs-include='*' --numeric-owner -C told/{name} -xf {name}.tar"
    ))?;
    let theirs = Manifest::from_kernel(&work.path(&format!("told/{name}")))?;
    let discovery = discover(work, &DISKS, key)?;
    let volume = find(&discovery, id)?;
    if let Some(problem) = &volume.problem {
        bail!("it has a problem: {problem}");
    }
    compare(volume, &theirs)
}

fn fixture(directory: &Path) -> Result<()> {
    let large = Abilities { large_directory: 400, large_file: 1 << 20, ..Abilities::LINUX };
    populate(directory, large)
}
