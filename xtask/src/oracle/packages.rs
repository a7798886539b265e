//! Databases of packages as their own tools make them and list them.
//!
//! The database goes into a small ext4, so that the whole way from the volume to the list is tried.

mod dpkg;
mod pacman;
mod rpm;

use anyhow::{Result, ensure};
use fathom_guest::report::{Coverage, Listing, Package};

use super::guest::same;
use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    [rpm::cases(), dpkg::cases(), pacman::cases()].into_iter().flatten().collect()
}

/// What we read of the files in the folder `root`; nothing may be wrong with them.
fn ours(work: &Work, root: &str) -> Result<Vec<Package>> {
    work.bash(&format!(
        "rm -f image; size=$(( $(du -sm {root} | cut -f1) * 2 + 32 ))
         mke2fs -q -t ext4 -d {root} image ${{size}}M 2>&1"
    ))?;
    let (listing, problems) = fathom_guest::packages(&work.tree("image")?);
    ensure!(problems.is_empty(), "problems: {problems:?}");
    ensure!(listing.coverage == Coverage::Complete, "{:?}", listing.reason);
    let Listing { items, .. } = listing;
    Ok(items)
}

/// A field as the tools write one that is not there.
fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("(none)")
}
