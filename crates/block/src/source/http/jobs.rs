//! From reads to requests of a good size.

use std::io::{self, Read};

/// The length of one request: long enough that the round trip is a small part of it, and short
/// enough that several side by side fill a fast line sooner.
const PIECE: u64 = 1 << 20;

/// Fetching this much that nobody wants is cheaper than another request.
const GAP: u64 = 64 << 10;

/// One request: bytes of the image, one after another, and where they go.
pub(super) struct Job<'a> {
    pub(super) start: u64,
    pub(super) length: u64,
    parts: Vec<Part<'a>>,
}

enum Part<'a> {
    Wanted(&'a mut [u8]),
    /// Between two wanted parts.
    Gap(u64),
}

impl<'a> Job<'a> {
    pub(super) fn new(start: u64, buf: &'a mut [u8]) -> Self {
        Self { start, length: buf.len() as u64, parts: vec![Part::Wanted(buf)] }
    }

    fn end(&self) -> u64 {
        self.start + self.length
    }

    /// Reads what is still missing after the first `done` bytes. Also says how many bytes came,
    /// whether or not all did.
    pub(super) fn fill(&mut self, done: u64, body: &mut dyn Read) -> (u64, io::Result<()>) {
        let mut skip = done;
        let mut came = 0;
        for part in &mut self.parts {
            let length = match part {
                Part::Wanted(buf) => buf.len() as u64,
                Part::Gap(length) => *length,
            };
            let from = skip.min(length);
            skip -= from;
            let (more, outcome) = match part {
                Part::Wanted(buf) => read_full(body, &mut buf[from as usize..]),
                Part::Gap(_) => pass(body, length - from),
            };
            came += more;
            if outcome.is_err() {
                return (came, outcome);
            }
        }
        (came, Ok(()))
    }
}

fn read_full(body: &mut dyn Read, buf: &mut [u8]) -> (u64, io::Result<()>) {
    let mut came = 0;
    while came < buf.len() {
        match body.read(&mut buf[came..]) {
            Ok(0) => return (came as u64, Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(more) => came += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (came as u64, Err(error)),
        }
    }
    (came as u64, Ok(()))
}

fn pass(body: &mut dyn Read, length: u64) -> (u64, io::Result<()>) {
    let mut scratch = [0; 8192];
    let mut came = 0;
    while came < length {
        let next = scratch.len().min((length - came) as usize);
        let (more, outcome) = read_full(body, &mut scratch[..next]);
        came += more;
        if outcome.is_err() {
            return (came, outcome);
        }
    }
    (came, Ok(()))
}

/// Splits long reads, and joins short ones that are near each other.
pub(super) fn arrange(mut reads: Vec<(u64, &mut [u8])>) -> Vec<Job<'_>> {
    reads.sort_unstable_by_key(|(offset, _)| *offset);
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (offset, buf) in reads {
        let mut start = offset;
        for piece in buf.chunks_mut(PIECE as usize) {
            let length = piece.len() as u64;
            match jobs.last_mut() {
                Some(job)
                    if start >= job.end()
                        && start - job.end() <= GAP
                        && start + length - job.start <= PIECE =>
                {
                    if start > job.end() {
                        job.parts.push(Part::Gap(start - job.end()));
                    }
                    job.parts.push(Part::Wanted(piece));
                    job.length = start + length - job.start;
                }
                _ => jobs.push(Job::new(start, piece)),
            }
            start += length;
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(reads: &[(u64, usize)]) -> Vec<(u64, u64)> {
        let mut buffers: Vec<(u64, Vec<u8>)> =
            reads.iter().map(|(offset, length)| (*offset, vec![0; *length])).collect();
        let reads = buffers.iter_mut().map(|(offset, buf)| (*offset, buf.as_mut_slice())).collect();
        arrange(reads).iter().map(|job| (job.start, job.length)).collect()
    }

    #[test]
    fn long_reads_are_split_and_near_ones_joined() {
        assert_eq!(shape(&[]), []);
        assert_eq!(shape(&[(5, 10)]), [(5, 10)]);
        assert_eq!(shape(&[(100, 10), (0, 10)]), [(0, 110)]);
        assert_eq!(shape(&[(0, 10), (10 + GAP, 1)]), [(0, 11 + GAP)]);
        assert_eq!(shape(&[(0, 10), (11 + GAP, 1)]), [(0, 10), (11 + GAP, 1)]);
        assert_eq!(shape(&[(0, 10), (5, 10)]), [(0, 10), (5, 10)], "both want the same bytes");
        assert_eq!(
            shape(&[(7, 2 * PIECE as usize + 3)]),
            [(7, PIECE), (7 + PIECE, PIECE), (7 + 2 * PIECE, 3)]
        );
    }

    #[test]
    fn a_job_goes_on_where_it_stopped() {
        let body: Vec<u8> = (0..100).collect();
        let (mut first, mut second) = ([0; 10], [0; 5]);
        let mut jobs = arrange(vec![(50, &mut second[..]), (20, &mut first[..])]);
        let job = &mut jobs[0];
        let mut done = 0;
        for stop in [23, 30, 41, 50, 51, 55] {
            let (came, outcome) = job.fill(done, &mut &body[20 + done as usize..stop]);
            done += came;
            assert_eq!((outcome.is_ok(), done), (stop == 55, stop as u64 - 20));
        }
        assert_eq!((first[0], first[9], second[0], second[4]), (20, 29, 50, 54));
    }
}
