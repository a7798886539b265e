//! Checksums of a file, and what of it was compared with them.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{CHUNK, HEADER};

/// Which chunks were found to be what was written, a bit each; nothing where none is to be compared.
#[derive(Debug)]
pub(super) struct Sums {
    checked: Option<Vec<AtomicU64>>,
    chunks: usize,
}

impl Sums {
    /// Those of as many bytes as stand between the front and the checksums.
    pub(super) fn of(length: usize) -> Self {
        let chunks = length.div_ceil(CHUNK);
        let checked = (0..chunks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { checked: Some(checked), chunks }
    }

    pub(super) fn unchecked() -> Self {
        Self { checked: None, chunks: 0 }
    }

    /// Whether the front is what was written, and there are as many checksums as there must be.
    pub(super) fn is_front(&self, front: [Option<&[u8]>; 2], length: usize, sum: u32) -> bool {
        if self.checked.is_none() {
            return true;
        }
        let mut hasher = crc32fast::Hasher::new();
        front.iter().flatten().for_each(|part| hasher.update(part));
        Some(length) == self.chunks.checked_mul(4) && hasher.finalize() == sum
    }

    /// Whether what stands in the range is what was written, by the checksums of the chunks that it lies
    /// in. Each is compared once.
    pub(super) fn agree(&self, bytes: &[u8], range: Range<usize>, sums: &[u8]) -> bool {
        let Some(checked) = &self.checked else { return true };
        let Some(start) = range.start.checked_sub(HEADER) else { return false };
        if range.is_empty() {
            return true;
        }
        let first = start / CHUNK;
        let last = (range.end - 1 - HEADER) / CHUNK;
        (first..=last).all(|chunk| {
            let Some(word) = checked.get(chunk / 64) else { return false };
            let bit = 1 << (chunk % 64);
            if word.load(Ordering::Relaxed) & bit != 0 {
                return true;
            }
            let agrees = self.is_as_written(bytes, chunk, sums);
            if agrees {
                word.fetch_or(bit, Ordering::Relaxed);
            }
            agrees
        })
    }

    fn is_as_written(&self, bytes: &[u8], chunk: usize, sums: &[u8]) -> bool {
        let start = HEADER + chunk * CHUNK;
        let end = (start + CHUNK).min(bytes.len().saturating_sub(sums.len()));
        let found = bytes.get(start..end).map(crc32fast::hash);
        let written = sums.get(chunk * 4..chunk * 4 + 4);
        found.zip(written).is_some_and(|(found, written)| found.to_le_bytes() == written)
    }
}
