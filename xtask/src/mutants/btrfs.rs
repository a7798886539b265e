//! Damaged Btrfs.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "btrfs",
        seeds,
        fix,
        exercise: exercise::filesystem,
        refused: &["Btrfs device at byte"],
    }]
}

/// Small images, their empty ends cut off: with subvolumes, every kind of extent and compression,
/// with and without checksums of data, and logs that are yet to be merged.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    const FILL: &str = r#"
        mkdir dir dir/sub; for i in $(seq 1 150); do echo "$i" > "dir/name-$i"; done
        head -c 30000 /dev/urandom > noise; yes text | head -c 60000 > text || true
        truncate -s 100000 sparse; xfs_io -f -c 'falloc 0 20000' -c 'pwrite 4096 4096' allocated
        sync; cp --reflink=always text copy; xfs_io -c 'fpunch 8192 8192' text
        ln noise link; ln -s dir/name-1 symlink; mknod device c 1 3; setfattr -n user.a -v b text
        setfacl -m u:1:r text; btrfs -q subvolume create sub; echo x > sub/file
        btrfs -q subvolume create sub/inner; btrfs -q subvolume snapshot -r sub snapshot"#;
    const LOG: &str = r#"
        sync; echo new > new; mv dir/name-1 dir/moved; rm dir/name-2; setfattr -x user.a text
        head -c 9000 /dev/urandom | dd of=noise bs=4096 seek=2 conv=notrunc status=none
        ln text dir/text; chmod 600 text; for f in new dir/moved noise text dir; do xfs_io -c fsync "$f"; done
        echo more >> new; ln new dir/new; setfattr -n user.z -v z new; truncate -s 5000 noise
        for f in new noise; do xfs_io -c fsync "$f"; done"#;
    let mut seeds = Vec::new();
    for (index, (mkfs, mount, log)) in [
        ("--mixed", "compress-force=zlib", false),
        ("--mixed", "compress-force=lzo,max_inline=0", true),
        ("--mixed -O ^no-holes", "compress-force=zstd", true),
        ("-n 16k -m single -d single", "nodatasum", true),
    ]
    .into_iter()
    .enumerate()
    {
        let log = if log { LOG } else { "" };
        work.bash(&format!(
            "truncate -s 64M disk; mkfs.btrfs -q -f {mkfs} disk; mkdir -p mnt\n\
             mount -o loop,commit=3000,{mount} disk mnt\n(cd mnt{FILL}{log}\n)\n\
             [ -z '{}' ] || cp --sparse=always disk copy\numount mnt\n\
             [ -e copy ] || mv disk copy; mv copy seed-{index}; rm -f disk",
            if log.is_empty() { "" } else { "log" }
        ))?;
        let mut image = std::fs::read(work.path(&format!("seed-{index}")))?;
        let end = image.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        image.truncate(end.next_multiple_of(64 << 10));
        seeds.push(image);
    }
    Ok(seeds)
}

const SUPERBLOCK: usize = 64 << 10;
/// Where the filesystem's id lies in the superblock and in every block of a tree.
const FSID: usize = 32;
const NODE_SIZE: usize = 0x94;

/// Makes the checksum right of the superblock or the block of a tree that holds the byte.
fn fix(image: &mut [u8], at: usize) {
    let sum = |structure: &mut [u8]| {
        let crc = crc32c::crc32c(&structure[FSID..]);
        structure[..4].copy_from_slice(&crc.to_le_bytes());
    };
    if let Some(superblock) = image.get_mut(SUPERBLOCK..SUPERBLOCK + 4096)
        && (SUPERBLOCK..SUPERBLOCK + 4096).contains(&at)
    {
        sum(superblock);
        return;
    }
    let field = |at: usize, length: usize| image.get(at..at + length).map(<[u8]>::to_vec);
    let (Some(fsid), Some(size)) = (field(SUPERBLOCK + FSID, 16), field(SUPERBLOCK + NODE_SIZE, 4))
    else {
        return;
    };
    let size = size.iter().rev().fold(0_usize, |size, byte| size << 8 | usize::from(*byte));
    if !size.is_power_of_two() || !(4096..=64 << 10).contains(&size) {
        return;
    }
    let start = at - at % size;
    // A byte of the id itself may be what was damaged, so a few of it are enough.
    if let Some(block) = image.get_mut(start..start + size) {
        let same = block[FSID..FSID + 16].iter().zip(&fsid).filter(|(a, b)| a == b).count();
        if same >= 12 {
            sum(block);
        }
    }
}
