//! Damaged FAT: the checksums that tie long names to short ones are put in order again.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use fathom_filesystem::Tree;

use super::{Target, exercise};
use crate::oracle::{Manifest, Work, hash_reader};

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "fat", seeds, fix, exercise: exercise::filesystem, refused: &[] }]
}

/// The images: how large they are made, with what options, and how much is kept of them, since
/// mutants are copied often. With too few clusters FAT16 would be taken for FAT12.
const SEEDS: [(&str, &str, usize); 3] = [
    ("200K", "-F 12 -s 1", 200 << 10),
    ("3M", "-F 16 -s 1", 2304 << 10),
    // mtools take a FAT32 for one only if it has as many clusters as Microsoft wants.
    ("34M", "-F 32 -s 1", 1 << 20),
];
/// The size of a directory entry.
const ENTRY: usize = 32;
/// The attributes of a piece of a long name.
const LONG_NAME: u8 = 0x0F;

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for (size, options, kept) in SEEDS {
        work.bash(&format!(
            "rm -rf image in; truncate -s {size} image; mkfs.fat {options} -n SEED image >/dev/null
             printf 'mtools_skip_check=1\\n' > mtoolsrc; export MTOOLSRC=$PWD/mtoolsrc
             mkdir -p in/sub/deep/deeper; seq 1 3000 > in/numbers; echo a > in/A.TXT
             for i in $(seq 1 25); do echo $i > in/sub/'a long name of some length, number '$i; done
             echo b > in/sub/deep/deeper/b; head -c 9000 /dev/urandom > in/sub/deep/noise
             mcopy -i image -s -Q -m -n in/* ::/; mdel -i image '::/sub/a long name of some length, number 7'"
        ))?;
        let mut seed = std::fs::read(work.path("image"))?;
        // What follows the files is cut off, and the volume told to be that small. The number has
        // two places, of which the shorter one is used where it is large enough.
        seed.truncate(kept);
        let sectors = (kept as u32 / 512).to_le_bytes();
        match seed[19..21] {
            [0, 0] => seed[32..36].copy_from_slice(&sectors),
            _ => seed[19..21].copy_from_slice(&sectors[..2]),
        }
        check_all(work, &seed).with_context(|| options.to_owned())?;
        seeds.push(seed);
    }
    Ok(seeds)
}

/// Fails unless every file that was put into the image is read from it: the cut must not have taken
/// any.
fn check_all(work: &Work, seed: &[u8]) -> Result<()> {
    let tree = Tree::new(fathom_filesystem::open(Arc::new(seed.to_vec()))?);
    let mut files = 0;
    for (path, entry) in Manifest::from_kernel(&work.path("in"))?.0 {
        let shown = path.escape_ascii().to_string();
        if shown.ends_with("number 7") {
            ensure!(!tree.exists(&path)?, "{shown} was deleted");
        } else if entry.sha256.is_some() {
            let file = tree.open(&path)?;
            ensure!(Some(hash_reader(&*file)?) == entry.sha256, "{shown} differs");
            files += 1;
        } else {
            tree.read_dir(&path)?;
        }
    }
    ensure!(files == 28, "{files} files were compared");
    Ok(())
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
