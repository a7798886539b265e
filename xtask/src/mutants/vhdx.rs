//! Damaged vhdx.

use anyhow::{Context as _, Result};

use super::{Target, exercise, vmdk};
use crate::oracle::Work;
use crate::oracle::vhd::{log_offset, logged, mend_vhdx};

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "vhdx", seeds, fix, exercise: exercise::container, refused: &[] }]
}

/// One with an empty log, one with all that matters in it.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        "qemu-img create -q -f vhdx -o block_size=1M disk.vhdx 20M
         qemu-io -f vhdx -c 'write -P 1 3M 3k' disk.vhdx",
    )?;
    let [clean] = vmdk::read(work, &["disk.vhdx"])?.try_into().unwrap_or_default();
    let dirty = logged(&clean, 0).context("no block table")?;
    Ok(vec![clean, dirty])
}

/// Headers, region tables, and entries of the log.
fn fix(image: &mut [u8], at: usize) {
    let tables = [(64, 4), (128, 4), (192, 64), (256, 64)];
    for (start, length) in tables.map(|(start, length)| (start << 10, length << 10)) {
        if (start..start + length).contains(&at) && start + length <= image.len() {
            mend_vhdx(&mut image[start..start + length]);
        }
    }
    let log = 1 << 20;
    if !(log..log + (1 << 20)).contains(&at) || image.len() < 2 << 20 || log_offset(image) != log {
        return;
    }
    let starts = (log..=at / 4096 * 4096).rev().step_by(4096);
    let found = starts.into_iter().find(|start| image[*start..].starts_with(b"loge"));
    let Some(start) = found else { return };
    let length = image[start + 8..start + 12].try_into().map_or(0, u32::from_le_bytes) as usize;
    if (4096..=1 << 20).contains(&length) && start + length <= image.len() {
        mend_vhdx(&mut image[start..start + length]);
    }
}
