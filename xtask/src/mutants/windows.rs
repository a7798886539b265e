//! Damaged files of a Windows: hives with records of accounts in them, a boot menu, a kernel. The
//! checksums of base blocks are made right again.

use anyhow::Result;

use super::Target;
use super::exercise::{self, WINDOWS};
use crate::oracle::{Work, windows};

pub(super) fn targets() -> Vec<Target> {
    // What every Windows has and the seed has not.
    let refused = &["every Windows has this hive", "names the profile, which has this hive"];
    vec![Target { name: "windows", seeds, fix, exercise: exercise::windows, refused }]
}

/// The files of the oracle's Windows, one behind the other.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    windows::files(work)?;
    windows::menu(work, "root/Boot/BCD", "gpt")?;
    let files = WINDOWS.map(|path| std::fs::read(work.path(&format!("root{path}"))));
    let files: Vec<Vec<u8>> = files.into_iter().collect::<Result<_, _>>()?;
    let mut seed: Vec<u8> =
        files.iter().flat_map(|file| (file.len() as u32).to_le_bytes()).collect();
    seed.extend(files.concat());
    Ok(vec![seed])
}

/// Makes the checksum of a hive's base block right.
fn fix(image: &mut [u8], at: usize) {
    let mut start = 4 * WINDOWS.len();
    let lengths: Vec<usize> = image
        .get(..start)
        .map(|head| head.as_chunks::<4>().0.iter().map(|it| u32::from_le_bytes(*it) as usize))
        .into_iter()
        .flatten()
        .collect();
    for length in lengths {
        if (start..start.saturating_add(512)).contains(&at)
            && let Some(block) = image.get_mut(start..start + 512)
            && block.starts_with(b"regf")
        {
            let (words, _) = block[..508].as_chunks::<4>();
            let sum = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
            block[508..].copy_from_slice(&sum.to_le_bytes());
        }
        start = start.saturating_add(length);
    }
}
