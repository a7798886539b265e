//! Damaged volume groups.

use anyhow::{Result, bail};

use super::partitions::step;
use super::{Target, exercise};
use crate::oracle::Work;
use crate::oracle::volume::lvm::PRELUDE;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "lvm", seeds, fix, exercise: exercise::volumes, refused: &[] }]
}

/// Where the physical volumes start: on a whole disk, and on the partitions of another.
const BASES: [usize; 3] = [0, 1 << 20, 3 << 20];

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(&format!(
        "{PRELUDE}
sizes='--metadatasize 64k --dataalignment 64k'
small() {{ for i in $(seq 0 $(($1 - 1))); do pvcreate -q $sizes \"$(pv $i)\"; done > log 2>&1; vgcreate -q -s 64k vg0 $(for i in $(seq 0 $(($1 - 1))); do pv $i; done) >> log 2>&1; }}
attach 2 2M; small 2
lv -n a -l 3 vg0; lv -n b -l 4 -i 2 -I 4k vg0; lv -n c -l 2 vg0 \"$(pv 1)\"
lvextend -q --driverloaded n -y -l +2 vg0/a \"$(pv 1)\" >> log 2>&1
truncate -s 5M two; printf 'label: dos\\nstart=2048, size=4096, type=8e\\nstart=6144, size=4096, type=8e\\n' | sfdisk -q two
dd if=disk0.img of=two bs=1M seek=1 conv=notrunc status=none; dd if=disk1.img of=two bs=1M seek=3 conv=notrunc status=none"
    ))?;
    work.bash(&format!(
        "{PRELUDE}
rm disk0.img; attach 1 2M
pvcreate -q --metadatasize 64k --dataalignment 64k --pvmetadatacopies 2 \"$(pv 0)\" > log 2>&1; vgcreate -q -s 64k vg0 \"$(pv 0)\" >> log 2>&1
lv -n a -l 3 vg0; lv -n b -l 4 vg0"
    ))?;
    for name in ["two", "disk0.img"] {
        let found = work.discover(&[name], &[])?;
        if found.find("vg0/b").is_none_or(|volume| volume.problem.is_some()) {
            bail!("{name} is not healthy");
        }
    }
    ["two", "disk0.img"].into_iter().map(|name| Ok(std::fs::read(work.path(name))?)).collect()
}

/// Makes the checksums of every label, metadata header and text right.
fn fix(image: &mut [u8], _at: usize) {
    for base in BASES {
        for sector in 0..4 {
            let _ = fix_label(image, base, base + 512 * sector);
        }
    }
}

fn sum(bytes: &[u8]) -> [u8; 4] {
    bytes.iter().fold(0xF597_A6CF, |sum, byte| step(sum, *byte)).to_le_bytes()
}

fn number(image: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(image.get(at..at + 8)?.try_into().ok()?)).ok()
}

fn fix_label(image: &mut [u8], base: usize, label: usize) -> Option<()> {
    if image.get(label..label + 8)? != b"LABELONE" {
        return None;
    }
    let checksum = sum(image.get(label + 20..label + 512)?);
    image.get_mut(label + 16..label + 20)?.copy_from_slice(&checksum);
    // Areas of data, a zero, areas of metadata, a zero.
    let mut zeros = 0;
    for at in (label + 72..label + 496).step_by(16) {
        match number(image, at)? {
            0 if zeros == 1 => break,
            0 => zeros += 1,
            area if zeros == 1 => {
                let _ = fix_area(image, base.checked_add(area)?);
            }
            _ => {}
        }
    }
    Some(())
}

fn fix_area(image: &mut [u8], area: usize) -> Option<()> {
    if area >= image.len() {
        return None;
    }
    let (size, offset, length) =
        (number(image, area + 32)?, number(image, area + 40)?, number(image, area + 48)?);
    if length < image.len() && offset < size && size < image.len() {
        let at = |index: usize| {
            let at = offset + index;
            area + if at < size { at } else { at - size + 512 }
        };
        let text: Vec<u8> = (0..length).filter_map(|index| image.get(at(index)).copied()).collect();
        image.get_mut(area + 56..area + 60)?.copy_from_slice(&sum(&text));
    }
    let checksum = sum(image.get(area + 4..area + 512)?);
    image.get_mut(area..area + 4)?.copy_from_slice(&checksum);
    Some(())
}
