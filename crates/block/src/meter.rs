//! How much reading an answer cost.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::read::ReadAt;

/// Counts bytes and requests that reached a transport.
#[derive(Debug, Default)]
pub struct Meter {
    bytes: AtomicU64,
    requests: AtomicU64,
    rounds: AtomicU64,
}

/// What a [`Meter`] has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Bytes read from transports.
    pub bytes: u64,
    /// Reads issued to transports.
    pub requests: u64,
    /// Times somebody had to wait for a transport: reads issued side by side are one round.
    pub rounds: u64,
}

impl Meter {
    /// What has been spent so far.
    pub fn spent(&self) -> Spent {
        Spent {
            bytes: self.bytes.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            rounds: self.rounds.load(Ordering::Relaxed),
        }
    }

    /// Somebody waits for a transport.
    pub(crate) fn round(&self) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    /// A read was issued, and brings `bytes` unless [`Meter::received`] says so later.
    pub(crate) fn request(&self, bytes: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.received(bytes);
    }

    /// A transport brought `bytes`.
    pub(crate) fn received(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A transport whose reads are counted, where it does not count them itself.
pub(crate) struct Metered {
    source: Arc<dyn ReadAt>,
    meter: Arc<Meter>,
}

impl Metered {
    pub(crate) fn new(source: Arc<dyn ReadAt>, meter: Arc<Meter>) -> Self {
        Self { source, meter }
    }
}

impl ReadAt for Metered {
    fn len(&self) -> u64 {
        self.source.len()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.meter.round();
        self.meter.request(buf.len() as u64);
        self.source.read_at(offset, buf)
    }
    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        self.meter.round();
        for run in reads.chunk_by(|(at, buf), (next, _)| at + buf.len() as u64 == *next) {
            self.meter.request(run.iter().map(|(_, buf)| buf.len() as u64).sum());
        }
        self.source.read_many(reads)
    }
    fn prefetch(&self, ranges: &[Range<u64>]) {
        self.source.prefetch(ranges);
    }
    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        self.source.next_data(offset)
    }
}
