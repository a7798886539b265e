//! Reading many compressed clusters: fetched in long runs, decompressed side by side.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::compressed::Decompressor;
use super::header::Compression;
use super::l2::Compressed;
use crate::cache::ImageClusters;
use crate::error::{Error, Result};
use crate::read::ReadAt;

/// How much compressed data is held at once.
const PORTION: usize = 8 << 20;

/// Runs this close are fetched as one.
const GAP: u64 = 4096;

/// Fewer clusters than this are not worth a thread.
const PER_THREAD: usize = 2;

/// Inflating needs little of a stack.
const STACK: usize = 512 << 10;

/// A part of one compressed cluster that somebody wants.
pub(super) struct Packed<'a> {
    pub(super) cluster: Compressed,
    pub(super) within: usize,
    pub(super) buf: &'a mut [u8],
}

/// Reads the compressed clusters of one image.
pub(super) struct Unpacker {
    compression: Compression,
    cluster_size: usize,
    clusters: ImageClusters,
    threads: OnceLock<usize>,
}

/// Compressed bytes of neighbouring clusters.
struct Run {
    start: u64,
    bytes: Vec<u8>,
}

impl Unpacker {
    pub(super) fn new(
        compression: Compression,
        cluster_size: usize,
        clusters: ImageClusters,
    ) -> Self {
        Self { compression, cluster_size, clusters, threads: OnceLock::new() }
    }

    /// Fills the part from the cache, if its cluster is there.
    pub(super) fn recall(&self, part: &mut Packed<'_>) -> bool {
        let cached = self.clusters.get(part.cluster.offset);
        let range = part.within..part.within + part.buf.len();
        match cached.as_ref().and_then(|bytes| bytes.get(range)) {
            Some(bytes) => {
                part.buf.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    /// Fills all parts, and in the same call to `file` the plain `reads`.
    pub(super) fn read(
        &self,
        file: &dyn ReadAt,
        mut reads: Vec<(u64, &mut [u8])>,
        mut parts: Vec<Packed<'_>>,
    ) -> Result<()> {
        parts.sort_unstable_by_key(|part| part.cluster);
        let mut wanted: Vec<&mut [Packed<'_>]> =
            parts.chunk_by_mut(|a, b| a.cluster == b.cluster).collect();
        let mut rest = wanted.as_mut_slice();
        while !rest.is_empty() {
            let (mut runs, count) = plan(rest, file.len())?;
            let portion;
            (portion, rest) = rest.split_at_mut(count);
            let mut all: Vec<(u64, &mut [u8])> = std::mem::take(&mut reads);
            all.extend(runs.iter_mut().map(|run| (run.start, run.bytes.as_mut_slice())));
            file.read_many(&mut all)?;
            self.unpack_all(portion, &runs)?;
        }
        Ok(())
    }

    /// Decompresses every cluster, on as many threads as are worth it.
    fn unpack_all(&self, clusters: &mut [&mut [Packed<'_>]], runs: &[Run]) -> Result<()> {
        let threads = *self
            .threads
            .get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
        let threads = threads.min(clusters.len() / PER_THREAD);
        let queue = Mutex::new(clusters.iter_mut());
        let work = || {
            let mut decompressor = Decompressor::new(self.compression);
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                match next {
                    Some(parts) => {
                        if let Err(error) = self.unpack(&mut decompressor, parts, runs) {
                            // Nothing of this read will be used: the others may stop.
                            queue.lock().unwrap_or_else(PoisonError::into_inner).by_ref().count();
                            return Err(error);
                        }
                    }
                    None => return Ok(()),
                }
            }
        };
        std::thread::scope(|scope| {
            // A thread that cannot be had is no failure: this one does the work then.
            let helpers: Vec<_> = (1..threads)
                .map_while(|_| {
                    let builder = std::thread::Builder::new().stack_size(STACK);
                    builder.spawn_scoped(scope, work).ok()
                })
                .collect();
            let mine = work();
            helpers.into_iter().fold(mine, |outcome, helper| {
                let theirs = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome.and(theirs)
            })
        })
    }

    /// Decompresses one cluster into all the parts of it that are wanted.
    fn unpack(
        &self,
        decompressor: &mut Decompressor,
        parts: &mut [Packed<'_>],
        runs: &[Run],
    ) -> Result<()> {
        let Some(cluster) = parts.first().map(|part| part.cluster) else {
            return Ok(());
        };
        let corrupt = |why: String| Error::corrupt("compressed cluster", cluster.offset, why);
        let data = compressed_bytes(runs, cluster)
            .ok_or_else(|| corrupt("its data was not fetched".to_owned()))?;
        if let [whole] = parts
            && whole.buf.len() == self.cluster_size
        {
            return decompressor.decompress(data, whole.buf).map_err(corrupt);
        }
        let mut bytes = vec![0; self.cluster_size];
        decompressor.decompress(data, &mut bytes).map_err(corrupt)?;
        for part in parts {
            part.buf.copy_from_slice(&bytes[part.within..part.within + part.buf.len()]);
        }
        self.clusters.put(cluster.offset, Arc::new(bytes));
        Ok(())
    }
}

/// What to fetch for as many of the clusters, which are sorted, as one portion holds.
fn plan(clusters: &[&mut [Packed<'_>]], end: u64) -> Result<(Vec<Run>, usize)> {
    let mut runs: Vec<Run> = Vec::new();
    let mut held = 0;
    let wanted = clusters.iter().filter_map(|parts| parts.first()).map(|part| part.cluster);
    for (count, cluster) in wanted.enumerate() {
        if cluster.offset >= end {
            return Err(
                Error::past_end(cluster.offset, cluster.length, end).within("compressed cluster")
            );
        }
        // The last sector need not be there in full.
        let stop = (cluster.offset + cluster.length).min(end);
        let more = match runs.last_mut() {
            Some(run) if cluster.offset <= run.start + run.bytes.len() as u64 + GAP => {
                let length = (stop - run.start) as usize;
                let more = length.saturating_sub(run.bytes.len());
                if held + more > PORTION {
                    return Ok((runs, count));
                }
                run.bytes.resize(run.bytes.len() + more, 0);
                more
            }
            _ => {
                let length = (stop - cluster.offset) as usize;
                if held + length > PORTION {
                    return Ok((runs, count));
                }
                runs.push(Run { start: cluster.offset, bytes: vec![0; length] });
                length
            }
        };
        held += more;
    }
    Ok((runs, clusters.len()))
}

fn compressed_bytes(runs: &[Run], cluster: Compressed) -> Option<&[u8]> {
    let after = runs.partition_point(|run| run.start <= cluster.offset);
    let run = &runs[after.checked_sub(1)?];
    let from = usize::try_from(cluster.offset - run.start).ok()?;
    let until = from.saturating_add(cluster.length as usize).min(run.bytes.len());
    run.bytes.get(from..until)
}
