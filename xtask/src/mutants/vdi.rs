//! Damaged vdi.

use anyhow::Result;

use super::{Target, exercise, vmdk};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "vdi", seeds, fix: |_, _| {}, exercise: exercise::container, refused: &[] }]
}

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        "qemu-img create -q -f vdi one.vdi 20M
         qemu-io -f vdi -c 'write -P 1 3M 3k' -c 'write -P 2 19M 10k' one.vdi
         qemu-img create -q -f vdi -o static=on two.vdi 1M",
    )?;
    vmdk::read(work, &["one.vdi", "two.vdi"])
}
