//! QEMU copy-on-write, version 3.
//!
//! Data clusters are laid down in the order in which they come; the tables that map them follow,
//! then the reference counts, and the header is written last, so that a half-written file is no
//! image at all.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{BLOCK, ExportError, for_each_stretch, runs_of_data};
use crate::read::ReadAt;

const CLUSTER: u64 = BLOCK as u64;
/// Entries of a table that fills a cluster.
const ENTRIES: u64 = CLUSTER / 8;
/// 16-bit reference counts in a cluster.
const COUNTS: u64 = CLUSTER / 2;
/// "Nobody else refers to this cluster".
const COPIED: u64 = 1 << 63;
/// What the virtual size is a multiple of: qemu counts in sectors, and cuts off what is not one.
const SECTOR: u64 = 512;
/// The largest level-one table that qemu opens, in bytes.
const MAX_L1: u64 = 32 << 20;

pub(super) fn write(
    source: &dyn ReadAt,
    out: &File,
    advance: &(dyn Fn(u64) -> bool + Sync),
) -> Result<(), ExportError> {
    // What a disk of no whole sectors has of its last one is followed by zeros, as in a loop device.
    let size = source.len().next_multiple_of(SECTOR);
    let l1_entries = size.div_ceil(CLUSTER * ENTRIES);
    if l1_entries * 8 > MAX_L1 {
        let limit = MAX_L1 / 8 * CLUSTER * ENTRIES;
        return Err(std::io::Error::other(format!(
            "a qcow2 image with 64 KiB clusters holds at most {limit} bytes"
        ))
        .into());
    }
    // The header has the first cluster.
    let next = AtomicU64::new(1);
    let tables: Mutex<BTreeMap<u64, Vec<u64>>> = Mutex::default();
    for_each_stretch(source, advance, &|offset, bytes| {
        for run in runs_of_data(bytes) {
            let data = &bytes[run.clone()];
            let count = (data.len() as u64).div_ceil(CLUSTER);
            let first = next.fetch_add(count, Ordering::Relaxed);
            out.write_all_at(data, first * CLUSTER)?;
            let mut tables = tables.lock().unwrap_or_else(PoisonError::into_inner);
            for index in 0..count {
                let guest = (offset + run.start as u64) / CLUSTER + index;
                let table =
                    tables.entry(guest / ENTRIES).or_insert_with(|| vec![0; ENTRIES as usize]);
                table[(guest % ENTRIES) as usize] = ((first + index) * CLUSTER) | COPIED;
            }
        }
        Ok(())
    })?;
    let tables = tables.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut next = next.into_inner();

    let mut l1 = vec![0; l1_entries as usize];
    for (index, table) in &tables {
        out.write_all_at(&big_endian(table), next * CLUSTER)?;
        l1[*index as usize] = (next * CLUSTER) | COPIED;
        next += 1;
    }
    let l1_at = next * CLUSTER;
    out.write_all_at(&big_endian(&l1), l1_at)?;
    next += (l1_entries * 8).div_ceil(CLUSTER).max(1);

    // The counts also count the clusters that they fill themselves.
    let (mut blocks, mut table_clusters) = (0, 0);
    loop {
        let total = next + blocks + table_clusters;
        let wanted = (total.div_ceil(COUNTS), total.div_ceil(COUNTS).div_ceil(ENTRIES));
        if wanted == (blocks, table_clusters) {
            break;
        }
        (blocks, table_clusters) = wanted;
    }
    let total = next + blocks + table_clusters;
    let table_at = (next + blocks) * CLUSTER;
    for block in 0..blocks {
        let used = (total - block * COUNTS).min(COUNTS) as usize;
        let mut counts = 1u16.to_be_bytes().repeat(used);
        counts.resize(CLUSTER as usize, 0);
        out.write_all_at(&counts, (next + block) * CLUSTER)?;
    }
    let pointers: Vec<u64> = (next..next + blocks).map(|cluster| cluster * CLUSTER).collect();
    out.write_all_at(&big_endian(&pointers), table_at)?;
    out.set_len(total * CLUSTER)?;

    out.write_all_at(&header(size, l1_entries, l1_at, table_at, table_clusters), 0)?;
    Ok(())
}

fn big_endian(entries: &[u64]) -> Vec<u8> {
    entries.iter().flat_map(|entry| entry.to_be_bytes()).collect()
}

fn header(size: u64, l1_entries: u64, l1_at: u64, table_at: u64, table_clusters: u64) -> Vec<u8> {
    let mut header = Vec::with_capacity(112);
    header.extend(b"QFI\xfb");
    header.extend(3u32.to_be_bytes());
    header.extend([0; 12]); // no backing file
    header.extend(CLUSTER.trailing_zeros().to_be_bytes());
    header.extend(size.to_be_bytes());
    header.extend(0u32.to_be_bytes()); // no encryption
    header.extend((l1_entries as u32).to_be_bytes());
    header.extend(l1_at.to_be_bytes());
    header.extend(table_at.to_be_bytes());
    header.extend((table_clusters as u32).to_be_bytes());
    header.extend([0; 12]); // no snapshots
    header.extend([0; 24]); // no incompatible, compatible or autoclear features
    header.extend(4u32.to_be_bytes()); // reference counts of 16 bits
    header.extend(104u32.to_be_bytes());
    header.extend([0; 8]); // the end of the header extensions
    header
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::location::Location;
    use crate::open::Opener;

    #[test]
    fn the_size_is_whole_sectors() {
        for (length, size) in [(0, 0), (1, 512), (512, 512), (513, 1024), (70_001, 70_144)] {
            let file = tempfile::NamedTempFile::new().unwrap();
            write(&vec![b'x'; length], file.as_file(), &|_| true).unwrap();
            let image = Arc::new(std::fs::read(file.path()).unwrap());
            let disks = Opener::new().open_reader(image, &Location::Path("x.qcow2".into()));
            let reader = disks.unwrap().remove(0).reader;
            assert_eq!(reader.len(), size);
            let mut bytes = vec![0xEE; size as usize];
            reader.read_at(0, &mut bytes).unwrap();
            let (data, rest) = bytes.split_at(length);
            assert!(data.iter().all(|byte| *byte == b'x') && rest.iter().all(|byte| *byte == 0));
        }
    }
}
