//! Damaged NTFS: update sequences are put in order again.

use std::sync::Arc;

use anyhow::Result;
use fathom_filesystem::Filesystem as _;
use fathom_filesystem::ntfs::Ntfs;

use super::{Outcome, Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "ntfs", seeds, fix, exercise, refused: &[] }]
}

/// Makes every structure that the reader knows.
const FILL: &str = r#"
mkdir dir c; for i in $(seq 1 90); do echo $i > "dir/a name of some length $i"; done
setfattr -h -n system.ntfs_attrib_be -v 0x00000800 c
yes text | head -c 100000 > c/text || true; head -c 30000 /dev/urandom > c/noise
{ head -c 5000 /dev/urandom; yes more | head -c 90000; } > c/both || true
ln -s dir/x link; : > hard; for i in $(seq 1 30); do ln hard "dir/a hard link with a long name $i"; done
setfattr -n user.s -v value hard; setfattr -n user.large -v "$(printf 's%.0s' $(seq 1 3000))" hard
truncate -s 200K sparse; for i in 1 5 9 13; do echo x | dd of=sparse bs=1 seek=$((i * 9000)) conv=notrunc status=none; done
mkdir junction; setfattr -h -n system.ntfs_reparse_data -v 0x030000a00a0000000000020004000000410000000000 junction || true
mkdir -p deep/a/b/c; echo x > deep/a/b/c/d; mknod device c 1 3
"#;

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for cluster in [4096, 512] {
        work.bash(&format!(
            "rm -f image; truncate -s 3M image; mkfs.ntfs -FQq -c {cluster} image >/dev/null; mkdir -p mount
             ntfs-3g -o streams_interface=xattr,compression image mount; (cd mount; {FILL}
             ); for i in $(seq 50); do umount mount 2>/dev/null && break; sleep 0.1; done"
        ))?;
        seeds.push(std::fs::read(work.path("image"))?);
    }
    Ok(seeds)
}

/// Ends every 512 bytes of the record that holds the byte with its update sequence number.
fn fix(image: &mut [u8], at: usize) {
    const SECTOR: usize = 512;
    for back in 0..8 {
        let Some(start) = (at / SECTOR).checked_sub(back).map(|sector| sector * SECTOR) else {
            return;
        };
        let Some(record) = image.get_mut(start..) else {
            return;
        };
        if !matches!(record.get(..4), Some(b"FILE" | b"INDX" | b"RSTR")) {
            continue;
        }
        let usa_ofs = usize::from(u16::from_le_bytes([record[4], record[5]]));
        let strides = usize::from(u16::from_le_bytes([record[6], record[7]])).saturating_sub(1);
        let Some(number) = record.get(usa_ofs..usa_ofs + 2).map(<[u8]>::to_vec) else {
            return;
        };
        for sector in record.chunks_exact_mut(SECTOR).take(strides.min(8)) {
            sector[SECTOR - 2..].copy_from_slice(&number);
        }
        return;
    }
}

/// The bulk scan and the streams, and then what every filesystem has.
fn exercise(image: Vec<u8>) -> Outcome {
    let image = Arc::new(image);
    let mut scanned = Outcome::default();
    if let Some(ntfs) = scanned.take(Ntfs::open(image.clone())) {
        for file in ntfs.scan().take(20_000) {
            let Some(file) = scanned.take(file) else {
                continue;
            };
            for stream in file.streams {
                let opened = scanned.take(ntfs.open_stream(file.node, &stream.name)).flatten();
                if let Some(reader) = opened {
                    let mut start = vec![0; reader.len().min(64 << 10) as usize];
                    scanned.take(reader.read_at(0, &mut start));
                }
            }
        }
    }
    let mut outcome = exercise::filesystem(Arc::unwrap_or_clone(image));
    outcome.errors.append(&mut scanned.errors);
    outcome
}
