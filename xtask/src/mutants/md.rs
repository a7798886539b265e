//! Damaged arrays.

use std::fs;

use anyhow::{Result, bail};

use super::{Target, exercise};
use crate::oracle::Work;
use crate::oracle::volume::arrays::small;

/// Where the partitions of members start, and how far they are apart.
const FIRST: usize = 1 << 20;
const APART: usize = 1 << 20;

/// Which of the kept arrays are damaged: a level and a layout of every kind, and every version.
const KEPT: [&str; 5] = [
    "md/tiny-raid6-ls",
    "md/tiny-raid10-f2",
    "md/tiny-zones-original",
    "md/tiny-raid5-ra",
    "md/tiny-mirror-11",
];

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "md", seeds, fix, exercise: exercise::volumes, refused: &[] }]
}

/// Every array on a disk of its own, in partitions.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    let old = |id: &str| id.strip_prefix("md").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let kept = small(work)?;
    let chosen = kept.iter().filter(|array| KEPT.contains(&array.id.as_str()));
    let mut images = Vec::new();
    for array in chosen.chain(kept.iter().find(|array| old(&array.id))) {
        let mut image = vec![0; FIRST];
        let mut lines = String::new();
        for member in &array.members {
            lines.push_str(&format!("start={}, size={}\\n", image.len() / 512, member.len() / 512));
            image.extend(member);
            image.resize(image.len().next_multiple_of(APART), 0);
        }
        image.resize(image.len() + APART, 0);
        fs::write(work.path("image"), &image)?;
        work.bash(&format!("printf 'label: gpt\\n{lines}' | sfdisk -q image"))?;
        let found = work.discover(&["image"], &[])?;
        if found.find(&array.id).is_none_or(|volume| volume.problem.is_some()) {
            bail!("{} is not healthy", array.id);
        }
        images.push(fs::read(work.path("image"))?);
    }
    Ok(images)
}

/// Makes the checksum of the superblock right that the byte may lie in. They start at multiples of
/// 4 KiB.
fn fix(image: &mut [u8], at: usize) {
    let start = at / 4096 * 4096;
    let _ = fix_first(image, start).or_else(|| fix_old(image, start));
}

fn word(image: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?))
}

/// The sum of little-endian words with what is carried out of it.
fn sum(image: &[u8], start: usize, length: usize) -> Option<u32> {
    let mut sum = 0_u64;
    for word in image.get(start..start + length)?.chunks(4) {
        let mut bytes = [0; 4];
        bytes[..word.len()].copy_from_slice(word);
        sum += u64::from(u32::from_le_bytes(bytes));
    }
    Some((sum as u32).wrapping_add((sum >> 32) as u32))
}

fn fix_first(image: &mut [u8], start: usize) -> Option<()> {
    if word(image, start)? != 0xA92B_4EFC || word(image, start + 4)? != 1 {
        return None;
    }
    let devices = word(image, start + 220)?.min(1920) as usize;
    image.get_mut(start + 216..start + 220)?.fill(0);
    let sum = sum(image, start, 256 + 2 * devices)?;
    image.get_mut(start + 216..start + 220)?.copy_from_slice(&sum.to_le_bytes());
    Some(())
}

fn fix_old(image: &mut [u8], start: usize) -> Option<()> {
    if word(image, start)? != 0xA92B_4EFC {
        return None;
    }
    image.get_mut(start + 152..start + 156)?.fill(0);
    let sum = sum(image, start, 4096)?;
    image.get_mut(start + 152..start + 156)?.copy_from_slice(&sum.to_le_bytes());
    Some(())
}
