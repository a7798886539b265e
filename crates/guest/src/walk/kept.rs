//! Entries that are to be read after the walk.

use fathom_block::Error;

use super::Entry;
use crate::files::Files;

/// How many entries are kept.
const MAX_ENTRIES: usize = 1 << 18;

/// How many bytes their paths may have.
const MAX_PATHS: usize = 64 << 20;

/// Entries that a collector keeps, in bounded memory, in the order in which they were seen.
#[derive(Default)]
pub(crate) struct Kept {
    entries: Vec<Entry>,
    paths: usize,
    /// How many were not kept.
    lost: usize,
}

impl Kept {
    /// Keeps one more, unless these are too many.
    pub(crate) fn keep(&mut self, entry: &Entry) {
        self.paths = self.paths.saturating_add(entry.path.len());
        if self.entries.len() >= MAX_ENTRIES || self.paths > MAX_PATHS {
            self.lost += 1;
            return;
        }
        self.entries.push(entry.clone());
    }

    /// What was kept, sorted by path. If it is not all, that is noted.
    pub(crate) fn into_entries(mut self, files: &Files<'_>, what: &str) -> Vec<Entry> {
        if self.lost > 0 {
            let why = format!("there are {} more than are looked at", self.lost);
            files.note(&Error::unsupported(what, why), "/", what);
        }
        self.entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        self.entries
    }
}
