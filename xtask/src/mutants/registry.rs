//! Damaged registry hives, with and without logs: the checksum of base blocks and the hashes of
//! entries are made right again.

use anyhow::{Context as _, Result};

use super::Target;
use super::exercise::{self, LOGS};
use crate::oracle::{Work, registry};

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "registry", seeds, fix, exercise: exercise::registry, refused: &[] }]
}

/// A hive with everything in it, and dirty ones with logs of both formats.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    registry::python(work, "hive.py small hive")?;
    seeds.push(std::fs::read(work.path("hive"))?);
    registry::states(work, 3, 20)?;
    for case in ["pair", "old"] {
        registry::python(work, &format!("log.py {case} state1 state2 state3"))?;
        let mut seed = std::fs::read(work.path("hive"))?;
        for (start, number) in LOGS.iter().zip(1..) {
            let end = usize::try_from(*start)?;
            anyhow::ensure!(seed.len() <= end, "the hive is too long for its place");
            seed.resize(end, 0);
            let log = work.path(&format!("hive.LOG{number}"));
            if log.exists() {
                seed.extend(std::fs::read(&log).context("no log")?);
                std::fs::remove_file(log)?;
            }
        }
        seed.resize(seed.len() + 512, 0);
        seeds.push(seed);
    }
    Ok(seeds)
}

/// Makes the checksum of a base block right, and the hashes of an entry.
fn fix(image: &mut [u8], at: usize) {
    let start = [0].into_iter().chain(LOGS.map(|log| log as usize)).rfind(|start| *start <= at);
    let Some(part) = start.and_then(|start| image.get_mut(start..)) else {
        return;
    };
    let place = at - start.unwrap_or(0);
    if place < 512 {
        if let Some(block) = part.get_mut(..512) {
            let (words, _) = block[..508].as_chunks::<4>();
            let sum = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
            block[508..].copy_from_slice(&sum.to_le_bytes());
        }
        return;
    }
    // The entry that holds the byte starts at a sector before it.
    let sectors = (1..=place / 512).rev().map(|sector| sector * 512);
    let entry = sectors.take(4096).find(|at| part.get(*at..*at + 4) == Some(b"HvLE".as_slice()));
    let Some(entry) = entry.and_then(|at| part.get_mut(at..)) else {
        return;
    };
    let size =
        entry.get(4..8).map_or(0, |size| u32::from_le_bytes([size[0], size[1], size[2], size[3]]));
    let Some(entry) = entry.get_mut(..size as usize).filter(|entry| entry.len() >= 40) else {
        return;
    };
    let hash = marvin32(&entry[40..]);
    entry[24..32].copy_from_slice(&hash.to_le_bytes());
    let hash = marvin32(&entry[..32]);
    entry[32..40].copy_from_slice(&hash.to_le_bytes());
}

/// The hash of entries, of whole words.
fn marvin32(bytes: &[u8]) -> u64 {
    let (mut low, mut high) = (0x7A4E_55C5_u32, 0x82EF_4D88_u32);
    let words = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    for word in words.chain([0x80, 0]) {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    }
    u64::from(high) << 32 | u64::from(low)
}
