//! Damaged qcow2: no structure of it has a checksum, so every damage reaches the reader.

use std::fs;

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "qcow2",
        seeds,
        fix: |_, _| {},
        exercise: exercise::container,
        refused: &[],
    }]
}

/// A little of everything on a disk of 3 MiB: both versions, the smallest clusters and larger ones,
/// both compressions, subclusters, zero clusters and snapshots.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"
        { yes 'a line that compresses well' | head -c 200000; head -c 100000 /dev/zero; seq 1 40000; } > source.raw || true
        truncate -s 3146240 source.raw
        make() { # name, options, flags
          qemu-img convert $3 -O qcow2 -o "$2" source.raw "$1.qcow2"
          qemu-io -c 'write -P 1 8192 512' -c 'write -z 65536 65536' -c 'write -P 2 1048576 3000' \
            -c 'discard 262144 65536' "$1.qcow2" > /dev/null
        }
        make v2 compat=0.10 ''
        make v3 cluster_size=64k ''
        make small cluster_size=512 ''
        make zlib cluster_size=16k -c
        make zstd compression_type=zstd -c
        make subclusters extended_l2=on,cluster_size=16k ''
        make snapshots cluster_size=4k ''
        qemu-img snapshot -c first snapshots.qcow2
        qemu-io -c 'write -P 3 0 100000' snapshots.qcow2 > /dev/null
        qemu-img snapshot -c second snapshots.qcow2
        "#,
    )?;
    ["v2", "v3", "small", "zlib", "zstd", "subclusters", "snapshots"]
        .iter()
        .map(|name| Ok(fs::read(work.path(&format!("{name}.qcow2")))?))
        .collect()
}
