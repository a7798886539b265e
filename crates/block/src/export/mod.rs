//! Writing a disk's bytes as another image: the reader's own proof.
//!
//! Several threads read, each a stretch at a time; holes and blocks of zeros are not written.

mod qcow2;
mod raw;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::read::ReadAt;

/// How much one thread reads at a time.
const STRETCH: u64 = 2 << 20;

/// The unit in which zeros are found and left out; also the cluster of the qcow2 images made here.
const BLOCK: usize = 64 << 10;

/// What format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The bytes as they are, holes kept.
    Raw,
    /// QEMU copy-on-write, version 3, 64 KiB clusters.
    Qcow2,
}

/// Why an image could not be written.
#[derive(Debug)]
pub enum ExportError {
    /// The source could not be read.
    Read(Error),
    /// The target could not be written.
    Write(io::Error),
    /// The caller wanted it stopped.
    Stopped,
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Writes all bytes of `source` into the empty file `out`. `advance` is told how many bytes more
/// are done, and ends the export by answering false.
pub fn export(
    source: &dyn ReadAt,
    out: &File,
    target: Target,
    advance: &(dyn Fn(u64) -> bool + Sync),
) -> Result<(), ExportError> {
    match target {
        Target::Raw => raw::write(source, out, advance),
        Target::Qcow2 => qcow2::write(source, out, advance),
    }
}

/// Reads everything that may be data, side by side, and hands the stretches to `take` in any order.
fn for_each_stretch(
    source: &dyn ReadAt,
    advance: &(dyn Fn(u64) -> bool + Sync),
    take: &(dyn Fn(u64, &[u8]) -> io::Result<()> + Sync),
) -> Result<(), ExportError> {
    let stretches = Mutex::new(Stretches { source, at: 0, data: 0..0, skipped: 0 });
    let failed = AtomicBool::new(false);
    let work = || -> Result<(), ExportError> {
        let mut buffer = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let (stretch, skipped) = {
                let mut stretches = stretches.lock().unwrap_or_else(PoisonError::into_inner);
                (stretches.next(), std::mem::take(&mut stretches.skipped))
            };
            let done = skipped + stretch.as_ref().map_or(0, |range| range.end - range.start);
            if let Some(range) = &stretch {
                buffer.resize((range.end - range.start) as usize, 0);
                source.read_at(range.start, &mut buffer).map_err(ExportError::Read)?;
                take(range.start, &buffer)?;
            }
            if !advance(done) {
                return Err(ExportError::Stopped);
            }
            if stretch.is_none() {
                break;
            }
        }
        Ok(())
    };
    let guarded = || {
        let outcome = work();
        if outcome.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        outcome
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(guarded)).collect();
        let mut outcome = guarded();
        for worker in workers {
            match worker.join() {
                Ok(theirs) if outcome.is_ok() => outcome = theirs,
                Ok(_) => {}
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcome
    })
}

/// Cuts the source's data into stretches that begin and end at multiples of [`BLOCK`].
struct Stretches<'a> {
    source: &'a dyn ReadAt,
    at: u64,
    data: Range<u64>,
    skipped: u64,
}

impl Stretches<'_> {
    fn next(&mut self) -> Option<Range<u64>> {
        let length = self.source.len();
        if self.at >= self.data.end {
            match self.source.next_data(self.at) {
                Some(data) => {
                    let start = (data.start / BLOCK as u64 * BLOCK as u64).max(self.at);
                    let end = data.end.next_multiple_of(BLOCK as u64).min(length);
                    self.skipped += start - self.at;
                    self.at = start;
                    self.data = start..end;
                }
                None => {
                    self.skipped += length - self.at;
                    self.at = length;
                    self.data = length..length;
                }
            }
        }
        let end = self.data.end.min(self.at.saturating_add(STRETCH));
        let stretch = (self.at < end).then_some(self.at..end);
        self.at = end;
        stretch
    }
}

/// The runs of blocks that are not all zeros, as ranges of `bytes`.
fn runs_of_data(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        if is_zero(block) {
            continue;
        }
        let start = index * BLOCK;
        match runs.last_mut() {
            Some(run) if run.end == start => run.end = start + block.len(),
            _ => runs.push(start..start + block.len()),
        }
    }
    runs
}

fn is_zero(bytes: &[u8]) -> bool {
    // Sixteen at a time compiles to vector instructions; most blocks differ at once.
    let (chunks, rest) = bytes.as_chunks::<16>();
    chunks.iter().all(|chunk| u128::from_ne_bytes(*chunk) == 0)
        && rest.iter().all(|byte| *byte == 0)
}
