//! Damaged vhd.

use anyhow::Result;

use super::{Target, exercise, vmdk};
use crate::oracle::Work;
use crate::oracle::vhd::mend_vhd;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "vhd", seeds, fix, exercise: exercise::container, refused: &[] }]
}

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        "qemu-img create -q -f vpc -o force_size=on one.vhd 20M
         qemu-io -f vpc -c 'write -P 1 3M 3k' -c 'write -P 2 19M 10k' one.vhd
         qemu-img create -q -f vpc -o subformat=fixed two.vhd 100k",
    )?;
    vmdk::read(work, &["one.vhd", "two.vhd"])
}

/// Footers at both ends, and the dynamic disk header behind the first.
fn fix(image: &mut [u8], at: usize) {
    let last = image.len().saturating_sub(512);
    for (start, length, sum) in [(0, 512, 64), (512, 1024, 36), (last, 512, 64)] {
        let cookie = image
            .get(start..start + 8)
            .is_some_and(|cookie| cookie == b"conectix" || cookie == b"cxsparse");
        if cookie && (start..start + length).contains(&at) {
            mend_vhd(&mut image[start..start + length], sum);
        }
    }
}
