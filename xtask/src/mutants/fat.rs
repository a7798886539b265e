//! Damaged FAT: the checksums that tie long names to short ones are put in order again.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "fat", seeds, fix, exercise: exercise::filesystem }]
}

/// The most that is kept of an image: mutants are copied often.
const KEPT: usize = 1 << 20;
/// The size of a directory entry.
const ENTRY: usize = 32;
/// The attributes of a piece of a long name.
const LONG_NAME: u8 = 0x0F;

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    // mtools take a FAT32 for one only if it has as many clusters as Microsoft wants.
    for (size, options) in [("200K", "-F 12 -s 1"), ("3M", "-F 16 -s 1"), ("34M", "-F 32 -s 1")] {
        work.bash(&format!(
            "rm -rf image in; truncate -s {size} image; mkfs.fat {options} -n SEED image >/dev/null
             printf 'mtools_skip_check=1\\n' > mtoolsrc; export MTOOLSRC=$PWD/mtoolsrc
             mkdir -p in/sub/deep/deeper; seq 1 3000 > in/numbers; echo a > in/A.TXT
             for i in $(seq 1 25); do echo $i > in/sub/'a long name of some length, number '$i; done
             echo b > in/sub/deep/deeper/b; head -c 9000 /dev/urandom > in/sub/deep/noise
             mcopy -i image -s -Q -m -n in/* ::/; mdel -i image '::/sub/a long name of some length, number 7'"
        ))?;
        let mut seed = std::fs::read(work.path("image"))?;
        // What follows the files is cut off, and the volume told to be that small.
        if seed.len() > KEPT {
            seed.truncate(KEPT);
            seed[32..36].copy_from_slice(&(KEPT as u32 / 512).to_le_bytes());
        }
        seeds.push(seed);
    }
    Ok(seeds)
}

/// If the byte is in a directory entry with a long name, ties the two together again.
fn fix(image: &mut [u8], at: usize) {
    let is_piece = |image: &[u8], place: usize| {
        image.get(place + 11) == Some(&LONG_NAME) && image[place] != 0xE5
    };
    let mut short = at / ENTRY * ENTRY;
    for _ in 0..20 {
        if !is_piece(image, short) {
            break;
        }
        short += ENTRY;
    }
    let Some(name) = image.get(short..short + 11) else {
        return;
    };
    let sum = name.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    for back in 1..=20 {
        match short.checked_sub(back * ENTRY) {
            Some(piece) if is_piece(image, piece) => image[piece + 13] = sum,
            _ => break,
        }
    }
}
