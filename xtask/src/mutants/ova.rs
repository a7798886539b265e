//! Damaged ova and ovf.

use anyhow::Result;

use super::{Target, exercise, vmdk};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "ova",
        seeds,
        fix,
        exercise: exercise::container,
        refused: &["the archive has no description"],
    }]
}

/// Archives of two small disks, one of them split, in every format of tar that has a magic.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"yes text | head -c 100k > raw || true
qemu-img convert -f raw -O vmdk -o subformat=streamOptimized raw a-disk.vmdk
split -b 40000 -d -a 9 raw b.
cat > machine.ovf <<EOF
<?xml version="1.0"?><Envelope xmlns:o="http://schemas.dmtf.org/ovf/envelope/1"><References>
<File o:href="a-disk.vmdk" o:id="f1"/><File o:href="b" o:id="f2" o:size="102400" o:chunkSize="40000"/>
</References><DiskSection><Disk o:diskId="d1" o:fileRef="f1" o:format="x/vmdk"/><Disk o:diskId="d2" o:fileRef="f2"/>
<Disk o:diskId="d3" o:capacity="1" o:capacityAllocationUnits="byte * 2^20"/></DiskSection></Envelope>
EOF
name=$(printf 'n%.0s' $(seq 1 120)); mkdir $name; cp a-disk.vmdk $name
tar --format=ustar -cf one machine.ovf a-disk.vmdk b.*
tar --format=gnu -cf two machine.ovf $name a-disk.vmdk b.*
tar --format=pax -cf three machine.ovf $name b.* a-disk.vmdk
tar --format=gnu -cf four a-disk.vmdk $name"#,
    )?;
    vmdk::read(work, &["one", "two", "three", "four"])
}

/// The checksum of the header that holds the byte.
fn fix(image: &mut [u8], at: usize) {
    let start = at / 512 * 512;
    let Some(header) = image.get_mut(start..start + 512) else { return };
    if &header[257..262] != b"ustar" {
        return;
    }
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
