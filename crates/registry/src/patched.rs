//! A hive some of whose sectors are shown as its logs say they should be.

use std::collections::BTreeMap;
use std::sync::Arc;

use fathom_block::{ReadAt, Result, check_range};

pub(crate) const SECTOR: u64 = 512;

/// Where in a log a sector lies.
#[derive(Clone)]
struct Patch {
    log: usize,
    at: u64,
}

/// The bytes of the hive as the logs leave it. It may end elsewhere than the file does.
pub(crate) struct Patched {
    primary: Arc<dyn ReadAt>,
    logs: Vec<Arc<dyn ReadAt>>,
    /// By the sector's number in the hive.
    patches: BTreeMap<u64, Patch>,
    end: u64,
}

impl Patched {
    /// The hive as it lies there, up to byte `end`.
    pub(crate) fn new(primary: Arc<dyn ReadAt>, end: u64) -> Self {
        Self { primary, logs: Vec::new(), patches: BTreeMap::new(), end }
    }

    /// Another place for the end.
    pub(crate) fn resize(&mut self, end: u64) {
        self.end = end;
    }

    /// A log that sectors are taken from, and its number for [`Patched::replace`].
    pub(crate) fn add_log(&mut self, log: Arc<dyn ReadAt>) -> usize {
        self.logs.push(log);
        self.logs.len() - 1
    }

    /// Shows the `length` bytes of the log at `at` in the place of those at `place`. Both are
    /// multiples of a sector.
    pub(crate) fn replace(&mut self, place: u64, log: usize, at: u64, length: u64) {
        for step in 0..length / SECTOR {
            self.patches.insert(place / SECTOR + step, Patch { log, at: at + step * SECTOR });
        }
    }

    /// The first byte that neither the hive nor a log has.
    pub(crate) fn missing(&self) -> Option<u64> {
        let length = self.primary.len();
        let first = length / SECTOR;
        let behind = self.patches.range(first..).map(|(sector, _)| *sector);
        let patched = (first..).zip(behind).take_while(|(wanted, have)| wanted == have).count();
        let end = if patched == 0 { length } else { (first + patched as u64) * SECTOR };
        (end < self.end).then_some(end)
    }
}

impl ReadAt for Patched {
    fn len(&self) -> u64 {
        self.end
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let range = check_range(offset, buf.len(), self.end)?;
        let mut at = range.start;
        for (sector, patch) in self.patches.range(range.start / SECTOR..range.end.div_ceil(SECTOR))
        {
            let start = (sector * SECTOR).max(at);
            let end = ((sector + 1) * SECTOR).min(range.end);
            if at < start {
                self.primary.read_at(at, part(buf, at - offset, start - at))?;
            }
            if let Some(log) = self.logs.get(patch.log) {
                let from = patch.at + (start - sector * SECTOR);
                log.read_at(from, part(buf, start - offset, end - start))?;
            }
            at = end;
        }
        if at < range.end {
            self.primary.read_at(at, part(buf, at - offset, range.end - at))?;
        }
        Ok(())
    }
}

/// Part of a buffer that was asked for within its bounds.
fn part(buf: &mut [u8], start: u64, length: u64) -> &mut [u8] {
    let start = (start as usize).min(buf.len());
    let end = (start + length as usize).min(buf.len());
    &mut buf[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_of_logs_stand_in() {
        let mut patched = Patched::new(Arc::new(vec![1; 2000]), 3000);
        assert_eq!(patched.missing(), Some(2000));
        let log = patched.add_log(Arc::new([vec![7; 512], vec![8; 512], vec![9; 1024]].concat()));
        patched.replace(512, log, 0, 512);
        patched.replace(1536, log, 1024, 1024);
        let mut bytes = vec![0; 1500];
        patched.read_at(500, &mut bytes).unwrap();
        let runs = bytes.chunk_by(|a, b| a == b).map(|run| (run[0], run.len()));
        assert_eq!(runs.collect::<Vec<_>>(), [(1, 12), (7, 512), (1, 512), (9, 464)]);
        assert_eq!(patched.missing(), Some(2560));
        assert!(patched.read_at(2500, &mut [0; 100]).is_err());
        patched.replace(2560, log, 0, 512);
        assert_eq!(patched.missing(), None);
        patched.read_at(2500, &mut [0; 500]).unwrap();
        assert!(patched.read_at(2500, &mut [0; 501]).is_err());
    }
}
