//! Damaged vmdk. Extents in other files cannot be damaged here; sparse ones and descriptors can.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "vmdk",
            seeds: sparse,
            fix: |_, _| {},
            exercise: exercise::container,
            refused: &[],
        },
        Target {
            name: "vmdk-stream",
            seeds: stream,
            fix: |_, _| {},
            exercise: exercise::container,
            refused: &[],
        },
        Target {
            name: "vmdk-descriptor",
            seeds: descriptor,
            fix: |_, _| {},
            exercise: exercise::container,
            refused: &["NOACCESS"],
        },
    ]
}

/// Three megabytes: some zeros, some text, some noise.
const RAW: &str = "{ yes text | head -c 300000; head -c 1000000 /dev/zero; openssl enc -aes-128-ctr \
    -K 00 -iv 00 -in /dev/zero | head -c 200000; head -c 1645728 /dev/zero; } > raw 2> /dev/null || true
    truncate -s 3M raw";

fn sparse(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(&format!(
        "{RAW}; qemu-img convert -f raw -O vmdk raw one.vmdk
         qemu-img create -q -f vmdk -o zeroed_grain=on two.vmdk 100M
         qemu-io -f vmdk -c 'write -P 1 1M 70k' -c 'write -z 1M 64k' -c 'write -P 2 90M 1k' two.vmdk"
    ))?;
    read(work, &["one.vmdk", "two.vmdk"])
}

fn stream(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(&format!(
        "{RAW}; qemu-img convert -f raw -O vmdk -o subformat=streamOptimized raw disk.vmdk"
    ))?;
    let [plain] = read(work, &["disk.vmdk"])?.try_into().unwrap_or_default();
    // The same with a footer, as VMware writes it.
    let mut footed: Vec<u8> = plain.clone();
    footed.resize(footed.len().next_multiple_of(512), 0);
    let (mut marker, mut header) = (vec![0; 512], plain[..512].to_vec());
    (marker[0], marker[12]) = (1, 3);
    footed.extend(marker);
    footed.append(&mut header);
    footed.extend([0; 512]);
    footed[56..64].fill(0xFF);
    Ok(vec![plain, footed])
}

fn descriptor(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"printf '# Disk DescriptorFile\nversion=1\nencoding="UTF-8"\nCID=fffffffe\nparentCID=ffffffff\ncreateType="custom"\nRW 8 ZERO\nRW 16 ZERO\nRDONLY 16 ZERO\nNOACCESS 77 FLAT "x" 0\nddb.adapterType = "ide"\n' > d"#,
    )?;
    read(work, &["d"])
}

/// The bytes of files in the working folder.
pub(super) fn read(work: &Work, names: &[&str]) -> Result<Vec<Vec<u8>>> {
    names.iter().map(|name| Ok(std::fs::read(work.path(name))?)).collect()
}
