//! Container images against the bytes that they were made of.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use fathom_block::{Disk, Location, Opener, ReadAt};

use super::Work;

/// How much is compared at once: no power of two, so that reads begin anywhere.
const STEP: u64 = (1 << 20) - 1536;

/// Makes `name` in the working folder: `size` bytes of noise, text, zeros and holes, with something
/// at every power of two and at the end.
pub(super) fn pattern(work: &Work, name: &str, size: u64) -> Result<()> {
    work.bash(&format!(
        r#"
noise() {{ openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }}
put() {{ dd of={name} bs=64K oflag=seek_bytes iflag=fullblock conv=notrunc seek="$1" status=none; }}
rm -f {name}
for at in 0 $((1 << 20)) $((({size} / 3) & ~511)); do noise 300000 $at | put $at; done
at=4096
while [ $at -lt {size} ]; do noise 700 $at | put $((at - 300)); at=$((at * 2)); done
noise 512 7 | put $((5 * 1048576 + 512))
yes 'a line that compresses well' | head -c 3000000 | put $((10 << 20)) || true
head -c 2000000 /dev/zero | put $((15 << 20))
noise 1500000 9 | put $((20 << 20))
noise 1000 11 | put $(({size} - 1000))
truncate -s {size} {name}
"#
    ))?;
    Ok(())
}

/// Opens the only disk in an image of the working folder.
pub(super) fn open(work: &Work, image: &str) -> Result<Disk> {
    let mut disks = Opener::new().open(&Location::Path(work.path(image)))?;
    ensure!(disks.len() == 1, "{} disks", disks.len());
    disks.pop().context("no disk")
}

/// Compares an image of the working folder, which must have no problems, with a raw file.
pub(super) fn same(work: &Work, image: &str, raw: &str) -> Result<()> {
    let disk = open(work, image)?;
    ensure!(disk.problems.is_empty(), "{:?}", disk.problems);
    compare(&*disk.reader, &work.path(raw)).with_context(|| image.to_owned())
}

/// Compares an image with a raw file, and wants exactly one problem whose text has `problem` in it.
pub(super) fn same_but(work: &Work, image: &str, raw: &str, problem: &str) -> Result<()> {
    let disk = open(work, image)?;
    let texts: Vec<_> = disk.problems.iter().map(ToString::to_string).collect();
    ensure!(texts.len() == 1 && texts[0].contains(problem), "{texts:?}, not {problem:?}");
    compare(&*disk.reader, &work.path(raw)).with_context(|| image.to_owned())
}

/// Wants an image refused, with `why` in the text.
pub(super) fn refused(work: &Work, image: &str, why: &str) -> Result<()> {
    match Opener::new().open(&Location::Path(work.path(image))) {
        Ok(_) => bail!("{image} was opened"),
        Err(error) if error.to_string().contains(why) => Ok(()),
        Err(error) => bail!("{image}: {error}, not {why:?}"),
    }
}

/// Compares every byte, and that no hole covers data.
pub(super) fn compare(reader: &dyn ReadAt, raw: &Path) -> Result<()> {
    let file = File::open(raw)?;
    let length = file.metadata()?.len();
    ensure!(reader.len() == length, "{} bytes, not {length}", reader.len());
    let raw = fathom_block::source::FileSource::open(raw)?;
    let mut at = 0;
    let (mut data, mut wanted) = (vec![0; STEP as usize], vec![0; STEP as usize]);
    while at < length {
        let end = (at + STEP).min(length);
        let (ours, theirs) = (next(reader, at), next(&raw, at));
        // Where neither side has anything, whole stretches are passed at once.
        if ours >= end && theirs >= end {
            at = ours.min(theirs);
            continue;
        }
        let (data, wanted) = (&mut data[..(end - at) as usize], &mut wanted[..(end - at) as usize]);
        data.fill(0xEE);
        reader.read_at(at, data)?;
        file.read_exact_at(wanted, at)?;
        if let Some(index) = data.iter().zip(&*wanted).position(|(one, other)| one != other) {
            bail!("byte {} is {:#04x}, not {:#04x}", at + index as u64, data[index], wanted[index]);
        }
        let hole = (ours.min(end) - at) as usize;
        ensure!(wanted[..hole].iter().all(|byte| *byte == 0), "a hole at {at} covers data");
        at = end;
    }
    scattered(reader, &file)
}

/// Where the next data begins; nowhere is beyond any end.
fn next(reader: &dyn ReadAt, at: u64) -> u64 {
    reader.next_data(at).map_or(u64::MAX, |range| range.start)
}

/// Reads many small pieces in one call, as a filesystem does, neighbours and repeats among them.
fn scattered(reader: &dyn ReadAt, file: &File) -> Result<()> {
    let length = reader.len();
    let mut places = Vec::new();
    let mut state = 12345_u64;
    for index in 0..600_u64 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let size = [1, 512, 4096, 70_000][(state >> 60) as usize % 4].min(length);
        let spread = if index % 2 == 0 { length } else { length.min(24 << 20) };
        places.push(((state >> 8) % (spread - size + 1), size as usize));
    }
    let mut buffers: Vec<Vec<u8>> = places.iter().map(|(_, size)| vec![0xEE; *size]).collect();
    let mut reads: Vec<_> = places
        .iter()
        .zip(&mut buffers)
        .map(|((at, _), buffer)| (*at, buffer.as_mut_slice()))
        .collect();
    reader.read_many(&mut reads)?;
    for ((at, size), buffer) in places.iter().zip(&buffers) {
        let mut wanted = vec![0; *size];
        file.read_exact_at(&mut wanted, *at)?;
        ensure!(*buffer == wanted, "{size} bytes at {at} differ when read with others");
    }
    Ok(())
}
